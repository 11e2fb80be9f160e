"""Large bank statements are read by a job; claims on payers are kept and can be undone."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from govern.database import BASE58

revision = "0013_readings"
down_revision = "0012_exchange"
branch_labels = None
depends_on = None

LIVE = "undone_at IS NULL"


def account_number() -> sa.types.TypeEngine[int]:
    """The number of an account."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "statement_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("statement_ids", sa.JSON(), nullable=False),
        sa.Column("batch_ids", sa.JSON(), nullable=False),
        sa.Column("entries_new", sa.Integer(), nullable=False),
        sa.Column("entries_known", sa.Integer(), nullable=False),
        sa.Column("settled_up_to", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.String(length=2000), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", account_number(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'matching', 'done', 'failed')",
            name=op.f("ck_statement_reading_state_known"),
        ),
        sa.CheckConstraint(
            "length(file_digest) = 64", name=op.f("ck_statement_reading_digest_length")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (content IS NOT NULL)",
            name=op.f("ck_statement_reading_kept_while_waiting"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_statement_reading_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_account_id"],
            ["bank_account.id"],
            name=op.f("fk_statement_reading_bank_account_id_bank_account"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["account.id"],
            name=op.f("fk_statement_reading_created_by_id_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_reading")),
        sa.UniqueConstraint("public_id", name=op.f("uq_statement_reading_public_id")),
    )
    op.create_index(
        "ix_statement_reading_listed", "statement_reading", ["cooperative_id", "created_at"]
    )
    on_the_way = "state IN ('waiting', 'matching')"
    op.create_index(
        "uq_statement_reading_live",
        "statement_reading",
        ["cooperative_id", "file_digest"],
        unique=True,
        sqlite_where=sa.text(on_the_way),
        postgresql_where=sa.text(on_the_way),
    )
    op.create_table(
        "payer_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("original_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", account_number(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", account_number(), nullable=True),
        sa.Column("undone_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint("length(reason) >= 5", name=op.f("ck_payer_claim_says_why")),
        sa.CheckConstraint(
            "undone_at IS NULL OR length(undone_reason) >= 5",
            name=op.f("ck_payer_claim_undone_why"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["bank_entry.id"], name=op.f("fk_payer_claim_entry_id_bank_entry")
        ),
        sa.ForeignKeyConstraint(
            ["original_id"], ["bank_entry.id"], name=op.f("fk_payer_claim_original_id_bank_entry")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["account.id"], name=op.f("fk_payer_claim_made_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["account.id"], name=op.f("fk_payer_claim_undone_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer_claim")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payer_claim_public_id")),
    )
    op.create_index("ix_payer_claim_entry", "payer_claim", ["entry_id"])
    for side in ("entry", "original"):
        op.create_index(
            f"uq_payer_claim_live_{side}",
            "payer_claim",
            [f"{side}_id"],
            unique=True,
            sqlite_where=sa.text(LIVE),
            postgresql_where=sa.text(LIVE),
        )
    _keep_earlier_claims()
    # No request ever had its ledger written by payments themselves.
    op.drop_column("payment_match", "act_ids")


def _keep_earlier_claims() -> None:
    """A debit that was matched with a reason was a claim; its matches name the credit."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT debit.id, MIN(taken.bank_entry_id), debit.note, MIN(back.made_at),"
            " MIN(back.made_by_id)"
            " FROM bank_entry AS debit"
            " JOIN payment_match AS back ON back.bank_entry_id = debit.id"
            " AND back.how = 'return' AND back.undone_at IS NULL"
            " JOIN payment_match AS taken ON taken.id = back.returns_id"
            " WHERE debit.amount_cents < 0 AND debit.state = 'matched' AND length(debit.note) >= 5"
            " GROUP BY debit.id, debit.note"
        )
    ).all()
    for entry_id, original_id, reason, made_at, made_by_id in found:
        connection.execute(
            sa.text(
                "INSERT INTO payer_claim (public_id, entry_id, original_id, reason, made_at,"
                " made_by_id, undone_reason)"
                " VALUES (:public_id, :entry_id, :original_id, :reason, :made_at, :made_by_id, '')"
            ),
            {
                "public_id": "".join(secrets.choice(BASE58) for _n in range(22)),
                "entry_id": entry_id,
                "original_id": original_id,
                "reason": reason,
                "made_at": made_at,
                "made_by_id": made_by_id,
            },
        )


def downgrade() -> None:
    op.add_column(
        "payment_match",
        sa.Column("act_ids", sa.String(length=200), nullable=False, server_default=""),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("payment_match", "act_ids", server_default=None)
    op.drop_table("payer_claim")
    op.drop_table("statement_reading")
