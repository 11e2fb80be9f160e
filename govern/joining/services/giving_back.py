"""Money received for an application that led to nothing goes back to where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.errors import GovernError, RuleViolation
from govern.i18n import speaking
from govern.joining.models import Application
from govern.joining.rules import CLOSED_STATES, Hold
from govern.joining.services.guards import today_of
from govern.payments.models import EntryState, OutgoingPayment, OutgoingState, PaymentMatch
from govern.payments.services import cancel_outgoing, request_outgoing

AT_HOME = frozenset({OutgoingState.PLANNED, OutgoingState.RELEASED})
"""Where a payment stands that is in no file for the bank yet."""


def subject_of(application: Application, match: PaymentMatch) -> str:
    """What the outgoing payment is for: one per amount received, however often it is asked."""
    return f"application:{application.public_id}:{match.public_id}"


def give_back(
    session: Session, actor: Actor, application: Application, matches: Sequence[PaymentMatch]
) -> None:
    """Plan to pay each amount back; the treasurer releases it.

    Where the statement gave no usable account, the registrar reads so beside the application.
    """
    for match in matches:
        entry = match.entry
        with speaking(application.language):
            text = _(
                "Your application to %(cooperative)s", cooperative=application.cooperative.name
            )
        try:
            with session.begin_nested():
                request_outgoing(
                    session,
                    actor,
                    application.cooperative,
                    payee_name=entry.counterparty_name or application.name,
                    iban=entry.counterparty_iban,
                    bic=entry.counterparty_bic,
                    amount_cents=match.amount_cents,
                    due_on=today_of(application),
                    text=text,
                    subject=subject_of(application, match),
                )
        except GovernError as error:
            application.hold = Hold.REFUSED.value
            application.hold_note = f"{error.message} {error.remedy}".strip()[:1000]
    session.flush()


def cancel_giving_back(
    session: Session, actor: Actor, application: Application, match: PaymentMatch
) -> None:
    """The money was not ours after all: what has not left yet does not leave.

    RuleViolation once it is on its way or paid: a person must look at the entry then.
    """
    payment = live_giving_back(session, application, match)
    if payment is None:
        return
    if OutgoingState(payment.state) not in AT_HOME:
        raise RuleViolation(
            _("The payment received was given back already."),
            remedy=_("Wait for the statement, or cancel the payment file first."),
        )
    cancel_outgoing(session, actor, payment, reason=_("The payment received was undone."))


def live_giving_back(
    session: Session, application: Application, match: PaymentMatch
) -> OutgoingPayment | None:
    """The payment that gives the money of ``match`` back, unless called off or come back."""
    return session.scalar(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == application.cooperative_id,
            OutgoingPayment.subject == subject_of(application, match),
            OutgoingPayment.state.not_in(
                [OutgoingState.CANCELLED.value, OutgoingState.RETURNED.value]
            ),
        )
    )


def keep_after_all(
    session: Session, actor: Actor, application: Application, matches: Sequence[PaymentMatch]
) -> bool:
    """Call off giving these amounts back; False, and nothing is called off, if one has left."""
    payments = [
        payment
        for match in matches
        if (payment := live_giving_back(session, application, match)) is not None
    ]
    if any(OutgoingState(payment.state) not in AT_HOME for payment in payments):
        return False
    for payment in payments:
        cancel_outgoing(session, actor, payment, reason=_("The application is open again."))
    return True


def refuse_counted(payment: OutgoingPayment, session: Session, **_more: Any) -> None:
    """A payment that gives money of an application back was made, though it had been called off.

    RuleViolation where that money counts again for the application, or no longer for any: the
    payment then takes the money back that had been received. Where the bank did so already,
    payments say that the payer owes it.
    """
    start, _colon, rest = payment.subject.partition(":")
    application_id, _colon, match_id = rest.partition(":")
    if start != "application" or not match_id:
        return
    match = session.scalar(select(PaymentMatch).where(PaymentMatch.public_id == match_id))
    application = session.scalar(
        select(Application).where(
            Application.public_id == application_id,
            Application.cooperative_id == payment.cooperative_id,
        )
    )
    if match is None or application is None or match.entry.state == EntryState.RETURNED.value:
        return
    is_counted = (
        application.status not in CLOSED_STATES and application.request_id == match.request_id
    )
    if is_counted or not match.is_live:
        raise RuleViolation(
            _("The money that this payment gives back is counted for something again."),
            remedy=_("Say on the page of the entry which payment it takes back."),
        )
