"""The days of leaving: when one may resign, when it counts, when money is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.cooperatives.rules import LeavingRules
from govern.leaving.rules.calendar import (
    BadSchedule,
    InstalmentProblem,
    Period,
    ResignationObstacle,
    add_months,
    financial_year,
    founder_free_from,
    plan_instalments,
    plan_resignation,
    repay_by,
    resignation_window,
)

RULES = LeavingRules()
DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


def test_a_resignation_in_the_first_half_takes_effect_at_its_end() -> None:
    plan = plan_resignation(RULES, date(2018, 3, 10))
    assert plan.obstacle is None
    assert not plan.is_kept
    assert plan.effective_on == date(2018, 6, 30)
    assert plan.repay_by == date(2021, 6, 30)


def test_the_last_day_of_the_period_still_counts_and_the_next_one_does_not() -> None:
    assert plan_resignation(RULES, date(2018, 6, 30)).obstacle is None
    late = plan_resignation(RULES, date(2018, 7, 1))
    assert late.obstacle is ResignationObstacle.OUTSIDE_WINDOW
    assert late.window == Period(date(2019, 1, 1), date(2019, 6, 30))


def test_a_rule_set_may_keep_a_late_request_for_the_next_period() -> None:
    plan = plan_resignation(replace(RULES, outside_window="keep"), date(2018, 9, 1))
    assert plan.obstacle is None
    assert plan.is_kept
    assert (plan.counts_from, plan.effective_on) == (date(2019, 1, 1), date(2019, 6, 30))


def test_a_kept_request_that_takes_effect_at_once_does_so_on_the_first_day() -> None:
    rules = replace(RULES, outside_window="keep", effective="request")
    assert plan_resignation(rules, date(2018, 9, 1)).effective_on == date(2019, 1, 1)
    assert plan_resignation(rules, date(2018, 2, 1)).effective_on == date(2018, 2, 1)


def test_the_financial_year_may_begin_in_another_month() -> None:
    rules = replace(RULES, financial_year_starts_month=10)
    assert financial_year(rules, date(2018, 3, 1)) == Period(date(2017, 10, 1), date(2018, 9, 30))
    assert resignation_window(rules, date(2018, 3, 1)).last == date(2018, 3, 31)
    end = replace(rules, effective="year_end")
    assert plan_resignation(end, date(2018, 3, 1)).effective_on == date(2018, 9, 30)


def test_at_any_time_means_every_day_of_the_year() -> None:
    rules = replace(RULES, resignation_months=12, effective="request")
    plan = plan_resignation(rules, date(2018, 12, 31))
    assert (plan.obstacle, plan.effective_on) == (None, date(2018, 12, 31))


def test_founders_stay_until_the_second_financial_year_has_ended() -> None:
    founded = date(2017, 11, 7)
    assert founder_free_from(RULES, founded) == date(2019, 1, 1)
    early = plan_resignation(RULES, date(2018, 2, 1), founded_on=founded)
    assert early.obstacle is ResignationObstacle.FOUNDER
    assert plan_resignation(RULES, date(2019, 1, 1), founded_on=founded).obstacle is None
    assert founder_free_from(replace(RULES, founders_years=0), founded) == founded


def test_part_of_the_shares_only_where_the_rules_allow_it() -> None:
    part = plan_resignation(RULES, date(2018, 2, 1), is_part=True, held=3)
    assert part.obstacle is ResignationObstacle.PART_ONLY
    free = replace(RULES, whole_only=False)
    assert plan_resignation(free, date(2018, 2, 1), is_part=True, held=3).obstacle is None


def test_whoever_holds_nothing_has_nothing_to_give_back() -> None:
    plan = plan_resignation(RULES, date(2018, 2, 1), held=0)
    assert plan.obstacle is ResignationObstacle.NO_SHARES


def test_a_month_later_is_the_same_day_or_the_last_one() -> None:
    assert add_months(date(2018, 1, 31), 1) == date(2018, 2, 28)
    assert add_months(date(2020, 1, 31), 1) == date(2020, 2, 29)
    assert add_months(date(2018, 12, 15), 1) == date(2019, 1, 15)
    assert repay_by(RULES, date(2020, 2, 29)) == date(2023, 2, 28)


@given(DAYS, st.integers(1, 12), st.integers(1, 12), st.sampled_from(["refuse", "keep"]))
def test_whenever_it_is_given_it_counts_inside_a_period_and_not_before(
    day: date, month: int, months: int, outside: str
) -> None:
    rules = replace(
        RULES,
        financial_year_starts_month=month,
        resignation_months=months,
        outside_window=outside,
    )
    plan = plan_resignation(rules, day)
    assert day <= plan.counts_from <= plan.effective_on
    assert plan.counts_from in resignation_window(rules, plan.counts_from)
    assert plan.counts_from - day < timedelta(days=366)
    assert day in financial_year(rules, day)


@given(st.integers(1, 10**9), st.integers(1, 60))
def test_instalments_add_up_to_what_is_owed(amount: int, count: int) -> None:
    first, latest = date(2019, 1, 31), date(2030, 1, 1)
    if amount < count:
        with pytest.raises(BadSchedule):
            plan_instalments(amount, count, first, 1, earliest=first, latest=latest)
        return
    parts = plan_instalments(amount, count, first, 1, earliest=first, latest=latest)
    assert sum(part.amount_cents for part in parts) == amount
    assert max(p.amount_cents for p in parts) - min(p.amount_cents for p in parts) <= 1
    assert [p.due_on for p in parts] == sorted(p.due_on for p in parts)


def test_no_instalment_lies_after_the_last_day_of_repayment() -> None:
    with pytest.raises(BadSchedule) as late:
        plan_instalments(
            9000, 4, date(2019, 1, 1), 12, earliest=date(2018, 7, 1), latest=date(2021, 6, 30)
        )
    assert (late.value.problem, late.value.day) == (
        InstalmentProblem.TOO_LATE,
        date(2021, 6, 30),
    )
    with pytest.raises(BadSchedule):
        plan_instalments(
            9000, 1, date(2018, 1, 1), 0, earliest=date(2018, 7, 1), latest=date(2021, 6, 30)
        )
