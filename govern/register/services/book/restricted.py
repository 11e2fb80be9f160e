"""What the law shows every member of the others: names, categories, numbers of shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.register.models import MemberKind, Membership, Organisation, Person, ShareEntry
from govern.register.rules.folding import search_words
from govern.register.services.book.extracts import categories_known
from govern.register.services.book.holders import count_holders
from govern.register.services.book.moments import BookMoment
from govern.register.services.searching import is_large, word_conditions


@dataclass(frozen=True)
class PublicLine:
    """What the law shows every member of another: name, category, numbers of shares."""

    name: str
    kind: str
    category: str
    shares: int


def find_public_lines(
    session: Session, moment: BookMoment, query: str = "", *, limit: int, offset: int = 0
) -> list[PublicLine]:
    """A page of the restricted view, by name: holders with at least one share.

    Only names are searched in: neither addresses nor numbers can be found out by trying.
    """
    held = _held(moment)
    # First who is on the page, then the rest: what is skipped needs no names.
    shown = session.scalars(
        select(Membership.id)
        .where(*_matching(session, moment, query), held > 0)
        .order_by(Membership.sort_name, Membership.id)
        .limit(limit)
        .offset(offset)
    ).all()
    rows = session.execute(
        select(
            Membership.id,
            Person.given_name,
            Person.family_name,
            Organisation.name.label("organisation"),
            held.label("shares"),
        )
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.id.in_(shown))
        .order_by(Membership.sort_name, Membership.id)
    ).all()
    category = categories_known(moment, shown)
    found = session.execute(
        select(category.c.membership_id, category.c.code).where(category.c.membership_id.in_(shown))
    )
    codes: dict[int, str] = {row.membership_id: row.code for row in found}
    return [_public_line(row, codes.get(row.id, "")) for row in rows]


def count_public_lines(session: Session, moment: BookMoment, query: str = "") -> int:
    """How many holders the restricted view has (that match)."""
    if not query.strip():
        return count_holders(session, moment)
    return (
        session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(*_matching(session, moment, query), _held(moment) > 0)
        )
        or 0
    )


def _held(moment: BookMoment) -> Any:
    return (
        select(func.sum(ShareEntry.shares))
        .where(*moment.entries_of_members(), ShareEntry.membership_id == Membership.id)
        .correlate(Membership)
        .scalar_subquery()
    )


def _matching(session: Session, moment: BookMoment, query: str) -> list[Any]:
    conditions: list[Any] = [Membership.cooperative_id == moment.cooperative_id]
    if query.strip() and is_large(session, moment.cooperative_id):
        conditions += word_conditions(query, in_index=True)
    return conditions + [Membership.sort_name.like(f"%{word}%") for word in search_words(query)]


def _public_line(row: Any, category: str) -> PublicLine:
    name = row.organisation or f"{row.given_name or ''} {row.family_name or ''}".strip()
    kind = MemberKind.LEGAL if row.organisation else MemberKind.NATURAL
    return PublicLine(name, kind.value, category, int(row.shares))
