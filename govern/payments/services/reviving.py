"""Payments that were called off here and that the bank has made all the same.

The file was said to be refused, its payments were cancelled, and then the statement shows one of
them. What it was for is settled by it, unless the money was given or used otherwise meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.errors import RuleViolation
from govern.payments.models import (
    BankEntry,
    EntryState,
    OutgoingPayment,
    OutgoingState,
    PaymentBatch,
    PaymentMatch,
)
from govern.payments.services.entries import OVERPAYMENT, rest_of, restate
from govern.payments.services.outgoing import record_outgoing

CALLED_OFF = (OutgoingState.PLANNED.value, OutgoingState.CANCELLED.value)
"""``planned``: its release was taken back after the file had been cancelled."""


def likely_called_off(session: Session, entry: BankEntry) -> list[OutgoingPayment]:
    """Payments of the very amount of a debit that were called off after they had been in a file."""
    if entry.amount_cents > 0:
        return []
    found = session.scalars(
        select(OutgoingPayment)
        .where(
            OutgoingPayment.cooperative_id == entry.cooperative_id,
            OutgoingPayment.amount_cents == -entry.amount_cents,
            OutgoingPayment.state.in_(CALLED_OFF),
        )
        .order_by(
            OutgoingPayment.id != (entry.outgoing_id or 0),
            OutgoingPayment.iban != entry.counterparty_iban,
            OutgoingPayment.id.desc(),
        )
        .limit(20)
    )
    return [payment for payment in found if left_with_a_file(session, entry, payment)][:5]


def left_with_a_file(session: Session, entry: BankEntry, payment: OutgoingPayment) -> bool:
    """Whether a payment was in a file that the bank may have had when it booked the debit."""
    return any(
        batch.created_at.astimezone(ZoneInfo(payment.cooperative.time_zone)).date()
        <= entry.booked_on
        for batch in files_of(session, payment)
    )


def revive_outgoing(
    session: Session, actor: Actor, entry: BankEntry, payment: OutgoingPayment
) -> None:
    """Take back that ``payment`` was called off: the debit ``entry`` shows that it left (flushed).

    The caller holds the lock, and marks it paid. RuleViolation as ``refuse_unless_free``.
    """
    refuse_unless_free(session, payment)
    batch = next(files_of(session, payment))
    payment.released_at = payment.released_at or batch.created_at
    payment.released_by_id = payment.released_by_id or batch.created_by_id
    payment.end_reason = ""
    session.flush()
    record_outgoing(session, actor, payment, "revived", {"was": payment.state})


def refuse_unless_free(session: Session, payment: OutgoingPayment) -> None:
    """RuleViolation where another payment for the same thing is planned or made, or where what
    this one gives back was matched to something else since it ended."""
    other = session.scalar(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == payment.cooperative_id,
            OutgoingPayment.subject == payment.subject,
            OutgoingPayment.id != payment.id,
            OutgoingPayment.state.not_in(
                [OutgoingState.CANCELLED.value, OutgoingState.RETURNED.value]
            ),
        )
    )
    if other is not None and other.state == OutgoingState.PAID.value:
        raise RuleViolation(
            _("The same thing was paid again by another payment: it was paid twice."),
            remedy=_("Set this entry aside with the reason, and ask the payee for the money."),
        )
    if other is not None:
        raise RuleViolation(
            _("Another payment for the same thing is planned: it would be paid twice."),
            remedy=_("Cancel that payment first, or the payment file in which it is."),
        )
    credit = credit_given_back(session, payment)
    if (
        credit is not None
        # A planned one is still counted against its credit.
        and payment.state != OutgoingState.PLANNED.value
        and payment.subject.startswith(OVERPAYMENT)
        and credit.state != EntryState.RETURNED.value
        and rest_of(session, credit) < payment.amount_cents
    ):
        raise RuleViolation(
            _("What this payment gives back has been matched to something else since."),
            remedy=_("Undo that match first: the money is no longer here."),
        )


def settle_credit(session: Session, payment: OutgoingPayment) -> None:
    """After a payment was made: the credit that it gives back waits no longer for its rest.

    Where the bank had taken that credit back, too, its payer now owes the money.
    """
    credit = credit_given_back(session, payment)
    if credit is None:
        return
    if credit.state == EntryState.RETURNED.value:
        credit.note = credit.note or _(
            "The cooperative has paid it back as well: ask the payer for the money."
        )
    elif payment.subject.startswith(OVERPAYMENT):
        restate(session, credit)
    session.flush()


def credit_given_back(session: Session, payment: OutgoingPayment) -> BankEntry | None:
    """The credit that a payment gives back: its subject ends with it, or with a match of it."""
    named = payment.subject.rpartition(":")[2]
    found = session.scalar(
        select(BankEntry).where(
            BankEntry.cooperative_id == payment.cooperative_id, BankEntry.public_id == named
        )
    )
    if found is not None:
        return found
    match = session.scalar(select(PaymentMatch).where(PaymentMatch.public_id == named))
    if match is None or match.entry.cooperative_id != payment.cooperative_id:
        return None
    return match.entry


def files_of(session: Session, payment: OutgoingPayment) -> Iterator[PaymentBatch]:
    """The files in which a payment was, the earliest first: they name its identification."""
    return iter(
        session.scalars(
            select(PaymentBatch)
            .where(
                PaymentBatch.cooperative_id == payment.cooperative_id,
                PaymentBatch.xml.contains(payment.end_to_end_id, autoescape=True),
            )
            .order_by(PaymentBatch.id)
        ).all()
    )
