"""Who is on a roll, why somebody is not, and the bytes that a roll's digest is taken over.

A roll shows the register at the end of the record date, in the cooperative's time zone: whoever
joined or paid on that day is on it, whoever left on that day is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from govern.register.rules.chain import canonical_json

FORMAT = "govern-roll/1"


class Obstacle(StrEnum):
    """Why a member is not on a roll."""

    JOINED_LATER = "joined_later"
    ENDED = "ended"
    NO_SHARE = "no_share"
    NO_PAID_SHARE = "no_paid_share"
    NO_CATEGORY = "no_category"
    REMOVED = "removed"
    RECORDED_LATER = "recorded_later"


@dataclass(frozen=True)
class MemberFacts:
    """What the register says about one member on the record date."""

    joined_on: date
    ended_on: date | None
    shares_issued: int
    shares_paid: int
    category: str | None


@dataclass(frozen=True)
class Standing:
    """Whether a member is on a roll; if not, why, and until when to object (None: no date set).

    ``shares_paid`` are those that count on the roll (0 where the member is not on it).
    """

    on_roll: bool
    obstacles: tuple[Obstacle, ...]
    objections_until: datetime | None
    shares_issued: int = 0
    shares_paid: int = 0


def obstacles_on(facts: MemberFacts, record_date: date) -> tuple[Obstacle, ...]:
    """Everything that keeps a member off the roll of ``record_date``; empty: the member is on."""
    found = []
    if facts.joined_on > record_date:
        found.append(Obstacle.JOINED_LATER)
    if facts.ended_on is not None and facts.ended_on <= record_date:
        found.append(Obstacle.ENDED)
    if facts.shares_issued <= 0:
        found.append(Obstacle.NO_SHARE)
    elif facts.shares_paid < 1:
        found.append(Obstacle.NO_PAID_SHARE)
    if facts.category is None and Obstacle.JOINED_LATER not in found:
        found.append(Obstacle.NO_CATEGORY)
    return tuple(found)


def standing_on(
    *,
    is_listed: bool,
    was_removed: bool,
    facts: MemberFacts,
    record_date: date,
    objections_until: datetime | None,
) -> Standing:
    """How a member stands towards a roll that was taken.

    A member whom the roll lacks although the register, as it is known today, has nothing against
    it, was recorded after the roll was taken: a case for an objection.
    """
    if is_listed:
        return Standing(True, (), objections_until, facts.shares_issued, facts.shares_paid)
    obstacles = (Obstacle.REMOVED,) if was_removed else obstacles_on(facts, record_date)
    return Standing(False, obstacles or (Obstacle.RECORDED_LATER,), objections_until)


@dataclass(frozen=True, slots=True)
class RollLine:
    """One member on a roll, as far as the digest covers it: no contact data."""

    member_number: str
    name: str
    kind: str
    category: str
    shares_issued: int
    shares_paid: int


def canonical_lines(
    cooperative: str, record_date: date, lines: Iterable[RollLine]
) -> Iterator[bytes]:
    """The canonical bytes of a roll: a heading, then one line per member by member number.

    Member numbers are ordered by their UTF-8 bytes. Each line is canonical JSON and a line feed.
    """
    ordered = sorted(lines, key=lambda item: item.member_number.encode())
    return canonical_lines_in_order(cooperative, record_date, ordered)


def canonical_lines_in_order(
    cooperative: str, record_date: date, lines: Iterable[RollLine]
) -> Iterator[bytes]:
    """``canonical_lines`` of lines that come in their order already, one at a time.

    Raises ValueError at the first that does not.
    """
    yield (
        canonical_json(
            {
                "cooperative": cooperative,
                "format": FORMAT,
                "record_date": record_date.isoformat(),
            }
        )
        + b"\n"
    )
    before = b""
    for line in lines:
        number = line.member_number.encode()
        if number < before:
            raise ValueError(f"the member number {line.member_number!r} comes too late")
        before = number
        yield (
            canonical_json(
                {
                    "category": line.category,
                    "kind": line.kind,
                    "member_number": line.member_number,
                    "name": line.name,
                    "shares_issued": line.shares_issued,
                    "shares_paid": line.shares_paid,
                }
            )
            + b"\n"
        )


def digest_of(lines: Iterable[bytes]) -> str:
    """SHA-256 over the canonical bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


class Totals:
    """Heads, issued and paid shares, counted line by line: in all, per category and per kind."""

    def __init__(self) -> None:
        self._whole = _Count()
        self._by_category: dict[str, _Count] = {}
        self._by_kind: dict[str, _Count] = {}

    def add(self, line: RollLine) -> None:
        category = self._by_category.get(line.category)
        if category is None:
            category = self._by_category[line.category] = _Count()
        kind = self._by_kind.get(line.kind)
        if kind is None:
            kind = self._by_kind[line.kind] = _Count()
        for part in (self._whole, category, kind):
            part.heads += 1
            part.shares_issued += line.shares_issued
            part.shares_paid += line.shares_paid

    def as_json(self) -> dict[str, Any]:
        return {
            **self._whole.as_json(),
            "by_category": {
                code: part.as_json() for code, part in sorted(self._by_category.items())
            },
            "by_kind": {kind: part.as_json() for kind, part in self._by_kind.items()},
        }


@dataclass(slots=True)
class _Count:
    heads: int = 0
    shares_issued: int = 0
    shares_paid: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "heads": self.heads,
            "shares_issued": self.shares_issued,
            "shares_paid": self.shares_paid,
        }


def totals_of(lines: Iterable[RollLine]) -> dict[str, Any]:
    """Heads, issued and paid shares: in all, per category and per kind."""
    totals = Totals()
    for line in lines:
        totals.add(line)
    return totals.as_json()
