"""Flagged addresses, pairs that differ, merges, who looked at a record, erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_quality"
down_revision = "0005_assemblies"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def account_number() -> sa.types.TypeEngine[int]:
    """The type of an account's random number."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "distinct_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("low_id", sa.Integer(), nullable=False),
        sa.Column("high_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("decided_by_id", account_number()),
        sa.CheckConstraint(
            "kind IN ('person', 'organisation')", name=op.f("ck_distinct_pair_kind_known")
        ),
        sa.CheckConstraint("length(reason) >= 5", name=op.f("ck_distinct_pair_has_reason")),
        sa.CheckConstraint("low_id < high_id", name=op.f("ck_distinct_pair_in_order")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_distinct_pair_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["account.id"], name=op.f("fk_distinct_pair_decided_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distinct_pair")),
        sa.UniqueConstraint(
            "cooperative_id",
            "kind",
            "low_id",
            "high_id",
            name=op.f("uq_distinct_pair_cooperative_id_kind_low_id_high_id"),
        ),
    )
    op.create_table(
        "register_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("merged_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("closed_account_id", account_number()),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by_id", account_number()),
        sa.Column("undone_at", INSTANT),
        sa.Column("undone_by_id", account_number()),
        sa.Column("undo_reason", sa.String(500), nullable=False),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undo_reason = '')",
            name=op.f("ck_register_merge_undone_has_reason"),
        ),
        sa.CheckConstraint(
            "kind IN ('person', 'organisation', 'membership')",
            name=op.f("ck_register_merge_kind_known"),
        ),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_register_merge_two_rows")),
        sa.CheckConstraint("length(reason) >= 5", name=op.f("ck_register_merge_has_reason")),
        sa.ForeignKeyConstraint(
            ["closed_account_id"],
            ["account.id"],
            name=op.f("fk_register_merge_closed_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_register_merge_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["account.id"], name=op.f("fk_register_merge_made_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["account.id"], name=op.f("fk_register_merge_undone_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_merge")),
        sa.UniqueConstraint("public_id", name=op.f("uq_register_merge_public_id")),
    )
    op.create_index(
        op.f("ix_register_merge_closed_account_id"), "register_merge", ["closed_account_id"]
    )
    op.create_index(
        "ix_register_merge_cooperative", "register_merge", ["cooperative_id", "made_at"]
    )
    op.create_index("ix_register_merge_kept", "register_merge", ["kind", "kept_id"])
    op.create_index(
        "uq_register_merge_open",
        "register_merge",
        ["kind", "merged_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "contact_problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("about", sa.String(700), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("noted_on", sa.Date(), nullable=False),
        sa.Column("noted_by_id", account_number()),
        sa.Column("cleared_on", sa.Date()),
        sa.Column("cleared_by_id", account_number()),
        sa.CheckConstraint(
            "channel IN ('email', 'post')", name=op.f("ck_contact_problem_channel_known")
        ),
        sa.CheckConstraint(
            "source IN ('refused', 'hand')", name=op.f("ck_contact_problem_source_known")
        ),
        sa.CheckConstraint(
            "cleared_on IS NULL OR cleared_on >= noted_on",
            name=op.f("ck_contact_problem_cleared_after"),
        ),
        sa.ForeignKeyConstraint(
            ["cleared_by_id"], ["account.id"], name=op.f("fk_contact_problem_cleared_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_contact_problem_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["noted_by_id"], ["account.id"], name=op.f("fk_contact_problem_noted_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_problem")),
    )
    op.create_index(op.f("ix_contact_problem_membership_id"), "contact_problem", ["membership_id"])
    op.create_index(
        "uq_contact_problem_open",
        "contact_problem",
        ["membership_id", "channel"],
        unique=True,
        sqlite_where=sa.text("cleared_on IS NULL"),
        postgresql_where=sa.text("cleared_on IS NULL"),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("by_person_concerned", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by_id", account_number()),
        sa.Column("keep_until", sa.Date()),
        sa.Column("completed_at", INSTANT),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(state = 'complete') = (completed_at IS NOT NULL)",
            name=op.f("ck_erasure_complete_has_time"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'withdrawn', 'refused', 'partial', 'complete')",
            name=op.f("ck_erasure_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('partial', 'complete') OR keep_until IS NOT NULL",
            name=op.f("ck_erasure_done_has_day"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_erasure_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["account.id"], name=op.f("fk_erasure_decided_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_erasure_membership_id_membership")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("public_id", name=op.f("uq_erasure_public_id")),
    )
    op.create_index("ix_erasure_cooperative", "erasure", ["cooperative_id", "state"])
    op.create_index("ix_erasure_due", "erasure", ["state", "keep_until"])
    op.create_index(op.f("ix_erasure_membership_id"), "erasure", ["membership_id"])
    op.create_index(
        "uq_erasure_open",
        "erasure",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('requested', 'partial')"),
        postgresql_where=sa.text("state IN ('requested', 'partial')"),
    )
    op.create_table(
        "register_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer()),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("account_id", account_number(), nullable=False),
        sa.Column("roles", sa.String(200), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.CheckConstraint("roles <> ''", name=op.f("ck_register_reading_has_roles")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_register_reading_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_register_reading_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_register_reading_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_reading")),
        sa.UniqueConstraint(
            "account_id", "subject", "day", name=op.f("uq_register_reading_account_id_subject_day")
        ),
    )
    op.create_index(
        "ix_register_reading_cooperative", "register_reading", ["cooperative_id", "day"]
    )
    op.create_index("ix_register_reading_membership", "register_reading", ["membership_id", "day"])
    op.create_index(
        "ix_membership_holder",
        "membership",
        ["cooperative_id", "person_id", "organisation_id", "ended_on", "joined_on"],
    )


def downgrade() -> None:
    op.drop_index("ix_membership_holder", table_name="membership")
    # Other indexes go with their tables.
    for table in (
        "register_reading",
        "erasure",
        "contact_problem",
        "register_merge",
        "distinct_pair",
    ):
        op.drop_table(table)
