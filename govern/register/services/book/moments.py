"""The two times of the book: the day on which entries count, and how much of it was written.

What was known at a moment is a beginning of the chain: every entry up to the last one recorded by
then. That beginning has a number and a hash, and both stand on every extract.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput
from govern.i18n import day as in_words
from govern.register.models import RegisterHead, ShareEntry
from govern.register.rules import chain

Value = TypeVar("Value")


@dataclass(frozen=True)
class BookMoment:
    """The book at the end of the day ``on``, as it was written at ``known_at``.

    ``sequence`` and ``hash`` are those of the newest entry known then; ``is_present`` is true
    where that was the newest entry of all, so that names and categories are the present ones.
    """

    cooperative_id: int
    on: date
    known_at: datetime
    sequence: int
    hash: str
    is_present: bool

    def entries(self) -> list[Any]:
        """The conditions of the entries that count, however many are written meanwhile."""
        return [ShareEntry.cooperative_id == self.cooperative_id, *self.entries_of_members()]

    def entries_of_members(self) -> list[Any]:
        """The same conditions where memberships of the cooperative are given.

        Without the cooperative: SQLite would look for the entries of each membership among all
        entries of the cooperative.
        """
        return [ShareEntry.effective_on <= self.on, self.written()]

    def written(self) -> Any:
        """The condition of the entries that had been written by then, whatever their day."""
        return ShareEntry.sequence <= self.sequence


class Kept(Generic[Value]):
    """Values that follow from a moment, kept by this process for the next page of the same.

    The beginning of a chain never changes: what was added up once is right for ever.
    """

    def __init__(self, work_out: Callable[[Session, BookMoment], Value], most: int = 64) -> None:
        self._work_out = work_out
        self._most = most
        self._values: OrderedDict[tuple[int, date, int, str], Value] = OrderedDict()

    def of(self, session: Session, moment: BookMoment) -> Value:
        key = (moment.cooperative_id, moment.on, moment.sequence, moment.hash)
        if key not in self._values:
            self._values[key] = self._work_out(session, moment)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return self._values[key]


def book_at(
    session: Session,
    cooperative: Cooperative,
    on: date | None = None,
    known_at: datetime | None = None,
    sequence: int | None = None,
) -> BookMoment:
    """The book at the end of ``on`` (None: today) as known at ``known_at`` (None: now).

    With a ``sequence`` the newest entry known is that one: what somebody was about to write at
    ``known_at`` stays out. Raises InvalidInput for a day, a moment or an entry that lies ahead.
    """
    now, today = clock.now(), clock.today(cooperative.time_zone)
    if on is not None and on > today:
        raise InvalidInput(
            _("%(day)s lies ahead.", day=in_words(on)),
            remedy=_("The book can be shown for today and for every day before."),
            field="on",
        )
    if known_at is not None and known_at > now:
        raise InvalidInput(
            _("The book cannot be shown as it will be known later."),
            remedy=_("Leave the moment empty for what is known now."),
            field="known_at",
        )
    head = session.get(RegisterHead, cooperative.id)
    newest = (head.sequence, head.hash) if head is not None else (0, chain.BEGINNING)
    found = newest
    if known_at is not None:
        if sequence is not None and not 0 <= sequence <= newest[0]:
            raise _not_written(sequence)
        row = session.execute(
            select(ShareEntry.sequence, ShareEntry.hash)
            .where(
                ShareEntry.cooperative_id == cooperative.id,
                ShareEntry.recorded_at <= known_at,
                *([] if sequence is None else [ShareEntry.sequence <= sequence]),
            )
            .order_by(ShareEntry.sequence.desc())
            .limit(1)
        ).one_or_none()
        found = (row[0], row[1]) if row is not None else (0, chain.BEGINNING)
        if sequence is not None and found[0] != sequence:
            raise _not_written(sequence)
    return BookMoment(
        cooperative_id=cooperative.id,
        on=on or today,
        known_at=known_at or now,
        sequence=found[0],
        hash=found[1],
        is_present=known_at is None,
    )


def _not_written(sequence: int) -> InvalidInput:
    return InvalidInput(
        _("Entry %(number)s had not been written by then.", number=str(sequence)[:20]),
        remedy=_("Open the list of the volumes again from the page of the book."),
        field="entry",
    )


def end_of(cooperative: Cooperative, day: date) -> datetime:
    """The last moment of ``day`` where the cooperative is."""
    zone = ZoneInfo(cooperative.time_zone)
    following = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return following.astimezone(UTC) - timedelta(microseconds=1)
