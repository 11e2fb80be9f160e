"""Departures: who leaves, how, when it counts, and the papers about it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.leaving.rules.exclusion import REPEATABLE, Step
from govern.leaving.rules.states import REQUESTED, DepartureKind, DepartureState, Signature
from govern.register.models import Membership
from govern.register.models.people import one_of

_REQUESTED = one_of("state", tuple(REQUESTED))
_IN_PROCEDURE = "state = 'procedure'"
_ONCE = (
    f"step NOT IN ({', '.join(repr(step.value) for step in sorted(REPEATABLE))})"
    " AND NOT (step = 'hearing_asked' AND is_late)"
)


class Departure(db.Model):  # type: ignore[name-defined]
    """One ending of a membership, or of a part of its shares, from the request to its effect.

    ``shares`` None: all that are held on the day. ``requested_on`` is the local day of the request
    (of its receipt on paper, of the death, of the proposal to exclude); ``counts_from`` the day as
    of which it counts, later where it is kept for the next period; ``effective_on`` the day on
    which it takes effect and ``repay_by`` the last one to pay back what is then owed, both unknown
    while an exclusion is not decided. ``token_hash`` is that of the link that signs a request.
    ``holder`` and ``iban`` say where the value is to be paid, empty until somebody says so.
    ``problem``: why it could not take effect on its day, empty otherwise.
    """

    __tablename__ = "departure"
    __table_args__ = (
        CheckConstraint(one_of("kind", DepartureKind), name="kind_known"),
        CheckConstraint(one_of("state", DepartureState), name="state_known"),
        CheckConstraint(
            f"signature IS NULL OR {one_of('signature', Signature)}", name="signature_known"
        ),
        CheckConstraint("(kind = 'partial') = (shares IS NOT NULL)", name="part_says_how_many"),
        CheckConstraint("shares IS NULL OR shares > 0", name="shares_positive"),
        CheckConstraint(
            "kind NOT IN ('resignation', 'partial') OR state IN ('unconfirmed', 'withdrawn',"
            " 'lapsed', 'superseded') OR (signature IS NOT NULL AND confirmed_at IS NOT NULL)",
            name="request_is_signed",
        ),
        CheckConstraint(
            "state NOT IN ('pending', 'effective') OR (effective_on IS NOT NULL"
            " AND repay_by IS NOT NULL AND rule_set_id IS NOT NULL)",
            name="effect_has_its_day",
        ),
        CheckConstraint("state <> 'procedure' OR kind = 'exclusion'", name="procedure_excludes"),
        CheckConstraint(
            "effective_on IS NULL OR repay_by IS NULL OR repay_by >= effective_on",
            name="repaid_after_effect",
        ),
        Index(
            "uq_departure_requested",
            "membership_id",
            unique=True,
            sqlite_where=text(_REQUESTED),
            postgresql_where=text(_REQUESTED),
        ),
        Index(
            "uq_departure_procedure",
            "membership_id",
            unique=True,
            sqlite_where=text(_IN_PROCEDURE),
            postgresql_where=text(_IN_PROCEDURE),
        ),
        Index("ix_departure_listed", "cooperative_id", "state", "effective_on"),
        Index("ix_departure_due", "state", "effective_on"),
        Index("ix_departure_membership", "membership_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    shares: Mapped[int | None]
    requested_on: Mapped[date]
    counts_from: Mapped[date | None]
    effective_on: Mapped[date | None]
    repay_by: Mapped[date | None]
    rule_set_id: Mapped[int | None] = mapped_column(ForeignKey("rule_set.id"))
    signature: Mapped[str | None] = mapped_column(String(10))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str] = mapped_column(String(70), default="")
    iban: Mapped[str] = mapped_column(String(34), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    ended_note: Mapped[str] = mapped_column(Text, default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    shares_left: Mapped[int | None]
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    membership: Mapped[Membership] = relationship()
    steps: Mapped[list[ExclusionStep]] = relationship(
        back_populates="departure", order_by="ExclusionStep.done_on, ExclusionStep.id"
    )
    documents: Mapped[list[LeavingDocument]] = relationship(
        back_populates="departure", order_by="LeavingDocument.id"
    )

    @property
    def was_taken_back(self) -> bool:
        """Whether the membership went on although this had ended it; it may have ended since, in
        another way or on another day."""
        ends = self.kind not in (DepartureKind.PARTIAL.value, DepartureKind.FORMER.value)
        is_effective = self.state == DepartureState.EFFECTIVE.value
        ending = (self.membership.ended_on, self.membership.end_reason)
        # Kinds and reasons of these have the same names.
        return ends and is_effective and ending != (self.effective_on, self.kind)


class LeavingDocument(db.Model):  # type: ignore[name-defined]
    """A paper: a scanned request, a proposal as it was sent, the minutes of the board.

    ``departure_id`` None: it belongs to a test of the board. The kind was found in the content.
    """

    __tablename__ = "leaving_document"
    __table_args__ = (
        CheckConstraint("length(digest) = 64", name="digest_length"),
        CheckConstraint("size > 0", name="not_empty"),
        Index("ix_leaving_document_departure", "departure_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    departure_id: Mapped[int | None] = mapped_column(ForeignKey("departure.id"))
    title: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    departure: Mapped[Departure | None] = relationship(back_populates="documents")


class ExclusionStep(db.Model):  # type: ignore[name-defined]
    """One step of an exclusion, on a local day. ``is_late`` needs ``late_reason`` where the
    cooperative was late; a member's late answer needs none. ``by_member``: written by the member
    on the site."""

    __tablename__ = "exclusion_step"
    __table_args__ = (
        CheckConstraint(one_of("step", Step), name="step_known"),
        CheckConstraint(
            "NOT is_late OR step <> 'decision_sent' OR length(late_reason) >= 5",
            name="late_notice_says_why",
        ),
        Index(
            "uq_exclusion_step_once",
            "departure_id",
            "step",
            unique=True,
            sqlite_where=text(_ONCE),
            postgresql_where=text(_ONCE),
        ),
        Index("ix_exclusion_step_departure", "departure_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    departure_id: Mapped[int] = mapped_column(ForeignKey("departure.id"))
    step: Mapped[str] = mapped_column(String(20))
    done_on: Mapped[date]
    text: Mapped[str] = mapped_column(Text, default="")
    is_late: Mapped[bool] = mapped_column(default=False)
    late_reason: Mapped[str] = mapped_column(Text, default="")
    by_member: Mapped[bool] = mapped_column(default=False)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("leaving_document.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    departure: Mapped[Departure] = relationship(back_populates="steps")
    document: Mapped[LeavingDocument | None] = relationship()


class Founder(db.Model):  # type: ignore[name-defined]
    """The membership of somebody who founded the cooperative: they may not resign at first."""

    __tablename__ = "founder"

    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
