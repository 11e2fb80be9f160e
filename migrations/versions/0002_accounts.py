"""Accounts, roles per cooperative, and the short-lived rows of signing in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_accounts"
down_revision = "0001_house"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ROLES = "('registrar', 'secretary', 'returning_officer', 'trustee', 'auditor', 'administrator')"


def account_number() -> sa.types.TypeEngine[int]:
    """Random numbers of 53 bits; SQLite's INTEGER holds them already."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", account_number(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("email_key", sa.String(254)),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("public_id", name="uq_account_public_id"),
        sa.CheckConstraint(
            "language IN ('fr', 'nl', 'de', 'en')", name=op.f("ck_account_language_known")
        ),
        sa.CheckConstraint(
            "(email IS NULL) = (email_key IS NULL)", name=op.f("ck_account_email_has_key")
        ),
    )
    op.create_index("ix_account_email_key", "account", ["email_key"])

    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("account_id", account_number(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("granted_by_id", account_number()),
        sa.Column("ended_by_id", account_number()),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        sa.UniqueConstraint("public_id", name="uq_role_grant_public_id"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_role_grant_account_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name="fk_role_grant_cooperative_id_cooperative"
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["account.id"], name="fk_role_grant_granted_by_id_account"
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["account.id"], name="fk_role_grant_ended_by_id_account"
        ),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("ck_role_grant_role_known")),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_role_grant_ends_after_start")
        ),
    )
    op.create_index("ix_role_grant_cooperative_id", "role_grant", ["cooperative_id"])
    op.create_index(
        "uq_role_grant_open",
        "role_grant",
        ["account_id", "cooperative_id", "role"],
        unique=True,
        sqlite_where=sa.text("ends_at IS NULL"),
        postgresql_where=sa.text("ends_at IS NULL"),
    )

    op.create_table(
        "account_session",
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("account_id", account_number(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_version", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("device", sa.String(60), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name="pk_account_session"),
        sa.UniqueConstraint("token_hash", name="uq_account_session_token_hash"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_account_session_account_id_account"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])
    op.create_index("ix_account_session_started_on", "account_session", ["started_on"])

    op.create_table(
        "sign_in_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(254), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("next_path", sa.String(500), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_request"),
    )
    op.create_index("ix_sign_in_request_requested_at", "sign_in_request", ["requested_at"])

    op.create_table(
        "sign_in_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("address_tag", sa.String(64), nullable=False),
        sa.Column("identifier", sa.String(254), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("next_path", sa.String(500), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_in_link"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sign_in_link_address_tag", "sign_in_link", ["address_tag"])
    op.create_index("ix_sign_in_link_expires_at", "sign_in_link", ["expires_at"])

    op.create_table(
        "sign_in_throttle",
        sa.Column("identifier_tag", sa.String(64), nullable=False),
        sa.Column("window_name", sa.String(5), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("identifier_tag", "window_name", name="pk_sign_in_throttle"),
        sa.CheckConstraint(
            "window_name IN ('short', 'long')", name=op.f("ck_sign_in_throttle_window_known")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sign_in_throttle_started_at", "sign_in_throttle", ["started_at"])


def downgrade() -> None:
    for table in (
        "sign_in_throttle",
        "sign_in_link",
        "sign_in_request",
        "account_session",
        "role_grant",
        "account",
    ):
        op.drop_table(table)
