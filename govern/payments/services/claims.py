"""A return that can no longer be booked: the money is gone, what it paid for is not.

The shares have moved on, or the over-payment was repaid. The ledger stays as it is, and the
cooperative has a claim on the payer.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.errors import GovernError, RuleViolation
from govern.payments.models import BankEntry, EntryState, OutgoingPayment, OutgoingState
from govern.payments.services.entries import (
    checked_reason,
    live_matches,
    open_entry,
    record_entry,
    refuse_unless_opposite,
    refuse_unless_waiting,
    settle_entry,
)
from govern.payments.services.matching import note_return, return_received
from govern.payments.services.outgoing import cancel_outgoing


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
    session.flush()
    record_entry(
        session,
        actor,
        entry,
        "claimed",
        {"original": original.public_id, "amount_cents": original.amount_cents},
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
    named = [original.public_id, *(match.public_id for match in live_matches(session, original))]
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
                or_(*(OutgoingPayment.subject.endswith(f":{one}") for one in named)),
            )
        )
    )
