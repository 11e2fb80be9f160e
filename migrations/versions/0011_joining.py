"""Joining: statutes, applications, decisions of the board, orders of more shares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl

revision = "0011_joining"
down_revision = "0010_leaving"
branch_labels = None
depends_on = None

APPEND_ONLY = ("statutes", "statutes_text")
"""People have consented to them."""

TABLES = ("share_order", "application", "board_decision", "statutes_text", "statutes")


def upgrade() -> None:
    op.create_table(
        "board_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_board_decision_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_decision")),
        sa.UniqueConstraint("public_id", name=op.f("uq_board_decision_public_id")),
    )
    op.create_index(
        op.f("ix_board_decision_cooperative_id"), "board_decision", ["cooperative_id"], unique=False
    )
    op.create_table(
        "statutes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("adopted_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_statutes_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statutes")),
        sa.UniqueConstraint(
            "cooperative_id", "version", name=op.f("uq_statutes_cooperative_id_version")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_statutes_public_id")),
    )
    op.create_table(
        "statutes_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statutes_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "language IN ('fr', 'nl', 'de', 'en')", name=op.f("ck_statutes_text_language_known")
        ),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'text/markdown')",
            name=op.f("ck_statutes_text_media_type_known"),
        ),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_statutes_text_digest_length")),
        sa.CheckConstraint("size > 0", name=op.f("ck_statutes_text_not_empty")),
        sa.ForeignKeyConstraint(
            ["statutes_id"], ["statutes.id"], name=op.f("fk_statutes_text_statutes_id_statutes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statutes_text")),
        sa.UniqueConstraint(
            "statutes_id", "language", name=op.f("uq_statutes_text_statutes_id_language")
        ),
    )
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("given_name", sa.String(length=120), nullable=False),
        sa.Column("family_name", sa.String(length=120), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("organisation_name", sa.String(length=250), nullable=False),
        sa.Column("enterprise_number", sa.String(length=40), nullable=False),
        sa.Column("representative_given_name", sa.String(length=120), nullable=False),
        sa.Column("representative_family_name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("street", sa.String(length=250), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("town", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("share_class", sa.String(length=20), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("statutes_id", sa.Integer(), nullable=False),
        sa.Column("statutes_language", sa.String(length=2), nullable=False),
        sa.Column("statutes_digest", sa.String(length=64), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email_token_hash", sa.String(length=64), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identity", sa.String(length=20), nullable=False),
        sa.Column("linked_person_id", sa.Integer(), nullable=True),
        sa.Column("linked_organisation_id", sa.Integer(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("payment_due_on", sa.Date(), nullable=True),
        sa.Column("remind_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("hold", sa.String(length=20), nullable=False),
        sa.Column("hold_note", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=True),
        sa.Column("admitted_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("forgotten_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(identity = 'same')"
            " = (linked_person_id IS NOT NULL OR linked_organisation_id IS NOT NULL)",
            name=op.f("ck_application_same_is_linked"),
        ),
        sa.CheckConstraint(
            "(state = 'admitted') = (membership_id IS NOT NULL)",
            name=op.f("ck_application_admitted_has_membership"),
        ),
        sa.CheckConstraint(
            "(state = 'unconfirmed') = (email_confirmed_at IS NULL)",
            name=op.f("ck_application_confirmed_at"),
        ),
        sa.CheckConstraint(
            "(state = 'unconfirmed') = (email_token_hash IS NOT NULL)",
            name=op.f("ck_application_token_until_confirmed"),
        ),
        sa.CheckConstraint(
            "hold IN ('', 'likeness', 'refused_by_register')",
            name=op.f("ck_application_hold_known"),
        ),
        sa.CheckConstraint(
            "identity IN ('undecided', 'somebody_else', 'same')",
            name=op.f("ck_application_identity_known"),
        ),
        sa.CheckConstraint("kind IN ('natural', 'legal')", name=op.f("ck_application_kind_known")),
        sa.CheckConstraint(
            "language IN ('fr', 'nl', 'de', 'en')", name=op.f("ck_application_language_known")
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR decision_reason <> ''",
            name=op.f("ck_application_refusal_has_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'confirmed', 'accepted', 'admitted', 'refused', 'withdrawn',"
            " 'expired')",
            name=op.f("ck_application_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'admitted', 'expired') OR accepted_on IS NOT NULL",
            name=op.f("ck_application_accepted_on"),
        ),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_application_price_positive")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_application_shares_positive")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_application_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["board_decision.id"],
            name=op.f("fk_application_decision_id_board_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["linked_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_application_linked_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["linked_person_id"], ["person.id"], name=op.f("fk_application_linked_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_application_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["payment_request.id"],
            name=op.f("fk_application_request_id_payment_request"),
        ),
        sa.ForeignKeyConstraint(
            ["statutes_id"], ["statutes.id"], name=op.f("fk_application_statutes_id_statutes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("email_token_hash", name=op.f("uq_application_email_token_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_application_public_id")),
        sa.UniqueConstraint("request_id", name=op.f("uq_application_request_id")),
    )
    op.create_index(
        "ix_application_address", "application", ["email_key", "cooperative_id"], unique=False
    )
    op.create_index(
        op.f("ix_application_decision_id"), "application", ["decision_id"], unique=False
    )
    op.create_index("ix_application_due", "application", ["state", "payment_due_on"], unique=False)
    op.create_index(
        "ix_application_listed", "application", ["cooperative_id", "state", "id"], unique=False
    )
    op.create_index(
        op.f("ix_application_membership_id"), "application", ["membership_id"], unique=False
    )
    op.create_index(
        op.f("ix_application_token_expires_at"), "application", ["token_expires_at"], unique=False
    )
    op.create_table(
        "share_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("share_class", sa.String(length=20), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("payment_due_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'cancelled', 'expired')",
            name=op.f("ck_share_order_state_known"),
        ),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_share_order_price_positive")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_share_order_shares_positive")),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_share_order_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["payment_request.id"],
            name=op.f("fk_share_order_request_id_payment_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_order")),
        sa.UniqueConstraint("public_id", name=op.f("uq_share_order_public_id")),
        sa.UniqueConstraint("request_id", name=op.f("uq_share_order_request_id")),
    )
    op.create_index("ix_share_order_due", "share_order", ["state", "payment_due_on"], unique=False)
    op.create_index(
        op.f("ix_share_order_membership_id"), "share_order", ["membership_id"], unique=False
    )
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in APPEND_ONLY:
        for statement in drop_append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)
    for table in TABLES:
        op.drop_table(table)
