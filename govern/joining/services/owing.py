"""Paying for shares that are held and not paid: imported so, or paid with money that went back.

The request's subject is ``due:<membership>``. Every payment on it, also a part, is entered in the
share ledger on the day on which the bank booked it, and taken back when the money is.
"""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.errors import RuleViolation
from govern.jobs import enqueue
from govern.joining.models import Application
from govern.joining.rules import payment_due
from govern.joining.services.admitting import CERTIFICATE_JOB, standing_entries
from govern.joining.services.orders import own_membership
from govern.payments.models import PaymentMatch, PaymentRequest, RequestState
from govern.payments.services import cancel_request, request_payment
from govern.register.models import EntryKind, Membership
from govern.register.services.accounts import is_current
from govern.register.services.chain import lock_register
from govern.register.services.holdings import holding_of
from govern.register.services.ledger import record_payment, refuse_on_hold, reverse_act

SUBJECT = "due:"


def request_due(session: Session, membership: Membership) -> PaymentRequest | None:
    """The open request for what is due on shares that are held, None where nobody asked yet.

    That of the application where its payment went back, else the one that the member asked for.
    """
    application = (
        select(PaymentRequest)
        .join(Application, Application.request_id == PaymentRequest.id)
        .where(
            Application.membership_id == membership.id,
            PaymentRequest.state == RequestState.OPEN.value,
        )
    )
    asked = select(PaymentRequest).where(
        PaymentRequest.cooperative_id == membership.cooperative_id,
        PaymentRequest.subject == f"{SUBJECT}{membership.public_id}",
        PaymentRequest.state == RequestState.OPEN.value,
    )
    return session.scalar(application.limit(1)) or session.scalar(asked.limit(1))


def ask_to_pay(session: Session, actor: Actor, membership: Membership) -> PaymentRequest:
    """A request for exactly what is due on the shares that the member holds today.

    Only the member asks (or who represents it). Asking twice gives the same; where another amount
    is due by now and nothing was paid on the old request, a new one takes its place. RuleViolation
    where nothing is due or the membership has ended.
    """
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    own_membership(session, actor, cooperative, membership.public_id)
    refuse_on_hold(cooperative)
    lock_register(session, cooperative.id)
    session.refresh(membership)
    today = clock.today(cooperative.time_zone)
    due = holding_of(session, membership.id, today).due_cents
    if not due or not is_current(membership, today):
        raise RuleViolation(
            _("Nothing is due on shares of this membership."), remedy=_("Nothing needs to be done.")
        )
    open_one = request_due(session, membership)
    if open_one is not None:
        if open_one.due_cents == due or open_one.paid_cents:
            return open_one
        if not open_one.subject.startswith(SUBJECT):
            return open_one
        cancel_request(session, actor, open_one)
    return request_payment(
        session,
        actor,
        cooperative,
        amount_cents=due,
        subject=f"{SUBJECT}{membership.public_id}",
        payer_name=membership.display_name,
        language=membership.language,
        due_on=payment_due(today, rules_on(session, cooperative.id, today)[1].joining),
        membership=membership,
    )


def note_payment(
    session: Session,
    request: PaymentRequest,
    *,
    match: PaymentMatch,
    amount_cents: int,
    received_on: date,
) -> None:
    """Enter a payment in the ledger. What the ledger refuses (more than is due by now, an ended
    membership) is raised: the entry of the statement then waits for a person."""
    membership = _member_of(session, request)
    if membership is None:
        return
    if membership.ended_on is not None:
        raise RuleViolation(
            _("This membership has ended."), remedy=_("Give the money back to the payer.")
        )
    record_payment(session, SYSTEM, membership, amount_cents, received_on, source=_source(match))
    enqueue(session, CERTIFICATE_JOB, membership.id)


def note_return(
    session: Session, request: PaymentRequest, *, match: PaymentMatch, reason: str
) -> None:
    """Take a payment back in the ledger: its money is gone, and the shares are unpaid again."""
    membership = _member_of(session, request)
    if membership is None:
        return
    text = reason if len(reason) >= 5 else _("The bank took the payment back.")
    acts = {}
    for row in standing_entries(session, membership, _source(match), EntryKind.PAYMENT):
        acts[row.act_id] = row
    for row in acts.values():
        reverse_act(session, SYSTEM, row, text[:500])
    if acts:
        enqueue(session, CERTIFICATE_JOB, membership.id)


def _member_of(session: Session, request: PaymentRequest) -> Membership | None:
    if not request.subject.startswith(SUBJECT) or request.membership_id is None:
        return None
    lock_register(session, request.cooperative_id)
    membership = session.get_one(Membership, request.membership_id)
    session.refresh(membership)
    return membership


def _source(match: PaymentMatch) -> str:
    return f"due:{match.public_id}"
