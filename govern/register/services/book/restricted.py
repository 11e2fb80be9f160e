"""What the law shows every member of the others: names, categories, numbers of shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from govern.register.models import MemberKind, Membership, Organisation, Person
from govern.register.rules.folding import search_words
from govern.register.services.book.extracts import categories_known, lots_of
from govern.register.services.book.moments import BookMoment


@dataclass(frozen=True)
class PublicLine:
    """What the law shows every member of another: name, category, numbers of shares."""

    name: str
    kind: str
    category: str
    shares: int


def restricted_query(moment: BookMoment, query: str = "") -> Select[Any]:
    """The statement of the restricted view, by name: holders with at least one share.

    Only names are searched in: neither addresses nor numbers can be found out by trying.
    """
    lot = lots_of(moment)
    held = (
        select(lot.c.membership_id, func.sum(lot.c.shares).label("shares"))
        .group_by(lot.c.membership_id)
        .having(func.sum(lot.c.shares) > 0)
        .subquery("held")
    )
    category = categories_known(moment)
    statement = (
        select(
            Person.given_name,
            Person.family_name,
            Organisation.name.label("organisation"),
            category.c.code,
            held.c.shares,
        )
        .select_from(held)
        .join(Membership, Membership.id == held.c.membership_id)
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(category, category.c.membership_id == Membership.id)
        .where(Membership.cooperative_id == moment.cooperative_id)
        .order_by(Membership.sort_name, Membership.id)
    )
    for word in search_words(query):
        statement = statement.where(Membership.sort_name.like(f"%{word}%"))
    return statement


def public_line(row: Any) -> PublicLine:
    """One row of ``restricted_query``."""
    name = row.organisation or f"{row.given_name or ''} {row.family_name or ''}".strip()
    kind = MemberKind.LEGAL if row.organisation else MemberKind.NATURAL
    return PublicLine(name, kind.value, row.code or "", int(row.shares))
