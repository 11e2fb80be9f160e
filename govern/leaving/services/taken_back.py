"""Shares that left and came back in the ledger: nothing is owed for them, nothing paid twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from govern.access import SYSTEM
from govern.errors import RuleViolation
from govern.i18n import money
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.states import OWED, RefundState
from govern.leaving.services.common import SOURCE, ledger_source, move_refund, record_refund
from govern.payments.models import OutgoingPayment, OutgoingState
from govern.register.models import ShareEntry
from govern.register.services.chain import lock_register

WAITING = (RefundState.SCHEDULED, RefundState.POSTPONED, RefundState.RETURNED)
CAN_BE_STOPPED = (OutgoingState.PLANNED.value, OutgoingState.RELEASED.value)


def is_taken_back(session: Session, refund: Refund) -> bool:
    """Whether the ledger owes less for the departure than is planned and paid for it."""
    return _excess(session, refund.departure) > 0


def refuse_taken_back(session: Session, refund: Refund) -> None:
    """Nothing is owed for shares whose leaving was taken back in the ledger: RuleViolation."""
    if is_taken_back(session, refund):
        raise RuleViolation(
            _(
                "The ledger says that the shares of member %(number)s were given back: nothing "
                "is owed for them.",
                number=refund.membership.member_number,
            ),
            remedy=_("Ask the registrar, and leave this refund out."),
        )


def cancel_taken_back(session: Session, _now: datetime) -> None:
    """Refunds that wait for their payment are cancelled once nothing of them is owed any more.
    Those that are being paid are not."""
    entry, reversal = aliased(ShareEntry), aliased(ShareEntry)
    reversed_ = (
        select(entry.id)
        .join(reversal, reversal.reverses_id == entry.id)
        .where(
            entry.membership_id == Refund.membership_id,
            entry.source == SOURCE + Departure.public_id,
        )
        .exists()
    )
    rows = session.scalars(
        select(Refund)
        .join(Departure, Departure.id == Refund.departure_id)
        .where(Refund.state.in_([state.value for state in WAITING]), reversed_)
        .order_by(Refund.id)
        .limit(50)
    ).all()
    for refund in rows:
        if _excess(session, refund.departure) < refund.amount_cents:
            continue
        lock_register(session, refund.cooperative_id)
        session.refresh(refund)
        is_waiting = refund.state in [state.value for state in WAITING]
        if is_waiting and _excess(session, refund.departure) >= refund.amount_cents:
            move_refund(refund, RefundState.CANCELLED)
            session.flush()
            record_refund(session, SYSTEM, refund, "cancelled")


def why_not_taken_back(session: Session, entries: Sequence[ShareEntry]) -> Sequence[str]:
    """That the value of shares which left is paid, or in a file for the bank: would they come
    back, it would be owed a second time when they leave again."""
    sources = {row.source for row in entries if row.source.startswith(SOURCE)}
    sentences = []
    for source in sorted(sources):
        departure = session.scalars(
            select(Departure).where(Departure.public_id == source.removeprefix(SOURCE))
        ).one()
        gone = session.scalar(
            select(func.sum(Refund.amount_cents))
            .outerjoin(OutgoingPayment, OutgoingPayment.id == Refund.outgoing_id)
            .where(
                Refund.departure_id == departure.id,
                or_(
                    Refund.state == RefundState.PAID.value,
                    (Refund.state == RefundState.RELEASED.value)
                    & OutgoingPayment.state.not_in(CAN_BE_STOPPED),
                ),
            )
        )
        of_act = -sum(row.amount_cents for row in entries if row.source == source)
        if gone and gone > _owed(session, departure) - of_act:
            sentences.append(
                _(
                    "%(amount)s was paid back for these shares, or is on its way.",
                    amount=money(gone),
                )
            )
    return sentences


def _owed(session: Session, departure: Departure) -> int:
    """What the ledger says is owed for the departure (cents): what left, less what came back."""
    own = ShareEntry.membership_id == departure.membership_id
    written = select(ShareEntry.id).where(own, ShareEntry.source == ledger_source(departure))
    total = session.scalar(
        select(func.sum(ShareEntry.amount_cents)).where(
            own, or_(ShareEntry.id.in_(written), ShareEntry.reverses_id.in_(written))
        )
    )
    return -int(total or 0)


def _excess(session: Session, departure: Departure) -> int:
    """How much more is planned and paid for the departure than is owed for it (cents)."""
    counted = [state.value for state in (*OWED, RefundState.PAID)]
    planned = session.scalar(
        select(func.sum(Refund.amount_cents)).where(
            Refund.departure_id == departure.id, Refund.state.in_(counted)
        )
    )
    return max(0, int(planned or 0) - _owed(session, departure))
