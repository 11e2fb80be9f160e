"""Holdings computed in SQL, for lists and rolls; the meaning is that of ``rules.ledger``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy import BigInteger, Subquery, case, cast, func, select
from sqlalchemy.orm import Session

from govern.register.models import ShareEntry
from govern.register.rules.ledger import Entry, Holding, Lot, holding_on
from govern.register.rules.numbers import (
    NONE,
    Move,
    Ranges,
    format_numbers,
    join,
    numbers_on,
    parse_numbers,
)


def holdings_on(
    cooperative_id: int | None, day: date, membership_ids: Iterable[int] | None = None
) -> Subquery:
    """Per membership at the end of ``day``: columns membership_id, issued, paid, paid_cents.

    Either of a whole cooperative, or of the memberships named.
    """
    lots = select(
        ShareEntry.membership_id,
        ShareEntry.nominal_cents,
        func.sum(ShareEntry.shares).label("issued"),
        func.sum(ShareEntry.amount_cents).label("paid_cents"),
    ).where(ShareEntry.effective_on <= day)
    if cooperative_id is not None:
        lots = lots.where(ShareEntry.cooperative_id == cooperative_id)
    if membership_ids is not None:
        lots = lots.where(ShareEntry.membership_id.in_(list(membership_ids)))
    lot = lots.group_by(
        ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents
    ).subquery("lot")
    # PostgreSQL sums to decimals, which would give parts of shares.
    covered = cast(lot.c.paid_cents, BigInteger) // lot.c.nominal_cents
    paid = case((covered < lot.c.issued, covered), else_=lot.c.issued)
    return (
        select(
            lot.c.membership_id,
            func.sum(lot.c.issued).label("issued"),
            func.sum(paid).label("paid"),
            func.sum(lot.c.paid_cents).label("paid_cents"),
        )
        .group_by(lot.c.membership_id)
        .subquery("holding")
    )


def as_rule_entry(row: ShareEntry) -> Entry:
    """The ledger row as the rules see it."""
    return Entry(
        kind=row.kind,
        shares=row.shares,
        amount_cents=row.amount_cents,
        effective_on=row.effective_on,
        recorded_at=row.recorded_at,
        nominal_cents=row.nominal_cents,
        share_class=row.share_class,
        sequence=row.sequence,
    )


def moves_of(rows: Iterable[ShareEntry], lot: Lot) -> Iterator[Move]:
    """The numbers that came and went in a lot, from ledger rows in the order of recording."""
    for row in rows:
        if row.shares and (row.share_class, row.nominal_cents) == lot:
            yield Move(row.effective_on, row.shares > 0, parse_numbers(row.numbers))


def numbers_per_class(rows: Iterable[ShareEntry], day: date | None = None) -> dict[str, str]:
    """The numbers held at the end of ``day`` (None: after every row), as text per class."""
    known = list(rows)
    held: dict[str, Ranges] = {}
    for lot in sorted({(row.share_class, row.nominal_cents) for row in known if row.shares}):
        held[lot[0]] = join(held.get(lot[0], NONE), numbers_on(moves_of(known, lot), day))
    return {name: format_numbers(ranges) for name, ranges in held.items() if ranges}


def numbers_of(session: Session, membership_id: int, day: date | None = None) -> dict[str, str]:
    """The numbers of the membership's shares at the end of ``day``: {"ordinary": "1-3,7"}."""
    return numbers_per_class(entries_of(session, membership_id), day)


def entries_of(session: Session, membership_id: int) -> list[ShareEntry]:
    """The membership's ledger rows in the order in which they were recorded."""
    return list(
        session.scalars(
            select(ShareEntry)
            .where(ShareEntry.membership_id == membership_id)
            .order_by(ShareEntry.sequence)
        )
    )


def holding_of(session: Session, membership_id: int, day: date | None = None) -> Holding:
    """What the membership holds at the end of ``day`` (None: with every entry recorded)."""
    return holding_on((as_rule_entry(row) for row in entries_of(session, membership_id)), day)
