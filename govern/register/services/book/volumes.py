"""The book in volumes: which holders and which entries each of them has.

Holders come in the order of their member numbers and entries in that of their own, both of which
never change: the same moment has the same volumes whoever asks for one, and when. No holder and no
entry is in two of them, and none is in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from govern.register.models import Membership, ShareEntry
from govern.register.services.book.entries import BookEntry, count_entries_of, read_entries
from govern.register.services.book.extracts import (
    BookLine,
    Order,
    by_number,
    lots_of,
    read_lines,
)
from govern.register.services.book.holders import count_holders, count_lines, is_holder
from govern.register.services.book.moments import BookMoment, Kept

VOLUME_ROWS = 2000
"""So many lines of holders, or entries, are in a volume: typesetting one takes about 200 MiB."""


@dataclass(frozen=True)
class HolderPart:
    """The holders of a volume: their places among all, and the first and last member number."""

    first: int
    last: int
    first_number: str
    last_number: str


@dataclass(frozen=True)
class EntryPart:
    """The entries of a volume: their places among all, and the first and last entry's number."""

    first: int
    last: int
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True)
class Volume:
    """One document of the book. A small book has one, with its holders and its entries."""

    number: int
    holders: HolderPart | None = None
    entries: EntryPart | None = None


@dataclass(frozen=True)
class Volumes:
    """All volumes of a moment, and how many holders and entries there are in them."""

    all: tuple[Volume, ...]
    holders: int
    entries: int


def volumes_of(session: Session, moment: BookMoment) -> Volumes:
    """The volumes of the book at that moment; at least one."""
    return _plans.of(session, moment)


def _plan(session: Session, moment: BookMoment) -> Volumes:
    holders = list(_holder_parts(session, moment))
    entries = list(_entry_parts(session, moment))
    counts = (count_holders(session, moment), count_entries_of(session, moment))
    if max(count_lines(session, moment), counts[1]) <= VOLUME_ROWS:
        whole = Volume(1, holders[0] if holders else None, entries[0] if entries else None)
        return Volumes((whole,), *counts)
    several = [Volume(number, holders=part) for number, part in enumerate(holders, 1)]
    several += [
        Volume(number, entries=part) for number, part in enumerate(entries, len(several) + 1)
    ]
    return Volumes(tuple(several), *counts)


_plans = Kept(_plan)


def _holder_parts(session: Session, moment: BookMoment) -> Iterator[HolderPart]:
    """Holders are not divided: whoever's first line belongs to a volume has all lines there."""
    lot = lots_of(moment)
    held = (
        select(lot.c.membership_id, func.count().label("lines"))
        .group_by(lot.c.membership_id)
        .subquery("held")
    )
    order = by_number(session)
    before = func.sum(held.c.lines).over(order_by=order) - held.c.lines
    placed = (
        select(
            Membership.member_number,
            func.row_number().over(order_by=order).label("place"),
            (cast(before, BigInteger) // VOLUME_ROWS).label("part"),
        )
        .join(held, held.c.membership_id == Membership.id)
        .subquery("placed")
    )
    yield from (
        HolderPart(edges[0].place, edges[-1].place, edges[0][0], edges[-1][0])
        for edges in _edges(session, placed)
    )


def _entry_parts(session: Session, moment: BookMoment) -> Iterator[EntryPart]:
    place = func.row_number().over(order_by=ShareEntry.sequence)
    placed = (
        select(
            ShareEntry.sequence,
            place.label("place"),
            ((place - 1) // VOLUME_ROWS).label("part"),
        )
        .where(*moment.entries())
        .subquery("placed")
    )
    yield from (
        EntryPart(edges[0].place, edges[-1].place, edges[0][0], edges[-1][0])
        for edges in _edges(session, placed)
    )


def _edges(session: Session, placed: Any) -> Iterator[list[Any]]:
    """The first and the last row of each part (one row where it has no other)."""
    around = select(
        *placed.c,
        func.lag(placed.c.part).over(order_by=placed.c.place).label("before"),
        func.lead(placed.c.part).over(order_by=placed.c.place).label("after"),
    ).subquery("around")
    rows = session.execute(
        select(*around.c)
        .where(
            or_(
                around.c.before.is_(None),
                around.c.after.is_(None),
                around.c.before != around.c.part,
                around.c.after != around.c.part,
            )
        )
        .order_by(around.c.place)
    )
    for _part, edges in groupby(rows, key=lambda row: row.part):
        yield list(edges)


# -- what is in one -----------------------------------------------------------------------------


def lines_in(session: Session, moment: BookMoment, volume: Volume) -> Iterator[BookLine]:
    """The lines of the volume's holders, by member number."""
    part = volume.holders
    if part is None:
        return iter(())
    length, number = func.length(Membership.member_number), by_number(session)[1]
    first, last = part.first_number, part.last_number
    holders = session.scalars(
        select(Membership.id).where(
            Membership.cooperative_id == moment.cooperative_id,
            or_(length > len(first), and_(length == len(first), number >= first)),
            or_(length < len(last), and_(length == len(last), number <= last)),
            is_holder(moment),
        )
    ).all()
    return read_lines(session, moment, membership_ids=holders, order=Order.NUMBER)


def entries_in(session: Session, moment: BookMoment, volume: Volume) -> Iterator[BookEntry]:
    """The volume's entries, in the order in which they were written."""
    part = volume.entries
    if part is None:
        return iter(())
    return read_entries(session, moment, between=(part.first_sequence, part.last_sequence))
