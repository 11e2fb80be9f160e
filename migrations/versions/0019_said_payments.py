"""That an entry is a certain payment of ours is kept, with where it stood, and can be undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_said_payments"
down_revision = "0018_roll_labels"
branch_labels = None
depends_on = None

LIVE = "undone_at IS NULL"
TABLE = "outgoing_by_hand"
STATES = ("planned", "released", "in_batch", "sent", "paid", "returned", "cancelled")


def account_number() -> sa.types.TypeEngine[int]:
    """The number of an account."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    known = ", ".join(f"'{state}'" for state in STATES)
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("outgoing_id", sa.Integer(), nullable=False),
        sa.Column("was_state", sa.String(length=9), nullable=False),
        sa.Column("was_reason", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", account_number(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", account_number(), nullable=True),
        sa.Column("undone_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            f"was_state IN ({known})", name=op.f("ck_outgoing_by_hand_was_state_known")
        ),
        sa.CheckConstraint(
            "undone_at IS NULL OR length(undone_reason) >= 5",
            name=op.f("ck_outgoing_by_hand_undone_why"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["bank_entry.id"], name=op.f("fk_outgoing_by_hand_entry_id_bank_entry")
        ),
        sa.ForeignKeyConstraint(
            ["outgoing_id"],
            ["outgoing_payment.id"],
            name=op.f("fk_outgoing_by_hand_outgoing_id_outgoing_payment"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["account.id"], name=op.f("fk_outgoing_by_hand_made_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"],
            ["account.id"],
            name=op.f("fk_outgoing_by_hand_undone_by_id_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_by_hand")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outgoing_by_hand_public_id")),
    )
    op.create_index("ix_outgoing_by_hand_outgoing", TABLE, ["outgoing_id"])
    op.create_index("ix_outgoing_by_hand_entry", TABLE, ["entry_id"])
    op.create_index(
        "uq_outgoing_by_hand_live",
        TABLE,
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text(LIVE),
        postgresql_where=sa.text(LIVE),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
