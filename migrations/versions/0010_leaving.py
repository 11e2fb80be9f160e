"""Departures, the steps of exclusions, refunds and the board's tests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_leaving"
down_revision = "0009_ledger"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("refund", "exclusion_step", "board_test", "leaving_document", "founder", "departure")


def account_number() -> sa.types.TypeEngine[int]:
    """The type of an account's random number."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "departure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("shares", sa.Integer()),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("counts_from", sa.Date()),
        sa.Column("effective_on", sa.Date()),
        sa.Column("repay_by", sa.Date()),
        sa.Column("rule_set_id", sa.Integer()),
        sa.Column("signature", sa.String(10)),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("token_expires_at", INSTANT),
        sa.Column("holder", sa.String(70), nullable=False),
        sa.Column("iban", sa.String(34), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_note", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("shares_left", sa.Integer()),
        sa.Column("amount_cents", sa.BigInteger()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by_id", account_number()),
        sa.Column("closed_at", INSTANT),
        sa.CheckConstraint(
            "(kind = 'partial') = (shares IS NOT NULL)",
            name=op.f("ck_departure_part_says_how_many"),
        ),
        sa.CheckConstraint(
            "kind IN ('resignation', 'partial', 'death', 'loss_of_status', 'exclusion', 'former')",
            name=op.f("ck_departure_kind_known"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('resignation', 'partial') OR state IN ('unconfirmed', 'withdrawn', "
            "'lapsed', 'superseded') OR (signature IS NOT NULL AND confirmed_at IS NOT NULL)",
            name=op.f("ck_departure_request_is_signed"),
        ),
        sa.CheckConstraint(
            "signature IS NULL OR signature IN ('password', 'mail', 'paper')",
            name=op.f("ck_departure_signature_known"),
        ),
        sa.CheckConstraint(
            "state <> 'procedure' OR kind = 'exclusion'",
            name=op.f("ck_departure_procedure_excludes"),
        ),
        sa.CheckConstraint(
            "state IN ('unconfirmed', 'pending', 'procedure', 'effective', 'withdrawn', "
            "'lapsed', 'superseded', 'discontinued')",
            name=op.f("ck_departure_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('pending', 'effective') OR (effective_on IS NOT NULL AND repay_by IS "
            "NOT NULL AND rule_set_id IS NOT NULL)",
            name=op.f("ck_departure_effect_has_its_day"),
        ),
        sa.CheckConstraint(
            "effective_on IS NULL OR repay_by IS NULL OR repay_by >= effective_on",
            name=op.f("ck_departure_repaid_after_effect"),
        ),
        sa.CheckConstraint(
            "shares IS NULL OR shares > 0", name=op.f("ck_departure_shares_positive")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_departure_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["account.id"], name=op.f("fk_departure_created_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_departure_membership_id_membership")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"], ["rule_set.id"], name=op.f("fk_departure_rule_set_id_rule_set")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
        sa.UniqueConstraint("public_id", name=op.f("uq_departure_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_departure_token_hash")),
    )
    op.create_index("ix_departure_due", "departure", ["state", "effective_on"])
    op.create_index("ix_departure_listed", "departure", ["cooperative_id", "state", "effective_on"])
    op.create_index("ix_departure_membership", "departure", ["membership_id"])
    op.create_index(
        "uq_departure_procedure",
        "departure",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("state = 'procedure'"),
        postgresql_where=sa.text("state = 'procedure'"),
    )
    op.create_index(
        "uq_departure_requested",
        "departure",
        ["membership_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('unconfirmed', 'pending')"),
        postgresql_where=sa.text("state IN ('unconfirmed', 'pending')"),
    )
    op.create_table(
        "founder",
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_founder_membership_id_membership")
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_founder")),
    )
    op.create_table(
        "leaving_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer()),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("filename", sa.String(120), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("added_by_id", account_number()),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_leaving_document_digest_length")),
        sa.CheckConstraint("size > 0", name=op.f("ck_leaving_document_not_empty")),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["account.id"], name=op.f("fk_leaving_document_added_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_leaving_document_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["departure_id"],
            ["departure.id"],
            name=op.f("fk_leaving_document_departure_id_departure"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_document")),
        sa.UniqueConstraint("public_id", name=op.f("uq_leaving_document_public_id")),
    )
    op.create_index("ix_leaving_document_departure", "leaving_document", ["departure_id"])
    op.create_table(
        "board_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("up_to_cents", sa.BigInteger(), nullable=False),
        sa.Column("figure_cents", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Integer()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by_id", account_number()),
        sa.CheckConstraint(
            "kind IN ('net_asset', 'liquidity')", name=op.f("ck_board_test_kind_known")
        ),
        sa.CheckConstraint(
            "NOT passed OR up_to_cents > 0", name=op.f("ck_board_test_passed_for_a_sum")
        ),
        sa.CheckConstraint("up_to_cents >= 0", name=op.f("ck_board_test_sum_not_negative")),
        sa.CheckConstraint(
            "valid_until >= decided_on", name=op.f("ck_board_test_valid_after_decision")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_board_test_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["leaving_document.id"],
            name=op.f("fk_board_test_document_id_leaving_document"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["account.id"], name=op.f("fk_board_test_recorded_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_test")),
        sa.UniqueConstraint("public_id", name=op.f("uq_board_test_public_id")),
    )
    op.create_index("ix_board_test_listed", "board_test", ["cooperative_id", "kind", "decided_on"])
    op.create_table(
        "exclusion_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("late_reason", sa.Text(), nullable=False),
        sa.Column("by_member", sa.Boolean(), nullable=False),
        sa.Column("document_id", sa.Integer()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by_id", account_number()),
        sa.CheckConstraint(
            "NOT is_late OR step <> 'decision_sent' OR length(late_reason) >= 5",
            name=op.f("ck_exclusion_step_late_notice_says_why"),
        ),
        sa.CheckConstraint(
            "step IN ('proposal', 'proposal_sent', 'observations', 'hearing_asked', 'hearing', "
            "'decision', 'decision_sent', 'discontinued')",
            name=op.f("ck_exclusion_step_step_known"),
        ),
        sa.ForeignKeyConstraint(
            ["departure_id"],
            ["departure.id"],
            name=op.f("fk_exclusion_step_departure_id_departure"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["leaving_document.id"],
            name=op.f("fk_exclusion_step_document_id_leaving_document"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["account.id"],
            name=op.f("fk_exclusion_step_recorded_by_id_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion_step")),
    )
    op.create_index("ix_exclusion_step_departure", "exclusion_step", ["departure_id"])
    op.create_index(
        "uq_exclusion_step_once",
        "exclusion_step",
        ["departure_id", "step"],
        unique=True,
        sqlite_where=sa.text("step NOT IN ('observations')"),
        postgresql_where=sa.text("step NOT IN ('observations')"),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("cooperative_id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("departure_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("owed_since", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("repay_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("holder", sa.String(70), nullable=False),
        sa.Column("iban", sa.String(34), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("postponed_until", sa.Date()),
        sa.Column("outgoing_id", sa.Integer()),
        sa.Column("net_asset_test_id", sa.Integer()),
        sa.Column("liquidity_test_id", sa.Integer()),
        sa.Column("paid_on", sa.Date()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_on IS NOT NULL)", name=op.f("ck_refund_paid_has_its_day")
        ),
        sa.CheckConstraint(
            "state <> 'postponed' OR length(reason) >= 5", name=op.f("ck_refund_postponed_says_why")
        ),
        sa.CheckConstraint(
            "state IN ('scheduled', 'postponed', 'released', 'paid', 'returned', 'replaced', "
            "'cancelled')",
            name=op.f("ck_refund_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('released', 'paid') OR (outgoing_id IS NOT NULL AND "
            "net_asset_test_id IS NOT NULL AND liquidity_test_id IS NOT NULL)",
            name=op.f("ck_refund_paid_under_both_tests"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(
            ["cooperative_id"],
            ["cooperative.id"],
            name=op.f("fk_refund_cooperative_id_cooperative"),
        ),
        sa.ForeignKeyConstraint(
            ["departure_id"], ["departure.id"], name=op.f("fk_refund_departure_id_departure")
        ),
        sa.ForeignKeyConstraint(
            ["liquidity_test_id"],
            ["board_test.id"],
            name=op.f("fk_refund_liquidity_test_id_board_test"),
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_refund_membership_id_membership")
        ),
        sa.ForeignKeyConstraint(
            ["net_asset_test_id"],
            ["board_test.id"],
            name=op.f("fk_refund_net_asset_test_id_board_test"),
        ),
        sa.ForeignKeyConstraint(
            ["outgoing_id"],
            ["outgoing_payment.id"],
            name=op.f("fk_refund_outgoing_id_outgoing_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
    )
    op.create_index("ix_refund_departure", "refund", ["departure_id"])
    op.create_index("ix_refund_listed", "refund", ["cooperative_id", "state", "due_on"])
    op.create_index("ix_refund_membership", "refund", ["membership_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
