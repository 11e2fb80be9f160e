"""The house: cooperatives and their rule sets, the audit chain, the outbox, background jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl

revision = "0001_house"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "background_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("total_count", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (claim IS NOT NULL)",
            name=op.f("ck_background_job_running_is_claimed"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed')",
            name=op.f("ck_background_job_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_background_job")),
        sa.UniqueConstraint("key", name=op.f("uq_background_job_key")),
    )
    op.create_index(
        "ix_background_job_state_due_at", "background_job", ["state", "due_at"], unique=False
    )
    op.create_table(
        "cooperative",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("legal_form", sa.String(length=100), nullable=False),
        sa.Column("enterprise_number", sa.String(length=40), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("time_zone", sa.String(length=50), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("accent", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'on_hold')", name=op.f("ck_cooperative_status_known")
        ),
        sa.CheckConstraint(
            "length(code) BETWEEN 2 AND 40", name=op.f("ck_cooperative_code_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cooperative")),
        sa.UniqueConstraint("code", name=op.f("uq_cooperative_code")),
    )
    op.create_table(
        "outbox_file",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_outbox_file")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "length(hash) = 64 AND length(previous_hash) = 64",
            name=op.f("ck_audit_entry_hash_length"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_audit_entry_position_positive")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_audit_entry_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_entry_previous_hash")),
    )
    op.create_index(
        op.f("ix_audit_entry_cooperative_id"), "audit_entry", ["cooperative_id"], unique=False
    )
    op.create_index(
        op.f("ix_audit_entry_recorded_at"), "audit_entry", ["recorded_at"], unique=False
    )
    op.create_index(op.f("ix_audit_entry_tag"), "audit_entry", ["tag"], unique=False)
    op.create_table(
        "outbox_mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("to_name", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text_body", sa.Text(), nullable=False),
        sa.Column("html_body", sa.Text(), nullable=False),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handover_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'sending') = (claim IS NOT NULL)",
            name=op.f("ck_outbox_mail_sending_is_claimed"),
        ),
        sa.CheckConstraint(
            "NOT is_secret OR (text_body = '' AND html_body = '')",
            name=op.f("ck_outbox_mail_secret_is_sealed"),
        ),
        sa.CheckConstraint(
            "channel = 'letter' OR to_address <> ''", name=op.f("ck_outbox_mail_mail_has_address")
        ),
        sa.CheckConstraint(
            "channel IN ('email', 'letter')", name=op.f("ck_outbox_mail_channel_known")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'unclear', 'cancelled')",
            name=op.f("ck_outbox_mail_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_outbox_mail_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mail")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_mail_dedupe_key")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_mail_message_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outbox_mail_public_id")),
    )
    op.create_index(op.f("ix_outbox_mail_category"), "outbox_mail", ["category"], unique=False)
    op.create_index(
        "ix_outbox_mail_cooperative_id_category",
        "outbox_mail",
        ["cooperative_id", "category"],
        unique=False,
    )
    op.create_index(
        "ix_outbox_mail_cooperative_id_channel_state",
        "outbox_mail",
        ["cooperative_id", "channel", "state"],
        unique=False,
    )
    op.create_index(
        "ix_outbox_mail_cooperative_id_id", "outbox_mail", ["cooperative_id", "id"], unique=False
    )
    op.create_index(op.f("ix_outbox_mail_created_at"), "outbox_mail", ["created_at"], unique=False)
    op.create_index("ix_outbox_mail_state_due_at", "outbox_mail", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_outbox_mail_to_address"), "outbox_mail", ["to_address"], unique=False)
    op.create_table(
        "rule_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_confirmed", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_rule_set_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint(
            "cooperative_id", "starts_on", name=op.f("uq_rule_set_cooperative_id_starts_on")
        ),
    )
    op.create_table(
        "outbox_attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"], ["outbox_file.digest"], name=op.f("fk_outbox_attachment_digest_outbox_file")
        ),
        sa.ForeignKeyConstraint(
            ["mail_id"],
            ["outbox_mail.id"],
            name=op.f("fk_outbox_attachment_mail_id_outbox_mail"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_attachment")),
        sa.UniqueConstraint("mail_id", "place", name=op.f("uq_outbox_attachment_mail_id_place")),
    )
    op.create_index(
        op.f("ix_outbox_attachment_digest"), "outbox_attachment", ["digest"], unique=False
    )
    op.execute(
        sa.text("INSERT INTO audit_head (id, position, hash) VALUES (1, 0, :hash)").bindparams(
            hash="0" * 64
        )
    )
    for statement in append_only_ddl("audit_entry", op.get_bind().dialect.name, key="position"):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_append_only_ddl("audit_entry", op.get_bind().dialect.name):
        op.execute(statement)
    op.drop_index(op.f("ix_outbox_attachment_digest"), table_name="outbox_attachment")
    op.drop_table("outbox_attachment")
    op.drop_table("rule_set")
    op.drop_index(op.f("ix_outbox_mail_to_address"), table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_state_due_at", table_name="outbox_mail")
    op.drop_index(op.f("ix_outbox_mail_created_at"), table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_cooperative_id_id", table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_cooperative_id_channel_state", table_name="outbox_mail")
    op.drop_index("ix_outbox_mail_cooperative_id_category", table_name="outbox_mail")
    op.drop_index(op.f("ix_outbox_mail_category"), table_name="outbox_mail")
    op.drop_table("outbox_mail")
    op.drop_index(op.f("ix_audit_entry_tag"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_recorded_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_cooperative_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("outbox_file")
    op.drop_table("cooperative")
    op.drop_index("ix_background_job_state_due_at", table_name="background_job")
    op.drop_table("background_job")
    op.drop_table("audit_head")
