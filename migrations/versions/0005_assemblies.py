"""Assemblies: agenda, documents, resolutions, notices, outcomes, calendar feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl

revision = "0005_assemblies"
down_revision = "0004_voting"
branch_labels = None
depends_on = None

APPEND_ONLY = ("outcome",)


def upgrade() -> None:
    op.create_table(
        "document_content",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_document_content_digest_length")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_document_content")),
    )
    op.create_table(
        "calendar_feed",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_feed_public_id")),
    )
    op.create_table(
        "assembly",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("introductions", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("record_date", sa.Date(), nullable=False),
        sa.Column("objection_deadline", sa.Date(), nullable=True),
        sa.Column("second_of_id", sa.Integer(), nullable=True),
        sa.Column("roll_id", sa.Integer(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)",
            name=op.f("ck_assembly_cancelled_at"),
        ),
        sa.CheckConstraint(
            "kind IN ('ordinary', 'extraordinary')", name=op.f("ck_assembly_kind_known")
        ),
        sa.CheckConstraint(
            "mode IN ('physical', 'hybrid', 'remote')", name=op.f("ck_assembly_mode_known")
        ),
        sa.CheckConstraint(
            "state <> 'cancelled' OR cancel_reason <> ''",
            name=op.f("ck_assembly_cancel_has_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'cancelled') OR published_at IS NOT NULL",
            name=op.f("ck_assembly_published_at"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'convened', 'held', 'closed', 'cancelled')",
            name=op.f("ck_assembly_state_known"),
        ),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_assembly_ends_after_start")
        ),
        sa.CheckConstraint(
            "objection_deadline IS NULL OR objection_deadline >= record_date",
            name=op.f("ck_assembly_objection_after_record"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_assembly_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(["roll_id"], ["roll.id"], name=op.f("fk_assembly_roll_id_roll")),
        sa.ForeignKeyConstraint(
            ["second_of_id"], ["assembly.id"], name=op.f("fk_assembly_second_of_id_assembly")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assembly")),
        sa.UniqueConstraint("cooperative_id", "slug", name=op.f("uq_assembly_cooperative_id_slug")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assembly_public_id")),
        sa.UniqueConstraint("roll_id", name=op.f("uq_assembly_roll_id")),
        sa.UniqueConstraint("second_of_id", name=op.f("uq_assembly_second_of_id")),
    )
    op.create_index(
        op.f("ix_assembly_cooperative_id"), "assembly", ["cooperative_id"], unique=False
    )
    op.create_table(
        "agenda_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("assembly_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("presented_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "kind IN ('decision', 'information', 'take_note', 'election', 'discussion', "
            "'workshop')",
            name=op.f("ck_agenda_item_kind_known"),
        ),
        sa.CheckConstraint(
            "duration_minutes IS NULL OR duration_minutes > 0", name=op.f("ck_agenda_item_lasts")
        ),
        sa.CheckConstraint(
            "parent_id IS NULL OR parent_id <> id", name=op.f("ck_agenda_item_not_its_own_parent")
        ),
        sa.ForeignKeyConstraint(
            ["assembly_id"], ["assembly.id"], name=op.f("fk_agenda_item_assembly_id_assembly")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["agenda_item.id"], name=op.f("fk_agenda_item_parent_id_agenda_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agenda_item_public_id")),
    )
    op.create_index(
        op.f("ix_agenda_item_assembly_id"), "agenda_item", ["assembly_id"], unique=False
    )
    op.create_index(op.f("ix_agenda_item_parent_id"), "agenda_item", ["parent_id"], unique=False)
    op.create_table(
        "assembly_election",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assembly_id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assembly_id"], ["assembly.id"], name=op.f("fk_assembly_election_assembly_id_assembly")
        ),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_assembly_election_election_id_election")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assembly_election")),
        sa.UniqueConstraint("election_id", name=op.f("uq_assembly_election_election_id")),
    )
    op.create_index(
        op.f("ix_assembly_election_assembly_id"), "assembly_election", ["assembly_id"], unique=False
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("assembly_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("leaves_on", sa.Date(), nullable=False),
        sa.Column("latest_day", sa.Date(), nullable=False),
        sa.Column("days_given", sa.Integer(), nullable=False),
        sa.Column("days_required", sa.Integer(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column(
            "sent_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind <> 'convening' OR days_given >= days_required OR override_reason <> ''",
            name=op.f("ck_notice_late_has_reason"),
        ),
        sa.CheckConstraint(
            "kind IN ('convening', 'cancellation')", name=op.f("ck_notice_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["assembly_id"], ["assembly.id"], name=op.f("fk_notice_assembly_id_assembly")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["rule_set.id"], name=op.f("fk_notice_rule_set_id_rule_set")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by_id"], ["account.id"], name=op.f("fk_notice_sent_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("assembly_id", "kind", name=op.f("uq_notice_assembly_id_kind")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notice_public_id")),
    )
    op.create_index(op.f("ix_notice_assembly_id"), "notice", ["assembly_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("assembly_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("filename", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_document_not_empty")),
        sa.ForeignKeyConstraint(
            ["assembly_id"], ["assembly.id"], name=op.f("fk_document_assembly_id_assembly")
        ),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["document_content.digest"],
            name=op.f("fk_document_digest_document_content"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["agenda_item.id"], name=op.f("fk_document_item_id_agenda_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint(
            "assembly_id",
            "item_id",
            "language",
            "digest",
            name=op.f("uq_document_assembly_id_item_id_language_digest"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_document_public_id")),
    )
    op.create_index(op.f("ix_document_assembly_id"), "document", ["assembly_id"], unique=False)
    op.create_index(op.f("ix_document_digest"), "document", ["digest"], unique=False)
    op.create_index(op.f("ix_document_item_id"), "document", ["item_id"], unique=False)
    op.create_table(
        "notice_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(state = 'handed_over') = (outbox_id IS NOT NULL)",
            name=op.f("ck_notice_delivery_handed_over_has_mail"),
        ),
        sa.CheckConstraint(
            "channel IN ('email', 'letter')", name=op.f("ck_notice_delivery_channel_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'handed_over')", name=op.f("ck_notice_delivery_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_notice_delivery_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id_notice")
        ),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox_mail.id"], name=op.f("fk_notice_delivery_outbox_id_outbox_mail")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint(
            "notice_id", "membership_id", name=op.f("uq_notice_delivery_notice_id_membership_id")
        ),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_notice_delivery_outbox_id")),
    )
    op.create_index(
        op.f("ix_notice_delivery_membership_id"), "notice_delivery", ["membership_id"], unique=False
    )
    op.create_index(
        "ix_notice_delivery_notice_id_state",
        "notice_delivery",
        ["notice_id", "state"],
        unique=False,
    )
    op.create_table(
        "resolution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("majority_rule", sa.String(length=40), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("election_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'people') = (seats IS NOT NULL)", name=op.f("ck_resolution_people_fill_seats")
        ),
        sa.CheckConstraint("kind IN ('text', 'people')", name=op.f("ck_resolution_kind_known")),
        sa.CheckConstraint("seats IS NULL OR seats > 0", name=op.f("ck_resolution_seats_positive")),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_resolution_election_id_election")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["agenda_item.id"], name=op.f("fk_resolution_item_id_agenda_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolution")),
        sa.UniqueConstraint("public_id", name=op.f("uq_resolution_public_id")),
    )
    op.create_index(op.f("ix_resolution_election_id"), "resolution", ["election_id"], unique=False)
    op.create_index(op.f("ix_resolution_item_id"), "resolution", ["item_id"], unique=False)
    op.create_table(
        "candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("statements", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolution.id"], name=op.f("fk_candidate_resolution_id_resolution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint("public_id", name=op.f("uq_candidate_public_id")),
    )
    op.create_index(
        op.f("ix_candidate_resolution_id"), "candidate", ["resolution_id"], unique=False
    )
    op.create_table(
        "outcome",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_outcome_digest_length")),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_outcome_election_id_election")
        ),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolution.id"], name=op.f("fk_outcome_resolution_id_resolution")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["rule_set.id"], name=op.f("fk_outcome_rule_set_id_rule_set")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("resolution_id", name=op.f("uq_outcome_resolution_id")),
    )
    op.create_index(op.f("ix_outcome_election_id"), "outcome", ["election_id"], unique=False)
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, dialect):
            op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in drop_append_only_ddl(table, dialect):
            op.execute(statement)
    op.drop_index(op.f("ix_outcome_election_id"), table_name="outcome")
    op.drop_table("outcome")
    op.drop_index(op.f("ix_candidate_resolution_id"), table_name="candidate")
    op.drop_table("candidate")
    op.drop_index(op.f("ix_resolution_item_id"), table_name="resolution")
    op.drop_index(op.f("ix_resolution_election_id"), table_name="resolution")
    op.drop_table("resolution")
    op.drop_index("ix_notice_delivery_notice_id_state", table_name="notice_delivery")
    op.drop_index(op.f("ix_notice_delivery_membership_id"), table_name="notice_delivery")
    op.drop_table("notice_delivery")
    op.drop_index(op.f("ix_document_item_id"), table_name="document")
    op.drop_index(op.f("ix_document_digest"), table_name="document")
    op.drop_index(op.f("ix_document_assembly_id"), table_name="document")
    op.drop_table("document")
    op.drop_index(op.f("ix_notice_assembly_id"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_assembly_election_assembly_id"), table_name="assembly_election")
    op.drop_table("assembly_election")
    op.drop_index(op.f("ix_agenda_item_parent_id"), table_name="agenda_item")
    op.drop_index(op.f("ix_agenda_item_assembly_id"), table_name="agenda_item")
    op.drop_table("agenda_item")
    op.drop_index(op.f("ix_assembly_cooperative_id"), table_name="assembly")
    op.drop_table("assembly")
    op.drop_table("calendar_feed")
    op.drop_table("document_content")
