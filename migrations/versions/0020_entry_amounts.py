"""What a debit may take back is found by its amount, however many entries an account has."""

from __future__ import annotations

from alembic import op

revision = "0020_entry_amounts"
down_revision = "0019_said_payments"
branch_labels = None
depends_on = None

INDEX = "ix_bank_entry_amount"


def upgrade() -> None:
    op.create_index(INDEX, "bank_entry", ["bank_account_id", "amount_cents", "booked_on"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name="bank_entry")
