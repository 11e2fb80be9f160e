"""What the board's tests cover, and which state may follow which."""

from __future__ import annotations

from datetime import date

import pytest

from govern.leaving.rules.board import TestFacts, TestKind, TestObstacle, coverage_of
from govern.leaving.rules.states import (
    DEPARTURE_TRANSITIONS,
    REFUND_TRANSITIONS,
    DepartureState,
    RefundState,
    departure_may,
    refund_may,
)

DAY = date(2018, 10, 1)


def made(number: int = 1, **fields: object) -> TestFacts:
    values: dict[str, object] = {
        "id": number,
        "kind": TestKind.LIQUIDITY,
        "decided_on": date(2018, 9, 1),
        "valid_until": date(2018, 12, 31),
        "passed": True,
        "up_to_cents": 10_000,
    }
    return TestFacts(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tests", "amount", "obstacle"),
    [
        ([], 1, TestObstacle.MISSING),
        ([made(kind=TestKind.NET_ASSET)], 1, TestObstacle.MISSING),
        ([made(decided_on=date(2018, 10, 2))], 1, TestObstacle.MISSING),
        ([made(passed=False)], 1, TestObstacle.FAILED),
        ([made(valid_until=date(2018, 9, 30))], 1, TestObstacle.EXPIRED),
        ([made()], 10_001, TestObstacle.EXHAUSTED),
        ([made(used_cents=4_000)], 6_001, TestObstacle.EXHAUSTED),
        ([made(used_cents=4_000)], 6_000, None),
        ([made(valid_until=DAY)], 10_000, None),
    ],
)
def test_a_payment_is_covered_by_a_passed_test_of_its_kind_date_and_sum(
    tests: list[TestFacts], amount: int, obstacle: TestObstacle | None
) -> None:
    assert coverage_of(tests, TestKind.LIQUIDITY, DAY, amount).obstacle is obstacle


def test_the_newest_test_decides_even_against_an_earlier_one() -> None:
    earlier, later = made(1), made(2, decided_on=date(2018, 9, 15), passed=False)
    coverage = coverage_of([later, earlier], TestKind.LIQUIDITY, DAY, 1)
    assert coverage.test == later
    assert coverage.obstacle is TestObstacle.FAILED
    same_day = made(3, decided_on=date(2018, 9, 15))
    assert coverage_of([later, same_day], TestKind.LIQUIDITY, DAY, 1).is_given


def test_every_state_has_its_line_in_the_tables() -> None:
    assert set(DEPARTURE_TRANSITIONS) == set(DepartureState)
    assert set(REFUND_TRANSITIONS) == set(RefundState)


def test_what_took_effect_is_not_withdrawn_and_what_was_paid_is_not_released_again() -> None:
    assert not departure_may(DepartureState.EFFECTIVE, DepartureState.WITHDRAWN)
    assert not departure_may(DepartureState.UNCONFIRMED, DepartureState.EFFECTIVE)
    assert not refund_may(RefundState.PAID, RefundState.RELEASED)
    assert not refund_may(RefundState.PAID, RefundState.POSTPONED)
    assert not refund_may(RefundState.PAID, RefundState.CANCELLED)
    assert not refund_may(RefundState.POSTPONED, RefundState.RELEASED)
    assert refund_may(RefundState.PAID, RefundState.RETURNED)
