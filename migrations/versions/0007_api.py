"""Programs that may read the register, and the days on which they did.

Revision ID: 0007_api
Revises: 0006_quality
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_api"
down_revision = "0006_quality"
branch_labels = None
depends_on = None


def account_number() -> sa.types.TypeEngine[int]:
    """The type of ``account.id``."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", account_number(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", account_number(), nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.CheckConstraint("length(token_hash) = 64", name=op.f("ck_api_client_token_hash_length")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_api_client_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_api_client_created_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["account.id"], name=op.f("fk_api_client_revoked_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_client")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_client_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_client_token_hash")),
    )
    op.create_index("ix_api_client_cooperative", "api_client", ["cooperative_id", "created_at"])
    op.create_table(
        "api_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.Column("resource", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_client.id"], name=op.f("fk_api_use_client_id_api_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_use")),
        sa.UniqueConstraint(
            "client_id",
            "used_on",
            "resource",
            name=op.f("uq_api_use_client_id_used_on_resource"),
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        # The words that are searched, for very large registers.
        op.execute(
            "CREATE INDEX ix_membership_words ON membership USING gin "
            "(array_to_tsvector(string_to_array(btrim(search_text), ' ')))"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_membership_words")
    op.drop_table("api_use")
    op.drop_index("ix_api_client_cooperative", table_name="api_client")
    op.drop_table("api_client")
