"""What is owed to people who left, and the tests that the board makes before it pays."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.leaving.models.departures import Departure, LeavingDocument
from govern.leaving.rules.board import TestKind
from govern.leaving.rules.states import RefundState
from govern.payments.models import OutgoingPayment
from govern.register.models import Membership
from govern.register.models.people import one_of


class BoardTest(db.Model):  # type: ignore[name-defined]
    """One test that the board made: ``figure_cents`` are the net assets, or the liquid means of the
    coming year, after the payment. It covers up to ``up_to_cents`` until ``valid_until``."""

    __tablename__ = "board_test"
    __table_args__ = (
        CheckConstraint(one_of("kind", TestKind), name="kind_known"),
        CheckConstraint("valid_until >= decided_on", name="valid_after_decision"),
        CheckConstraint("up_to_cents >= 0", name="sum_not_negative"),
        CheckConstraint("NOT passed OR up_to_cents > 0", name="passed_for_a_sum"),
        Index("ix_board_test_listed", "cooperative_id", "kind", "decided_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    kind: Mapped[str] = mapped_column(String(10))
    decided_on: Mapped[date]
    passed: Mapped[bool]
    valid_until: Mapped[date]
    up_to_cents: Mapped[int] = mapped_column(BigInteger)
    figure_cents: Mapped[int | None] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("leaving_document.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    document: Mapped[LeavingDocument | None] = relationship()


class Refund(db.Model):  # type: ignore[name-defined]
    """What is owed to one owner on one day. ``owed_since`` is the day on which the shares left the
    capital, ``repay_by`` the last day to pay. ``test`` ids name the tests that it was released
    under; ``outgoing_id`` the newest payment made for it."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(one_of("state", RefundState), name="state_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint(
            "state NOT IN ('released', 'paid') OR (outgoing_id IS NOT NULL"
            " AND net_asset_test_id IS NOT NULL AND liquidity_test_id IS NOT NULL)",
            name="paid_under_both_tests",
        ),
        CheckConstraint("(state = 'paid') = (paid_on IS NOT NULL)", name="paid_has_its_day"),
        CheckConstraint("state <> 'postponed' OR length(reason) >= 5", name="postponed_says_why"),
        Index("ix_refund_listed", "cooperative_id", "state", "due_on"),
        Index("ix_refund_membership", "membership_id"),
        Index("ix_refund_departure", "departure_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    departure_id: Mapped[int] = mapped_column(ForeignKey("departure.id"))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    owed_since: Mapped[date]
    due_on: Mapped[date]
    repay_by: Mapped[date]
    state: Mapped[str] = mapped_column(String(10))
    holder: Mapped[str] = mapped_column(String(70), default="")
    iban: Mapped[str] = mapped_column(String(34), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    postponed_until: Mapped[date | None]
    outgoing_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_payment.id"))
    net_asset_test_id: Mapped[int | None] = mapped_column(ForeignKey("board_test.id"))
    liquidity_test_id: Mapped[int | None] = mapped_column(ForeignKey("board_test.id"))
    paid_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    membership: Mapped[Membership] = relationship()
    departure: Mapped[Departure] = relationship()
    outgoing: Mapped[OutgoingPayment | None] = relationship()
