"""Numbers of shares: one way to write them, and who held which without a break."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.register.rules.numbers import (
    Move,
    Ranges,
    common,
    count,
    format_numbers,
    join,
    lowest,
    numbers_on,
    parse_numbers,
    read_numbers,
    unbroken_since,
    without,
)
from tests.register.conftest import PATIENT

FIRST = date(2018, 1, 1)
SETS = st.sets(st.integers(1, 30))


def ranges(numbers: set[int]) -> Ranges:
    """The ranges of a set, the slow way."""
    made = [(number, number) for number in sorted(numbers)]
    return join(tuple(made[:1]), tuple(made[1:])) if made else ()


def members_of(ranges_: Ranges) -> set[int]:
    return {number for first, last in ranges_ for number in range(first, last + 1)}


@PATIENT
@given(SETS, SETS)
def test_ranges_behave_as_the_sets_that_they_are(one: set[int], other: set[int]) -> None:
    a, b = ranges(one), ranges(other)
    assert members_of(a) == one
    assert members_of(join(a, b)) == one | other
    assert members_of(common(a, b)) == one & other
    assert members_of(without(a, b)) == one - other
    assert count(a) == len(one)
    for result in (join(a, b), common(a, b), without(a, b)):
        assert result == ranges(members_of(result))


@PATIENT
@given(SETS)
def test_there_is_one_way_to_write_numbers(numbers: set[int]) -> None:
    text = format_numbers(ranges(numbers))
    assert parse_numbers(text) == ranges(numbers)
    if numbers:
        spoken = " ; ".join(str(number) for number in sorted(numbers, reverse=True))
        assert format_numbers(read_numbers(spoken)) == text


@pytest.mark.parametrize(
    "text", ["2-1", "1,2", "1-2,3", "0", "01", "1-1", "3,1", "1;2", "1 ", "-3", "a", "1--2", "٣"]
)
def test_any_other_writing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not |runs backwards"):
        parse_numbers(text)


@pytest.mark.parametrize("text", ["", "3-1", "a", "1-", "0", "-5", "9" * 17])
def test_what_people_write_wrongly_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not numbers|runs backwards"):
        read_numbers(text)


def test_people_may_write_dashes_blanks_and_any_order() -> None:
    assert format_numbers(read_numbers(" 9, 4 – 6;7 ")) == "4-7,9"


def test_the_lowest_numbers_go_first() -> None:
    assert lowest(((2, 4), (7, 9)), 4) == ((2, 4), (7, 7))
    with pytest.raises(ValueError, match="1 numbers are missing"):
        lowest(((1, 2),), 3)


@st.composite
def moves(draw: st.DrawFn) -> list[Move]:
    """Each number comes on a day, may go on a later one, and may come back."""
    made: list[tuple[date, int, Move]] = []
    for number in range(1, 7):
        day = FIRST
        for turn in range(draw(st.integers(0, 4))):
            day += timedelta(days=draw(st.integers(0, 4)))
            made.append((day, turn, Move(day, turn % 2 == 0, ((number, number),))))
    return [move for _day, _turn, move in sorted(made, key=lambda item: item[:2])]


@PATIENT
@given(moves(), st.integers(0, 20))
def test_unbroken_means_held_at_the_end_of_every_day_since(history: list[Move], after: int) -> None:
    day = FIRST + timedelta(days=after)
    later = {move.effective_on for move in history if move.effective_on > day}
    naive = set.intersection(
        *(members_of(numbers_on(history, moment)) for moment in sorted({day, *later}))
    )
    assert members_of(unbroken_since(history, day)) == naive


def test_numbers_that_went_before_they_came_are_owed() -> None:
    history = [Move(FIRST, False, ((1, 1),)), Move(FIRST + timedelta(days=3), True, ((1, 2),))]
    assert numbers_on(history, FIRST) == ()
    assert numbers_on(history) == ((2, 2),)
