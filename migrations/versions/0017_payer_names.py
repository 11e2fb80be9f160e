"""Requests for payment are found by the name of the payer through an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.payments.rules.matching import payer_key

revision = "0017_payer_names"
down_revision = "0016_numbers"
branch_labels = None
depends_on = None

INDEX = "ix_payment_request_payer"
STEP = 5000

requests = sa.table(
    "payment_request",
    sa.column("id", sa.Integer),
    sa.column("payer_name", sa.String),
    sa.column("payer_key", sa.String),
)


def upgrade() -> None:
    op.add_column(
        "payment_request",
        sa.Column("payer_key", sa.String(250), nullable=False, server_default=""),
    )
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(requests.c.id, requests.c.payer_name)
        .where(requests.c.id > last)
        .order_by(requests.c.id)
        .limit(STEP)
    ).all():
        connection.execute(
            requests.update()
            .where(requests.c.id == sa.bindparam("row"))
            .values(payer_key=sa.bindparam("key")),
            [{"row": row.id, "key": payer_key(row.payer_name)} for row in rows],
        )
        last = rows[-1].id
    op.create_index(INDEX, "payment_request", ["cooperative_id", "payer_key", "state", "due_on"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name="payment_request")
    op.drop_column("payment_request", "payer_key")
