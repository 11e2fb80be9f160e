"""People, memberships, the share ledger, rolls and imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from govern.database import append_only_ddl, drop_append_only_ddl

revision = "0003_register"
down_revision = "0002_accounts"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
APPEND_ONLY = ("share_entry", "roll_correction")
FROZEN_COLUMNS = (
    "roll_id",
    "membership_id",
    "member_number",
    "display_name",
    "kind",
    "category",
    "shares_issued",
    "shares_paid",
)
"""What a locked roll keeps for ever. Contact data may still be erased."""


def account_number() -> sa.types.TypeEngine[int]:
    """The type of an account's random number."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def lock_ddl(dialect: str) -> list[str]:
    """Triggers that refuse every change of a roll, and of its entries, once it is locked."""
    changed = " OR ".join(
        f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN_COLUMNS
    )
    if dialect == "sqlite":
        changed = changed.replace("IS DISTINCT FROM", "IS NOT")
        locked = "(SELECT locked_at FROM roll WHERE id = {row}.roll_id) IS NOT NULL"
        refuse = "BEGIN SELECT RAISE(ABORT, 'the roll is locked'); END"
        return [
            "CREATE TRIGGER roll_entry_locked_insert BEFORE INSERT ON roll_entry "
            f"WHEN {locked.format(row='NEW')} {refuse}",
            "CREATE TRIGGER roll_entry_locked_delete BEFORE DELETE ON roll_entry "
            f"WHEN {locked.format(row='OLD')} {refuse}",
            "CREATE TRIGGER roll_entry_locked_update BEFORE UPDATE ON roll_entry "
            f"WHEN ({locked.format(row='OLD')} OR {locked.format(row='NEW')}) AND ({changed}) "
            f"{refuse}",
            "CREATE TRIGGER roll_correction_locked BEFORE INSERT ON roll_correction "
            f"WHEN {locked.format(row='NEW')} {refuse}",
            "CREATE TRIGGER roll_locked_update BEFORE UPDATE ON roll "
            f"WHEN OLD.locked_at IS NOT NULL {refuse}",
            "CREATE TRIGGER roll_locked_delete BEFORE DELETE ON roll "
            f"WHEN OLD.locked_at IS NOT NULL {refuse}",
        ]
    return [
        "CREATE FUNCTION refuse_locked_roll() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'the roll is locked'; END $$",
        "CREATE FUNCTION guard_locked_roll() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP <> 'INSERT' AND EXISTS "
        "(SELECT 1 FROM roll WHERE id = OLD.roll_id AND locked_at IS NOT NULL) THEN "
        "RAISE EXCEPTION 'the roll is locked'; END IF; "
        "IF TG_OP <> 'DELETE' AND EXISTS "
        "(SELECT 1 FROM roll WHERE id = NEW.roll_id AND locked_at IS NOT NULL) THEN "
        "RAISE EXCEPTION 'the roll is locked'; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER roll_entry_locked BEFORE INSERT OR DELETE ON roll_entry "
        "FOR EACH ROW EXECUTE FUNCTION guard_locked_roll()",
        "CREATE TRIGGER roll_entry_locked_update BEFORE UPDATE ON roll_entry "
        f"FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION guard_locked_roll()",
        "CREATE TRIGGER roll_entry_no_truncate BEFORE TRUNCATE ON roll_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_roll()",
        "CREATE TRIGGER roll_correction_locked BEFORE INSERT ON roll_correction "
        "FOR EACH ROW EXECUTE FUNCTION guard_locked_roll()",
        "CREATE TRIGGER roll_locked BEFORE UPDATE OR DELETE ON roll "
        "FOR EACH ROW WHEN (OLD.locked_at IS NOT NULL) EXECUTE FUNCTION refuse_locked_roll()",
        *(
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"
            for table, trigger in (
                ("roll_entry", "roll_entry_locked"),
                ("roll_entry", "roll_entry_locked_update"),
                ("roll_entry", "roll_entry_no_truncate"),
                ("roll_correction", "roll_correction_locked"),
                ("roll", "roll_locked"),
            )
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("enterprise_number", sa.String(40), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("length(country) = 2", name=op.f("ck_organisation_country_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index(
        op.f("ix_organisation_enterprise_number"), "organisation", ["enterprise_number"]
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("file_digest", sa.String(64), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("hold_back_duplicates", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.Integer()),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_id", account_number()),
        sa.Column("checked_at", INSTANT),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("confirmed_by_id", account_number()),
        sa.Column("finished_at", INSTANT),
        sa.Column("forgotten_at", INSTANT),
        sa.CheckConstraint(
            "state"
            " IN ('mapping', 'checking', 'checked', 'importing', 'imported', 'failed',"
            " 'cancelled')",
            name=op.f("ck_import_batch_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"],
            ["account.id"],
            name=op.f("fk_import_batch_confirmed_by_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_import_batch_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_import_batch_created_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_batch_public_id")),
    )
    op.create_index("ix_import_batch_cooperative", "import_batch", ["cooperative_id", "created_at"])
    op.create_index("ix_import_batch_state", "import_batch", ["state"])
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("given_name", sa.String(120), nullable=False),
        sa.Column("family_name", sa.String(120), nullable=False),
        sa.Column("birth_date", sa.Date()),
        sa.Column("name_key", sa.String(500), nullable=False),
        sa.Column("account_id", account_number()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_person_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("account_id", name=op.f("uq_person_account_id")),
    )
    op.create_index("ix_person_name_key", "person", ["name_key", "birth_date"])
    op.create_table(
        "register_head",
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_register_head_cooperative_id_cooperative"),
        ),
        sa.PrimaryKeyConstraint("cooperative_id", name=op.f("pk_register_head")),
    )
    op.create_table(
        "import_file",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("role IN ('source', 'mend')", name=op.f("ck_import_file_role_known")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_file_batch_id_import_batch")
        ),
        sa.PrimaryKeyConstraint("batch_id", "role", name=op.f("pk_import_file")),
    )
    op.create_table(
        "import_problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(200), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "severity IN ('error', 'warning', 'note')",
            name=op.f("ck_import_problem_severity_known"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_problem_batch_id_import_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_problem")),
    )
    op.create_index("ix_import_problem_row", "import_problem", ["batch_id", "severity", "row"])
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("member_number", sa.String(40), nullable=False),
        sa.Column("number_key", sa.String(40), nullable=False),
        sa.Column("person_id", sa.Integer()),
        sa.Column("organisation_id", sa.Integer()),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("end_reason", sa.String(20)),
        sa.Column("end_note", sa.Text(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("email_key", sa.String(254)),
        sa.Column("street", sa.String(250), nullable=False),
        sa.Column("postal_code", sa.String(20), nullable=False),
        sa.Column("town", sa.String(120), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("sort_name", sa.String(500), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "end_reason IS NULL OR end_reason"
            " IN ('resignation', 'death', 'exclusion', 'loss_of_status', 'transfer',"
            " 'unstated')",
            name=op.f("ck_membership_end_reason_known"),
        ),
        sa.CheckConstraint(
            "language IN ('fr', 'nl', 'de', 'en')", name=op.f("ck_membership_language_known")
        ),
        sa.CheckConstraint(
            "(email IS NULL) = (email_key IS NULL)", name=op.f("ck_membership_email_has_key")
        ),
        sa.CheckConstraint(
            "(ended_on IS NULL) = (end_reason IS NULL)",
            name=op.f("ck_membership_ending_has_reason"),
        ),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (organisation_id IS NULL)",
            name=op.f("ck_membership_one_holder"),
        ),
        sa.CheckConstraint(
            "ended_on IS NULL OR ended_on >= joined_on",
            name=op.f("ck_membership_ends_after_joining"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_membership_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_membership_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "cooperative_id",
            "member_number",
            name=op.f("uq_membership_cooperative_id_member_number"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_membership_public_id")),
    )
    op.create_index("ix_membership_email", "membership", ["email_key", "cooperative_id"])
    op.create_index(
        "ix_membership_ended", "membership", ["cooperative_id", "ended_on", "organisation_id"]
    )
    op.create_index("ix_membership_number", "membership", ["number_key", "cooperative_id"])
    op.create_index(op.f("ix_membership_organisation_id"), "membership", ["organisation_id"])
    op.create_index(op.f("ix_membership_person_id"), "membership", ["person_id"])
    op.create_index(
        "ix_membership_sorted", "membership", ["cooperative_id", "sort_name", "id", "ended_on"]
    )
    op.create_table(
        "representative",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on",
            name=op.f("ck_representative_ends_after_start"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_representative_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_representative_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_representative")),
    )
    op.create_index(
        op.f("ix_representative_organisation_id"), "representative", ["organisation_id"]
    )
    op.create_index(op.f("ix_representative_person_id"), "representative", ["person_id"])
    op.create_index(
        "uq_representative_open",
        "representative",
        ["organisation_id"],
        unique=True,
        sqlite_where=sa.text("ends_on IS NULL"),
        postgresql_where=sa.text("ends_on IS NULL"),
    )
    op.create_table(
        "roll",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("record_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("taken_by_id", account_number()),
        sa.Column("frozen_at", INSTANT),
        sa.Column("locked_at", INSTANT),
        sa.Column("objections_until", INSTANT),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("shares_issued", sa.Integer(), nullable=False),
        sa.Column("shares_paid", sa.Integer(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("register_sequence", sa.Integer(), nullable=False),
        sa.Column("register_hash", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "(state = 'frozen') = (frozen_at IS NOT NULL)", name=op.f("ck_roll_frozen_has_time")
        ),
        sa.CheckConstraint(
            "locked_at IS NULL OR state = 'frozen'", name=op.f("ck_roll_locked_is_frozen")
        ),
        sa.CheckConstraint("state IN ('draft', 'frozen')", name=op.f("ck_roll_state_known")),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_roll_digest_length")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_roll_cooperative_id_cooperative")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["rule_set.id"], name=op.f("fk_roll_rule_set_id_rule_set")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by_id"], ["account.id"], name=op.f("fk_roll_taken_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll")),
        sa.UniqueConstraint("public_id", name=op.f("uq_roll_public_id")),
    )
    op.create_index("ix_roll_cooperative", "roll", ["cooperative_id", "record_date"])
    op.create_table(
        "holder_opening",
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint("length(salt) = 64", name=op.f("ck_holder_opening_salt_length")),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_holder_opening_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_holder_opening")),
    )
    op.create_index(op.f("ix_holder_opening_membership_id"), "holder_opening", ["membership_id"])
    op.create_index(
        "uq_holder_opening_current",
        "holder_opening",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("is_current = 1"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "import_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(20), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_change_batch_id_import_batch")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_import_change_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
    )
    op.create_index("ix_import_change_row", "import_change", ["batch_id", "row"])
    op.create_table(
        "membership_category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on > starts_on",
            name=op.f("ck_membership_category_ends_after_start"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_membership_category_membership_id_membership"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_category")),
        sa.UniqueConstraint(
            "membership_id",
            "starts_on",
            name=op.f("uq_membership_category_membership_id_starts_on"),
        ),
    )
    op.create_index("ix_membership_category_code", "membership_category", ["code", "membership_id"])
    op.create_index(
        "uq_membership_category_open",
        "membership_category",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("ends_on IS NULL"),
        postgresql_where=sa.text("ends_on IS NULL"),
    )
    op.create_table(
        "roll_correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("roll_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("member_number", sa.String(40), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by_id", account_number()),
        sa.Column("digest_before", sa.String(64), nullable=False),
        sa.Column("digest_after", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "action IN ('added', 'removed', 'updated')",
            name=op.f("ck_roll_correction_action_known"),
        ),
        sa.CheckConstraint("length(reason) >= 5", name=op.f("ck_roll_correction_has_reason")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["account.id"], name=op.f("fk_roll_correction_made_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_roll_correction_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["roll_id"], ["roll.id"], name=op.f("fk_roll_correction_roll_id_roll")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_correction")),
    )
    op.create_index(op.f("ix_roll_correction_roll_id"), "roll_correction", ["roll_id"])
    op.create_table(
        "roll_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("roll_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("member_number", sa.String(40), nullable=False),
        sa.Column("display_name", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("category", sa.String(20), nullable=False),
        sa.Column("shares_issued", sa.Integer(), nullable=False),
        sa.Column("shares_paid", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("representative", sa.String(250), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("sort_name", sa.String(500), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('natural', 'legal')", name=op.f("ck_roll_entry_kind_known")),
        sa.CheckConstraint(
            "shares_paid >= 1 AND shares_paid <= shares_issued",
            name=op.f("ck_roll_entry_a_paid_share"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_roll_entry_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(["roll_id"], ["roll.id"], name=op.f("fk_roll_entry_roll_id_roll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_entry")),
        sa.UniqueConstraint("roll_id", "member_number", name="uq_roll_entry_member_number"),
        sa.UniqueConstraint(
            "roll_id", "membership_id", name=op.f("uq_roll_entry_roll_id_membership_id")
        ),
    )
    op.create_index(op.f("ix_roll_entry_membership_id"), "roll_entry", ["membership_id"])
    op.create_index("ix_roll_entry_sorted", "roll_entry", ["roll_id", "sort_name", "id"])
    op.create_table(
        "share_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("share_class", sa.String(20), nullable=False),
        sa.Column("nominal_cents", sa.Integer(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("act_id", sa.String(22), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("reverses_id", sa.Integer()),
        sa.Column("recorded_by_id", account_number()),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "(kind = 'subscription' AND amount_cents = 0 AND shares <> 0 AND (shares > 0)"
            " = (reverses_id IS NULL))"
            " OR (kind = 'payment' AND shares = 0 AND amount_cents <> 0 AND (amount_cents"
            " > 0) = (reverses_id IS NULL))"
            " OR (kind = 'transfer_in' AND shares > 0 AND amount_cents >= 0 AND"
            " reverses_id IS NULL)"
            " OR (kind = 'transfer_in' AND shares < 0 AND amount_cents <= 0 AND"
            " reverses_id IS NOT NULL)"
            " OR (kind = 'transfer_out' AND shares < 0 AND amount_cents <= 0 AND"
            " reverses_id IS NULL)"
            " OR (kind = 'transfer_out' AND shares > 0 AND amount_cents >= 0 AND"
            " reverses_id IS NOT NULL)"
            " OR (kind = 'refund' AND shares <= 0 AND amount_cents <= 0 AND (shares < 0 OR"
            " amount_cents < 0) AND reverses_id IS NULL)"
            " OR (kind = 'refund' AND shares >= 0 AND amount_cents >= 0 AND (shares > 0 OR"
            " amount_cents > 0) AND reverses_id IS NOT NULL)",
            name=op.f("ck_share_entry_signs_fit_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('subscription', 'payment', 'transfer_in', 'transfer_out', 'refund')",
            name=op.f("ck_share_entry_kind_known"),
        ),
        sa.CheckConstraint(
            "length(hash) = 64 AND length(previous_hash) = 64 AND length(commitment) = 64",
            name=op.f("ck_share_entry_hash_length"),
        ),
        sa.CheckConstraint("nominal_cents > 0", name=op.f("ck_share_entry_nominal_positive")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_share_entry_sequence_positive")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_share_entry_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_share_entry_membership_id_membership"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["account.id"], name=op.f("fk_share_entry_recorded_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["share_entry.id"], name=op.f("fk_share_entry_reverses_id_share_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_entry")),
        sa.UniqueConstraint(
            "cooperative_id", "sequence", name=op.f("uq_share_entry_cooperative_id_sequence")
        ),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_share_entry_reverses_id")),
    )
    op.create_index(op.f("ix_share_entry_act_id"), "share_entry", ["act_id"])
    op.create_index(op.f("ix_share_entry_commitment"), "share_entry", ["commitment"])
    op.create_index(
        "ix_share_entry_effective",
        "share_entry",
        ["cooperative_id", "effective_on", "shares", "amount_cents"],
    )
    op.create_index(
        "ix_share_entry_holding",
        "share_entry",
        ["membership_id", "share_class", "nominal_cents", "effective_on", "shares", "amount_cents"],
    )
    op.create_table(
        "entry_remark",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["share_entry.id"], name=op.f("fk_entry_remark_entry_id_share_entry")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_remark")),
    )

    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, dialect):
            op.execute(statement)
    for statement in lock_ddl(dialect):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in drop_append_only_ddl(table, dialect):
            op.execute(statement)
    # Indexes and triggers go with their tables.
    for table in (
        "entry_remark",
        "share_entry",
        "roll_entry",
        "roll_correction",
        "membership_category",
        "import_change",
        "holder_opening",
        "roll",
        "representative",
        "membership",
        "import_problem",
        "import_file",
        "register_head",
        "person",
        "import_batch",
        "organisation",
    ):
        op.drop_table(table)
    if dialect != "sqlite":
        op.execute("DROP FUNCTION refuse_locked_roll()")
        op.execute("DROP FUNCTION guard_locked_roll()")
