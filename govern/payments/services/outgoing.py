"""Payments to somebody: planned, released by a person who may, cancelled while they can be."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.database import make_public_id
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, NotFound
from govern.i18n import money
from govern.payments import signals
from govern.payments.models import OutgoingPayment, OutgoingState
from govern.payments.services.accounts import checked_bic, checked_iban
from govern.payments.services.requests import lock_requests
from govern.register.rules.values import MAX_CENTS

TRANSITIONS: dict[OutgoingState, frozenset[OutgoingState]] = {
    OutgoingState.PLANNED: frozenset(
        {OutgoingState.RELEASED, OutgoingState.PAID, OutgoingState.CANCELLED}
    ),
    OutgoingState.RELEASED: frozenset(
        {
            OutgoingState.PLANNED,
            OutgoingState.IN_BATCH,
            OutgoingState.PAID,
            OutgoingState.CANCELLED,
        }
    ),
    OutgoingState.IN_BATCH: frozenset(
        {OutgoingState.RELEASED, OutgoingState.SENT, OutgoingState.PAID}
    ),
    OutgoingState.SENT: frozenset(
        {OutgoingState.RELEASED, OutgoingState.PAID, OutgoingState.RETURNED}
    ),
    OutgoingState.PAID: frozenset({OutgoingState.RETURNED}),
    OutgoingState.RETURNED: frozenset(),
    OutgoingState.CANCELLED: frozenset({OutgoingState.PAID}),
}
"""Released from a batch again when the batch is cancelled, sent or not; the bank may pay it yet,
and it may pay it even after it was held or called off (``services.reviving``)."""


def request_outgoing(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    payee_name: str,
    iban: str,
    bic: str = "",
    amount_cents: int,
    due_on: date,
    text: str,
    subject: str,
) -> OutgoingPayment:
    """Plan to pay ``amount_cents`` to an IBAN; nothing leaves before it is released.

    The caller has checked that ``actor`` may. Planning the same ``subject``, amount and IBAN twice
    gives the payment that is planned already; Conflict when one of them differs. InvalidInput for
    a wrong IBAN, BIC or amount, or an empty name.
    """
    compact, code = checked_iban(iban), checked_bic(bic)
    payee, text = " ".join(payee_name.split()), " ".join(text.split())
    if not 0 < amount_cents <= MAX_CENTS:
        raise InvalidInput(
            _("The amount must be more than nothing and at most %(most)s.", most=money(MAX_CENTS)),
            remedy=_("Write the amount to be paid."),
            field="amount",
        )
    if not payee or len(payee) > 250:
        raise InvalidInput(
            _("The name of the payee has 1 to 250 characters."),
            remedy=_("Write the name of the holder of the account."),
            field="payee_name",
        )
    if not subject or len(subject) > 100:
        raise ValueError("a payment needs a subject of at most 100 characters")
    lock_requests(session, cooperative.id)
    live = session.scalar(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == cooperative.id,
            OutgoingPayment.subject == subject,
            OutgoingPayment.state.not_in(
                [OutgoingState.CANCELLED.value, OutgoingState.RETURNED.value]
            ),
        )
    )
    if live is not None:
        if (live.amount_cents, live.iban) == (amount_cents, compact):
            return live
        raise Conflict(
            _("A payment for the same thing is planned already, with another amount or account."),
            remedy=_("Cancel that payment first."),
        )
    public_id = make_public_id()
    payment = OutgoingPayment(
        public_id=public_id,
        cooperative_id=cooperative.id,
        payee_name=payee,
        iban=compact,
        bic=code,
        amount_cents=amount_cents,
        due_on=due_on,
        text=text[:140],
        end_to_end_id=f"G-{public_id}",
        subject=subject,
        state=OutgoingState.PLANNED.value,
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(payment)
    session.flush()
    record_outgoing(
        session, actor, payment, "planned", {"amount_cents": amount_cents, "subject": subject}
    )
    return payment


def release_outgoing(session: Session, actor: Actor, payment: OutgoingPayment) -> None:
    """Let a planned payment go into the next batch. Nothing happens when it was released already.

    Needs PAYMENTS_RELEASE; a feature above may refuse it. ForbiddenTransition when it was
    cancelled or is on its way.
    """
    actor.require(Permission.PAYMENTS_RELEASE, payment.cooperative_id)
    lock_payment(session, payment)
    if payment.state == OutgoingState.RELEASED.value:
        return
    if payment.batch_id is not None:
        # From there only the cancelling of the file gives it free again.
        raise _past()
    signals.outgoing_releasing.send(payment, session=session, actor=actor)
    move_outgoing(payment, OutgoingState.RELEASED)
    payment.released_at = clock.now()
    payment.released_by_id = actor.account_id
    session.flush()
    record_outgoing(session, actor, payment, "released")


def hold_outgoing(session: Session, actor: Actor, payment: OutgoingPayment) -> None:
    """Take the release back while the payment is in no batch."""
    actor.require(Permission.PAYMENTS_RELEASE, payment.cooperative_id)
    lock_payment(session, payment)
    if payment.state == OutgoingState.PLANNED.value:
        return
    move_outgoing(payment, OutgoingState.PLANNED)
    payment.released_at = payment.released_by_id = None
    session.flush()
    record_outgoing(session, actor, payment, "held")


def cancel_outgoing(
    session: Session, actor: Actor, payment: OutgoingPayment, *, reason: str = ""
) -> None:
    """Call a payment off that is in no batch. Nothing happens when it is cancelled already.

    The caller has checked that ``actor`` may. ForbiddenTransition when it is on its way: cancel
    the batch first.
    """
    lock_payment(session, payment)
    if payment.state == OutgoingState.CANCELLED.value:
        return
    move_outgoing(payment, OutgoingState.CANCELLED)
    payment.end_reason = " ".join(reason.split())[:500]
    session.flush()
    signals.outgoing_cancelled.send(
        payment, session=session, actor=actor, reason=payment.end_reason
    )
    record_outgoing(session, actor, payment, "cancelled")


def outgoing_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> OutgoingPayment:
    """The payment of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(OutgoingPayment).where(
            OutgoingPayment.public_id == public_id,
            OutgoingPayment.cooperative_id == cooperative.id,
        )
    )
    if found is None:
        raise NotFound(_("There is no such payment."), remedy=_("Choose one from the list."))
    return found


def lock_payment(session: Session, payment: OutgoingPayment) -> None:
    """Read the payment anew under a lock."""
    lock_requests(session, payment.cooperative_id)
    session.refresh(payment, with_for_update=True)


def move_outgoing(payment: OutgoingPayment, state: OutgoingState) -> None:
    """Take one step of ``TRANSITIONS``; ForbiddenTransition otherwise."""
    present = OutgoingState(payment.state)
    if state not in TRANSITIONS[present]:
        raise _past()
    payment.state = state.value


def _past() -> ForbiddenTransition:
    return ForbiddenTransition(
        _("This payment is past that step."),
        remedy=_("Reload the page to see where it stands."),
    )


def record_outgoing(
    session: Session,
    actor: Actor,
    payment: OutgoingPayment,
    action: str,
    data: dict[str, object] | None = None,
) -> None:
    """Note what happened to a payment."""
    audit.record(
        session,
        actor,
        f"payments:outgoing:{action}",
        cooperative_id=payment.cooperative_id,
        subject=f"outgoing_payment:{payment.public_id}",
        data=data,
    )
