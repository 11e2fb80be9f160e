"""What received money is matched to: by its reference, by a person, and taken back again."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict, GovernError, NotFound, RuleViolation
from govern.i18n import speaking
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    Doubt,
    EntryState,
    MatchHow,
    OutgoingPayment,
    OutgoingState,
    PaymentMatch,
    PaymentRequest,
    RequestState,
)
from govern.payments.rules.bank import is_iban
from govern.payments.rules.matching import Hint
from govern.payments.rules.references import show_reference
from govern.payments.services.accounts import checked_iban
from govern.payments.services.entries import (
    OVERPAYMENT,
    checked_reason,
    doubt,
    live_matches,
    open_entry,
    record_entry,
    refund_of_rest,
    refuse_unless_opposite,
    refuse_unless_waiting,
    rest_of,
    restate,
    return_of,
    settle_entry,
)
from govern.payments.services.finding import find_for, request_named
from govern.payments.services.outgoing import cancel_outgoing, request_outgoing

_DOUBTS = {
    Hint.CLOSED: Doubt.REQUEST_CLOSED,
    Hint.KNOWN_PAYER: Doubt.KNOWN_PAYER,
    Hint.KNOWN_NAME: Doubt.KNOWN_NAME,
}


def match_received(session: Session, actor: Actor, entry: BankEntry) -> None:
    """Match a new credit by its reference, or note what it may be about.

    The caller holds the lock. What the ledger or a feature above refuses waits for a person; the
    other entries of the statement are not held up by it.
    """
    request = request_named(session, entry)
    finding = find_for(session, entry, request)
    if finding.hint is not Hint.REFERENCE or request is None:
        entry.candidate_id = finding.request_id
        if finding.hint in _DOUBTS:
            doubt(entry, _DOUBTS[finding.hint])
        return
    try:
        with session.begin_nested():
            entry.candidate_id = request.id
            make_match(session, actor, entry, request, finding.matched_cents, MatchHow.AUTOMATIC)
            if not finding.rest_cents:
                settle_entry(entry, EntryState.MATCHED)
            else:
                if is_iban(entry.counterparty_iban):
                    _plan_rest(
                        session, actor, entry, request, finding.rest_cents, entry.counterparty_iban
                    )
                restate(session, entry)
    except GovernError as error:
        session.refresh(entry)
        session.refresh(request)
        entry.candidate_id = request.id
        doubt(entry, Doubt.LEDGER_REFUSED, error.message)


def make_match(
    session: Session,
    actor: Actor,
    entry: BankEntry,
    request: PaymentRequest,
    amount_cents: int,
    how: MatchHow,
) -> PaymentMatch:
    """Count ``amount_cents`` of the entry towards the request and tell everybody (flushed)."""
    request.paid_cents += amount_cents
    if request.paid_cents == request.amount_cents:
        request.state = RequestState.SETTLED.value
        request.ended_at = clock.now()
    match = PaymentMatch(
        bank_entry_id=entry.id,
        request_id=request.id,
        amount_cents=amount_cents,
        how=how.value,
        made_at=clock.now(),
        made_by_id=actor.account_id,
    )
    session.add(match)
    session.flush()
    signals.payment_received.send(
        request,
        session=session,
        actor=actor,
        entry=entry,
        match=match,
        amount_cents=amount_cents,
        received_on=entry.booked_on,
    )
    return match


def match_by_hand(
    session: Session, actor: Actor, entry: BankEntry, request: PaymentRequest
) -> PaymentMatch:
    """Count what is left of a credit towards an open request, as much as is due.

    Raises RuleViolation when the entry is a debit or wholly used, or the request is not open.
    """
    open_entry(session, actor, entry)
    session.refresh(request)
    if request.cooperative_id != entry.cooperative_id:
        raise NotFound(_("There is no such request."), remedy=_("Choose one from the list."))
    refuse_unless_waiting(entry)
    rest = rest_of(session, entry)
    if entry.amount_cents < 0 or rest <= 0:
        raise RuleViolation(
            _("Nothing of this entry is left to match."),
            remedy=_("Undo the match that is there first, or choose another entry."),
        )
    if not request.is_open:
        raise RuleViolation(
            _("Nothing is to be paid any more on this request."),
            remedy=_("Choose an open request."),
        )
    match = make_match(
        session, actor, entry, request, min(rest, request.due_cents), MatchHow.BY_HAND
    )
    restate(session, entry)
    record_entry(session, actor, entry, "matched", {"request": request.public_id})
    return match


def undo_match(session: Session, actor: Actor, match: PaymentMatch, reason: str) -> None:
    """Take a wrong match back: the request is open again, and its feature reverses the acts.

    Raises InvalidInput for a reason of fewer than 5 characters, Conflict when it was undone or
    returned already, RuleViolation when its over-payment is on its way back already.
    """
    entry = match.entry
    open_entry(session, actor, entry)
    session.refresh(match)
    reason = checked_reason(reason)
    if not match.is_live or match.how == MatchHow.RETURN.value or return_of(session, match):
        raise Conflict(
            _("This match was undone already, or the money went back."),
            remedy=_("Reload the page to see where the entry stands."),
        )
    _call_off_rest(session, actor, entry, reason)
    match.undone_at = clock.now()
    match.undone_by_id = actor.account_id
    match.undone_reason = reason
    _take_back(session, actor, match, entry, reason, undone=True)
    restate(session, entry)
    record_entry(session, actor, entry, "match_undone", {"request": match.request.public_id})


def return_received(session: Session, actor: Actor, entry: BankEntry, original: BankEntry) -> None:
    """Book a debit as the return of a credit: everything matched to the credit is taken back.

    The caller holds the lock.
    """
    reason = entry.return_reason or _("returned by the bank")
    for match in live_matches(session, original):
        note_return(session, actor, match, entry)
        _take_back(session, actor, match, entry, reason, undone=False)
    _call_off_rest(session, actor, original, reason)
    settle_entry(original, EntryState.RETURNED)
    settle_entry(entry, EntryState.MATCHED)
    session.flush()


def note_return(session: Session, actor: Actor, match: PaymentMatch, entry: BankEntry) -> None:
    """Say that the money of a match went back with the debit ``entry`` (flushed)."""
    session.add(
        PaymentMatch(
            bank_entry_id=entry.id,
            request_id=match.request_id,
            amount_cents=-match.amount_cents,
            how=MatchHow.RETURN.value,
            returns_id=match.id,
            made_at=clock.now(),
            made_by_id=actor.account_id,
        )
    )
    session.flush()


def return_by_hand(session: Session, actor: Actor, entry: BankEntry, original: BankEntry) -> None:
    """Say which credit a debit takes back. RuleViolation unless the amounts are opposite."""
    open_entry(session, actor, entry)
    refuse_unless_waiting(entry)
    session.refresh(original)
    refuse_unless_opposite(entry, original)
    return_received(session, actor, entry, original)
    record_entry(session, actor, entry, "returned", {"original": original.public_id})


def give_rest_back(
    session: Session, actor: Actor, entry: BankEntry, *, iban: str = ""
) -> OutgoingPayment:
    """Plan to pay back what is left of a credit, to the account from which it came.

    ``iban`` is what the payer says, and used only where the statement names no account.
    RuleViolation when nothing is left, or no account is known; InvalidInput for a wrong one.
    """
    open_entry(session, actor, entry)
    refuse_unless_waiting(entry)
    rest = rest_of(session, entry)
    if rest <= 0:
        raise RuleViolation(
            _("Nothing of this entry is left to give back."), remedy=_("There is nothing to do.")
        )
    is_known = is_iban(entry.counterparty_iban)
    if not is_known and not iban.strip():
        raise RuleViolation(
            _("The statement does not say from which account this was paid."),
            remedy=_("Ask the payer for the account, or set the entry aside with a reason."),
        )
    account = entry.counterparty_iban if is_known else checked_iban(iban)
    request = entry.candidate
    matches = live_matches(session, entry)
    if matches:
        request = matches[0].request
    payment = _plan_rest(session, actor, entry, request, rest, account)
    restate(session, entry)
    told = {"outgoing": payment.public_id, "account_told": not is_known}
    record_entry(session, actor, entry, "given_back", told)
    return payment


def set_aside(session: Session, actor: Actor, entry: BankEntry, reason: str) -> None:
    """Say that an entry is about something else. RuleViolation when part of it is matched."""
    open_entry(session, actor, entry)
    reason = checked_reason(reason)
    refuse_unless_waiting(entry)
    if entry.amount_cents > 0 and rest_of(session, entry) != entry.amount_cents:
        raise RuleViolation(
            _("Part of this entry is matched."),
            remedy=_("Undo the match first, or give the rest back."),
        )
    settle_entry(entry, EntryState.SET_ASIDE, reason)
    session.flush()
    record_entry(session, actor, entry, "set_aside")


def take_up_again(session: Session, actor: Actor, entry: BankEntry) -> None:
    """Put an entry that was set aside back among those that wait."""
    open_entry(session, actor, entry)
    if entry.state != EntryState.SET_ASIDE.value:
        return
    settle_entry(entry, EntryState.UNMATCHED)
    if entry.amount_cents > 0:
        finding = find_for(session, entry, request_named(session, entry))
        entry.candidate_id = finding.request_id
        if finding.hint in _DOUBTS:
            doubt(entry, _DOUBTS[finding.hint])
    session.flush()
    record_entry(session, actor, entry, "taken_up")


def refund_called_off(payment: OutgoingPayment, *, session: Session, **_others: object) -> None:
    """When the refund of an over-payment does not happen, its entry waits for a person again."""
    if not payment.subject.startswith(OVERPAYMENT):
        return
    entry = session.scalar(
        select(BankEntry).where(
            BankEntry.cooperative_id == payment.cooperative_id,
            BankEntry.public_id == payment.subject.removeprefix(OVERPAYMENT),
        )
    )
    if entry is not None and entry.state == EntryState.MATCHED.value:
        restate(session, entry)


# -- inside -------------------------------------------------------------------------------------


def _plan_rest(
    session: Session,
    actor: Actor,
    entry: BankEntry,
    request: PaymentRequest | None,
    cents: int,
    iban: str,
) -> OutgoingPayment:
    language = request.language if request else entry.bank_account.cooperative.languages[0]
    with speaking(language):
        text = (
            _("Over-payment returned, %(reference)s", reference=show_reference(request.reference))
            if request
            else _("Payment returned")
        )
    return request_outgoing(
        session,
        actor,
        entry.bank_account.cooperative,
        payee_name=entry.counterparty_name or (request.payer_name if request else "-"),
        iban=iban,
        bic=entry.counterparty_bic if iban == entry.counterparty_iban else "",
        amount_cents=cents,
        due_on=clock.today(entry.bank_account.cooperative.time_zone),
        text=text,
        subject=f"{OVERPAYMENT}{entry.public_id}",
    )


def _call_off_rest(session: Session, actor: Actor, entry: BankEntry, reason: str) -> None:
    """Cancel the planned refund of an over-payment whose entry is no longer what it was."""
    refund = refund_of_rest(session, entry)
    if refund is None:
        return
    if refund.state == OutgoingState.PAID.value:
        raise RuleViolation(
            _("The over-payment of this entry was given back already."),
            remedy=_("If the bank took the money back as well, record a claim on the payer."),
        )
    if refund.state not in (OutgoingState.PLANNED.value, OutgoingState.RELEASED.value):
        raise RuleViolation(
            _("The over-payment of this entry is on its way back already."),
            remedy=_("Wait for the statement, or cancel the payment file first."),
        )
    cancel_outgoing(session, actor, refund, reason=reason)


def _take_back(
    session: Session,
    actor: Actor,
    match: PaymentMatch,
    entry: BankEntry,
    reason: str,
    *,
    undone: bool,
) -> None:
    """Open the request of a match again, and let the features above reverse what they wrote."""
    request = match.request
    session.refresh(request)
    # The same thing may have been asked for anew meanwhile.
    asked_anew = session.scalar(
        select(PaymentRequest.id).where(
            PaymentRequest.cooperative_id == request.cooperative_id,
            PaymentRequest.subject == request.subject,
            PaymentRequest.state == RequestState.OPEN.value,
            PaymentRequest.id != request.id,
        )
    )
    request.paid_cents -= match.amount_cents
    if request.state == RequestState.SETTLED.value:
        state = RequestState.OPEN if asked_anew is None else RequestState.CANCELLED
        request.state = state.value
        request.ended_at = None if asked_anew is None else clock.now()
    session.flush()
    signals.payment_returned.send(
        request,
        session=session,
        actor=actor,
        entry=entry,
        match=match,
        amount_cents=match.amount_cents,
        returned_on=entry.booked_on,
        reason=reason,
        undone=undone,
    )
