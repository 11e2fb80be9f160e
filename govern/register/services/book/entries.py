"""The entries of the book with both of their times, in the order in which they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from govern.register.models import HolderOpening, Membership, ShareEntry
from govern.register.services.book.moments import BookMoment, Kept

BATCH = 2000


@dataclass(frozen=True)
class BookEntry:
    """One entry of the ledger with both of its times, and who held the membership then."""

    sequence: int
    membership_id: int
    public_id: str
    member_number: str
    name: str
    kind: str
    share_class: str
    nominal_cents: int
    shares: int
    amount_cents: int
    effective_on: date
    recorded_at: datetime
    act_id: str
    reverses: int | None
    hash: str
    numbers: str = ""
    cause: str = ""


def entry_query(
    moment: BookMoment, *, membership_id: int | None = None, since: date | None = None
) -> Select[Any]:
    """The statement of the entries, in the order in which they were written.

    The name is the one committed to when the entry was written. ``since``: first effective day.
    """
    taken_back = aliased(ShareEntry)
    columns: list[Any] = [
        ShareEntry,
        Membership.public_id,
        Membership.member_number,
        HolderOpening.statement,
        taken_back.sequence.label("reverses"),
    ]
    statement = (
        select(*columns)
        .join(Membership, Membership.id == ShareEntry.membership_id)
        .outerjoin(HolderOpening, HolderOpening.commitment == ShareEntry.commitment)
        .outerjoin(taken_back, taken_back.id == ShareEntry.reverses_id)
        .where(*moment.entries())
        .order_by(ShareEntry.sequence)
    )
    if membership_id is not None:
        statement = statement.where(ShareEntry.membership_id == membership_id)
    return statement if since is None else statement.where(ShareEntry.effective_on >= since)


def read_entries(
    session: Session,
    moment: BookMoment,
    *,
    membership_id: int | None = None,
    since: date | None = None,
    limit: int | None = None,
    offset: int = 0,
    between: tuple[int, int] | None = None,
) -> Iterator[BookEntry]:
    """The entries that counted, in the order in which they were written.

    ``between``: the numbers of the first and the last one to be read.
    """
    statement = entry_query(moment, membership_id=membership_id, since=since)
    if between is not None:
        statement = statement.where(ShareEntry.sequence.between(*between))
    if limit is not None:
        is_whole = membership_id is None and since is None
        if is_whole and count_entries_of(session, moment) == moment.sequence:
            # Every entry counts, so the numbers tell the page: none needs to be counted off.
            statement = statement.where(ShareEntry.sequence.between(offset + 1, offset + limit))
        else:
            statement = statement.limit(limit).offset(offset)
    for entry, public_id, number, known, reverses in session.execute(
        statement.execution_options(yield_per=BATCH)
    ):
        yield as_book_entry(entry, public_id, number, known, reverses)


def as_book_entry(
    entry: ShareEntry, public_id: str, number: str, known: str | None, reverses: int | None
) -> BookEntry:
    """One row of ``entry_query``."""
    return BookEntry(
        sequence=entry.sequence,
        membership_id=entry.membership_id,
        public_id=public_id,
        member_number=number,
        name=json.loads(known)["name"] if known else "",
        kind=entry.kind,
        share_class=entry.share_class,
        nominal_cents=entry.nominal_cents,
        shares=entry.shares,
        amount_cents=entry.amount_cents,
        effective_on=entry.effective_on,
        recorded_at=entry.recorded_at,
        act_id=entry.act_id,
        reverses=reverses,
        hash=entry.hash,
        numbers=entry.numbers,
        cause=entry.cause,
    )


def _count(session: Session, moment: BookMoment) -> int:
    return (
        session.scalar(select(func.count()).select_from(ShareEntry).where(*moment.entries())) or 0
    )


_counts = Kept(_count)


def count_entries_of(session: Session, moment: BookMoment) -> int:
    """How many entries counted."""
    return _counts.of(session, moment)
