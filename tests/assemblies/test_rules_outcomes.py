"""Majority, quorum, ties and abstentions: the law of a resolution."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.assemblies import rules
from govern.assemblies.rules import QuorumState, Reason, RollMember, Tally, UnusableRule, Verdict
from govern.cooperatives.rules import Citation, MajorityRule

CITED = Citation("Statutes, art. 30")
ORDINARY = MajorityRule("ordinary", {"en": "Ordinary"}, 1, 2, True, CITED)
STATUTES = MajorityRule(
    "statutes", {"en": "Statutes"}, 3, 4, False, CITED, 1, 2, "shares_issued", True
)
PURPOSE = MajorityRule("purpose", {"en": "Purpose"}, 4, 5, False, CITED)
IN_HEADS = MajorityRule("heads", {"en": "Heads"}, 1, 2, True, CITED, 1, 3, "heads", True)

EVERYONE = rules.Presence(1000, 1000, 5000, 5000)


def decide(rule, votes_for, votes_against, abstentions=0, presence=EVERYONE, **more):
    return rules.decide(rule, Tally(votes_for, votes_against, abstentions), presence, **more)


# -- majority ---------------------------------------------------------------------------------


def test_more_than_half_in_favour_accepts_an_ordinary_resolution():
    assert decide(ORDINARY, 51, 50).verdict is Verdict.ACCEPTED


def test_a_tie_rejects_the_resolution():
    outcome = decide(ORDINARY, 50, 50, 3)
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, Reason.TIE)


def test_a_tie_rejects_even_where_half_is_enough():
    half_is_enough = MajorityRule("half", {}, 1, 2, False, CITED)
    assert decide(half_is_enough, 50, 50).verdict is Verdict.REJECTED
    assert decide(half_is_enough, 51, 50).verdict is Verdict.ACCEPTED


def test_abstentions_count_neither_for_nor_against():
    assert decide(ORDINARY, 2, 1, 900).verdict is Verdict.ACCEPTED
    assert decide(ORDINARY, 2, 1, 900).numbers.tally.share_for == Fraction(2, 3)


def test_the_same_votes_with_and_without_abstentions_have_two_percentages():
    tally = Tally(68, 6, 26)
    assert tally.share_for == Fraction(68, 74)
    assert rules.percentages([68, 6, 26], decimals=0) == (68, 6, 26)


def test_nobody_for_or_against_rejects():
    for abstentions in (0, 12):
        outcome = decide(ORDINARY, 0, 0, abstentions)
        assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, Reason.NO_VOTES)
        assert outcome.numbers.tally.share_for is None


def test_three_quarters_exactly_are_enough_to_change_the_statutes():
    assert decide(STATUTES, 75, 25).verdict is Verdict.ACCEPTED
    assert decide(STATUTES, 299, 101).verdict is Verdict.REJECTED
    assert decide(STATUTES, 300, 100).verdict is Verdict.ACCEPTED


def test_a_threshold_that_must_be_exceeded_is_not_met_when_it_is_reached():
    more_than_two_thirds = MajorityRule("two-thirds", {}, 2, 3, True, CITED)
    assert decide(more_than_two_thirds, 200, 100).reason is Reason.MAJORITY_MISSED
    assert decide(more_than_two_thirds, 201, 100).verdict is Verdict.ACCEPTED


def test_a_third_is_compared_exactly_and_not_as_a_decimal():
    two_thirds = MajorityRule("two-thirds", {}, 2, 3, False, CITED)
    big = 10**17
    assert decide(two_thirds, 2 * big, big).verdict is Verdict.ACCEPTED
    assert decide(two_thirds, 2 * big - 1, big).verdict is Verdict.REJECTED


def test_four_fifths_change_the_purpose():
    assert decide(PURPOSE, 80, 20).verdict is Verdict.ACCEPTED
    assert decide(PURPOSE, 79, 20).verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    ("rule", "expressed", "needed"),
    [(ORDINARY, 100, 51), (ORDINARY, 101, 51), (STATUTES, 100, 75), (STATUTES, 101, 76)],
)
def test_the_votes_needed_are_those_that_accept(rule, expressed, needed):
    assert rules.votes_needed(rule, expressed) == needed
    assert decide(rule, needed, expressed - needed).verdict is Verdict.ACCEPTED
    assert decide(rule, needed - 1, expressed - needed + 1).verdict is Verdict.REJECTED


# -- quorum -----------------------------------------------------------------------------------


def shares(present, issued=5000):
    return rules.Presence(10, 1000, present, issued)


def test_without_the_quorum_nothing_is_decided_however_clear_the_vote():
    outcome = decide(STATUTES, 1000, 0, presence=shares(2499))
    assert (outcome.verdict, outcome.reason) == (Verdict.NO_QUORUM, Reason.QUORUM_MISSED)
    assert outcome.quorum.needed == 2500


def test_half_of_the_issued_shares_exactly_are_a_quorum():
    assert decide(STATUTES, 3, 1, presence=shares(2500)).quorum.state is QuorumState.MET


def test_half_of_an_odd_number_of_shares_is_rounded_up():
    assert decide(STATUTES, 3, 1, presence=shares(2500, 5001)).verdict is Verdict.NO_QUORUM
    assert decide(STATUTES, 3, 1, presence=shares(2501, 5001)).verdict is Verdict.ACCEPTED


def test_a_second_assembly_decides_without_the_quorum_but_not_without_the_majority():
    low = shares(40)
    assert decide(STATUTES, 3, 1, presence=low, is_second=True).verdict is Verdict.ACCEPTED
    assert decide(STATUTES, 3, 1, presence=low, is_second=True).quorum.state is QuorumState.WAIVED
    assert decide(STATUTES, 2, 1, presence=low, is_second=True).verdict is Verdict.REJECTED


def test_a_second_assembly_needs_the_quorum_where_the_rule_does_not_waive_it():
    strict = MajorityRule("s", {}, 1, 2, True, CITED, 1, 2, "heads", False)
    outcome = decide(strict, 9, 0, presence=rules.Presence(9, 100, 9, 100), is_second=True)
    assert outcome.verdict is Verdict.NO_QUORUM


def test_a_quorum_in_heads_does_not_look_at_shares():
    many_shares = rules.Presence(333, 1000, 4999, 5000)
    many_heads = rules.Presence(334, 1000, 334, 5000)
    assert decide(IN_HEADS, 9, 0, presence=many_shares).verdict is Verdict.NO_QUORUM
    assert decide(IN_HEADS, 9, 0, presence=many_heads).verdict is Verdict.ACCEPTED


def test_an_empty_roll_never_meets_a_quorum():
    nobody = rules.Presence(0, 0, 0, 0)
    assert decide(STATUTES, 0, 0, presence=nobody).verdict is Verdict.NO_QUORUM


ROLL = [RollMember(1, 10), RollMember(2, 1), RollMember(3, 4), RollMember(4, 0)]


def test_casting_a_ballot_is_being_present():
    presence = rules.count_presence(ROLL, voted={1, 2})
    assert presence == rules.Presence(2, 4, 11, 15)


def test_who_checked_in_and_voted_is_present_once():
    presence = rules.count_presence(ROLL, checked_in={1}, voted={1})
    assert (presence.heads_present, presence.shares_present) == (1, 10)


def test_a_proxy_counts_only_while_its_holder_is_there():
    away = rules.count_presence(ROLL, represented_by={3: 2})
    assert away.heads_present == 0
    there = rules.count_presence(ROLL, checked_in={2}, represented_by={3: 2})
    assert (there.heads_present, there.shares_present) == (2, 5)


def test_a_holder_who_is_only_represented_represents_nobody():
    chain = rules.count_presence(ROLL, checked_in={1}, represented_by={2: 1, 3: 2})
    assert chain.heads_present == 2


def test_who_is_not_on_the_roll_is_not_present():
    presence = rules.count_presence(ROLL, checked_in={99}, represented_by={98: 1, 3: 99})
    assert presence.heads_present == 0


# -- rules that cannot decide -----------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        MajorityRule("third", {}, 1, 3, False, CITED),
        MajorityRule("all-and-more", {}, 1, 1, True, CITED),
        MajorityRule("over", {}, 5, 4, False, CITED),
        MajorityRule("zero", {}, 1, 0, False, CITED),
        MajorityRule("quorum-zero", {}, 1, 2, True, CITED, 0, 2),
        MajorityRule("quorum-over", {}, 1, 2, True, CITED, 3, 2),
        MajorityRule("quorum-half-written", {}, 1, 2, True, CITED, 1, None),
        MajorityRule("quorum-by-zero", {}, 1, 2, True, CITED, 1, 0),
        MajorityRule("basis", {}, 1, 2, True, CITED, 1, 2, "euros"),
    ],
    ids=lambda rule: rule.code,
)
def test_a_rule_that_makes_no_sense_is_refused(rule):
    with pytest.raises(UnusableRule, match=r"rule|basis"):
        decide(rule, 1, 0)


def test_unanimity_can_be_required():
    all_of_them = MajorityRule("unanimity", {}, 1, 1, False, CITED)
    assert decide(all_of_them, 9, 0, 4).verdict is Verdict.ACCEPTED
    assert decide(all_of_them, 9, 1).verdict is Verdict.REJECTED


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="negative"):
        Tally(-1, 0, 0)
    with pytest.raises(ValueError, match="heads"):
        rules.Presence(2, 1, 0, 0)
    with pytest.raises(ValueError, match="shares"):
        rules.Presence(1, 1, 2, 1)


# -- properties -------------------------------------------------------------------------------

votes = st.integers(0, 30_000)


@st.composite
def majority_rules(draw):
    denominator = draw(st.integers(1, 12))
    numerator = draw(st.integers(-(-denominator // 2), denominator))
    strict = draw(st.booleans()) and numerator < denominator
    return MajorityRule("r", {}, numerator, denominator, strict, CITED)


@given(majority_rules(), votes, votes, votes)
def test_one_more_vote_in_favour_never_rejects_an_accepted_resolution(rule, yes, no, abstain):
    if decide(rule, yes, no, abstain).verdict is Verdict.ACCEPTED:
        assert decide(rule, yes + 1, no, abstain).verdict is Verdict.ACCEPTED


@given(majority_rules(), votes, votes, votes)
def test_one_more_vote_against_never_accepts_a_rejected_resolution(rule, yes, no, abstain):
    if decide(rule, yes, no, abstain).verdict is Verdict.REJECTED:
        assert decide(rule, yes, no + 1, abstain).verdict is Verdict.REJECTED


@given(majority_rules(), votes, votes, votes, votes)
def test_any_number_of_abstentions_changes_nothing(rule, yes, no, abstain, others):
    one, other = decide(rule, yes, no, abstain), decide(rule, yes, no, others)
    assert (one.verdict, one.reason) == (other.verdict, other.reason)


@given(majority_rules(), votes, votes)
def test_a_resolution_and_its_opposite_are_never_both_accepted(rule, yes, no):
    verdicts = {decide(rule, yes, no).verdict, decide(rule, no, yes).verdict}
    assert verdicts != {Verdict.ACCEPTED}


@given(majority_rules(), votes, votes)
def test_a_resolution_is_accepted_exactly_from_the_votes_needed_on(rule, yes, no):
    accepted = decide(rule, yes, no).verdict is Verdict.ACCEPTED
    assert accepted == (yes + no > 0 and yes >= rules.votes_needed(rule, yes + no))


@given(majority_rules(), votes, votes)
def test_who_switches_from_against_to_in_favour_never_harms(rule, yes, no):
    if no and decide(rule, yes, no).verdict is Verdict.ACCEPTED:
        assert decide(rule, yes + 1, no - 1).verdict is Verdict.ACCEPTED


@given(st.integers(0, 500), st.integers(0, 500))
def test_one_more_member_present_never_loses_the_quorum(present, absent):
    total = present + absent + 1
    before = rules.check_quorum(
        IN_HEADS, rules.Presence(present, total, 0, 0), is_second=False
    ).state
    after = rules.check_quorum(
        IN_HEADS, rules.Presence(present + 1, total, 0, 0), is_second=False
    ).state
    assert not (before is QuorumState.MET and after is QuorumState.MISSED)


# -- percentages ------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.integers(0, 3))
def test_percentages_add_up_to_a_hundred(counts, decimals):
    total = sum(rules.percentages(counts, decimals=decimals))
    assert total == (Decimal(100) if sum(counts) else 0)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6))
def test_a_rounded_percentage_is_off_by_less_than_its_last_digit(counts):
    if sum(counts):
        for count, shown in zip(counts, rules.percentages(counts), strict=True):
            assert abs(Fraction(shown) - Fraction(100 * count, sum(counts))) < Fraction(1, 10)


def test_rounding_never_hides_that_a_threshold_was_missed():
    threshold = Fraction(3, 4)
    assert rules.decimals_to_tell_apart(Fraction(74996, 100000), threshold) == 3
    assert rules.decimals_to_tell_apart(Fraction(3, 4), threshold) == 1
    assert rules.decimals_to_tell_apart(Fraction(70, 100), threshold) == 1
