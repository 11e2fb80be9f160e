"""Votes per college: exact, lawful weights only."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.assemblies import rules
from govern.assemblies.rules import College, CollegeTally, Reason, Tally, UnusableRule, Verdict
from govern.cooperatives.rules import Citation, MajorityRule

ORDINARY = MajorityRule("ordinary", {}, 1, 2, True, Citation("Statutes"))
TWO_THIRDS = MajorityRule("two-thirds", {}, 2, 3, False, Citation("Statutes"))
EVERYONE = rules.Presence(100, 100, 100, 100)
COLLEGES = [
    College("A", Fraction(1, 2)),
    College("B", Fraction(3, 10)),
    College("C", Fraction(1, 5)),
]


def decide(results, rule=ORDINARY, colleges=COLLEGES):
    tallies = [CollegeTally(code, Tally(*votes)) for code, votes in results.items()]
    return rules.decide_per_college(rule, colleges, tallies, EVERYONE)


def test_a_small_college_weighs_what_the_statutes_say_and_not_its_number():
    outcome = decide({"A": (400, 600, 0), "B": (9, 1, 0), "C": (3, 0, 1)})
    assert outcome.share_for == Fraction(1, 2) * Fraction(2, 5) + Fraction(27, 100) + Fraction(1, 5)
    assert outcome.verdict is Verdict.ACCEPTED


def test_a_weighted_tie_rejects():
    outcome = decide({"A": (10, 0, 0), "B": (0, 5, 0), "C": (0, 2, 0)})
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, Reason.TIE)


def test_two_thirds_over_colleges_are_exact():
    thirds = [College(code, Fraction(1, 3)) for code in "ABC"]
    outcome = decide({"A": (1, 0, 0), "B": (7, 0, 0), "C": (0, 9, 0)}, TWO_THIRDS, thirds)
    assert outcome.verdict is Verdict.ACCEPTED


def test_a_college_that_only_abstained_takes_no_part():
    outcome = decide({"A": (0, 0, 9), "B": (3, 1, 0), "C": (1, 0, 0)})
    assert outcome.silent_colleges == ("A",)
    assert outcome.share_for == Fraction(3, 5) * Fraction(3, 4) + Fraction(2, 5)


def test_nobody_for_or_against_in_any_college_rejects():
    outcome = decide({"A": (0, 0, 1), "B": (0, 0, 0), "C": (0, 0, 0)})
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, Reason.NO_VOTES)


@pytest.mark.parametrize(
    "weights",
    [(50, 50), (60, 20, 20), (50, 45, 5), (40, 40, 10), (50, 50, 10)],
)
def test_an_unlawful_weighting_is_refused(weights):
    colleges = [College(str(i), Fraction(weight, 100)) for i, weight in enumerate(weights)]
    with pytest.raises(UnusableRule):
        rules.check_colleges(colleges)


def test_the_same_college_twice_is_refused():
    with pytest.raises(UnusableRule):
        rules.check_colleges([*COLLEGES[:2], College("A", Fraction(1, 5))])


def test_a_missing_college_is_not_guessed():
    with pytest.raises(ValueError, match="exactly one result"):
        decide({"A": (1, 0, 0), "B": (1, 0, 0)})


votes = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))


@given(votes, votes, votes, st.sampled_from("ABC"))
def test_one_more_vote_in_favour_in_any_college_never_rejects(a, b, c, code):
    results = {"A": a, "B": b, "C": c}
    if decide(results).verdict is Verdict.ACCEPTED:
        yes, no, abstain = results[code]
        assert decide({**results, code: (yes + 1, no, abstain)}).verdict is Verdict.ACCEPTED


@given(votes, votes, votes, st.sampled_from("ABC"))
def test_one_more_vote_against_in_any_college_never_accepts(a, b, c, code):
    results = {"A": a, "B": b, "C": c}
    if decide(results).verdict is not Verdict.ACCEPTED:
        yes, no, abstain = results[code]
        assert decide({**results, code: (yes, no + 1, abstain)}).verdict is not Verdict.ACCEPTED
