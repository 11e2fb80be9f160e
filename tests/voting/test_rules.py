"""What an election's rules decide, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product

import pytest

from govern.voting import rules
from govern.voting.rules import ElectionFacts, ElectionState, QuestionKind, QuestionSpec

NOON = datetime(2018, 6, 18, 12, tzinfo=UTC)

READY = ElectionFacts(
    state=ElectionState.CREDENTIALS,
    now=NOON,
    opens_at=NOON,
    closes_at=NOON + timedelta(hours=1),
    questions=2,
    trustees=2,
    keys=2,
    heads=10,
    roll_is_frozen=True,
    credentials=10,
    credentials_fit_roll=True,
    credentials_are_complete=True,
    ballots=5,
    decryptions=2,
    box_is_recounted=True,
)

ALLOWED = {
    ("draft", "keys"),
    ("keys", "credentials"),
    ("credentials", "open"),
    ("open", "closed"),
    ("closed", "tallying"),
    ("tallying", "published"),
    *(
        (state, "cancelled")
        for state in ("draft", "keys", "credentials", "open", "closed", "tallying")
    ),
}


@pytest.mark.parametrize(("state", "target"), list(product(ElectionState, repeat=2)))
def test_the_transition_table_allows_the_regular_way_and_cancellation_only(state, target):
    assert rules.may_follow(state, target) is ((state.value, target.value) in ALLOWED)


def codes(missing):
    return [item.code for item in missing]


def test_nothing_is_missing_for_a_complete_election():
    assert rules.missing_for(ElectionState.OPEN, READY) == []
    tallying = replace(READY, state=ElectionState.TALLYING)
    assert rules.missing_for(ElectionState.PUBLISHED, tallying) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"keys": 1}, "keys"),
        ({"trustees": 0, "keys": 0}, "keys"),
        ({"questions": 0}, "questions"),
        ({"roll_is_frozen": False}, "frozen_roll"),
        ({"credentials": 0}, "credentials"),
        ({"credentials_are_complete": False}, "credentials"),
        ({"credentials": 9}, "credential_count"),
        ({"heads": 11}, "credential_count"),
        ({"credentials_fit_roll": False}, "credentials_of_this_roll"),
        ({"heads": 2, "credentials": 2}, "group"),
        ({"now": NOON - timedelta(seconds=1)}, "opening_time"),
        ({"now": NOON + timedelta(hours=1)}, "future_closing"),
    ],
)
def test_opening_names_the_one_thing_that_is_missing(change, code):
    assert codes(rules.missing_for(ElectionState.OPEN, replace(READY, **change))) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"questions": 0}, "questions"),
        ({"trustees": 0}, "trustees"),
        ({"roll_is_frozen": False}, "frozen_roll"),
        ({"heads": 2}, "group"),
        ({"now": NOON + timedelta(hours=1)}, "future_closing"),
    ],
)
def test_a_draft_that_lacks_something_does_not_get_keys(change, code):
    assert codes(rules.missing_for(ElectionState.KEYS, replace(READY, **change))) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"decryptions": 1}, "decryptions"),
        ({"box_is_recounted": False}, "recount"),
        ({"box_is_sound": False}, "sound_box"),
        ({"ballots": 2}, "ballots_for_group"),
        ({"state": ElectionState.CLOSED}, "encrypted_tally"),
    ],
)
def test_publication_names_what_is_missing(change, code):
    facts = replace(READY, state=ElectionState.TALLYING)
    assert codes(rules.missing_for(ElectionState.PUBLISHED, replace(facts, **change))) == [code]


@pytest.mark.parametrize("target", ["decryption", "publication"])
def test_nothing_is_opened_before_the_recount(target):
    facts = replace(READY, state=ElectionState.TALLYING, box_is_recounted=False)
    assert codes(getattr(rules, f"missing_for_{target}")(facts)) == ["recount"]


def test_an_empty_box_may_be_opened_since_it_tells_nothing():
    facts = replace(READY, state=ElectionState.TALLYING, ballots=0)
    assert rules.missing_for_decryption(facts) == []


@pytest.mark.parametrize("state", [s for s in ElectionState if s is not ElectionState.TALLYING])
def test_no_state_but_the_count_lets_a_trustee_open_anything(state):
    assert "encrypted_tally" in codes(rules.missing_for_decryption(replace(READY, state=state)))


def test_abstentions_and_blanks_count_in_one_percentage_only():
    shares, abstentions, expressed = rules.count_question(
        QuestionKind.RESOLUTION, [68, 6, 26], 100, blank=False
    )
    assert (abstentions, expressed) == (26, 74)
    assert [share.of_ballots for share in shares] == [
        Fraction(68, 100),
        Fraction(6, 100),
        Fraction(26, 100),
    ]
    assert [share.of_expressed for share in shares] == [Fraction(68, 74), Fraction(6, 74), None]
    shares, abstentions, expressed = rules.count_question(
        QuestionKind.CHOICE, [5, 20, 10], 30, blank=True
    )
    assert (abstentions, expressed) == (5, 25)
    assert [share.votes for share in shares] == [20, 10]
    assert shares[0].of_expressed == Fraction(20, 25)


def test_no_ballots_no_percentages():
    shares, abstentions, expressed = rules.count_question(
        QuestionKind.RESOLUTION, [0, 0, 0], 0, blank=False
    )
    assert (abstentions, expressed, shares[0].of_ballots, shares[0].of_expressed) == (0, 0, 0, None)


GOOD = QuestionSpec(key="a", texts={"fr": "Texte"}, answers=[{"fr": "Un"}, {"fr": "Deux"}])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"texts": {}}, "text_missing"),
        ({"texts": {"fr": "Oui / Non"}}, "separator_in_text"),
        ({"texts": {"fr": "x" * 2001}}, "text_too_long"),
        ({"texts": {"fr": "a\x00b"}}, "text_not_plain"),
        ({"texts": {"fr": "a\ud800"}}, "text_not_plain"),
        ({"answers": []}, "answer_count"),
        ({"answers": [{"fr": "Un"}, {}]}, "text_missing"),
        ({"maximum": 3}, "choice_limits"),
        ({"minimum": 2, "maximum": 1}, "choice_limits"),
        ({"minimum": 0, "maximum": 0}, "choice_limits"),
        ({"kind": QuestionKind.RESOLUTION}, "resolution_shape"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(change, code):
    problems = rules.problems_of_questions([replace(GOOD, **change)])
    assert code in [problem.code for problem in problems]


def test_a_good_question_passes_and_twice_the_same_does_not():
    assert rules.problems_of_questions([GOOD]) == []
    assert [problem.code for problem in rules.problems_of_questions([GOOD, GOOD])] == [
        "question_twice"
    ]
    assert [problem.code for problem in rules.problems_of_questions([])] == ["question_count"]


def test_white_space_is_tidied_and_empty_languages_left_out():
    assert rules.clean_texts({"fr": " un\n  deux ", "nl": "  "}) == {"fr": "un deux"}


def test_a_resolution_is_answered_in_the_languages_of_its_text():
    question = rules.resolution_question("r", {"fr": "Texte", "nl": "Tekst", "de": ""})
    assert [dict(answer) for answer in question.answers] == [
        {"fr": "Pour", "nl": "Voor"},
        {"fr": "Contre", "nl": "Tegen"},
        {"fr": "Abstention", "nl": "Onthouding"},
    ]


def test_an_election_closes_after_it_opens_and_within_three_months():
    assert rules.problems_of_schedule(NOON, NOON)[0].code == "closes_before_opening"
    assert rules.problems_of_schedule(NOON, NOON + timedelta(days=93))[0].code == "open_too_long"
    assert rules.problems_of_schedule(NOON, NOON + timedelta(days=14)) == []
