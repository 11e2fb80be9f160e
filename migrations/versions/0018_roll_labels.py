"""What a roll is for can be said in several languages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_roll_labels"
down_revision = "0017_payer_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a default: locked rolls are not touched, and keep the one label that they have.
    op.add_column("roll", sa.Column("labels", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("roll", "labels")
