"""How a resolution is decided: majority without abstentions, quorum, and what a tie means.

Rules upheld here (``domain.md``, Assembly):

* The majority is counted among *for* and *against*; abstentions and blanks are in neither the
  numerator nor the denominator.
* A threshold is a fraction that must be exceeded (strict) or reached, and is compared exactly.
* A tie rejects, and so does a vote in which nobody said for or against.
* The quorum compares those present (checked in, represented by somebody present, or having cast
  a ballot) with everyone on the roll, in heads or in issued shares. It must be reached.
* A second assembly may decide without the quorum where the rule says so.

A threshold below one half is refused: with "a tie rejects" one more vote in favour could then
turn an accepted resolution into a rejected one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from govern.cooperatives.rules import MajorityRule

HALF = Fraction(1, 2)


class UnusableRule(ValueError):
    """A majority rule or a weighting with which no resolution can be decided."""


class Verdict(StrEnum):
    """What became of a resolution."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NO_QUORUM = "no_quorum"


class Reason(StrEnum):
    """Why: the sentence under the result is chosen by it."""

    MAJORITY_MET = "majority_met"
    MAJORITY_MISSED = "majority_missed"
    TIE = "tie"
    NO_VOTES = "no_votes"
    QUORUM_MISSED = "quorum_missed"


class QuorumState(StrEnum):
    """How a decision stands to the quorum of its rule."""

    NOT_REQUIRED = "not_required"
    MET = "met"
    MISSED = "missed"
    WAIVED = "waived"  # second assembly


@dataclass(frozen=True)
class Tally:
    """The votes on one resolution, in ballots. A blank ballot is counted in ``abstentions``."""

    votes_for: int
    votes_against: int
    abstentions: int

    def __post_init__(self) -> None:
        if min(self.votes_for, self.votes_against, self.abstentions) < 0:
            raise ValueError("a number of votes cannot be negative")

    @property
    def expressed(self) -> int:
        """For and against together: what the legal majority is counted among."""
        return self.votes_for + self.votes_against

    @property
    def ballots(self) -> int:
        return self.expressed + self.abstentions

    @property
    def share_for(self) -> Fraction | None:
        """The legal percentage as a fraction; None when nobody said for or against."""
        return Fraction(self.votes_for, self.expressed) if self.expressed else None


@dataclass(frozen=True)
class RollMember:
    """One line of the roll, as far as presence is concerned."""

    key: int
    shares_issued: int


@dataclass(frozen=True)
class Presence:
    """Who was there, out of everyone on the roll, in heads and in issued shares."""

    heads_present: int
    heads_on_roll: int
    shares_present: int
    shares_issued: int

    def __post_init__(self) -> None:
        if not 0 <= self.heads_present <= self.heads_on_roll:
            raise ValueError("more heads are present than there are on the roll")
        if not 0 <= self.shares_present <= self.shares_issued:
            raise ValueError("more shares are present than were issued")

    def counted_in(self, basis: str) -> tuple[int, int]:
        """(present, of all) in the basis "heads" or "shares_issued"."""
        if basis == "heads":
            return self.heads_present, self.heads_on_roll
        if basis == "shares_issued":
            return self.shares_present, self.shares_issued
        raise UnusableRule(f"a quorum cannot be counted in {basis!r}")


@dataclass(frozen=True)
class QuorumCheck:
    """The quorum of one rule held against one presence. ``basis`` is "heads" or "shares_issued"."""

    state: QuorumState
    basis: str
    present: int
    total: int
    needed: int
    required_share: Fraction | None

    @property
    def share_present(self) -> Fraction | None:
        return Fraction(self.present, self.total) if self.total else None


@dataclass(frozen=True)
class Numbers:
    """The figures of one decision, all exact."""

    tally: Tally
    presence: Presence
    needed: int
    """Votes in favour that were needed, given how many said for or against."""


@dataclass(frozen=True)
class Outcome:
    """One resolution, decided."""

    verdict: Verdict
    reason: Reason
    rule: MajorityRule
    numbers: Numbers
    quorum: QuorumCheck


def check_majority_rule(rule: MajorityRule) -> MajorityRule:
    """Return ``rule``; UnusableRule when no sensible outcome can be computed with it.

    Accepted: a majority from one half to the whole (the whole only if it need not be exceeded),
    a quorum above nothing and up to the whole, counted in heads or issued shares.
    """
    if rule.majority_denominator <= 0 or not HALF <= rule.majority <= 1:
        raise UnusableRule(f"rule {rule.code!r}: the majority must be between one half and all")
    if rule.strict and rule.majority == 1:
        raise UnusableRule(f"rule {rule.code!r}: more than all votes cannot be in favour")
    if (rule.quorum_numerator is None) != (rule.quorum_denominator is None):
        raise UnusableRule(f"rule {rule.code!r}: the quorum is half written")
    if rule.quorum_denominator is not None and rule.quorum_denominator <= 0:
        raise UnusableRule(f"rule {rule.code!r}: the quorum must be between nothing and all")
    if rule.quorum is not None and not 0 < rule.quorum <= 1:
        raise UnusableRule(f"rule {rule.code!r}: the quorum must be between nothing and all")
    if rule.quorum_basis not in ("heads", "shares_issued"):
        raise UnusableRule(f"rule {rule.code!r}: the basis is {rule.quorum_basis!r}")
    return rule


def votes_needed(rule: MajorityRule, expressed: int) -> int:
    """The least number of votes in favour that accepts, when ``expressed`` said for or against.

    Never fewer than one more than half, since a tie rejects.
    """
    exact = rule.majority * expressed
    at_least = int(exact) + 1 if rule.strict else -int(-exact // 1)
    return max(at_least, expressed // 2 + 1)


def count_presence(
    members: Iterable[RollMember],
    *,
    checked_in: Collection[int] = (),
    voted: Collection[int] = (),
    represented_by: Mapping[int, int] | None = None,
) -> Presence:
    """Add up presence over the roll. ``represented_by`` maps a member to the proxy holder.

    Each member counts once, however many ways there were of being present; a proxy counts only
    if its holder is present in person; who is not on the roll never counts.
    """
    roll = {member.key: member.shares_issued for member in members}
    in_person = (set(checked_in) | set(voted)) & roll.keys()
    represented = {
        absent
        for absent, holder in (represented_by or {}).items()
        if holder in in_person and absent in roll
    }
    present = in_person | represented
    return Presence(
        heads_present=len(present),
        heads_on_roll=len(roll),
        shares_present=sum(roll[key] for key in present),
        shares_issued=sum(roll.values()),
    )


def check_quorum(rule: MajorityRule, presence: Presence, *, is_second: bool) -> QuorumCheck:
    """Hold the quorum of ``rule`` against ``presence``. ``is_second``: of a second assembly.

    An empty roll never meets a quorum. Raises UnusableRule.
    """
    check_majority_rule(rule)
    present, total = presence.counted_in(rule.quorum_basis)
    if rule.quorum is None:
        return QuorumCheck(QuorumState.NOT_REQUIRED, rule.quorum_basis, present, total, 0, None)
    needed = -int(-(rule.quorum * total) // 1)
    if total and present >= needed:
        state = QuorumState.MET
    elif is_second and rule.second_assembly_without_quorum:
        state = QuorumState.WAIVED
    else:
        state = QuorumState.MISSED
    return QuorumCheck(state, rule.quorum_basis, present, total, needed, rule.quorum)


def decide(
    rule: MajorityRule, tally: Tally, presence: Presence, *, is_second: bool = False
) -> Outcome:
    """The outcome of one resolution. Raises UnusableRule for a rule that cannot decide."""
    quorum = check_quorum(rule, presence, is_second=is_second)
    needed = votes_needed(rule, tally.expressed)
    if quorum.state is QuorumState.MISSED:
        verdict, reason = Verdict.NO_QUORUM, Reason.QUORUM_MISSED
    elif tally.expressed == 0:
        verdict, reason = Verdict.REJECTED, Reason.NO_VOTES
    elif tally.votes_for == tally.votes_against:
        verdict, reason = Verdict.REJECTED, Reason.TIE
    elif tally.votes_for >= needed:
        verdict, reason = Verdict.ACCEPTED, Reason.MAJORITY_MET
    else:
        verdict, reason = Verdict.REJECTED, Reason.MAJORITY_MISSED
    return Outcome(verdict, reason, rule, Numbers(tally, presence, needed), quorum)


# -- percentages that do not lie --------------------------------------------------------------


def decimals_to_tell_apart(value: Fraction, threshold: Fraction, *, least: int = 1) -> int:
    """How many decimals a percentage needs so that rounding does not hide which side it is on.

    74.996 % against three quarters needs three decimals: with one it would read 75.0 %.
    """
    decimals = least
    while (
        value != threshold
        and decimals < 8
        and _rounded(value, decimals) == _rounded(threshold, decimals)
    ):
        decimals += 1
    return decimals


def percentages(counts: Sequence[int], *, decimals: int = 1) -> tuple[Decimal, ...]:
    """Each count in percent of their sum, rounded so that they add up to exactly 100.

    Largest remainder; of equal remainders the earlier count is favoured. All zero stays zero.
    """
    total = sum(counts)
    unit = Decimal(1).scaleb(-decimals)
    if total == 0:
        return tuple(Decimal(0).quantize(unit) for _ in counts)
    whole = 100 * 10**decimals
    exact = [Fraction(count * whole, total) for count in counts]
    floors = [int(value) for value in exact]
    by_remainder = sorted(range(len(counts)), key=lambda i: (floors[i] - exact[i], i))
    for index in by_remainder[: whole - sum(floors)]:
        floors[index] += 1
    return tuple(Decimal(value).scaleb(-decimals).quantize(unit) for value in floors)


def _rounded(value: Fraction, decimals: int) -> int:
    """``value`` in units of 10^-decimals percent, half away from zero."""
    return int(value * 100 * 10**decimals + HALF)
