"""What the payments tell: a refund was paid, sent back by the bank, or called off."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.errors import RuleViolation
from govern.leaving.models import Refund
from govern.leaving.rules.states import RefundState
from govern.leaving.services.common import move_refund, record_refund
from govern.leaving.services.refunds import SUBJECT, keep_covered, refuse_taken_back
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


def refuse_without_tests(
    payment: OutgoingPayment,
    session: Session,
    actor: Actor,
    execute_on: date | None = None,
    **_more: Any,
) -> None:
    """Nothing for shares is released or put into a file unless both tests cover it that day:
    ``execute_on``, when the bank is to pay the file, else today.

    A test may have ended, or failed anew, since the refund was released. Raises RuleViolation.
    """
    if not payment.subject.startswith(SUBJECT):
        return
    refund = refund_of(session, payment)
    if refund is None or refund.state != RefundState.RELEASED.value:
        raise RuleViolation(
            _("This refund was not released on the page of refunds."),
            remedy=_("Release it there: the tests of the board are checked first."),
        )
    refuse_taken_back(session, refund)
    keep_covered(session, refund, execute_on)


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
    signals.outgoing_releasing.connect(refuse_without_tests)
    signals.outgoing_paid.connect(note_paid)
    signals.outgoing_returned.connect(note_returned)
    signals.outgoing_cancelled.connect(note_cancelled)
