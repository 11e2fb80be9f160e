"""What the payments tell: a refund was paid, sent back by the bank, or called off."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.errors import RuleViolation
from govern.leaving.models import Refund
from govern.leaving.rules.board import TestKind, coverage_of
from govern.leaving.rules.states import RefundState
from govern.leaving.services.board import facts_of_tests
from govern.leaving.services.common import move_refund, record_refund
from govern.leaving.services.refunds import SUBJECT, keep_covered
from govern.leaving.services.taken_back import refuse_taken_back
from govern.leaving.services.telling import tell_refund
from govern.payments import signals
from govern.payments.models import OutgoingPayment, OutgoingState


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
    """The bank has booked it: the owner is told.

    Also where the payment had been called off here after the bank had its file. RuleViolation if
    the refund is no longer owed.
    """
    refund = refund_of(session, payment) or _refund_named(session, payment)
    if refund is None or refund.state == RefundState.PAID.value:
        return
    if refund.state != RefundState.RELEASED.value:
        _take_up(session, refund, payment)
    refund.paid_on = paid_on
    move_refund(refund, RefundState.PAID)
    session.flush()
    key = f"{payment.public_id}:{paid_on.isoformat()}"
    tell_refund(session, refund, "paid", key, paid_on=paid_on, iban=refund.iban)
    record_refund(session, actor, refund, "paid", {"paid_on": paid_on.isoformat()})


def _refund_named(session: Session, payment: OutgoingPayment) -> Refund | None:
    """The refund that this payment was made for, though another one was planned for it since."""
    if not payment.subject.startswith(SUBJECT):
        return None
    return session.scalar(
        select(Refund).where(Refund.public_id == payment.subject.removeprefix(SUBJECT))
    )


def _take_up(session: Session, refund: Refund, payment: OutgoingPayment) -> None:
    """Bind a refund that waits again to a payment that left after all, and to the tests of the
    board under which it was released."""
    # Returned: a later payment came back, and this one, called off before, has arrived.
    waiting = (RefundState.SCHEDULED, RefundState.POSTPONED, RefundState.RETURNED)
    if refund.state not in [state.value for state in waiting]:
        raise RuleViolation(
            _("Nothing is owed any more for which this payment was made."),
            remedy=_("Set the entry aside with the reason, and ask the payee for the money."),
        )
    cooperative = session.get_one(Cooperative, refund.cooperative_id)
    left_at = payment.released_at or clock.now()
    left_on = left_at.astimezone(ZoneInfo(cooperative.time_zone)).date()
    facts = facts_of_tests(session, cooperative.id)
    tests = {kind: coverage_of(facts, kind, left_on, 0).test for kind in TestKind}
    net_asset, liquidity = tests[TestKind.NET_ASSET], tests[TestKind.LIQUIDITY]
    if net_asset is None or liquidity is None:
        raise RuleViolation(
            _("No tests of the board are recorded for the day on which this payment was released."),
            remedy=_("Record the tests that the board had made, then try again."),
        )
    refund.outgoing_id = payment.id
    refund.net_asset_test_id, refund.liquidity_test_id = net_asset.id, liquidity.id
    refund.reason, refund.postponed_until = "", None


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


def note_reopened(payment: OutgoingPayment, session: Session, actor: Actor, **_more: Any) -> None:
    """It was another payment that left or came back: the refund stands where it stood before.

    RuleViolation where it was taken up otherwise since.
    """
    refund = refund_of(session, payment)
    if refund is None:
        return
    if refund.state not in (RefundState.PAID.value, RefundState.RETURNED.value):
        raise RuleViolation(
            _("The refund of shares that this payment is for was taken up again since."),
            remedy=_("Look at the refund first: it may be paid twice otherwise."),
        )
    # No step of its own, but one taken back: what was paid is never released anew.
    if payment.state != OutgoingState.CANCELLED.value:
        refund.paid_on, refund.reason = None, ""
        refund.state = RefundState.RELEASED.value
    else:
        came_back = session.scalar(
            select(OutgoingPayment)
            .where(
                OutgoingPayment.cooperative_id == payment.cooperative_id,
                OutgoingPayment.subject == payment.subject,
                OutgoingPayment.state == OutgoingState.RETURNED.value,
                OutgoingPayment.iban == refund.iban,
            )
            .order_by(OutgoingPayment.id.desc())
        )
        refund.paid_on, refund.reason = None, ""
        refund.state = RefundState.SCHEDULED.value
        if came_back is not None:
            # To that account nothing arrives: its owner was asked for another.
            refund.outgoing_id, refund.reason = came_back.id, came_back.end_reason
            refund.state = RefundState.RETURNED.value
        refund.net_asset_test_id = refund.liquidity_test_id = None
    session.flush()
    record_refund(session, actor, refund, "reopened")


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
    signals.outgoing_reopened.connect(note_reopened)
    signals.outgoing_cancelled.connect(note_cancelled)
