"""Elections of people: who gets the seats, and when a seat stays undecided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.assemblies import rules
from govern.cooperatives.rules import Citation, MajorityRule

CITED = Citation("Statutes, art. 18")
ORDINARY = MajorityRule("ordinary", {}, 1, 2, True, CITED)
QUORUM = MajorityRule("quorum", {}, 1, 2, True, CITED, 1, 2, "heads", True)
EVERYONE = rules.Presence(100, 100, 100, 100)


def elect(votes, seats, blank=0, rule=ORDINARY, presence=EVERYONE, **more):
    return rules.elect(rule, votes, seats=seats, blank=blank, presence=presence, **more)


def test_the_seats_go_to_those_named_most_often():
    outcome = elect({"ann": 40, "bob": 70, "cem": 55}, seats=2)
    assert outcome.elected == ("bob", "cem")
    assert (outcome.seats_undecided, outcome.seats_empty) == (0, 0)


def test_candidates_level_for_the_last_seat_leave_it_undecided():
    outcome = elect({"ann": 40, "bob": 70, "cem": 40}, seats=2)
    assert outcome.elected == ("bob",)
    assert outcome.level == ("ann", "cem")
    assert outcome.seats_undecided == 1


def test_candidates_level_within_the_seats_are_all_elected():
    outcome = elect({"ann": 40, "bob": 40, "cem": 10}, seats=2)
    assert (outcome.elected, outcome.level) == (("ann", "bob"), ())


def test_three_level_for_two_seats_elects_none_of_them():
    outcome = elect({"ann": 40, "bob": 40, "cem": 40, "dee": 41}, seats=3)
    assert outcome.elected == ("dee",)
    assert outcome.seats_undecided == 2


def test_nobody_is_elected_without_a_single_vote():
    outcome = elect({"ann": 3, "bob": 0}, seats=2)
    assert outcome.elected == ("ann",)
    assert outcome.seats_empty == 1


def test_blank_ballots_elect_nobody():
    outcome = elect({"ann": 0, "bob": 0}, seats=1, blank=90)
    assert (outcome.elected, outcome.seats_empty) == ((), 1)


def test_without_the_quorum_nobody_is_elected():
    few = rules.Presence(49, 100, 49, 100)
    outcome = elect({"ann": 49}, seats=1, rule=QUORUM, presence=few)
    assert (outcome.elected, outcome.seats_empty) == ((), 1)
    assert elect({"ann": 49}, 1, rule=QUORUM, presence=few, is_second=True).elected == ("ann",)


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="seats"):
        elect({"ann": 1}, seats=0)
    with pytest.raises(ValueError, match="negative"):
        elect({"ann": -1}, seats=1)


ballots = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 50))


@given(ballots, st.integers(1, 6))
def test_every_seat_is_filled_undecided_or_empty(votes, seats):
    outcome = elect(votes, seats)
    assert len(outcome.elected) + outcome.seats_undecided + outcome.seats_empty == seats
    assert outcome.seats_undecided == 0 or len(outcome.level) > outcome.seats_undecided


@given(ballots, st.integers(1, 6))
def test_nobody_is_elected_past_a_candidate_with_more_votes(votes, seats):
    outcome = elect(votes, seats)
    for winner in outcome.elected:
        assert all(votes[winner] >= votes[other] for other in votes if other not in outcome.elected)


@given(ballots, st.integers(1, 6))
def test_one_more_vote_never_unseats_an_elected_candidate(votes, seats):
    for winner in elect(votes, seats).elected:
        more = {**votes, winner: votes[winner] + 1}
        assert winner in elect(more, seats).elected


@given(ballots, st.integers(1, 6), st.randoms())
def test_the_order_of_candidates_elects_nobody(votes, seats, random):
    shuffled = list(votes.items())
    random.shuffle(shuffled)
    assert set(elect(votes, seats).elected) == set(elect(dict(shuffled), seats).elected)
