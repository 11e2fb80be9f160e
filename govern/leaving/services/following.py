"""What the payments tell: a refund was paid, sent back by the bank, or called off."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.leaving.models import Refund
from govern.leaving.rules.states import RefundState
from govern.leaving.services.common import move_refund, record_refund
from govern.leaving.services.refunds import SUBJECT
from govern.leaving.services.telling import tell_refund
from govern.payments import signals
from govern.payments.models import OutgoingPayment


def refund_of(session: Session, payment: OutgoingPayment) -> Refund | None:
    """The refund that this payment is the newest one of; None for any other payment."""
    if not payment.subject.startswith(SUBJECT):
        return None
    return session.scalar(
        select(Refund).where(
            Refund.public_id == payment.subject.removeprefix(SUBJECT),
            Refund.outgoing_id == payment.id,
        )
    )


def note_paid(
    payment: OutgoingPayment, session: Session, actor: Actor, paid_on: date, **_more: Any
) -> None:
    """The bank has booked it: the owner is told."""
    refund = refund_of(session, payment)
    if refund is None or refund.state == RefundState.PAID.value:
        return
    refund.paid_on = paid_on
    move_refund(refund, RefundState.PAID)
    session.flush()
    tell_refund(session, refund, "paid", payment.public_id, paid_on=paid_on, iban=refund.iban)
    record_refund(session, actor, refund, "paid", {"paid_on": paid_on.isoformat()})


def note_returned(
    payment: OutgoingPayment, session: Session, actor: Actor, reason: str = "", **_more: Any
) -> None:
    """The bank has sent it back: the owner is asked for the right account."""
    refund = refund_of(session, payment)
    if refund is None or refund.state == RefundState.RETURNED.value:
        return
    refund.paid_on = None
    move_refund(refund, RefundState.RETURNED)
    refund.reason = reason[:2000]
    session.flush()
    tell_refund(session, refund, "returned", payment.public_id, iban=refund.iban)
    record_refund(session, actor, refund, "returned")


def note_cancelled(payment: OutgoingPayment, session: Session, actor: Actor, **_more: Any) -> None:
    """The payment was called off before it left: the refund waits again."""
    refund = refund_of(session, payment)
    if refund is None or refund.state != RefundState.RELEASED.value:
        return
    move_refund(refund, RefundState.SCHEDULED)
    refund.net_asset_test_id = refund.liquidity_test_id = None
    session.flush()
    record_refund(session, actor, refund, "called_off")


def follow_payments() -> None:
    """Subscribe to the signals of the payments."""
    signals.outgoing_paid.connect(note_paid)
    signals.outgoing_returned.connect(note_returned)
    signals.outgoing_cancelled.connect(note_cancelled)
