"""It was another payment: undoing what a person said of an entry and a payment of ours.

The payment stands where it stood before, what it was for is told, and the entry waits again. What
rests on it by now is undone first.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict, RuleViolation
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    BatchState,
    Doubt,
    EntryState,
    OutgoingByHand,
    OutgoingPayment,
    OutgoingState,
    PayerClaim,
)
from govern.payments.services.entries import (
    OVERPAYMENT,
    checked_reason,
    doubt,
    open_entry,
    record_entry,
    restate,
    settle_entry,
)
from govern.payments.services.following import payment_named
from govern.payments.services.outgoing import record_outgoing
from govern.payments.services.reviving import (
    credit_given_back,
    refuse_unless_free,
    settle_credit,
)


def undo_outgoing(session: Session, actor: Actor, said: OutgoingByHand, reason: str) -> None:
    """Say that an entry is not that payment of ours, or not that payment come back (flushed).

    Raises InvalidInput for a reason of fewer than 5 characters, Conflict when it was undone
    already or the entry was taken back, RuleViolation where later facts rest on it, or where a
    feature above refuses.
    """
    entry = said.entry
    open_entry(session, actor, entry)
    session.refresh(said)
    reason = checked_reason(reason)
    # A credit that came back may have been taken back itself since.
    if not said.is_live or entry.state != EntryState.MATCHED.value:
        raise Conflict(
            _("This match was undone already, or the money went back."),
            remedy=_("Reload the page to see where the entry stands."),
        )
    payment = said.outgoing
    session.refresh(payment)
    if not payment.iban:
        raise RuleViolation(
            _("The data of whom this payment concerned were erased since."),
            remedy=_("Leave it as it is: nothing can be paid to them any more."),
        )
    if entry.amount_cents < 0:
        _unpay(session, actor, said, payment, reason)
    else:
        _unreturn(session, actor, said, payment, reason)
    said.undone_at, said.undone_by_id = clock.now(), actor.account_id
    said.undone_reason = reason
    _let_wait(session, entry)
    session.flush()
    record_outgoing(session, actor, payment, "reopened", {"state": payment.state})
    record_entry(session, actor, entry, "outgoing_undone", {"outgoing": payment.public_id})


def said_of(session: Session, entry: BankEntry) -> list[OutgoingByHand]:
    """Which payments somebody said that an entry is, also what was undone: the newest last."""
    return list(
        session.scalars(
            select(OutgoingByHand)
            .where(OutgoingByHand.entry_id == entry.id)
            .order_by(OutgoingByHand.id)
        )
    )


def _unpay(
    session: Session, actor: Actor, said: OutgoingByHand, payment: OutgoingPayment, reason: str
) -> None:
    if payment.state != OutgoingState.PAID.value:
        raise RuleViolation(
            _("This payment has come back since, as another entry shows."),
            remedy=_("Undo that first, on the page of that entry."),
        )
    credit = credit_given_back(session, payment)
    if credit is not None:
        _refuse_claimed_since(session, said, credit)
    payment.paid_on = None
    _put_back(session, said, payment)
    signals.outgoing_reopened.send(payment, session=session, actor=actor, reason=reason)
    if credit is None:
        return
    if credit.state == EntryState.RETURNED.value:
        # That the cooperative has paid it back as well.
        credit.note = ""
    elif payment.subject.startswith(OVERPAYMENT):
        restate(session, credit)


def _unreturn(
    session: Session, actor: Actor, said: OutgoingByHand, payment: OutgoingPayment, reason: str
) -> None:
    refuse_unless_free(session, payment)
    payment.returned_on = None
    _put_back(session, said, payment)
    if payment.state == OutgoingState.PAID.value:
        signals.outgoing_paid.send(payment, session=session, actor=actor, paid_on=payment.paid_on)
    else:
        signals.outgoing_reopened.send(payment, session=session, actor=actor, reason=reason)
    settle_credit(session, payment)


def _put_back(session: Session, said: OutgoingByHand, payment: OutgoingPayment) -> None:
    """The payment as it stood; one of a file that counts as handed over is on its way with it."""
    state = OutgoingState(said.was_state)
    if state is OutgoingState.IN_BATCH:
        state = OutgoingState.SENT
    payment.state, payment.end_reason = state.value, said.was_reason
    if state is OutgoingState.PLANNED:
        payment.released_at = payment.released_by_id = None
    batch = payment.batch
    if batch is not None and state is OutgoingState.SENT and batch.state == BatchState.DONE.value:
        batch.state = BatchState.SENT.value
    session.flush()


def _refuse_claimed_since(session: Session, said: OutgoingByHand, credit: BankEntry) -> None:
    claimed = session.scalar(
        select(PayerClaim.id).where(
            PayerClaim.original_id == credit.id,
            PayerClaim.undone_at.is_(None),
            PayerClaim.made_at >= said.made_at,
        )
    )
    if claimed is not None:
        raise RuleViolation(
            _("A claim on the payer was recorded since, because the money had been given back."),
            remedy=_("Undo that claim first."),
        )


def _let_wait(session: Session, entry: BankEntry) -> None:
    """Back among the entries that wait, with what the bank says of it."""
    named = payment_named(session, entry)
    entry.outgoing_id = named.id if named else None
    if named is not None:
        doubt(entry, Doubt.OUTGOING_UNEXPECTED)
    elif entry.is_return:
        doubt(entry, Doubt.RETURN_UNKNOWN)
    else:
        settle_entry(entry, EntryState.UNMATCHED)
