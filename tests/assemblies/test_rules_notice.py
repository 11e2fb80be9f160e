"""Legal days before an assembly: local calendar days, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.assemblies import rules
from govern.assemblies.rules import DayCount

BRUSSELS = "Europe/Brussels"


def at(year, month, day, hour=12, minute=0, zone=BRUSSELS):
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def check(leaves, starts, days=15, count=DayCount.CALENDAR):
    return rules.check_notice(leaves, starts, BRUSSELS, days, count)


def test_a_notice_of_4_june_is_fifteen_days_before_19_june():
    outcome = check(at(2018, 6, 4), at(2018, 6, 19, 17))
    assert (outcome.days_given, outcome.is_in_time) == (15, True)


def test_a_notice_of_5_june_is_one_day_late():
    outcome = check(at(2018, 6, 5, 0, 1), at(2018, 6, 19, 17))
    assert (outcome.is_in_time, outcome.days_missing) == (False, 1)
    assert outcome.latest_day == date(2018, 6, 4)


def test_the_hour_does_not_matter():
    assert check(at(2018, 6, 4, 23, 59), at(2018, 6, 19, 8)).days_given == 15


def test_the_day_is_that_of_the_cooperative_and_not_of_greenwich():
    just_after_midnight_in_brussels = datetime(2018, 6, 4, 22, 30, tzinfo=UTC)
    assert check(just_after_midnight_in_brussels, at(2018, 6, 19)).days_given == 14


def test_clear_days_count_neither_the_sending_nor_the_assembly():
    assert check(at(2018, 6, 4), at(2018, 6, 19), count=DayCount.CLEAR).days_given == 14
    assert check(at(2018, 6, 3), at(2018, 6, 19), count=DayCount.CLEAR).is_in_time


def test_the_night_when_clocks_go_forward_is_one_day():
    # 25 March 2018 had 23 hours in Brussels.
    assert check(at(2018, 3, 24, 23), at(2018, 3, 26, 1)).days_given == 2


def test_the_night_when_clocks_go_back_is_one_day():
    # 28 October 2018 had 25 hours.
    assert check(at(2018, 10, 27, 1), at(2018, 10, 29, 1)).days_given == 2


def test_the_end_of_a_day_follows_the_clocks():
    assert rules.end_of_day(date(2018, 3, 24), BRUSSELS) == datetime(2018, 3, 24, 23, tzinfo=UTC)
    assert rules.end_of_day(date(2018, 3, 25), BRUSSELS) == datetime(2018, 3, 25, 22, tzinfo=UTC)
    assert rules.end_of_day(date(2018, 10, 28), BRUSSELS) == datetime(2018, 10, 28, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("assembly", "latest"),
    [
        (date(2020, 3, 10), date(2020, 2, 24)),  # leap year
        (date(2019, 3, 10), date(2019, 2, 23)),
        (date(2019, 1, 5), date(2018, 12, 21)),
        (date(2018, 7, 1), date(2018, 6, 16)),
    ],
)
def test_the_latest_day_crosses_the_ends_of_months_and_years(assembly, latest):
    assert rules.latest_notice_day(assembly, 15, DayCount.CALENDAR) == latest


def test_a_notice_after_the_assembly_gives_no_days():
    assert check(at(2018, 6, 20), at(2018, 6, 19)).days_given == 0


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        rules.local_day(datetime(2018, 6, 4), BRUSSELS)  # noqa: DTZ001


instants = st.datetimes(
    datetime(2015, 1, 1),  # noqa: DTZ001
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
zones = st.sampled_from([BRUSSELS, "Europe/Paris", "America/Cayenne", "Indian/Reunion"])


@given(instants, zones, st.integers(0, 60), st.sampled_from(DayCount))
def test_until_the_end_of_the_latest_day_a_notice_is_in_time_and_then_never(
    starts, zone, days, count
):
    latest = rules.latest_notice_day(rules.local_day(starts, zone), days, count)
    last_moment = rules.end_of_day(latest, zone) - timedelta(microseconds=1)
    assert rules.check_notice(last_moment, starts, zone, days, count).days_missing == 0
    too_late = last_moment + timedelta(microseconds=1)
    late = rules.check_notice(too_late, starts, zone, days, count)
    assert not late.is_in_time or days == 0
