"""A return that can no longer be booked: the money is gone, what it paid for is not.

The shares have moved on, or the over-payment was repaid. The ledger stays as it is, and the
cooperative has a claim on the payer, until a treasurer says that it was none.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict, GovernError, RuleViolation
from govern.payments.models import (
    BankEntry,
    Doubt,
    EntryState,
    OutgoingPayment,
    OutgoingState,
    PayerClaim,
    PaymentMatch,
)
from govern.payments.services.entries import (
    checked_reason,
    doubt,
    live_matches,
    open_entry,
    record_entry,
    refuse_unless_opposite,
    refuse_unless_waiting,
    restate,
    settle_entry,
)
from govern.payments.services.matching import note_return, return_received
from govern.payments.services.outgoing import cancel_outgoing, request_outgoing


class _CanBeBooked(Exception):
    """The return went through: the attempt is rolled back."""


def settle_as_claim(
    session: Session, actor: Actor, entry: BankEntry, original: BankEntry, reason: str
) -> None:
    """Record the debit ``entry`` as the return of ``original``, owed by the payer (flushed).

    Requests and ledger stay as they are; both entries keep the reason. What was planned to be
    given back of the credit is called off. Raises InvalidInput for a reason of fewer than 5
    characters; RuleViolation where the return can be booked, the amounts are not opposite, or
    something of the credit is on its way out.
    """
    open_entry(session, actor, entry)
    reason = checked_reason(reason)
    refuse_unless_waiting(entry)
    session.refresh(original)
    refuse_unless_opposite(entry, original)
    _refuse_if_bookable(session, actor, entry, original)
    for payment in _given_back(session, original):
        if payment.state not in (OutgoingState.PLANNED.value, OutgoingState.RELEASED.value):
            raise RuleViolation(
                _("Money of that payment is on its way back already."),
                remedy=_("Wait for the statement, or cancel the payment file first."),
            )
        cancel_outgoing(session, actor, payment, reason=reason)
    for match in live_matches(session, original):
        note_return(session, actor, match, entry)
    settle_entry(original, EntryState.RETURNED, reason)
    settle_entry(entry, EntryState.MATCHED, reason)
    session.add(
        PayerClaim(
            entry_id=entry.id,
            original_id=original.id,
            reason=reason,
            made_at=clock.now(),
            made_by_id=actor.account_id,
        )
    )
    session.flush()
    record_entry(
        session,
        actor,
        entry,
        "claimed",
        {"original": original.public_id, "amount_cents": original.amount_cents},
    )


def undo_claim(session: Session, actor: Actor, claim: PayerClaim, reason: str) -> None:
    """Say that a claim was none: the wrong credit was named, or the wrong debit (flushed).

    The debit waits again, the credit counts as before, and what the claim called off is planned to
    be given back anew. Raises InvalidInput for a reason of fewer than 5 characters, Conflict when
    it was undone already.
    """
    entry = claim.entry
    open_entry(session, actor, entry)
    session.refresh(claim)
    reason = checked_reason(reason)
    if not claim.is_live:
        raise Conflict(
            _("This claim was undone already."),
            remedy=_("Reload the page to see where the entry stands."),
        )
    original = claim.original
    session.refresh(original)
    now = clock.now()
    claim.undone_at, claim.undone_by_id, claim.undone_reason = now, actor.account_id, reason
    for back in session.scalars(
        select(PaymentMatch).where(
            PaymentMatch.bank_entry_id == entry.id,
            PaymentMatch.returns_id.is_not(None),
            PaymentMatch.undone_at.is_(None),
        )
    ):
        back.undone_at, back.undone_by_id, back.undone_reason = now, actor.account_id, reason
    doubt(entry, Doubt.RETURN_UNKNOWN)
    session.flush()
    for payment in _called_off(session, original, claim.reason):
        _plan_again(session, actor, payment)
    restate(session, original)
    record_entry(session, actor, entry, "claim_undone", {"original": original.public_id})


def claims_of(session: Session, entry: BankEntry) -> list[PayerClaim]:
    """The claims of a debit, or on a credit, also those that were undone: the newest last."""
    return list(
        session.scalars(
            select(PayerClaim)
            .where((PayerClaim.entry_id == entry.id) | (PayerClaim.original_id == entry.id))
            .order_by(PayerClaim.id)
        )
    )


def _called_off(session: Session, original: BankEntry, reason: str) -> list[OutgoingPayment]:
    """What a claim on ``original`` called off: the last payment for each thing, for its reason."""
    found = session.scalars(
        select(OutgoingPayment)
        .where(
            OutgoingPayment.cooperative_id == original.cooperative_id,
            _gives_back(session, original),
        )
        .order_by(OutgoingPayment.id)
    )
    last = {payment.subject: payment for payment in found}
    return [
        payment
        for payment in last.values()
        # Without an account the people concerned were erased meanwhile.
        if payment.state == OutgoingState.CANCELLED.value
        and payment.end_reason == reason
        and payment.iban
    ]


def _plan_again(session: Session, actor: Actor, payment: OutgoingPayment) -> None:
    request_outgoing(
        session,
        actor,
        payment.cooperative,
        payee_name=payment.payee_name,
        iban=payment.iban,
        bic=payment.bic,
        amount_cents=payment.amount_cents,
        due_on=payment.due_on,
        text=payment.text,
        subject=payment.subject,
    )


def _refuse_if_bookable(
    session: Session, actor: Actor, entry: BankEntry, original: BankEntry
) -> None:
    try:
        with session.begin_nested():
            return_received(session, actor, entry, original)
            raise _CanBeBooked
    except _CanBeBooked:
        session.refresh(entry)
        session.refresh(original)
    except GovernError:
        session.refresh(entry)
        session.refresh(original)
        return
    raise RuleViolation(
        _("This return can be booked: the ledger would be right again."),
        remedy=_("Say on the page of the entry which payment it takes back."),
    )


def _given_back(session: Session, original: BankEntry) -> list[OutgoingPayment]:
    """Payments that give (part of) a credit back and have not left: they name it, or its match."""
    waiting = (
        OutgoingState.PLANNED,
        OutgoingState.RELEASED,
        OutgoingState.IN_BATCH,
        OutgoingState.SENT,
    )
    return list(
        session.scalars(
            select(OutgoingPayment).where(
                OutgoingPayment.cooperative_id == original.cooperative_id,
                OutgoingPayment.state.in_([state.value for state in waiting]),
                _gives_back(session, original),
            )
        )
    )


def _gives_back(session: Session, original: BankEntry) -> ColumnElement[bool]:
    named = [original.public_id, *(match.public_id for match in live_matches(session, original))]
    return or_(*(OutgoingPayment.subject.endswith(f":{one}") for one in named))
