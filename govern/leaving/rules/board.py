"""What the board's net-asset and liquidity tests allow to be paid. Source: domain notes; Belgian
companies code, art. 6:115 and 6:116, to be confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class TestKind(StrEnum):
    """Net assets stay positive after the payment; debts can be paid for a year after it."""

    __test__ = False  # not a test of pytest's

    NET_ASSET = "net_asset"
    LIQUIDITY = "liquidity"


class TestObstacle(StrEnum):
    """Why a test does not cover a payment."""

    __test__ = False

    MISSING = "missing"
    FAILED = "failed"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class TestFacts:
    """One recorded test. ``used_cents``: what was released under it and not taken back."""

    __test__ = False

    id: int
    kind: TestKind
    decided_on: date
    valid_until: date
    passed: bool
    up_to_cents: int
    used_cents: int = 0

    @property
    def room_cents(self) -> int:
        return max(0, self.up_to_cents - self.used_cents)


@dataclass(frozen=True)
class Coverage:
    """Whether a test of ``kind`` covers a payment: ``test`` is the one that decides."""

    kind: TestKind
    test: TestFacts | None
    obstacle: TestObstacle | None

    @property
    def is_given(self) -> bool:
        return self.obstacle is None


def coverage_of(
    tests: Iterable[TestFacts], kind: TestKind, day: date, amount_cents: int
) -> Coverage:
    """Whether paying ``amount_cents`` on ``day`` is covered by a test of ``kind``.

    The newest test decides, whatever an earlier one allowed: a failed one ends all before it.
    """
    known = [test for test in tests if test.kind is kind and test.decided_on <= day]
    if not known:
        return Coverage(kind, None, TestObstacle.MISSING)
    test = max(known, key=lambda item: (item.decided_on, item.id))
    obstacle = None
    if not test.passed:
        obstacle = TestObstacle.FAILED
    elif day > test.valid_until:
        obstacle = TestObstacle.EXPIRED
    elif amount_cents > test.room_cents:
        obstacle = TestObstacle.EXHAUSTED
    return Coverage(kind, test, obstacle)
