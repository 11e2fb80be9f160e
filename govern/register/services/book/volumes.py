"""The book in volumes: which holders and which entries each of them has.

Holders come in the order of their member numbers and entries in that of their own, both of which
never change: the same moment has the same volumes whoever asks for one, and when. No holder and no
entry is in two of them, and none is in none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, String, and_, cast, func, or_, select
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
from govern.register.services.bulk import by_bytes

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


def is_one_volume(session: Session, moment: BookMoment) -> bool:
    """Whether everything has room in a single document (quicker to say than ``volumes_of``)."""
    entries = count_entries_of(session, moment)
    return max(count_lines(session, moment), entries) <= VOLUME_ROWS


def _plan(session: Session, moment: BookMoment) -> Volumes:
    holders = list(_holder_parts(session, moment))
    entries = list(_entry_parts(session, moment))
    counts = (count_holders(session, moment), count_entries_of(session, moment))
    if is_one_volume(session, moment):
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
    # The order of ``by_number`` as one text, so that a part's first and last are easily found.
    length = cast(100 + func.length(Membership.member_number), String)
    lot = lots_of(moment)
    held = (
        select(
            by_bytes(session, func.substr(length, 2) + Membership.member_number).label("key"),
            func.count().label("lines"),
        )
        .select_from(lot)
        .join(Membership, Membership.id == lot.c.membership_id)
        .group_by(Membership.member_number)
        .subquery("held")
    )
    before = func.sum(held.c.lines).over(order_by=held.c.key, rows=(None, 0)) - held.c.lines
    placed = select(
        held.c.key,
        func.row_number().over(order_by=held.c.key).label("place"),
        (cast(before, BigInteger) // VOLUME_ROWS).label("part"),
    ).subquery("placed")
    for first, last, first_key, last_key in _edges(session, placed):
        yield HolderPart(first, last, first_key[2:], last_key[2:])


def _entry_parts(session: Session, moment: BookMoment) -> Iterator[EntryPart]:
    place = func.row_number().over(order_by=ShareEntry.sequence)
    placed = (
        select(
            ShareEntry.sequence.label("key"),
            place.label("place"),
            ((place - 1) // VOLUME_ROWS).label("part"),
        )
        .where(*moment.entries())
        .subquery("placed")
    )
    for first, last, first_key, last_key in _edges(session, placed):
        yield EntryPart(first, last, first_key, last_key)


def _edges(session: Session, placed: Any) -> Iterable[Any]:
    """The first and last place, and the first and last key, of each part in order."""
    return session.execute(
        select(
            func.min(placed.c.place),
            func.max(placed.c.place),
            func.min(placed.c.key),
            func.max(placed.c.key),
        )
        .group_by(placed.c.part)
        .order_by(placed.c.part)
    )


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
