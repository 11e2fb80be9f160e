"""The numbers of shares: ranges of whole numbers per class, and who holds which, from what day.

Within a cooperative each class of shares is numbered from 1 in the order of recording. A number
is given once: a share that was refunded, converted or subscribed in error takes its number along,
and only taking that very act back brings it again.

Written as text, numbers are ascending ranges joined by commas: "1-3,7". There is one way to write
a set of numbers, so that the text can be hashed.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from govern.register.rules.ledger import Lot

Ranges = tuple[tuple[int, int], ...]
"""Ascending, disjoint, not touching: (first, last) with both included."""

NONE: Ranges = ()
_NUMBER = "[1-9][0-9]{0,14}"
_RANGE = f"{_NUMBER}(?:-{_NUMBER})?"
_WRITTEN = re.compile(f"{_RANGE}(?:,{_RANGE})*")


def format_numbers(ranges: Ranges) -> str:
    """The one way to write ``ranges``, "" for none."""
    return ",".join(f"{a}-{b}" if b > a else str(a) for a, b in ranges)


def parse_numbers(text: str) -> Ranges:
    """The inverse of ``format_numbers``; ValueError for anything that it would not write."""
    if not text:
        return NONE
    ranges = _read(text)
    if format_numbers(ranges) != text:
        raise ValueError(f"not written as numbers of shares are: {text[:60]!r}")
    return ranges


def read_numbers(text: str) -> Ranges:
    """Numbers as people write them: any order, blanks, "-" or "–". ValueError otherwise."""
    tidy = re.sub(r"\s*[-‐‑–—]\s*", "-", text.strip())
    tidy = re.sub(r"[\s,;]+", ",", tidy).strip(",")
    return _read(tidy)


def _read(text: str) -> Ranges:
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"not numbers of shares: {text[:60]!r}")
    pairs = []
    for part in text.split(","):
        first, _dash, last = part.partition("-")
        pair = (int(first), int(last or first))
        if pair[1] < pair[0]:
            raise ValueError(f"a range that runs backwards: {part!r}")
        pairs.append(pair)
    return _merged(pairs)


def count(ranges: Ranges) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in ranges)


def join(one: Ranges, other: Ranges) -> Ranges:
    """The numbers in either."""
    if not one or not other:
        return one or other
    return _merged([*one, *other])


def common(one: Ranges, other: Ranges) -> Ranges:
    """The numbers in both."""
    found = []
    at = 0
    for first, last in one:
        while at < len(other) and other[at][1] < first:
            at += 1
        place = at
        while place < len(other) and other[place][0] <= last:
            found.append((max(first, other[place][0]), min(last, other[place][1])))
            place += 1
    return _merged(found)


def without(one: Ranges, other: Ranges) -> Ranges:
    """The numbers in ``one`` that are not in ``other``."""
    if not other:
        return one
    left = []
    for start, last in one:
        first = start
        for out_first, out_last in other:
            if out_last < first or out_first > last:
                continue
            if out_first > first:
                left.append((first, out_first - 1))
            first = out_last + 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def lowest(ranges: Ranges, wanted: int) -> Ranges:
    """The ``wanted`` lowest numbers; ValueError when there are fewer."""
    taken = []
    missing = wanted
    for first, last in ranges:
        if not missing:
            break
        end = min(last, first + missing - 1)
        taken.append((first, end))
        missing -= end - first + 1
    if missing:
        raise ValueError(f"{missing} numbers are missing")
    return tuple(taken)


def _merged(pairs: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


# -- who holds which, and since when ----------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """Numbers that a holder gained or lost on a day."""

    effective_on: date
    gained: bool
    numbers: Ranges


def numbers_on(moves: Iterable[Move], day: date | None = None) -> Ranges:
    """The numbers held at the end of ``day`` (None: after every move)."""
    held, owed = NONE, NONE
    for move in moves:
        if day is None or move.effective_on <= day:
            held, owed = _moved(held, owed, move)
    return held


def unbroken_since(moves: Iterable[Move], day: date) -> Ranges:
    """The numbers held at the end of ``day`` and of every later day."""
    history = sorted(moves, key=lambda move: move.effective_on)
    held, owed = NONE, NONE
    kept: Ranges | None = None
    for effective_on, of_that_day in groupby(history, key=lambda move: move.effective_on):
        if effective_on > day and kept is None:
            kept = held
        for move in of_that_day:
            held, owed = _moved(held, owed, move)
        if kept is not None:
            kept = common(kept, held)
    return held if kept is None else kept


def _moved(held: Ranges, owed: Ranges, move: Move) -> tuple[Ranges, Ranges]:
    """Apply a move. Numbers lost before they were gained are owed until they come."""
    if move.gained:
        back = common(move.numbers, owed)
        return join(held, without(move.numbers, back)), without(owed, back)
    given = common(move.numbers, held)
    return without(held, given), join(owed, without(move.numbers, given))


# -- the whole register, in the order of recording --------------------------------------------

TRANSFERS = ("transfer_in", "transfer_out")
ISSUING = ("subscription", "conversion_in")
"""Kinds of entries that bring shares under new numbers, unless they take an entry back."""


@dataclass(frozen=True)
class NumberedRow:
    """What of a ledger entry decides its numbers. ``reverses``: sequence of the entry taken back.

    ``holder`` is any number that tells memberships apart.
    """

    sequence: int
    holder: int
    kind: str
    lot: Lot
    shares: int
    effective_on: date
    reverses: int | None = None
    numbers: str = ""


_PAGE = 1024


@dataclass
class Numbering:
    """Who holds which numbers after the entries recorded so far, for replaying a ledger.

    A register of a million members takes some 30 MB: each move is a row of four plain numbers, the
    last of which is the place of the holder's move before it; the place of each holder's newest
    move stands in pages of ``_PAGE`` holders.
    """

    last: dict[str, int] = field(default_factory=dict)
    _days: array[int] = field(default_factory=lambda: array("i", [0]))
    _firsts: array[int] = field(default_factory=lambda: array("q", [0]))
    _lasts: array[int] = field(default_factory=lambda: array("q", [0]))
    _before: array[int] = field(default_factory=lambda: array("q", [0]))
    _newest: dict[tuple[Lot, int], array[int]] = field(default_factory=dict)

    def issue(self, share_class: str, wanted: int) -> Ranges:
        """The next ``wanted`` numbers of the class."""
        first = self.last.get(share_class, 0) + 1
        self.last[share_class] = first + wanted - 1
        return ((first, first + wanted - 1),)

    def record(self, row: NumberedRow, numbers: Ranges) -> None:
        """Let the holder of ``row`` gain or lose ``numbers``."""
        page, place = divmod(row.holder, _PAGE)
        newest = self._newest.get((row.lot, page))
        if newest is None:
            newest = self._newest[row.lot, page] = array("q", bytes(8 * _PAGE))
        sign = 1 if row.shares > 0 else -1
        for first, last in numbers:
            self._days.append(row.effective_on.toordinal())
            self._firsts.append(sign * first)
            self._lasts.append(last)
            self._before.append(newest[place])
            newest[place] = len(self._days) - 1

    def moves(self, lot: Lot, holder: int) -> Iterator[Move]:
        """The holder's moves in that lot, in the order of recording."""
        page, place = divmod(holder, _PAGE)
        newest = self._newest.get((lot, page))
        at = newest[place] if newest is not None else 0
        places = []
        while at:
            places.append(at)
            at = self._before[at]
        for at in reversed(places):
            first = self._firsts[at]
            numbers = ((abs(first), self._lasts[at]),)
            yield Move(date.fromordinal(self._days[at]), first > 0, numbers)


Lookup = Callable[[int], Ranges]
"""The numbers of an earlier entry, by its sequence number."""


def number_first_version(
    numbering: Numbering, act: Sequence[NumberedRow], earlier: Lookup
) -> Mapping[int, Ranges]:
    """Give the entries of one act of version 1 their numbers, by sequence; part of the format.

    Those entries were written before shares had numbers. Leaving shares are the lowest held
    without a break from the day on which the act counts, else the lowest held when it was
    recorded; an act that takes another back moves the same numbers if they are still there.
    """
    given: dict[int, Ranges] = {}
    leaving: dict[Lot, Ranges] = {}
    for row in (row for row in act if row.shares < 0):
        held = numbers_on(numbering.moves(row.lot, row.holder))
        wanted = -row.shares
        numbers = earlier(row.reverses) if row.reverses is not None else NONE
        if row.reverses is None or without(numbers, held):
            unbroken = unbroken_since(numbering.moves(row.lot, row.holder), row.effective_on)
            numbers = lowest(unbroken if count(unbroken) >= wanted else held, wanted)
        given[row.sequence] = leaving[row.lot] = numbers
        numbering.record(row, numbers)
    for row in (row for row in act if row.shares > 0):
        if row.kind in TRANSFERS:
            numbers = leaving.get(row.lot, NONE)
        elif row.reverses is not None:
            numbers = earlier(row.reverses)
        else:
            numbers = numbering.issue(row.lot[0], row.shares)
        given[row.sequence] = numbers
        numbering.record(row, numbers)
    return given


def misnumbered(
    numbering: Numbering, act: Sequence[NumberedRow], earlier: Lookup
) -> NumberedRow | None:
    """The first entry of an act of version 2 whose numbers cannot be, None for a sound act.

    New shares carry the next numbers; leaving ones carry numbers held without a break from the
    day on which they leave; a transfer brings what it takes; taking back moves the same numbers.
    """
    leaving: dict[Lot, Ranges] = {}
    for row in sorted(act, key=lambda item: item.shares > 0):
        try:
            numbers = parse_numbers(row.numbers)
        except ValueError:
            return row
        if count(numbers) != abs(row.shares):
            return row
        if row.reverses is not None and row.shares and numbers != earlier(row.reverses):
            return row
        if row.shares < 0:
            if without(
                numbers, unbroken_since(numbering.moves(row.lot, row.holder), row.effective_on)
            ):
                return row
            leaving[row.lot] = join(leaving.get(row.lot, NONE), numbers)
        elif row.shares > 0:
            if row.kind in TRANSFERS and numbers != leaving.get(row.lot):
                return row
            issues = row.kind in ISSUING and row.reverses is None
            if issues and numbers != numbering.issue(row.lot[0], row.shares):
                return row
        numbering.record(row, numbers)
    return None
