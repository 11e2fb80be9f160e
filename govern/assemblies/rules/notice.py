"""When a notice must leave: whole local calendar days before the day of the assembly.

A legal day is a calendar day of the cooperative's time zone, whatever the hour: a notice that
leaves at 23:59 counts for that day, and a day on which the clocks change is one day. The day on
which the notice leaves is never counted; whether the day of the assembly is depends on how the
statutes count (``DayCount``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class DayCount(StrEnum):
    """``calendar``: the day of the assembly is counted. ``clear``: only the days in between."""

    CALENDAR = "calendar"
    CLEAR = "clear"


@dataclass(frozen=True)
class NoticeCheck:
    """A notice held against the number of days that the rules want. Days are local."""

    leaves_on: date
    assembly_on: date
    days_given: int
    days_required: int
    latest_day: date

    @property
    def is_in_time(self) -> bool:
        return self.days_given >= self.days_required

    @property
    def days_missing(self) -> int:
        return max(0, self.days_required - self.days_given)


def local_day(instant: datetime, time_zone: str) -> date:
    """The calendar day of ``instant`` (aware) in ``time_zone``."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(ZoneInfo(time_zone)).date()


def local_instant(day: date, clock_time: time, time_zone: str) -> datetime:
    """The instant (UTC) at which the clocks of ``time_zone`` show that time on that day.

    ValueError for a time that the clocks skip; of one that they show twice, the first.
    """
    zone = ZoneInfo(time_zone)
    instant = datetime.combine(day, clock_time, zone).astimezone(UTC)
    if instant.astimezone(zone).time() != clock_time:
        raise ValueError(f"on {day} the clocks of {time_zone} skip {clock_time}")
    return instant


def end_of_day(day: date, time_zone: str) -> datetime:
    """The instant (UTC) at which ``day`` is over in ``time_zone``: the next local midnight."""
    following = datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(time_zone))
    return following.astimezone(UTC)


def notice_days_given(leaves_on: date, assembly_on: date, count: DayCount) -> int:
    """How many legal days lie between a notice and its assembly; never negative."""
    days = (assembly_on - leaves_on).days
    return max(0, days - 1 if count is DayCount.CLEAR else days)


def latest_notice_day(assembly_on: date, days_required: int, count: DayCount) -> date:
    """The last calendar day on which a notice may leave."""
    extra = 1 if count is DayCount.CLEAR else 0
    return assembly_on - timedelta(days=days_required + extra)


def check_notice(
    leaves_at: datetime,
    starts_at: datetime,
    time_zone: str,
    days_required: int,
    count: DayCount = DayCount.CALENDAR,
) -> NoticeCheck:
    """Hold a notice leaving at ``leaves_at`` against an assembly at ``starts_at`` (both aware)."""
    leaves_on = local_day(leaves_at, time_zone)
    assembly_on = local_day(starts_at, time_zone)
    return NoticeCheck(
        leaves_on=leaves_on,
        assembly_on=assembly_on,
        days_given=notice_days_given(leaves_on, assembly_on, count),
        days_required=days_required,
        latest_day=latest_notice_day(assembly_on, days_required, count),
    )
