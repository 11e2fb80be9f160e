"""The member list: searching, filtering, and what is shown and exported of each member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from govern.access import Actor, Permission
from govern.register.models import (
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
    ShareEntry,
)
from govern.register.rules.folding import search_words
from govern.register.services.holdings import holdings_on


class MemberState(StrEnum):
    """States by which the list can be filtered."""

    CURRENT = "current"
    UNPAID = "unpaid"
    ENDED = "ended"
    ALL = "all"


@dataclass(frozen=True)
class MemberFilter:
    """What the list is narrowed to. Empty values narrow nothing."""

    query: str = ""
    category: str = ""
    kind: str = ""
    state: MemberState = MemberState.CURRENT
    without_email: bool = False


@dataclass(frozen=True)
class Shares:
    """What a member holds today."""

    issued: int = 0
    paid: int = 0
    paid_cents: int = 0


def search_members(cooperative_id: int, wanted: MemberFilter, today: date) -> Select[Any]:
    """The members that match, by name. Each word of the query must occur, in any order."""
    query = select(Membership).where(Membership.cooperative_id == cooperative_id)
    for word in search_words(wanted.query):
        query = query.where(Membership.search_text.like(f"%{word}%"))
    if wanted.kind == MemberKind.NATURAL.value:
        query = query.where(Membership.person_id.is_not(None))
    elif wanted.kind == MemberKind.LEGAL.value:
        query = query.where(Membership.organisation_id.is_not(None))
    if wanted.without_email:
        query = query.where(Membership.email_key.is_(None))
    if wanted.category:
        query = query.where(
            Membership.id.in_(
                select(MembershipCategory.membership_id).where(
                    MembershipCategory.code == wanted.category, *_open_on(MembershipCategory, today)
                )
            )
        )
    return query.where(*_state(cooperative_id, wanted.state, today)).order_by(
        Membership.sort_name, Membership.id
    )


def _state(cooperative_id: int, state: MemberState, today: date) -> list[Any]:
    has_ended = and_(Membership.ended_on.is_not(None), Membership.ended_on <= today)
    if state is MemberState.ENDED:
        return [has_ended]
    if state is MemberState.CURRENT:
        return [not_(has_ended)]
    if state is MemberState.UNPAID:
        holding = holdings_on(cooperative_id, today)
        paid = select(holding.c.membership_id).where(holding.c.paid == holding.c.issued)
        return [not_(has_ended), Membership.id.not_in(paid)]
    return []


def count_members(session: Session, query: Select[Any]) -> int:
    """How many members match, without putting them in order."""
    return (
        session.scalar(
            select(func.count()).select_from(
                query.with_only_columns(Membership.id).order_by(None).subquery()
            )
        )
        or 0
    )


def with_holders(query: Select[Any]) -> Select[Any]:
    """Load the holders of one page's members together."""
    return query.options(
        selectinload(Membership.person),
        selectinload(Membership.organisation),
        selectinload(Membership.categories),
    )


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
    shares_paid: int
    paid_cents: int


def register_totals(session: Session, cooperative_id: int, today: date) -> RegisterTotals:
    """Members now, and shares and capital of the whole ledger."""
    current = session.execute(
        select(func.count(), func.count(Membership.organisation_id)).where(
            Membership.cooperative_id == cooperative_id,
            *_state(cooperative_id, MemberState.CURRENT, today),
        )
    ).one()
    holding = holdings_on(cooperative_id, today)
    shares = session.execute(
        select(
            func.coalesce(func.sum(holding.c.issued), 0),
            func.coalesce(func.sum(holding.c.paid), 0),
            func.coalesce(func.sum(holding.c.paid_cents), 0),
        )
    ).one()
    members, legal = current
    return RegisterTotals(members, members - legal, legal, *(int(value) for value in shares))


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

CONTACT_COLUMNS = frozenset(
    ("birth_date", "email", "language", "street", "postal_code", "town", "country")
)
"""Left out for whoever may read the register but not write it: contact data is for registrars."""


def export_columns(actor: Actor, cooperative_id: int) -> tuple[str, ...]:
    """The columns that ``actor`` may take out."""
    actor.require(Permission.REGISTER_READ, cooperative_id)
    if actor.may(Permission.REGISTER_WRITE, cooperative_id):
        return EXPORT_COLUMNS
    return tuple(name for name in EXPORT_COLUMNS if name not in CONTACT_COLUMNS)


def export_members(
    session: Session, cooperative_id: int, wanted: MemberFilter, today: date
) -> Iterator[dict[str, Any]]:
    """The matching members under ``EXPORT_COLUMNS``: texts, dates, and cents for ``paid``."""
    holding = holdings_on(cooperative_id, today)
    delegate = aliased(Person)
    chosen = search_members(cooperative_id, wanted, today)
    query = (
        chosen.with_only_columns(
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
