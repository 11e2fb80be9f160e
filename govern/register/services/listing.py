"""The member list: searching, filtering, and what is shown and exported of each member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from govern.access import Actor, Permission
from govern.paging import Page
from govern.register.models import (
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
    ShareEntry,
)
from govern.register.rules.folding import number_key
from govern.register.rules.privacy import COLUMN_GROUPS
from govern.register.services.holdings import holdings_on
from govern.register.services.privacy import fields_seen
from govern.register.services.quality.addresses import with_problem
from govern.register.services.searching import is_large, word_conditions


class MemberState(StrEnum):
    """States by which the list can be filtered."""

    CURRENT = "current"
    UNPAID = "unpaid"
    ENDED = "ended"
    ALL = "all"


@dataclass(frozen=True)
class MemberFilter:
    """What the list is narrowed to. Empty values narrow nothing.

    ``names_only``: the words are looked for in names and numbers, not in addresses.
    """

    query: str = ""
    category: str = ""
    kind: str = ""
    state: MemberState = MemberState.CURRENT
    without_email: bool = False
    with_problem: bool = False
    names_only: bool = False


@dataclass(frozen=True)
class Shares:
    """What a member holds today."""

    issued: int = 0
    paid: int = 0
    paid_cents: int = 0


def search_members(
    cooperative_id: int, wanted: MemberFilter, today: date, *, in_index: bool = False
) -> list[Any]:
    """The conditions of the members that match. Each word of the query must occur somewhere.

    ``in_index``: as ``searching.word_conditions``.
    """
    conditions = [Membership.cooperative_id == cooperative_id]
    conditions += _state(wanted.state, today)
    if wanted.kind == MemberKind.NATURAL.value:
        conditions.append(Membership.organisation_id.is_(None))
    elif wanted.kind == MemberKind.LEGAL.value:
        conditions.append(Membership.organisation_id.is_not(None))
    if wanted.without_email:
        conditions.append(Membership.email_key.is_(None))
    if wanted.with_problem:
        conditions.append(Membership.id.in_(with_problem()))
    if wanted.category:
        conditions.append(
            Membership.id.in_(
                select(MembershipCategory.membership_id).where(
                    MembershipCategory.code == wanted.category, *_open_on(MembershipCategory, today)
                )
            )
        )
    return conditions + word_conditions(
        wanted.query, in_index=in_index, names_only=wanted.names_only
    )


def _state(state: MemberState, today: date) -> list[Any]:
    has_ended = and_(Membership.ended_on.is_not(None), Membership.ended_on <= today)
    if state is MemberState.ENDED:
        return [has_ended]
    if state is MemberState.CURRENT:
        return [not_(has_ended)]
    if state is MemberState.UNPAID:
        return [not_(has_ended), or_(Membership.id.in_(_partly_paid(today)), _without_shares())]
    return []


def _partly_paid(today: date) -> Select[Any]:
    """Members with a lot on which less was paid than its shares are worth."""
    return (
        select(ShareEntry.membership_id)
        .where(ShareEntry.effective_on <= today)
        .group_by(ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents)
        .having(
            func.sum(ShareEntry.amount_cents)
            < func.sum(ShareEntry.shares) * ShareEntry.nominal_cents
        )
    )


def _without_shares() -> Any:
    return ~exists().where(ShareEntry.membership_id == Membership.id)


def find_members(
    session: Session,
    cooperative_id: int,
    wanted: MemberFilter,
    today: date,
    page: int,
    per_page: int = 50,
) -> Page[Membership]:
    """One page of the matching members, by name.

    First the numbers of the members, which an index gives in order; then the rows of one page. A
    search by words counts and orders in one go what it finds, a member with exactly that number
    first.
    """
    in_index = bool(wanted.query.strip()) and is_large(session, cooperative_id)
    conditions = search_members(cooperative_id, wanted, today, in_index=in_index)
    if wanted.query.strip():
        is_other = case((Membership.number_key == number_key(wanted.query), 0), else_=1)
        matching = (
            select(Membership.id, func.count().over().label("total"))
            .where(*conditions)
            .order_by(is_other, Membership.sort_name, Membership.id)
            .limit(per_page)
        )
        number = max(1, page)
        found = session.execute(matching.offset((number - 1) * per_page)).all()
        if not found and number > 1:
            # A page beyond the last gives the last.
            counted = select(func.count()).select_from(Membership).where(*conditions)
            number = _within(page, session.scalar(counted) or 0, per_page)
            found = session.execute(matching.offset((number - 1) * per_page)).all()
        total = found[0].total if found else 0
        ids = [row.id for row in found]
    else:
        total = session.scalar(select(func.count()).select_from(Membership).where(*conditions)) or 0
        number = _within(page, total, per_page)
        ids = list(
            session.scalars(
                select(Membership.id)
                .where(*conditions)
                .order_by(Membership.sort_name, Membership.id)
                .limit(per_page)
                .offset((number - 1) * per_page)
            )
        )
    rows = session.scalars(
        select(Membership)
        .where(Membership.id.in_(ids))
        .options(
            selectinload(Membership.person),
            selectinload(Membership.organisation),
            selectinload(Membership.categories),
        )
    )
    by_id = {row.id: row for row in rows}
    pages = max(1, -(-total // per_page))
    return Page([by_id[key] for key in ids if key in by_id], number, pages, total, per_page)


def _within(page: int, total: int, per_page: int) -> int:
    return min(max(1, page), max(1, -(-total // per_page)))


def shares_of(session: Session, membership_ids: Iterable[int], today: date) -> Mapping[int, Shares]:
    """What each of a page's members holds today."""
    holding = holdings_on(None, today, membership_ids)
    return {
        row.membership_id: Shares(int(row.issued), int(row.paid), int(row.paid_cents))
        for row in session.execute(select(holding))
    }


def category_on(membership: Membership, day: date) -> str:
    """The category of the membership at the end of ``day``, "" before it began."""
    for category in membership.categories:
        if category.starts_on <= day and (category.ends_on is None or category.ends_on > day):
            return category.code
    return ""


@dataclass(frozen=True)
class RegisterTotals:
    """The figures above the list. Shares of members who have left stand in the ledger still."""

    members: int
    natural: int
    legal: int
    shares_issued: int
    paid_cents: int


def register_totals(session: Session, cooperative_id: int, today: date) -> RegisterTotals:
    """Members now, and shares and capital of the whole ledger at the end of ``today``."""
    members, legal = session.execute(
        select(func.count(), func.count(Membership.organisation_id)).where(
            Membership.cooperative_id == cooperative_id, *_state(MemberState.CURRENT, today)
        )
    ).one()
    shares, cents = session.execute(
        select(
            func.coalesce(func.sum(ShareEntry.shares), 0),
            func.coalesce(func.sum(ShareEntry.amount_cents), 0),
        ).where(ShareEntry.cooperative_id == cooperative_id, ShareEntry.effective_on <= today)
    ).one()
    return RegisterTotals(members, members - legal, legal, int(shares), int(cents))


EXPORT_COLUMNS = (
    "member_number",
    "family_name",
    "given_name",
    "birth_date",
    "email",
    "language",
    "street",
    "postal_code",
    "town",
    "country",
    "category",
    "joined_on",
    "shares",
    "paid",
    "enterprise_number",
    "representative",
    "ended_on",
)
"""The columns of an export: those that an import reads, so that the file can come back."""


def export_columns(actor: Actor, cooperative_id: int) -> tuple[str, ...]:
    """The columns that ``actor`` may take out: those of the parts of a record that they see."""
    actor.require(Permission.REGISTER_READ, cooperative_id)
    seen = fields_seen(actor, cooperative_id)
    return tuple(name for name in EXPORT_COLUMNS if COLUMN_GROUPS[name] in seen)


def export_members(
    session: Session, cooperative_id: int, wanted: MemberFilter, today: date
) -> Iterator[dict[str, Any]]:
    """The matching members under ``EXPORT_COLUMNS``: texts, dates, and cents for ``paid``."""
    holding = holdings_on(cooperative_id, today)
    delegate = aliased(Person)
    query = (
        select(
            Membership.member_number,
            Membership.email,
            Membership.language,
            Membership.street,
            Membership.postal_code,
            Membership.town,
            Membership.country,
            Membership.joined_on,
            Membership.ended_on,
            Person.family_name,
            Person.given_name,
            Person.birth_date,
            Organisation.name.label("organisation"),
            Organisation.enterprise_number,
            delegate.given_name.label("delegate_given_name"),
            delegate.family_name.label("delegate_family_name"),
            MembershipCategory.code.label("category"),
            holding.c.issued,
            holding.c.paid_cents,
        )
        .select_from(Membership)
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(
            Representative,
            and_(
                Representative.organisation_id == Organisation.id,
                *_open_on(Representative, today),
            ),
        )
        .outerjoin(delegate, Representative.person_id == delegate.id)
        .outerjoin(
            MembershipCategory,
            and_(
                MembershipCategory.membership_id == Membership.id,
                *_open_on(MembershipCategory, today),
            ),
        )
        .outerjoin(holding, holding.c.membership_id == Membership.id)
        .where(*search_members(cooperative_id, wanted, today))
        .order_by(Membership.sort_name, Membership.id)
    )
    for row in session.execute(query.execution_options(yield_per=2000)):
        delegate_name = f"{row.delegate_given_name or ''} {row.delegate_family_name or ''}"
        yield {
            "member_number": row.member_number,
            "family_name": row.organisation or row.family_name or "",
            "given_name": row.given_name or "",
            "birth_date": row.birth_date,
            "email": row.email or "",
            "language": row.language.upper(),
            "street": row.street,
            "postal_code": row.postal_code,
            "town": row.town,
            "country": row.country,
            "category": row.category or "",
            "joined_on": row.joined_on,
            "shares": int(row.issued or 0),
            "paid": int(row.paid_cents or 0),
            "enterprise_number": row.enterprise_number or "",
            "representative": delegate_name.strip(),
            "ended_on": row.ended_on,
        }


def history_of(session: Session, membership: Membership) -> list[ShareEntry]:
    """The ledger of one member, newest first."""
    return list(
        session.scalars(
            select(ShareEntry)
            .where(ShareEntry.membership_id == membership.id)
            .options(selectinload(ShareEntry.remark))
            .order_by(ShareEntry.sequence.desc())
        )
    )


def _open_on(model: Any, day: date) -> tuple[Any, Any]:
    """Whether a dated row covers ``day``."""
    return model.starts_on <= day, or_(model.ends_on.is_(None), model.ends_on > day)
