"""The one place that knows what time it is, so that tests and rehearsals can say otherwise.

Instants are timezone-aware UTC datetimes; legal days are local calendar days of the cooperative.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present instant, in UTC, to the microsecond."""
    return datetime.now(UTC)


_clock: Clock = system_clock


def now() -> datetime:
    """The present instant (aware, UTC) according to the clock in force."""
    return _clock()


def today(time_zone: str = "Europe/Brussels") -> date:
    """The present calendar day in ``time_zone``."""
    return now().astimezone(ZoneInfo(time_zone)).date()


def use_clock(clock: Clock) -> Clock:
    """Put ``clock`` in force and return the one that it replaces."""
    global _clock
    previous, _clock = _clock, clock
    return previous
