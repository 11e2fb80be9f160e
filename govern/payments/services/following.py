"""What the statements show of the payments that went out: paid, sent back, or unexpected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import GovernError, RuleViolation
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    BatchState,
    Doubt,
    EntryState,
    OutgoingByHand,
    OutgoingPayment,
    OutgoingState,
    PaymentBatch,
)
from govern.payments.rules.bank import show_iban
from govern.payments.services.entries import (
    doubt,
    open_entry,
    record_entry,
    refuse_unless_waiting,
    settle_entry,
)
from govern.payments.services.matching import return_received
from govern.payments.services.outgoing import move_outgoing
from govern.payments.services.reviving import (
    CALLED_OFF,
    left_with_a_file,
    likely_called_off,
    revive_outgoing,
    settle_credit,
)

NOT_OURS = "not_ours"
"""The note of a debit that is no payment made here: wages, rent, charges of the bank."""

OUR_ID = re.compile(r"G-[1-9A-HJ-NP-Za-km-z]{22}(?![0-9A-Za-z])")
"""The end-to-end id of a payment of ours."""

_ON_THE_WAY = (OutgoingState.IN_BATCH.value, OutgoingState.SENT.value)
_MAY_HAVE_LEFT = (OutgoingState.RELEASED.value, *_ON_THE_WAY)


def follow_debit(session: Session, actor: Actor, entry: BankEntry, batch_id: str) -> None:
    """Say what a new debit is: a return of received money, a payment of ours, or neither.

    ``batch_id`` names the payment file that it may be as one sum. The caller holds the lock.
    """
    payment = payment_named(session, entry)
    if payment is not None:
        _follow_named(session, actor, entry, payment)
        return
    if entry.is_return:
        original = original_of(session, entry)
        if original is None:
            doubt(entry, Doubt.RETURN_UNKNOWN)
            return
        _carefully(session, entry, lambda: return_received(session, actor, entry, original))
        return
    batch = _batch_named(session, entry, batch_id)
    if batch is not None:
        _carefully(session, entry, lambda: _follow_batch(session, actor, entry, batch))
        return
    # Tables (CSV) say neither that a payment is a return nor which of ours it is.
    if _may_be_return(session, entry):
        doubt(entry, Doubt.RETURN_UNKNOWN)
    elif not _may_be_ours(session, entry):
        settle_entry(entry, EntryState.SET_ASIDE, NOT_OURS)


def follow_credit(session: Session, actor: Actor, entry: BankEntry) -> bool:
    """Whether a new credit is a payment of ours that came back; its state is then set."""
    payment = payment_named(session, entry)
    if payment is None:
        if entry.is_return:
            doubt(entry, Doubt.RETURN_UNKNOWN)
        return entry.is_return
    entry.outgoing_id = payment.id
    if payment.amount_cents != entry.amount_cents:
        doubt(entry, Doubt.OUTGOING_AMOUNT)
    elif payment.state not in (OutgoingState.SENT.value, OutgoingState.PAID.value):
        doubt(entry, Doubt.OUTGOING_UNEXPECTED)
    else:
        _carefully(session, entry, lambda: _mark_returned(session, actor, entry, payment))
    return True


def settle_outgoing_by_hand(
    session: Session, actor: Actor, entry: BankEntry, payment: OutgoingPayment
) -> None:
    """Say that a debit is this payment, or that a credit is this payment come back.

    A released payment may have left with a file that was cancelled here: it is then paid, and goes
    into no other. So may one that was called off altogether afterwards: what it was for is then
    settled. RuleViolation unless amounts and states fit, or where what a payment gives back has
    been used otherwise since.
    """
    open_entry(session, actor, entry)
    refuse_unless_waiting(entry)
    session.refresh(payment)
    fits = (
        payment.cooperative_id == entry.cooperative_id
        and abs(entry.amount_cents) == payment.amount_cents
        and payment.state
        in (_MAY_HAVE_LEFT if entry.amount_cents < 0 else (OutgoingState.SENT, OutgoingState.PAID))
    )
    is_called_off = entry.amount_cents < 0 and payment.state in CALLED_OFF
    if is_called_off:
        fits = (
            payment.cooperative_id == entry.cooperative_id
            and payment.amount_cents == -entry.amount_cents
            and left_with_a_file(session, entry, payment)
        )
    if not fits:
        raise RuleViolation(
            _("This entry cannot be that payment."),
            remedy=_("Choose a payment of the same amount that is on its way."),
        )
    if entry.amount_cents < 0 and _is_of_older_file(entry, payment):
        raise RuleViolation(
            _("This left before the payment file was made that the payment is in now."),
            remedy=_("Cancel that payment file first: otherwise it is paid twice."),
        )
    said = OutgoingByHand(
        entry_id=entry.id,
        outgoing_id=payment.id,
        was_state=payment.state,
        was_reason=payment.end_reason,
        made_at=clock.now(),
        made_by_id=actor.account_id,
    )
    if entry.amount_cents < 0:
        entry.outgoing_id = payment.id
        if is_called_off:
            revive_outgoing(session, actor, entry, payment)
        _mark_paid(session, actor, payment, entry.booked_on)
        if is_called_off:
            settle_credit(session, payment)
        settle_entry(entry, EntryState.MATCHED)
        session.flush()
    else:
        _mark_returned(session, actor, entry, payment)
    session.add(said)
    session.flush()
    record_entry(session, actor, entry, "outgoing_settled", {"outgoing": payment.public_id})


def likely_outgoing(session: Session, entry: BankEntry) -> list[OutgoingPayment]:
    """Payments on their way (or that may have come back) of the very amount of an entry."""
    states = (
        _MAY_HAVE_LEFT
        if entry.amount_cents < 0
        else (OutgoingState.SENT.value, OutgoingState.PAID.value)
    )
    return list(
        session.scalars(
            select(OutgoingPayment)
            .where(
                OutgoingPayment.cooperative_id == entry.cooperative_id,
                OutgoingPayment.amount_cents == abs(entry.amount_cents),
                OutgoingPayment.state.in_(states),
            )
            .order_by((OutgoingPayment.iban != entry.counterparty_iban), OutgoingPayment.id)
            .limit(10)
        )
    ) + likely_called_off(session, entry)


def likely_originals(session: Session, entry: BankEntry) -> list[BankEntry]:
    """Credits that a debit may take back: the same amount, not later, not returned yet."""
    return list(
        session.scalars(
            select(BankEntry)
            .where(
                BankEntry.bank_account_id == entry.bank_account_id,
                BankEntry.amount_cents == -entry.amount_cents,
                BankEntry.booked_on <= entry.booked_on,
                BankEntry.state != EntryState.RETURNED.value,
            )
            .order_by(BankEntry.booked_on.desc(), BankEntry.id.desc())
            .limit(10)
        )
    )


def original_of(session: Session, entry: BankEntry) -> BankEntry | None:
    """The credit that a return takes back: the same amount, and an identification that both bear.

    None where nothing or more than one credit fits equally well.
    """
    candidates = session.scalars(
        select(BankEntry)
        .where(
            BankEntry.bank_account_id == entry.bank_account_id,
            BankEntry.amount_cents == -entry.amount_cents,
            BankEntry.booked_on <= entry.booked_on,
            BankEntry.state != EntryState.RETURNED.value,
            BankEntry.id != entry.id,
        )
        .order_by(BankEntry.booked_on.desc(), BankEntry.id.desc())
        .limit(200)
    ).all()
    for mark in ("end_to_end_id", "bank_reference", "reference", "counterparty_iban"):
        value = getattr(entry, mark)
        fitting = [one for one in candidates if value and getattr(one, mark) == value]
        if len(fitting) == 1:
            return fitting[0]
    return None


# -- inside -------------------------------------------------------------------------------------


def _may_be_return(session: Session, entry: BankEntry) -> bool:
    """Whether a credit that counts has the amount of a debit, and its reference or its account."""
    marks = [
        getattr(BankEntry, name) == getattr(entry, name)
        for name in ("reference", "counterparty_iban")
        if getattr(entry, name)
    ]
    if not marks:
        return False
    counting = (EntryState.MATCHED, EntryState.DOUBTFUL, EntryState.UNMATCHED)
    found = select(BankEntry.id).where(
        BankEntry.bank_account_id == entry.bank_account_id,
        BankEntry.amount_cents == -entry.amount_cents,
        BankEntry.booked_on <= entry.booked_on,
        BankEntry.state.in_([state.value for state in counting]),
        or_(*marks),
    )
    return session.scalar(found.limit(1)) is not None


def _may_be_ours(session: Session, entry: BankEntry) -> bool:
    """Whether a payment of the very amount is on its way to the account of a debit."""
    found = select(OutgoingPayment.id).where(
        OutgoingPayment.cooperative_id == entry.cooperative_id,
        OutgoingPayment.amount_cents == -entry.amount_cents,
        OutgoingPayment.iban == entry.counterparty_iban,
        OutgoingPayment.state.in_(_ON_THE_WAY),
    )
    return bool(entry.counterparty_iban) and session.scalar(found.limit(1)) is not None


def _follow_batch(session: Session, actor: Actor, entry: BankEntry, batch: PaymentBatch) -> None:
    for item in list(batch.payments):
        if item.state in _ON_THE_WAY:
            _mark_paid(session, actor, item, entry.booked_on)
    entry.batch_id = batch.id
    settle_entry(entry, EntryState.MATCHED)
    session.flush()


def payment_named(session: Session, entry: BankEntry) -> OutgoingPayment | None:
    """The payment of ours whose end-to-end id the entry bears, also inside its message."""
    ids = {entry.end_to_end_id, *OUR_ID.findall(entry.remittance)} - {""}
    if not ids:
        return None
    found = session.scalars(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == entry.cooperative_id,
            OutgoingPayment.end_to_end_id.in_(sorted(ids)),
        )
    ).all()
    return found[0] if len(found) == 1 else None


def _batch_named(session: Session, entry: BankEntry, batch_id: str) -> PaymentBatch | None:
    """The payment file that a debit pays as one sum."""
    if not batch_id:
        return None
    return session.scalar(
        select(PaymentBatch).where(
            PaymentBatch.cooperative_id == entry.cooperative_id,
            PaymentBatch.message_id == batch_id,
            PaymentBatch.total_cents == -entry.amount_cents,
            PaymentBatch.state.in_([BatchState.MADE.value, BatchState.SENT.value]),
        )
    )


def _follow_named(
    session: Session, actor: Actor, entry: BankEntry, payment: OutgoingPayment
) -> None:
    entry.outgoing_id = payment.id
    if payment.amount_cents != -entry.amount_cents:
        doubt(entry, Doubt.OUTGOING_AMOUNT)
    elif payment.state not in _ON_THE_WAY or _is_of_older_file(entry, payment):
        doubt(entry, Doubt.OUTGOING_UNEXPECTED)
    else:

        def settle() -> None:
            _mark_paid(session, actor, payment, entry.booked_on)
            settle_entry(entry, EntryState.MATCHED)
            session.flush()

        _carefully(session, entry, settle)


def _is_of_older_file(entry: BankEntry, payment: OutgoingPayment) -> bool:
    """Whether a debit was booked before the file was made in which its payment waits.

    It then left with an earlier file, cancelled here although the bank had it.
    """
    if payment.batch is None:
        return False
    zone = ZoneInfo(entry.bank_account.cooperative.time_zone)
    return entry.booked_on < payment.batch.created_at.astimezone(zone).date()


def _mark_paid(session: Session, actor: Actor, payment: OutgoingPayment, paid_on: date) -> None:
    move_outgoing(payment, OutgoingState.PAID)
    payment.paid_on = paid_on
    session.flush()
    if payment.batch is not None:
        _finish_batch(session, payment.batch)
    signals.outgoing_paid.send(payment, session=session, actor=actor, paid_on=paid_on)


def _mark_returned(
    session: Session, actor: Actor, entry: BankEntry, payment: OutgoingPayment
) -> None:
    reason = entry.return_reason or _(
        "The bank sent the payment to %(iban)s back.", iban=show_iban(payment.iban)
    )
    move_outgoing(payment, OutgoingState.RETURNED)
    payment.returned_on = entry.booked_on
    payment.end_reason = reason[:500]
    entry.outgoing_id = payment.id
    settle_entry(entry, EntryState.MATCHED)
    session.flush()
    if payment.batch is not None:
        _finish_batch(session, payment.batch)
    signals.outgoing_returned.send(
        payment, session=session, actor=actor, returned_on=entry.booked_on, reason=reason
    )


def _finish_batch(session: Session, batch: PaymentBatch) -> None:
    """A batch is sent once one of its payments left, and done once none is on its way."""
    session.refresh(batch)
    on_the_way = [item for item in batch.payments if item.state in _ON_THE_WAY]
    if not on_the_way:
        batch.state = BatchState.DONE.value
    elif batch.state == BatchState.MADE.value:
        # The bank has the file, whether or not anybody said so here.
        batch.state = BatchState.SENT.value
        for item in on_the_way:
            if item.state == OutgoingState.IN_BATCH.value:
                move_outgoing(item, OutgoingState.SENT)
    session.flush()


def _carefully(session: Session, entry: BankEntry, step: Callable[[], None]) -> None:
    """Take a step that a feature above may refuse; the entry then waits for a person."""
    try:
        with session.begin_nested():
            step()
    except GovernError as error:
        session.refresh(entry)
        doubt(entry, Doubt.LEDGER_REFUSED, error.message)
