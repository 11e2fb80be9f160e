"""Payments: bank accounts, requests, statements, matches, payments going out; the treasurer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_payments"
down_revision = "0007_api"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ROLES_BEFORE = (
    "registrar",
    "secretary",
    "returning_officer",
    "trustee",
    "auditor",
    "administrator",
)
ROLES = ("registrar", "treasurer", *ROLES_BEFORE[1:])


def allow_roles(roles: tuple[str, ...]) -> None:
    """Let ``role_grant`` hold ``roles`` and no others."""
    known = f"role IN ({', '.join(repr(role) for role in roles)})"
    name = op.f("ck_role_grant_role_known")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, "role_grant", type_="check")
        op.create_check_constraint(name, "role_grant", known)
        return
    # SQLite makes the table anew, with the constraints that reflection finds there.
    with op.batch_alter_table("role_grant", recreate="always") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, known)


def upgrade() -> None:
    allow_roles(ROLES)
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("holder", sa.String(length=70), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "NOT is_default OR closed_at IS NULL", name=op.f("ck_bank_account_default_is_open")
        ),
        sa.CheckConstraint("length(bic) IN (0, 8, 11)", name=op.f("ck_bank_account_bic_length")),
        sa.CheckConstraint(
            "length(iban) BETWEEN 15 AND 34", name=op.f("ck_bank_account_iban_length")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_bank_account_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
        sa.UniqueConstraint(
            "cooperative_id", "iban", name=op.f("uq_bank_account_cooperative_id_iban")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_account_public_id")),
    )
    op.create_index(
        "uq_bank_account_default",
        "bank_account",
        ["cooperative_id"],
        unique=True,
        sqlite_where=sa.text("is_default = 1"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("identification", sa.String(length=70), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("opening_cents", sa.BigInteger(), nullable=True),
        sa.Column("closing_cents", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("entries_new", sa.Integer(), nullable=False),
        sa.Column("entries_known", sa.Integer(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.Column(
            "read_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint(
            "length(file_digest) = 64", name=op.f("ck_bank_statement_digest_length")
        ),
        sa.ForeignKeyConstraint(
            ["bank_account_id"],
            ["bank_account.id"],
            name=op.f("fk_bank_statement_bank_account_id_bank_account"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_bank_statement_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["read_by_id"], ["account.id"], name=op.f("fk_bank_statement_read_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint(
            "bank_account_id",
            "file_digest",
            "ordinal",
            name=op.f("uq_bank_statement_bank_account_id_file_digest_ordinal"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_statement_public_id")),
    )
    op.create_index(
        "ix_bank_statement_read", "bank_statement", ["cooperative_id", "read_at"], unique=False
    )
    op.create_table(
        "payment_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column("xml", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("execute_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.Column("cancel_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "state <> 'cancelled' OR length(cancel_reason) >= 5",
            name=op.f("ck_payment_batch_cancelled_why"),
        ),
        sa.CheckConstraint(
            "state IN ('made', 'sent', 'done', 'cancelled')",
            name=op.f("ck_payment_batch_state_known"),
        ),
        sa.CheckConstraint(
            "count > 0 AND total_cents > 0", name=op.f("ck_payment_batch_not_empty")
        ),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_payment_batch_digest_length")),
        sa.ForeignKeyConstraint(
            ["bank_account_id"],
            ["bank_account.id"],
            name=op.f("fk_payment_batch_bank_account_id_bank_account"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_payment_batch_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_payment_batch_created_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_batch")),
        sa.UniqueConstraint("message_id", name=op.f("uq_payment_batch_message_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_batch_public_id")),
    )
    op.create_index(
        "ix_payment_batch_listed", "payment_batch", ["cooperative_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_payment_batch_waiting",
        "payment_batch",
        ["cooperative_id"],
        unique=True,
        sqlite_where=sa.text("state = 'made'"),
        postgresql_where=sa.text("state = 'made'"),
    )
    op.create_table(
        "outgoing_payment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("payee_name", sa.String(length=250), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=140), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.Column(
            "released_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(state IN ('planned', 'cancelled')) OR released_at IS NOT NULL",
            name=op.f("ck_outgoing_payment_released_before_paid"),
        ),
        sa.CheckConstraint(
            "(state IN ('planned', 'released', 'cancelled') AND batch_id IS NULL) OR (state IN "
            "('in_batch', 'sent') AND batch_id IS NOT NULL) OR state IN ('paid', 'returned')",
            name=op.f("ck_outgoing_payment_batch_fits_state"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'released', 'in_batch', 'sent', 'paid', 'returned', 'cancelled')",
            name=op.f("ck_outgoing_payment_state_known"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_outgoing_payment_amount_positive")),
        sa.CheckConstraint(
            "length(bic) IN (0, 8, 11)", name=op.f("ck_outgoing_payment_bic_length")
        ),
        sa.CheckConstraint(
            "length(iban) BETWEEN 15 AND 34"
            " OR (iban = '' AND state IN ('paid', 'returned', 'cancelled'))",
            name=op.f("ck_outgoing_payment_iban_length"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["payment_batch.id"],
            name=op.f("fk_outgoing_payment_batch_id_payment_batch"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_outgoing_payment_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["account.id"],
            name=op.f("fk_outgoing_payment_created_by_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["released_by_id"],
            ["account.id"],
            name=op.f("fk_outgoing_payment_released_by_id_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_payment")),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_outgoing_payment_end_to_end_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outgoing_payment_public_id")),
    )
    op.create_index("ix_outgoing_payment_batch", "outgoing_payment", ["batch_id"], unique=False)
    op.create_index(
        "ix_outgoing_payment_listed",
        "outgoing_payment",
        ["cooperative_id", "state", "due_on"],
        unique=False,
    )
    op.create_index(
        "uq_outgoing_payment_live",
        "outgoing_payment",
        ["cooperative_id", "subject"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('cancelled', 'returned')"),
        postgresql_where=sa.text("state NOT IN ('cancelled', 'returned')"),
    )
    op.create_table(
        "payment_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("reference_kind", sa.String(length=13), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("payer_name", sa.String(length=250), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "reference_kind IN ('be-structured', 'rf')",
            name=op.f("ck_payment_request_reference_kind_known"),
        ),
        sa.CheckConstraint(
            "state = 'cancelled' OR (state = 'settled') = (paid_cents = amount_cents)",
            name=op.f("ck_payment_request_settled_when_paid"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'settled', 'cancelled')", name=op.f("ck_payment_request_state_known")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_request_amount_positive")),
        sa.CheckConstraint(
            "paid_cents BETWEEN 0 AND amount_cents",
            name=op.f("ck_payment_request_paid_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_payment_request_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_payment_request_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_request")),
        sa.UniqueConstraint(
            "cooperative_id", "reference", name=op.f("uq_payment_request_cooperative_id_reference")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_request_public_id")),
    )
    op.create_index(
        "ix_payment_request_created",
        "payment_request",
        ["cooperative_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_payment_request_due",
        "payment_request",
        ["cooperative_id", "state", "due_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_request_membership_id"), "payment_request", ["membership_id"], unique=False
    )
    op.create_index(
        "uq_payment_request_live",
        "payment_request",
        ["cooperative_id", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("bank_account_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.Column("counterparty_name", sa.String(length=140), nullable=False),
        sa.Column("counterparty_iban", sa.String(length=34), nullable=False),
        sa.Column("counterparty_bic", sa.String(length=11), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("remittance", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("bank_reference", sa.String(length=70), nullable=False),
        sa.Column("is_return", sa.Boolean(), nullable=False),
        sa.Column("return_reason", sa.String(length=140), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("doubt", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=True),
        sa.Column("outgoing_id", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'doubtful') = (doubt <> '')", name=op.f("ck_bank_entry_doubtful_says_why")
        ),
        sa.CheckConstraint(
            "doubt IN ('', 'known_payer', 'known_name', 'request_closed', 'rest_left', "
            "'ledger_refused', 'return_unknown', 'outgoing_unexpected', 'outgoing_amount')",
            name=op.f("ck_bank_entry_doubt_known"),
        ),
        sa.CheckConstraint(
            "state <> 'set_aside' OR length(note) >= 5",
            name=op.f("ck_bank_entry_set_aside_has_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('unmatched', 'doubtful', 'matched', 'set_aside', 'returned')",
            name=op.f("ck_bank_entry_state_known"),
        ),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_bank_entry_amount_moves")),
        sa.ForeignKeyConstraint(
            ["bank_account_id"],
            ["bank_account.id"],
            name=op.f("fk_bank_entry_bank_account_id_bank_account"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["payment_batch.id"], name=op.f("fk_bank_entry_batch_id_payment_batch")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["payment_request.id"],
            name=op.f("fk_bank_entry_candidate_id_payment_request"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_bank_entry_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["outgoing_id"],
            ["outgoing_payment.id"],
            name=op.f("fk_bank_entry_outgoing_id_outgoing_payment"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["bank_statement.id"],
            name=op.f("fk_bank_entry_statement_id_bank_statement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entry")),
        sa.UniqueConstraint(
            "bank_account_id", "key", name=op.f("uq_bank_entry_bank_account_id_key")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_entry_public_id")),
    )
    op.create_index(op.f("ix_bank_entry_batch_id"), "bank_entry", ["batch_id"], unique=False)
    op.create_index(
        "ix_bank_entry_counterparty",
        "bank_entry",
        ["cooperative_id", "counterparty_iban"],
        unique=False,
    )
    op.create_index(
        "ix_bank_entry_end_to_end", "bank_entry", ["cooperative_id", "end_to_end_id"], unique=False
    )
    op.create_index(
        "ix_bank_entry_fingerprint", "bank_entry", ["bank_account_id", "fingerprint"], unique=False
    )
    op.create_index(
        "ix_bank_entry_listed",
        "bank_entry",
        ["cooperative_id", "state", "booked_on", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_bank_entry_outgoing_id"), "bank_entry", ["outgoing_id"], unique=False)
    op.create_index(
        op.f("ix_bank_entry_statement_id"), "bank_entry", ["statement_id"], unique=False
    )
    op.create_table(
        "payment_match",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("bank_entry_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("act_ids", sa.String(length=200), nullable=False),
        sa.Column("returns_id", sa.Integer(), nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("undone_at", INSTANT, nullable=True),
        sa.Column(
            "undone_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("undone_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(amount_cents > 0 AND returns_id IS NULL AND how <> 'return') OR (amount_cents < 0 "
            "AND returns_id IS NOT NULL AND how = 'return')",
            name=op.f("ck_payment_match_sign_fits"),
        ),
        sa.CheckConstraint(
            "how IN ('automatic', 'by_hand', 'return')", name=op.f("ck_payment_match_how_known")
        ),
        sa.CheckConstraint(
            "undone_at IS NULL OR length(undone_reason) >= 5",
            name=op.f("ck_payment_match_undone_why"),
        ),
        sa.ForeignKeyConstraint(
            ["bank_entry_id"],
            ["bank_entry.id"],
            name=op.f("fk_payment_match_bank_entry_id_bank_entry"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["account.id"], name=op.f("fk_payment_match_made_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["payment_request.id"],
            name=op.f("fk_payment_match_request_id_payment_request"),
        ),
        sa.ForeignKeyConstraint(
            ["returns_id"],
            ["payment_match.id"],
            name=op.f("fk_payment_match_returns_id_payment_match"),
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["account.id"], name=op.f("fk_payment_match_undone_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_match")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_match_public_id")),
    )
    op.create_index(
        op.f("ix_payment_match_request_id"), "payment_match", ["request_id"], unique=False
    )
    op.create_index(
        "uq_payment_match_live",
        "payment_match",
        ["bank_entry_id", "request_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index(
        "uq_payment_match_returned_once",
        "payment_match",
        ["returns_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL AND returns_id IS NOT NULL"),
        postgresql_where=sa.text("undone_at IS NULL AND returns_id IS NOT NULL"),
    )


def downgrade() -> None:
    # Indexes go with their tables.
    for table in (
        "payment_match",
        "bank_entry",
        "bank_statement",
        "payment_request",
        "outgoing_payment",
        "payment_batch",
        "bank_account",
    ):
        op.drop_table(table)
    op.execute("DELETE FROM role_grant WHERE role = 'treasurer'")
    allow_roles(ROLES_BEFORE)
