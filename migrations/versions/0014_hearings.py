"""A letter that asked for a hearing in time counts beside a later request that came too late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_hearings"
down_revision = "0013_readings"
branch_labels = None
depends_on = None

INDEX = "uq_exclusion_step_once"
BEFORE = "step NOT IN ('observations')"
NOW = f"{BEFORE} AND NOT (step = 'hearing_asked' AND is_late)"


def upgrade() -> None:
    _index(NOW)


def downgrade() -> None:
    # Once each: the request in time is the one that counts.
    op.execute(
        "DELETE FROM exclusion_step WHERE step = 'hearing_asked' AND is_late"
        " AND departure_id IN (SELECT departure_id FROM exclusion_step"
        " WHERE step = 'hearing_asked' AND NOT is_late)"
    )
    _index(BEFORE)


def _index(where: str) -> None:
    op.drop_index(INDEX, table_name="exclusion_step")
    op.create_index(
        INDEX,
        "exclusion_step",
        ["departure_id", "step"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
