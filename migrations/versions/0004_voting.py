"""Elections: questions, trustees, the append-only box, attendance, credentials, the public log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl

revision = "0004_voting"
down_revision = "0003_register"
branch_labels = None
depends_on = None

APPEND_ONLY = {"election_record": "id", "election_event": "hash", "election_incident": "id"}
"""The ballot box and the public log, with the key that SQLite's guard against replacing needs."""


def upgrade() -> None:
    op.create_table(
        "election",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=64), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("roll_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("description", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("group_name", sa.String(length=20), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revote_allowed", sa.Boolean(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("credential_mode", sa.String(length=10), nullable=False),
        sa.Column("credential_authority", sa.String(length=200), nullable=False),
        sa.Column("minimum_group", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("trustees_data", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(length=43), nullable=True),
        sa.Column("roll_digest", sa.String(length=64), nullable=True),
        sa.Column("heads", sa.Integer(), nullable=True),
        sa.Column("credentials_digest", sa.String(length=64), nullable=True),
        sa.Column("setup_hash", sa.String(length=64), nullable=True),
        sa.Column("archive_timestamp", sa.Integer(), nullable=True),
        sa.Column("receipt_key", sa.String(length=64), nullable=True),
        sa.Column("attendance_salt", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attendance_scrubbed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_height", sa.Integer(), nullable=True),
        sa.Column("recounted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsound_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancel_reason <> '')",
            name=op.f("ck_election_cancelled_says_why"),
        ),
        sa.CheckConstraint(
            "attendance_salt IS NULL OR state = 'open'",
            name=op.f("ck_election_salt_only_while_open"),
        ),
        sa.CheckConstraint(
            "credential_mode IN ('offline', 'server')",
            name=op.f("ck_election_credential_mode_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'keys', 'cancelled') OR fingerprint IS NOT NULL",
            name=op.f("ck_election_fixed_has_fingerprint"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'keys', 'credentials', 'open', 'closed', 'tallying', "
            "'published', 'cancelled')",
            name=op.f("ck_election_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('open', 'closed', 'tallying', 'published') OR setup_hash IS NOT NULL",
            name=op.f("ck_election_opened_has_setup"),
        ),
        sa.CheckConstraint(
            "closes_at >= opens_at", name=op.f("ck_election_closes_not_before_opening")
        ),
        sa.CheckConstraint("minimum_group >= 1", name=op.f("ck_election_minimum_group_positive")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_election_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(["roll_id"], ["roll.id"], name=op.f("fk_election_roll_id_roll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election")),
        sa.UniqueConstraint("public_id", name=op.f("uq_election_public_id")),
    )
    op.create_index(
        op.f("ix_election_cooperative_id"), "election", ["cooperative_id"], unique=False
    )
    op.create_index(op.f("ix_election_roll_id"), "election", ["roll_id"], unique=False)
    op.create_index("ix_election_state_opens_at", "election", ["state", "opens_at"], unique=False)
    op.create_table(
        "election_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("blank", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('resolution', 'choice')", name=op.f("ck_election_question_kind_known")
        ),
        sa.CheckConstraint(
            "0 <= minimum AND minimum <= maximum", name=op.f("ck_election_question_limits_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_question_election_id_election")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election_question")),
        sa.UniqueConstraint(
            "election_id", "key", name=op.f("uq_election_question_election_id_key")
        ),
        sa.UniqueConstraint(
            "election_id", "position", name=op.f("uq_election_question_election_id_position")
        ),
    )
    op.create_table(
        "election_trustee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("key_message", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("key_registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decrypted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'invited') = (key_message IS NULL)",
            name=op.f("ck_election_trustee_key_when_registered"),
        ),
        sa.CheckConstraint(
            "state IN ('invited', 'key_registered', 'decrypted')",
            name=op.f("ck_election_trustee_state_known"),
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_election_trustee_position_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_election_trustee_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_trustee_election_id_election")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election_trustee")),
        sa.UniqueConstraint(
            "election_id", "account_id", name=op.f("uq_election_trustee_election_id_account_id")
        ),
        sa.UniqueConstraint(
            "election_id", "position", name=op.f("uq_election_trustee_election_id_position")
        ),
    )
    op.create_index(
        op.f("ix_election_trustee_account_id"), "election_trustee", ["account_id"], unique=False
    )
    op.create_table(
        "election_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_record_election_id_election")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election_record")),
        sa.UniqueConstraint(
            "election_id", "hash", name=op.f("uq_election_record_election_id_hash")
        ),
        sa.UniqueConstraint(
            "election_id",
            "height",
            "position",
            name=op.f("uq_election_record_election_id_height_position"),
        ),
    )
    op.create_table(
        "election_event",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("payload", sa.String(length=64), nullable=True),
        sa.Column("singleton", sa.String(length=40), nullable=True),
        sa.Column("tracker", sa.String(length=43), nullable=True),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'Ballot') = (singleton IS NULL)",
            name=op.f("ck_election_event_only_ballots_repeat"),
        ),
        sa.CheckConstraint(
            "(kind = 'Ballot') = (tracker IS NOT NULL)",
            name=op.f("ck_election_event_ballot_has_tracker"),
        ),
        sa.CheckConstraint(
            "(kind = 'EndBallots') = (payload IS NULL)",
            name=op.f("ck_election_event_payload_present"),
        ),
        sa.CheckConstraint("height >= 0", name=op.f("ck_election_event_height_not_negative")),
        sa.ForeignKeyConstraint(
            ["election_id", "payload"],
            ["election_record.election_id", "election_record.hash"],
            name=op.f("fk_election_event_election_id_payload_election_record"),
        ),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_event_election_id_election")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_election_event")),
        sa.UniqueConstraint(
            "election_id", "height", name=op.f("uq_election_event_election_id_height")
        ),
        sa.UniqueConstraint(
            "election_id", "parent", name=op.f("uq_election_event_election_id_parent")
        ),
        sa.UniqueConstraint(
            "election_id", "singleton", name=op.f("uq_election_event_election_id_singleton")
        ),
        sa.UniqueConstraint(
            "election_id", "tracker", name=op.f("uq_election_event_election_id_tracker")
        ),
    )
    op.create_index(
        "ix_election_event_credential",
        "election_event",
        ["election_id", "credential", "height"],
        unique=False,
    )

    op.create_table(
        "election_box",
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ballots", sa.Integer(), nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("tally", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("voters <= ballots", name=op.f("ck_election_box_voters_within_ballots")),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_box_election_id_election")
        ),
        sa.PrimaryKeyConstraint("election_id", name=op.f("pk_election_box")),
    )
    op.create_table(
        "election_attendance",
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("roll_entry_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["election_id"],
            ["election.id"],
            name=op.f("fk_election_attendance_election_id_election"),
        ),
        sa.ForeignKeyConstraint(
            ["roll_entry_id"],
            ["roll_entry.id"],
            name=op.f("fk_election_attendance_roll_entry_id_roll_entry"),
        ),
        sa.PrimaryKeyConstraint("election_id", "key", name=op.f("pk_election_attendance")),
        sa.UniqueConstraint(
            "election_id",
            "roll_entry_id",
            name=op.f("uq_election_attendance_election_id_roll_entry_id"),
        ),
        sa.UniqueConstraint(
            "election_id", "tag", name=op.f("uq_election_attendance_election_id_tag")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "election_credential",
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.String(length=640), nullable=False),
        sa.ForeignKeyConstraint(
            ["election_id"],
            ["election.id"],
            name=op.f("fk_election_credential_election_id_election"),
        ),
        sa.PrimaryKeyConstraint("election_id", "public_key", name=op.f("pk_election_credential")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "election_credential_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("roll_digest", sa.String(length=64), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=True),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(mode = 'server') = (recipient IS NOT NULL)",
            name=op.f("ck_election_credential_run_server_has_list"),
        ),
        sa.CheckConstraint(
            "mode IN ('offline', 'server')", name=op.f("ck_election_credential_run_mode_known")
        ),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'discarded')",
            name=op.f("ck_election_credential_run_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["election_id"],
            ["election.id"],
            name=op.f("fk_election_credential_run_election_id_election"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election_credential_run")),
        sa.UniqueConstraint(
            "election_id", "number", name=op.f("uq_election_credential_run_election_id_number")
        ),
    )
    op.create_index(
        "uq_election_credential_run_current",
        "election_credential_run",
        ["election_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'discarded'"),
        postgresql_where=sa.text("state <> 'discarded'"),
    )
    op.create_table(
        "election_credential_issue",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("roll_entry_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll_entry_id"],
            ["roll_entry.id"],
            name=op.f("fk_election_credential_issue_roll_entry_id_roll_entry"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["election_credential_run.id"],
            name=op.f("fk_election_credential_issue_run_id_election_credential_run"),
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "roll_entry_id", name=op.f("pk_election_credential_issue")
        ),
    )
    op.create_table(
        "election_credential_part",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public_keys", sa.JSON(), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["election_credential_run.id"],
            name=op.f("fk_election_credential_part_run_id_election_credential_run"),
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_election_credential_part")),
    )
    op.create_table(
        "election_incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("election_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["election_id"], ["election.id"], name=op.f("fk_election_incident_election_id_election")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_election_incident")),
    )
    op.create_index(
        "ix_election_incident_election_id_id",
        "election_incident",
        ["election_id", "id"],
        unique=False,
    )

    dialect = op.get_bind().dialect.name
    for table, key in APPEND_ONLY.items():
        for statement in append_only_ddl(table, dialect, key=key):
            op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in drop_append_only_ddl(table, dialect):
            op.execute(statement)
    for table in (
        "election_incident",
        "election_credential_part",
        "election_credential_issue",
        "election_credential_run",
        "election_credential",
        "election_attendance",
        "election_box",
        "election_event",
        "election_record",
        "election_trustee",
        "election_question",
        "election",
    ):
        op.drop_table(table)
