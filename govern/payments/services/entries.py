"""The state of one entry of a statement, and what of it is still to be dealt with."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission
from govern.errors import InvalidInput, RuleViolation
from govern.payments.models import (
    BankEntry,
    Doubt,
    EntryState,
    OutgoingPayment,
    OutgoingState,
    PaymentMatch,
    PaymentRequest,
)
from govern.payments.services.requests import lock_requests

OVERPAYMENT = "overpayment:"
"""The subject of a refund of what was paid too much: followed by the entry's public id."""


def open_entry(session: Session, actor: Actor, entry: BankEntry) -> None:
    """Check the permission, wait for whoever works in the same cooperative, read anew."""
    actor.require(Permission.PAYMENTS_WRITE, entry.cooperative_id)
    lock_requests(session, entry.cooperative_id)
    session.refresh(entry)


def refuse_unless_waiting(entry: BankEntry) -> None:
    """RuleViolation for an entry that is matched, went back, or was set aside."""
    if entry.state not in (EntryState.UNMATCHED.value, EntryState.DOUBTFUL.value):
        raise RuleViolation(
            _("This entry is dealt with already."),
            remedy=_("Reload the page to see where the entry stands."),
        )


def refuse_unless_opposite(entry: BankEntry, original: BankEntry) -> None:
    """RuleViolation unless ``entry`` can be the return of the credit ``original``."""
    if (
        original.cooperative_id != entry.cooperative_id
        or entry.amount_cents >= 0
        or original.amount_cents != -entry.amount_cents
        or original.state == EntryState.RETURNED.value
    ):
        raise RuleViolation(
            _("This entry does not take that one back."),
            remedy=_("Choose a credit of the same amount that was not returned yet."),
        )


def live_matches(session: Session, entry: BankEntry) -> list[PaymentMatch]:
    """The matches of an entry that count, without those whose money went back."""
    returned = select(PaymentMatch.returns_id).where(
        PaymentMatch.returns_id.is_not(None), PaymentMatch.undone_at.is_(None)
    )
    return list(
        session.scalars(
            select(PaymentMatch)
            .where(
                PaymentMatch.bank_entry_id == entry.id,
                PaymentMatch.undone_at.is_(None),
                PaymentMatch.amount_cents > 0,
                PaymentMatch.id.not_in(returned),
            )
            .order_by(PaymentMatch.id)
        )
    )


def rest_of(session: Session, entry: BankEntry) -> int:
    """What of a credit is neither matched nor planned to be given back, in cents."""
    used = session.scalar(
        select(func.coalesce(func.sum(PaymentMatch.amount_cents), 0)).where(
            PaymentMatch.bank_entry_id == entry.id,
            PaymentMatch.undone_at.is_(None),
            PaymentMatch.amount_cents > 0,
        )
    )
    refund = refund_of_rest(session, entry)
    # PostgreSQL adds large integers up to a decimal.
    return entry.amount_cents - int(used or 0) - (refund.amount_cents if refund else 0)


def refund_of_rest(session: Session, entry: BankEntry) -> OutgoingPayment | None:
    """The payment that gives the over-payment of an entry back, unless it was called off."""
    return session.scalar(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == entry.cooperative_id,
            OutgoingPayment.subject == f"{OVERPAYMENT}{entry.public_id}",
            OutgoingPayment.state.not_in(
                [OutgoingState.CANCELLED.value, OutgoingState.RETURNED.value]
            ),
        )
    )


def over_paid_cents(session: Session, request: PaymentRequest) -> int:
    """What was paid too much with the money of a request and is given back, in cents."""
    entries = session.scalars(
        select(BankEntry)
        .join(PaymentMatch, PaymentMatch.bank_entry_id == BankEntry.id)
        .where(
            PaymentMatch.request_id == request.id,
            PaymentMatch.undone_at.is_(None),
            PaymentMatch.amount_cents > 0,
        )
    )
    refunds = [refund_of_rest(session, entry) for entry in entries]
    return sum(refund.amount_cents for refund in refunds if refund is not None)


def restate(session: Session, entry: BankEntry) -> None:
    """Set the state of a credit from its matches and from what is left of it."""
    rest = rest_of(session, entry)
    if rest == 0:
        settle_entry(entry, EntryState.MATCHED)
    elif rest < entry.amount_cents:
        doubt(entry, Doubt.REST_LEFT)
    else:
        settle_entry(entry, EntryState.UNMATCHED)
    session.flush()


def doubt(entry: BankEntry, why: Doubt, note: str = "") -> None:
    """Let an entry wait for a person."""
    entry.state, entry.doubt, entry.note = EntryState.DOUBTFUL.value, why.value, note[:500]


def settle_entry(entry: BankEntry, state: EntryState, note: str = "") -> None:
    """Put an entry into a state in which it waits for nobody."""
    entry.state, entry.doubt, entry.note = state.value, Doubt.NONE.value, note


def checked_reason(reason: str) -> str:
    """One line of 5 to 500 characters; InvalidInput otherwise."""
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("A reason has 5 to 500 characters."),
            remedy=_("Write in a few words why."),
            field="reason",
        )
    return reason


def record_entry(
    session: Session,
    actor: Actor,
    entry: BankEntry,
    action: str,
    data: dict[str, object] | None = None,
) -> None:
    """Note what a person did with an entry."""
    audit.record(
        session,
        actor,
        f"payments:entry:{action}",
        cooperative_id=entry.cooperative_id,
        subject=f"bank_entry:{entry.public_id}",
        data=data,
    )


def return_of(session: Session, match: PaymentMatch) -> PaymentMatch | None:
    """The match that took this one back, if the money went back."""
    return session.scalar(
        select(PaymentMatch).where(
            PaymentMatch.returns_id == match.id, PaymentMatch.undone_at.is_(None)
        )
    )
