"""Somebody who is no member yet receives shares by an application that comes with the transfer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_transfer_invitations"
down_revision = "0014_hearings"
branch_labels = None
depends_on = None

TRANSFERS = "'proposed', 'awaiting_admission', 'completed', 'declined', 'withdrawn', 'expired'"
TRANSFERS_NOW = (
    "'proposed', 'awaiting_admission', 'awaiting_acceptance', 'completed', 'declined', 'refused',"
    " 'withdrawn', 'expired'"
)
APPLICATIONS = (
    "'unconfirmed', 'confirmed', 'accepted', 'admitted', 'refused', 'withdrawn', 'expired'"
)
APPLICATIONS_NOW = f"{APPLICATIONS}, 'lapsed'"


def upgrade() -> None:
    with op.batch_alter_table("transfer_request", recreate=_anew()) as batch:
        _change_states(batch, "transfer_request", TRANSFERS_NOW)
        batch.add_column(
            sa.Column("receiver_language", sa.String(2), nullable=False, server_default="")
        )
        batch.add_column(sa.Column("invitation_hash", sa.String(64), nullable=True))
        batch.create_unique_constraint(
            op.f("uq_transfer_request_invitation_hash"), ["invitation_hash"]
        )
    with op.batch_alter_table("transfer_request") as batch:
        batch.alter_column("receiver_language", server_default=None)
    with op.batch_alter_table("application", recreate=_anew()) as batch:
        _change_states(batch, "application", APPLICATIONS_NOW)
        batch.add_column(sa.Column("transfer_public_id", sa.String(22), nullable=True))
        batch.create_unique_constraint(
            op.f("uq_application_transfer_public_id"), ["transfer_public_id"]
        )


def downgrade() -> None:
    # What the older schema cannot say has ended in the way that is nearest to it. An application
    # without anything to pay can never be admitted there.
    op.execute(
        "UPDATE application SET state = 'withdrawn', hold = '', hold_note = '',"
        " closed_on = coalesce(closed_on, CURRENT_DATE) WHERE state = 'lapsed'"
        " OR (transfer_public_id IS NOT NULL AND state IN ('confirmed', 'accepted'))"
    )
    op.execute("UPDATE transfer_request SET state = 'declined' WHERE state = 'refused'")
    op.execute(
        "UPDATE transfer_request SET state = 'withdrawn', answered_at = CURRENT_TIMESTAMP,"
        " receiver_name = '', receiver_email = '' WHERE state = 'awaiting_acceptance'"
    )
    with op.batch_alter_table("application", recreate=_anew()) as batch:
        batch.drop_constraint(op.f("uq_application_transfer_public_id"), type_="unique")
        batch.drop_column("transfer_public_id")
        _change_states(batch, "application", APPLICATIONS)
    with op.batch_alter_table("transfer_request", recreate=_anew()) as batch:
        batch.drop_constraint(op.f("uq_transfer_request_invitation_hash"), type_="unique")
        batch.drop_column("invitation_hash")
        batch.drop_column("receiver_language")
        _change_states(batch, "transfer_request", TRANSFERS)


def _anew() -> str:
    """SQLite makes a table anew, with the constraints that reflection finds there."""
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"


def _change_states(batch: object, table: str, states: str) -> None:
    name = op.f(f"ck_{table}_state_known")
    batch.drop_constraint(name, type_="check")  # type: ignore[attr-defined]
    batch.create_check_constraint(name, f"state IN ({states})")  # type: ignore[attr-defined]
