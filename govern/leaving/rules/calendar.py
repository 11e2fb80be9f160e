"""The days of leaving: financial years, when one may resign, when it counts, when money is due.

All days are calendar days where the cooperative is. An ending "on" a day means that at the end of
that day the member is no longer on a roll, as with ``Membership.ended_on``.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from govern.cooperatives.rules import LeavingRules

ANY_TIME = 12
"""So many months of the financial year are all of them."""


class ResignationObstacle(StrEnum):
    """Why a resignation cannot be given now."""

    OUTSIDE_WINDOW = "outside_window"
    FOUNDER = "founder"
    PART_ONLY = "part_only"
    NO_SHARES = "no_shares"
    PART_GONE = "part_gone"  # the part that was asked for is all that is left


@dataclass(frozen=True)
class Period:
    """Calendar days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class ResignationPlan:
    """What becomes of a resignation given on ``requested_on``.

    ``counts_from``: the day as of which it counts as given (later than ``requested_on`` where it is
    kept for the next period). ``effective_on``: at the end of that day the member is on no roll.
    ``repay_by``: the last day on which the value is to be paid back. ``obstacle`` is set where the
    rules refuse it; the days then say when it would count if given in the next period.
    """

    requested_on: date
    counts_from: date
    effective_on: date
    repay_by: date
    window: Period
    obstacle: ResignationObstacle | None = None

    @property
    def is_kept(self) -> bool:
        return self.counts_from > self.requested_on


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later, or the last one where there is none."""
    place = day.year * 12 + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def financial_year(rules: LeavingRules, day: date) -> Period:
    """The financial year that ``day`` lies in."""
    first = date(day.year, rules.financial_year_starts_month, 1)
    if first > day:
        first = add_months(first, -12)
    return Period(first, add_months(first, 12) - timedelta(days=1))


def resignation_window(rules: LeavingRules, day: date) -> Period:
    """When one may resign in the financial year of ``day``: its first months."""
    year = financial_year(rules, day)
    if rules.resignation_months >= ANY_TIME:
        return year
    return Period(year.first, add_months(year.first, rules.resignation_months) - timedelta(days=1))


def next_window(rules: LeavingRules, day: date) -> Period:
    """The period in which ``day`` lies, or the one that begins after it."""
    window = resignation_window(rules, day)
    if day <= window.last:
        return window
    return resignation_window(rules, financial_year(rules, day).last + timedelta(days=1))


def founder_free_from(rules: LeavingRules, founded_on: date) -> date:
    """The first day on which somebody who joined at the foundation may resign."""
    if rules.founders_years <= 0:
        return founded_on
    first_year = financial_year(rules, founded_on)
    return add_months(first_year.first, 12 * rules.founders_years)


def repay_by(rules: LeavingRules, effective_on: date) -> date:
    """The last day on which what is owed since ``effective_on`` may be paid back."""
    return add_months(effective_on, 12 * rules.repayment_years)


def plan_resignation(
    rules: LeavingRules,
    requested_on: date,
    *,
    founded_on: date | None = None,
    is_part: bool = False,
    held: int = 1,
) -> ResignationPlan:
    """What becomes of a resignation of somebody who holds ``held`` shares.

    ``founded_on``: the day on which a founder joined, None for everybody else. ``is_part``: fewer
    shares than are held.
    """
    may_from = requested_on
    if founded_on is not None:
        may_from = max(may_from, founder_free_from(rules, founded_on))
    window = next_window(rules, may_from)
    counts_from = max(may_from, window.first)
    if rules.effective == "request":
        effective_on = counts_from
    elif rules.effective == "year_end":
        effective_on = financial_year(rules, counts_from).last
    else:
        effective_on = window.last
    obstacle = None
    if held < 1:
        obstacle = ResignationObstacle.NO_SHARES
    elif is_part and rules.whole_only:
        obstacle = ResignationObstacle.PART_ONLY
    elif rules.outside_window == "refuse":
        if may_from > requested_on:
            obstacle = ResignationObstacle.FOUNDER
        elif counts_from > requested_on:
            obstacle = ResignationObstacle.OUTSIDE_WINDOW
    return ResignationPlan(
        requested_on, counts_from, effective_on, repay_by(rules, effective_on), window, obstacle
    )


@dataclass(frozen=True)
class Instalment:
    """One part of what is owed, and the day on which it is due."""

    amount_cents: int
    due_on: date


class InstalmentProblem(StrEnum):
    """Why a schedule cannot be."""

    COUNT = "count"
    TOO_SMALL = "too_small"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


class BadSchedule(ValueError):
    """A schedule that the rules do not allow; ``day`` is the limit where there is one."""

    def __init__(self, problem: InstalmentProblem, day: date | None = None) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.day = day


MAX_INSTALMENTS = 60


def plan_instalments(
    amount_cents: int,
    count: int,
    first_due_on: date,
    months_between: int,
    *,
    earliest: date,
    latest: date,
) -> list[Instalment]:
    """Split ``amount_cents`` into ``count`` parts as equal as cents allow, the larger ones first.

    Raises BadSchedule when a part would be nothing, or lie outside ``earliest`` to ``latest``.
    """
    if not 1 <= count <= MAX_INSTALMENTS or (count > 1 and months_between < 1):
        raise BadSchedule(InstalmentProblem.COUNT)
    if amount_cents < count:
        raise BadSchedule(InstalmentProblem.TOO_SMALL)
    if first_due_on < earliest:
        raise BadSchedule(InstalmentProblem.TOO_EARLY, earliest)
    each, over = divmod(amount_cents, count)
    parts = [
        Instalment(each + (number < over), add_months(first_due_on, number * months_between))
        for number in range(count)
    ]
    if parts[-1].due_on > latest:
        raise BadSchedule(InstalmentProblem.TOO_LATE, latest)
    return parts
