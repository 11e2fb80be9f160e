"""Which requests an entry may be about: by its reference, its account, its name."""

from __future__ import annotations

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from govern.payments.models import BankEntry, PaymentMatch, PaymentRequest, RequestState
from govern.payments.rules.matching import Candidate, Finding, find_match, payer_key


def find_for(session: Session, entry: BankEntry, named: PaymentRequest | None) -> Finding:
    """What an entry of received money seems to be about; ``named`` is what ``request_named`` is."""
    if named is not None:
        return find_match(entry.amount_cents, by_reference=_candidate(named))
    return find_match(
        entry.amount_cents,
        by_reference=None,
        by_payer=_asked_of_payer(session, entry),
        by_name=_asked_of_name(session, entry),
    )


def request_named(session: Session, entry: BankEntry) -> PaymentRequest | None:
    """The request, open or not, whose reference the entry bears."""
    if not entry.reference:
        return None
    return session.scalar(
        select(PaymentRequest).where(
            PaymentRequest.cooperative_id == entry.cooperative_id,
            PaymentRequest.reference == entry.reference,
        )
    )


def _candidate(request: PaymentRequest) -> Candidate:
    return Candidate(request.id, request.due_cents, request.is_open)


def _asked_of_payer(session: Session, entry: BankEntry) -> list[Candidate]:
    """Open requests to whoever paid from the same account before, the earliest due first."""
    if not entry.counterparty_iban:
        return []
    before = (
        select(PaymentRequest.id, PaymentRequest.membership_id, PaymentRequest.payer_key)
        .join(PaymentMatch, PaymentMatch.request_id == PaymentRequest.id)
        .join(BankEntry, BankEntry.id == PaymentMatch.bank_entry_id)
        .where(
            BankEntry.cooperative_id == entry.cooperative_id,
            BankEntry.counterparty_iban == entry.counterparty_iban,
            PaymentMatch.undone_at.is_(None),
        )
    )
    rows = session.execute(before.limit(50)).all()
    if not rows:
        return []
    members = {row.membership_id for row in rows if row.membership_id is not None}
    keys = {row.payer_key for row in rows if row.payer_key}
    # Each by an index of its own, and sifted here: otherwise SQLite reads all open requests.
    ids = union(
        select(PaymentRequest.id).where(PaymentRequest.id.in_([row.id for row in rows])),
        select(PaymentRequest.id).where(PaymentRequest.membership_id.in_(members)),
        select(PaymentRequest.id).where(
            PaymentRequest.cooperative_id == entry.cooperative_id,
            PaymentRequest.payer_key.in_(keys),
        ),
    ).subquery()
    found = session.scalars(
        select(PaymentRequest)
        .where(PaymentRequest.id.in_(select(ids.c.id)))
        .order_by(PaymentRequest.due_on, PaymentRequest.id)
    )
    return [_candidate(request) for request in found if request.is_open]


def _asked_of_name(session: Session, entry: BankEntry) -> list[Candidate]:
    """Open requests to somebody of the same name as the account's holder."""
    key = payer_key(entry.counterparty_name)
    if not key:
        return []
    found = session.scalars(
        select(PaymentRequest)
        .where(
            PaymentRequest.cooperative_id == entry.cooperative_id,
            PaymentRequest.payer_key == key,
            PaymentRequest.state == RequestState.OPEN.value,
        )
        .order_by(PaymentRequest.due_on, PaymentRequest.id)
        .limit(200)
    )
    return [_candidate(request) for request in found]
