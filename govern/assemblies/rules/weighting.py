"""Votes weighted per college (French SCIC): exact, from the result of each college.

There are at least three colleges, each with 10 to 50 % of the votes, 100 % together; capital is
never a criterion (law no. 47-1775 of 10 September 1947, art. 19 octies: to be confirmed). Inside
a college every member has one vote, and the college's weight is divided in proportion between
for and against. A college in which nobody said for or against takes no part: the weights of the
others are kept in proportion to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from govern.assemblies.rules.outcomes import (
    HALF,
    Presence,
    QuorumCheck,
    QuorumState,
    Reason,
    Tally,
    UnusableRule,
    Verdict,
    check_quorum,
)
from govern.cooperatives.rules import MajorityRule

LEAST, MOST = Fraction(1, 10), HALF


@dataclass(frozen=True)
class College:
    """A college and its part of all votes."""

    code: str
    weight: Fraction


@dataclass(frozen=True)
class CollegeTally:
    """The votes of one college on one resolution."""

    code: str
    tally: Tally


@dataclass(frozen=True)
class WeightedOutcome:
    """One resolution decided by colleges. ``share_for`` is None when nobody said for or against."""

    verdict: Verdict
    reason: Reason
    rule: MajorityRule
    share_for: Fraction | None
    per_college: Mapping[str, Fraction | None]
    silent_colleges: tuple[str, ...]
    quorum: QuorumCheck


def check_colleges(colleges: Sequence[College]) -> Sequence[College]:
    """Return ``colleges``; UnusableRule unless they are a lawful weighting."""
    if len(colleges) < 3 or len({college.code for college in colleges}) != len(colleges):
        raise UnusableRule("there must be at least three colleges with different codes")
    if any(not LEAST <= college.weight <= MOST for college in colleges):
        raise UnusableRule("each college must have between 10 and 50 % of the votes")
    if sum((college.weight for college in colleges), Fraction(0)) != 1:
        raise UnusableRule("the colleges must have 100 % of the votes together")
    return colleges


def decide_per_college(
    rule: MajorityRule,
    colleges: Sequence[College],
    results: Sequence[CollegeTally],
    presence: Presence,
    *,
    is_second: bool = False,
) -> WeightedOutcome:
    """Decide one resolution by colleges.

    UnusableRule for an unlawful weighting; ValueError when the results are not those of exactly
    these colleges.
    """
    check_colleges(colleges)
    tallies = {result.code: result.tally for result in results}
    if len(tallies) != len(results) or tallies.keys() != {college.code for college in colleges}:
        raise ValueError("there must be exactly one result for each college")
    quorum = check_quorum(rule, presence, is_second=is_second)
    per_college = {college.code: tallies[college.code].share_for for college in colleges}
    speaking = [college for college in colleges if per_college[college.code] is not None]
    silent = tuple(college.code for college in colleges if per_college[college.code] is None)
    weight = sum((college.weight for college in speaking), Fraction(0))
    share_for: Fraction | None = None
    if speaking:
        share_for = (
            sum(
                (college.weight * (per_college[college.code] or 0) for college in speaking),
                Fraction(0),
            )
            / weight
        )
    verdict, reason = _verdict(rule, share_for, quorum)
    return WeightedOutcome(verdict, reason, rule, share_for, per_college, silent, quorum)


def _verdict(
    rule: MajorityRule, share_for: Fraction | None, quorum: QuorumCheck
) -> tuple[Verdict, Reason]:
    if quorum.state is QuorumState.MISSED:
        return Verdict.NO_QUORUM, Reason.QUORUM_MISSED
    if share_for is None:
        return Verdict.REJECTED, Reason.NO_VOTES
    if share_for == HALF:
        return Verdict.REJECTED, Reason.TIE
    met = share_for > rule.majority if rule.strict else share_for >= rule.majority
    if met:
        return Verdict.ACCEPTED, Reason.MAJORITY_MET
    return Verdict.REJECTED, Reason.MAJORITY_MISSED
