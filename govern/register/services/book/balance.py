"""The report of a financial year to the assembly: who joined and left, what became of the shares.

Every movement is counted on the day on which it takes effect; an entry that takes another back
counts against the same heading. Nothing here is kept: the same year gives the same report as long
as the same entries are known.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.errors import InvalidInput
from govern.register.models import (
    EntryKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    ShareEntry,
)
from govern.register.services.book.moments import BookMoment, book_at

HEADINGS = ("subscribed", "received", "given", "converted", "refunded")
"""What moves shares within a year, in the order in which it is shown."""

_HEADING_OF = {
    EntryKind.SUBSCRIPTION.value: "subscribed",
    EntryKind.TRANSFER_IN.value: "received",
    EntryKind.TRANSFER_OUT.value: "given",
    EntryKind.REFUND.value: "refunded",
    "conversion_in": "converted",
    "conversion_out": "converted",
}


@dataclass(frozen=True)
class FinancialYear:
    """From ``first`` to ``last``, both included. ``name``: "2018", or "2017/2018"."""

    first: date
    last: date

    @property
    def name(self) -> str:
        if self.first.year == self.last.year:
            return str(self.first.year)
        return f"{self.first.year}/{self.last.year}"

    @property
    def key(self) -> str:
        """How an address names it: the year in which it begins."""
        return str(self.first.year)


@dataclass
class Movement:
    """Shares and paid-in capital (cents) of one class or category over a year.

    ``moved`` holds shares per heading; ``paid_cents`` what was paid in, ``repaid_cents`` what went
    back. ``other`` is what changed otherwise: members who changed their category.
    """

    opening: int = 0
    opening_cents: int = 0
    moved: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HEADINGS, 0))
    paid_cents: int = 0
    repaid_cents: int = 0
    closing: int = 0
    closing_cents: int = 0

    @property
    def other(self) -> int:
        return self.closing - self.opening - sum(self.moved.values())


@dataclass
class People:
    """Members at the beginning, those who joined, those who left by reason, members at the end."""

    opening: int = 0
    joined: int = 0
    left: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    closing: int = 0

    @property
    def left_in_all(self) -> int:
        return sum(self.left.values())

    @property
    def other(self) -> int:
        """Members who came from or went to another category."""
        return self.closing - self.opening - self.joined + self.left_in_all


@dataclass(frozen=True)
class Balance:
    """The report of one year. ``per_class`` is by (class, nominal value in cents)."""

    year: FinancialYear
    moment: BookMoment
    per_class: dict[tuple[str, int], Movement]
    per_category: dict[str, Movement]
    people: People
    people_per_category: dict[str, People]


def year_of(session: Session, cooperative: Cooperative, day: date) -> FinancialYear:
    """The financial year that ``day`` lies in, by the rule set of today."""
    _row, rules = rules_on(session, cooperative.id, clock.today(cooperative.time_zone))
    month = rules.leaving.financial_year_starts_month
    first = date(day.year if day.month >= month else day.year - 1, month, 1)
    return _year_from(first)


def _year_from(first: date) -> FinancialYear:
    before = 12 if first.month == 1 else first.month - 1
    year = first.year if before == 12 else first.year + 1
    return FinancialYear(first, date(year, before, monthrange(year, before)[1]))


def financial_years(session: Session, cooperative: Cooperative) -> list[FinancialYear]:
    """Every year from that of the first admission to the present one, newest first."""
    today = clock.today(cooperative.time_zone)
    first = session.scalar(
        select(func.min(Membership.joined_on)).where(Membership.cooperative_id == cooperative.id)
    )
    year = year_of(session, cooperative, today)
    years = [year]
    while first is not None and years[-1].first > first and len(years) < 300:
        years.append(year_of(session, cooperative, years[-1].first - timedelta(days=1)))
    return years


def financial_year(session: Session, cooperative: Cooperative, key: str) -> FinancialYear:
    """The year that an address names ("2018": the one that begins in 2018); "" for the present.

    Raises InvalidInput for anything else, or for a year that has not begun.
    """
    today = clock.today(cooperative.time_zone)
    present = year_of(session, cooperative, today)
    if not key:
        return present
    if key.isdecimal() and len(key) == 4 and 1850 <= int(key) <= present.first.year:
        return year_of(session, cooperative, date(int(key), present.first.month, 1))
    raise InvalidInput(
        _("“%(key)s” is not a financial year of this register.", key=key[:20]),
        remedy=_("Choose one from the list."),
        field="year",
    )


def balance_of(session: Session, cooperative: Cooperative, year: FinancialYear) -> Balance:
    """The report of ``year`` with everything that is known now; a year under way up to today."""
    today = clock.today(cooperative.time_zone)
    last = min(year.last, today)
    moment = book_at(session, cooperative, last)
    before = year.first - timedelta(days=1)
    per_class: dict[tuple[str, int], Movement] = defaultdict(Movement)
    per_category: dict[str, Movement] = defaultdict(Movement)
    _standings(session, moment, before, last, per_class)
    _standings_per_category(session, moment, before, last, per_category)
    _movements(session, moment, year.first, last, per_class, per_category)
    people, by_category = _people(session, cooperative.id, year.first, last)
    return Balance(
        year,
        moment,
        dict(sorted(per_class.items())),
        dict(sorted(per_category.items())),
        people,
        dict(sorted(by_category.items())),
    )


def _standings(
    session: Session,
    moment: BookMoment,
    before: date,
    last: date,
    per_class: dict[tuple[str, int], Movement],
) -> None:
    early = ShareEntry.effective_on <= before
    rows = session.execute(
        select(
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            func.sum(case((early, ShareEntry.shares), else_=0)),
            func.sum(case((early, ShareEntry.amount_cents), else_=0)),
            func.sum(ShareEntry.shares),
            func.sum(ShareEntry.amount_cents),
        )
        .where(*moment.entries())
        .group_by(ShareEntry.share_class, ShareEntry.nominal_cents)
    )
    for share_class, nominal, *values in rows:
        _put_standing(per_class[(share_class, nominal)], values)


def _put_standing(movement: Movement, values: list[Any]) -> None:
    opening, opening_cents, closing, closing_cents = (int(value or 0) for value in values)
    movement.opening += opening
    movement.opening_cents += opening_cents
    movement.closing += closing
    movement.closing_cents += closing_cents


def _standings_per_category(
    session: Session,
    moment: BookMoment,
    before: date,
    last: date,
    per_category: dict[str, Movement],
) -> None:
    """What members of each category held: by the category of that day."""
    for day, is_closing in ((before, False), (last, True)):
        held = (
            select(
                ShareEntry.membership_id,
                func.sum(ShareEntry.shares).label("shares"),
                func.sum(ShareEntry.amount_cents).label("cents"),
            )
            .where(*moment.entries(), ShareEntry.effective_on <= day)
            .group_by(ShareEntry.membership_id)
            .subquery()
        )
        rows = session.execute(
            select(MembershipCategory.code, func.sum(held.c.shares), func.sum(held.c.cents))
            .select_from(held)
            .outerjoin(
                MembershipCategory,
                and_(
                    MembershipCategory.membership_id == held.c.membership_id,
                    *_covers(MembershipCategory, day),
                ),
            )
            .group_by(MembershipCategory.code)
        )
        for code, shares, cents in rows:
            values = [0, 0, shares, cents] if is_closing else [shares, cents, 0, 0]
            _put_standing(per_category[code or ""], values)


def _covers(model: Any, day: Any) -> tuple[Any, Any]:
    return model.starts_on <= day, or_(model.ends_on.is_(None), model.ends_on > day)


def _movements(
    session: Session,
    moment: BookMoment,
    first: date,
    last: date,
    per_class: dict[tuple[str, int], Movement],
    per_category: dict[str, Movement],
) -> None:
    """Everything that counted within the year, by class and by the category of the day."""
    rows = session.execute(
        select(
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            MembershipCategory.code,
            ShareEntry.kind,
            func.sum(ShareEntry.shares),
            func.sum(ShareEntry.amount_cents),
        )
        .outerjoin(
            MembershipCategory,
            and_(
                MembershipCategory.membership_id == ShareEntry.membership_id,
                *_covers(MembershipCategory, ShareEntry.effective_on),
            ),
        )
        .where(*moment.entries(), ShareEntry.effective_on >= first)
        .group_by(
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            MembershipCategory.code,
            ShareEntry.kind,
        )
    )
    for share_class, nominal, code, kind, shares, cents in rows:
        for movement in (per_class[(share_class, nominal)], per_category[code or ""]):
            heading = _HEADING_OF.get(kind)
            if heading is not None:
                movement.moved[heading] += int(shares)
            if kind == EntryKind.PAYMENT.value:
                movement.paid_cents += int(cents)
            elif kind == EntryKind.REFUND.value:
                movement.repaid_cents -= int(cents)


# -- people -----------------------------------------------------------------------------------


def _people(
    session: Session, cooperative_id: int, first: date, last: date
) -> tuple[People, dict[str, People]]:
    whole = People()
    by_category: dict[str, People] = defaultdict(People)

    def members(day: Any, *conditions: Any) -> Any:
        return session.execute(
            select(MembershipCategory.code, Membership.end_reason, func.count())
            .select_from(Membership)
            .outerjoin(
                MembershipCategory,
                and_(
                    MembershipCategory.membership_id == Membership.id,
                    *_covers(MembershipCategory, day),
                ),
            )
            .where(Membership.cooperative_id == cooperative_id, *conditions)
            .group_by(MembershipCategory.code, Membership.end_reason)
        )

    def present(day: date) -> tuple[Any, Any]:
        return Membership.joined_on <= day, or_(
            Membership.ended_on.is_(None), Membership.ended_on > day
        )

    before = first - timedelta(days=1)
    joined = Membership.joined_on.between(first, last)
    left = Membership.ended_on.between(first, last)
    for code, _reason, count in members(before, *present(before)):
        for people in (whole, by_category[code or ""]):
            people.opening += count
    for code, _reason, count in members(Membership.joined_on, joined):
        for people in (whole, by_category[code or ""]):
            people.joined += count
    for code, reason, count in members(Membership.ended_on, left):
        for people in (whole, by_category[code or ""]):
            people.left[reason] += count
    for code, _reason, count in members(last, *present(last)):
        for people in (whole, by_category[code or ""]):
            people.closing += count
    return whole, dict(by_category)


@dataclass(frozen=True)
class Mover:
    """One member who joined or left within the year; ``reason`` is "" for those who joined."""

    public_id: str
    member_number: str
    name: str
    category: str
    day: date
    reason: str = ""


def read_movers(
    session: Session, cooperative: Cooperative, year: FinancialYear, *, leaving: bool
) -> Iterator[Mover]:
    """Who joined (or, ``leaving``, who left) within the year, by day."""
    day: Any = Membership.ended_on if leaving else Membership.joined_on
    rows = session.execute(
        select(
            Membership.public_id,
            Membership.member_number,
            Membership.end_reason,
            Person.given_name,
            Person.family_name,
            Organisation.name,
            MembershipCategory.code,
            day,
        )
        .select_from(Membership)
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(
            MembershipCategory,
            and_(
                MembershipCategory.membership_id == Membership.id,
                *_covers(MembershipCategory, day),
            ),
        )
        .where(Membership.cooperative_id == cooperative.id, day.between(year.first, year.last))
        .order_by(day, Membership.sort_name, Membership.id)
        .execution_options(yield_per=2000)
    )
    for public_id, number, reason, given, family, organisation, code, when in rows:
        name = organisation or f"{given or ''} {family or ''}".strip()
        yield Mover(public_id, number, name, code or "", when, (reason or "") if leaving else "")
