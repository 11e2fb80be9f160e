"""What decides who is on a roll, its digest and its totals, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.register.rules.roll import (
    MemberFacts,
    Obstacle,
    RollLine,
    canonical_lines,
    digest_of,
    obstacles_on,
    standing_on,
    totals_of,
)
from tests.register.conftest import PATIENT, RECORD_DATE

ON = MemberFacts(date(2018, 1, 1), None, 1, 1, "A")


@pytest.mark.parametrize(
    ("facts", "obstacles"),
    [
        (ON, ()),
        (MemberFacts(RECORD_DATE, None, 1, 1, "A"), ()),
        (MemberFacts(date(2018, 4, 2), None, 1, 1, "A"), (Obstacle.JOINED_LATER,)),
        (MemberFacts(date(2018, 1, 1), date(2018, 4, 2), 1, 1, "A"), ()),
        (MemberFacts(date(2018, 1, 1), RECORD_DATE, 1, 1, "A"), (Obstacle.ENDED,)),
        (MemberFacts(date(2018, 1, 1), None, 0, 0, "A"), (Obstacle.NO_SHARE,)),
        (MemberFacts(date(2018, 1, 1), None, 2, 0, "A"), (Obstacle.NO_PAID_SHARE,)),
        (MemberFacts(date(2018, 1, 1), None, 2, 2, None), (Obstacle.NO_CATEGORY,)),
        (
            MemberFacts(date(2018, 5, 1), date(2018, 3, 1), 0, 0, None),
            (Obstacle.JOINED_LATER, Obstacle.ENDED, Obstacle.NO_SHARE),
        ),
    ],
)
def test_a_roll_shows_the_end_of_the_record_date(
    facts: MemberFacts, obstacles: tuple[Obstacle, ...]
) -> None:
    assert obstacles_on(facts, RECORD_DATE) == obstacles


def test_who_is_missing_without_a_reason_was_recorded_later() -> None:
    until = datetime(2018, 5, 1, tzinfo=UTC)
    standing = standing_on(
        is_listed=False,
        was_removed=False,
        facts=ON,
        record_date=RECORD_DATE,
        objections_until=until,
    )
    assert standing.obstacles == (Obstacle.RECORDED_LATER,)
    assert standing.objections_until == until


LINES = st.lists(
    st.builds(
        RollLine,
        member_number=st.text(min_size=1, max_size=8),
        name=st.text(max_size=20),
        kind=st.sampled_from(["natural", "legal"]),
        category=st.sampled_from("ABC"),
        shares_issued=st.integers(1, 50),
        shares_paid=st.integers(1, 50),
    ),
    max_size=12,
    unique_by=lambda line: line.member_number,
)


@PATIENT
@given(LINES, st.randoms(use_true_random=False))
def test_the_digest_depends_on_the_data_alone(lines: list[RollLine], chance: Any) -> None:
    digest = digest_of(canonical_lines("smartcoop", RECORD_DATE, lines))
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert digest_of(canonical_lines("smartcoop", RECORD_DATE, shuffled)) == digest
    assert digest_of(canonical_lines("other", RECORD_DATE, lines)) != digest
    if lines:
        assert digest_of(canonical_lines("smartcoop", RECORD_DATE, lines[1:])) != digest


@PATIENT
@given(LINES)
def test_totals_add_up_in_every_direction(lines: list[RollLine]) -> None:
    totals = totals_of(lines)
    for name in ("heads", "shares_issued", "shares_paid"):
        assert totals[name] == sum(part[name] for part in totals["by_category"].values())
        assert totals[name] == sum(part[name] for part in totals["by_kind"].values())
    assert totals["heads"] == len(lines)


def test_the_canonical_bytes_are_those_of_the_documentation() -> None:
    lines = [
        RollLine("53", "Atelier CV", "legal", "B", 1, 1),
        RollLine("1042", "Zoé Vermeulen", "natural", "A", 3, 2),
    ]
    written = b"".join(canonical_lines("smartcoop", date(2018, 6, 4), lines)).decode()
    assert written == (
        '{"cooperative":"smartcoop","format":"govern-roll/1","record_date":"2018-06-04"}\n'
        '{"category":"A","kind":"natural","member_number":"1042","name":"Zoé Vermeulen",'
        '"shares_issued":3,"shares_paid":2}\n'
        '{"category":"B","kind":"legal","member_number":"53","name":"Atelier CV",'
        '"shares_issued":1,"shares_paid":1}\n'
    )
