"""The next member number is found at once, however many members there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_numbers"
down_revision = "0015_transfer_invitations"
branch_labels = None
depends_on = None

INDEX = "ix_membership_counted"
COUNTED = sa.text(
    "ltrim(member_number, '0123456789') = '' AND length(member_number) BETWEEN 1 AND 18"
)


def upgrade() -> None:
    op.create_index(
        INDEX,
        "membership",
        [
            "cooperative_id",
            sa.text("length(ltrim(member_number, '0'))"),
            sa.text("ltrim(member_number, '0')"),
        ],
        sqlite_where=COUNTED,
        postgresql_where=COUNTED,
    )


def downgrade() -> None:
    op.drop_index(INDEX, table_name="membership")
