"""Electing people: *k* seats, *n* candidates, each voter names up to *k*.

The seats go to those named most often. Nobody whom no voter named is elected. Where candidates
are level for the last seats and there are fewer seats than candidates level, these seats stay
undecided: the statutes say how to break the tie (a second round, seniority, a lot), not we.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from govern.assemblies.rules.outcomes import Presence, QuorumCheck, QuorumState, check_quorum
from govern.cooperatives.rules import MajorityRule


class PeopleVerdict(StrEnum):
    """``filled``: every seat · ``undecided``: candidates are level · ``vacant``: seats left."""

    FILLED = "filled"
    UNDECIDED = "undecided"
    VACANT = "vacant"
    NO_QUORUM = "no_quorum"


@dataclass(frozen=True)
class PeopleOutcome:
    """Who is elected. Candidates are named by their key; ``ranking`` is best first.

    ``seats`` = elected + undecided + left empty. ``level`` are the candidates level for the
    ``seats_undecided``; without the quorum nobody is elected and every seat is left empty.
    """

    seats: int
    ranking: tuple[tuple[str, int], ...]
    elected: tuple[str, ...]
    level: tuple[str, ...]
    seats_undecided: int
    seats_empty: int
    blank: int
    quorum: QuorumCheck

    @property
    def verdict(self) -> PeopleVerdict:
        if self.quorum.state is QuorumState.MISSED:
            return PeopleVerdict.NO_QUORUM
        if self.seats_undecided:
            return PeopleVerdict.UNDECIDED
        return PeopleVerdict.VACANT if self.seats_empty else PeopleVerdict.FILLED


def elect(
    rule: MajorityRule,
    votes: Mapping[str, int],
    *,
    seats: int,
    blank: int,
    presence: Presence,
    is_second: bool = False,
) -> PeopleOutcome:
    """Fill ``seats`` from ``votes`` (candidate key → ballots naming them).

    Only the quorum of ``rule`` applies: the seats go by most votes. ValueError for a negative
    number or no seat; UnusableRule for a rule that cannot decide.
    """
    if seats < 1 or blank < 0 or any(count < 0 for count in votes.values()):
        raise ValueError("seats must be at least one and votes cannot be negative")
    quorum = check_quorum(rule, presence, is_second=is_second)
    # Candidates with as many votes stand in the order in which they were put to the vote.
    ranking = tuple(sorted(votes.items(), key=lambda item: -item[1]))
    named = [item for item in ranking if item[1] > 0]
    if quorum.state is QuorumState.MISSED:
        return PeopleOutcome(seats, ranking, (), (), 0, seats, blank, quorum)
    if len(named) <= seats:
        elected = tuple(key for key, _count in named)
        return PeopleOutcome(seats, ranking, elected, (), 0, seats - len(named), blank, quorum)
    last, next_ = named[seats - 1][1], named[seats][1]
    if last > next_:
        elected = tuple(key for key, _count in named[:seats])
        return PeopleOutcome(seats, ranking, elected, (), 0, 0, blank, quorum)
    elected = tuple(key for key, count in named if count > last)
    level = tuple(key for key, count in named if count == last)
    return PeopleOutcome(seats, ranking, elected, level, seats - len(elected), 0, blank, quorum)
