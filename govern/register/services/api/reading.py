"""The pages of data that programs are given: plain values, in the order of admission to the file.

A page ends with a cursor that names the last member of it and, for holdings, the newest entry
known when the first page was asked for: later pages show the same book, whatever is written
meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput, NotFound
from govern.register.models import (
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    ShareEntry,
)
from govern.register.services.book.extracts import numbers_held
from govern.register.services.book.moments import BookMoment, book_at
from govern.register.services.members import membership_by_number

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


@dataclass(frozen=True)
class ApiPage:
    """One page: its rows, the cursor of the next one (None at the end), what stands beside."""

    data: list[dict[str, Any]]
    next_cursor: str | None
    beside: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {**self.beside, "data": self.data, "next_cursor": self.next_cursor}


# -- cursors ----------------------------------------------------------------------------------


def _make_cursor(**values: Any) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps(values, sort_keys=True).encode()).decode().rstrip("=")
    )


def _read_cursor(session: Session, cooperative: Cooperative, cursor: str) -> tuple[int, int | None]:
    """The id of the last member shown, and the newest entry known. Raises InvalidInput."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        after, entry = str(values["after"]), values.get("entry")
        if not (entry is None or (isinstance(entry, int) and 0 <= entry < 2**31)):
            raise ValueError(entry)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise _bad_cursor() from error
    found = session.scalar(
        select(Membership.id).where(
            Membership.public_id == after, Membership.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise _bad_cursor()
    return found, entry


def _bad_cursor() -> InvalidInput:
    return InvalidInput(
        _("This cursor was not given out here."),
        remedy=_("Take next_cursor of the page before as it is, or begin without one."),
        field="cursor",
    )


# -- members ----------------------------------------------------------------------------------


def read_members_page(
    session: Session,
    cooperative: Cooperative,
    today: date,
    *,
    state: str = "current",
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
    with_contact: bool = False,
) -> ApiPage:
    """Members now (``state`` current), former ones (ended), or all of them."""
    statement = _member_query(cooperative.id, today)
    has_ended = and_(Membership.ended_on.is_not(None), Membership.ended_on <= today)
    if state == "current":
        statement = statement.where(or_(Membership.ended_on.is_(None), Membership.ended_on > today))
    elif state == "ended":
        statement = statement.where(has_ended)
    if cursor:
        after, _entry = _read_cursor(session, cooperative, cursor)
        statement = statement.where(Membership.id > after)
    rows = session.execute(statement.order_by(Membership.id).limit(limit + 1)).all()
    shown = rows[:limit]
    more = _make_cursor(after=shown[-1].public_id) if len(rows) > limit else None
    return ApiPage([_member_json(row, with_contact) for row in shown], more, {})


def read_member(
    session: Session,
    cooperative: Cooperative,
    number: str,
    today: date,
    *,
    with_contact: bool = False,
) -> dict[str, Any]:
    """One member by number; NotFound otherwise."""
    membership = membership_by_number(session, cooperative.id, number[:40])
    if membership is None:
        raise NotFound(
            _("Nobody has the member number “%(number)s”.", number=number[:40]),
            remedy=_("Take the numbers from the list of members."),
        )
    row = session.execute(
        _member_query(cooperative.id, today).where(Membership.id == membership.id)
    ).one()
    return _member_json(row, with_contact)


def _member_query(cooperative_id: int, today: date) -> Select[Any]:
    covers = and_(
        MembershipCategory.membership_id == Membership.id,
        MembershipCategory.starts_on <= today,
        or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > today),
    )
    columns: list[Any] = [
        Membership.id,
        Membership.public_id,
        Membership.member_number,
        Membership.joined_on,
        Membership.ended_on,
        Membership.end_reason,
        Membership.language,
        Membership.email,
        Membership.street,
        Membership.postal_code,
        Membership.town,
        Membership.country,
        Person.given_name,
        Person.family_name,
        Organisation.name.label("organisation"),
        Organisation.enterprise_number,
        MembershipCategory.code.label("category"),
    ]
    return (
        select(*columns)
        .select_from(Membership)
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(MembershipCategory, covers)
        .where(Membership.cooperative_id == cooperative_id)
    )


def _member_json(row: Any, with_contact: bool) -> dict[str, Any]:
    is_person = row.organisation is None
    found = {
        "number": row.member_number,
        "kind": (MemberKind.NATURAL if is_person else MemberKind.LEGAL).value,
        "name": f"{row.given_name} {row.family_name}".strip() if is_person else row.organisation,
        "enterprise_number": row.enterprise_number,
        "category": row.category,
        "joined_on": row.joined_on.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "end_reason": row.end_reason,
    }
    if with_contact:
        found["contact"] = {
            "language": row.language,
            "email": row.email,
            "street": row.street,
            "postal_code": row.postal_code,
            "town": row.town,
            "country": row.country,
        }
    return found


# -- holdings ---------------------------------------------------------------------------------


def read_holdings_page(
    session: Session,
    cooperative: Cooperative,
    *,
    on: date | None = None,
    known_at: datetime | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> ApiPage:
    """Who holds what at the end of ``on`` as known at ``known_at``; ``limit`` counts members."""
    after, entry = _read_cursor(session, cooperative, cursor) if cursor else (0, None)
    moment = book_at(session, cooperative, on, known_at)
    if entry is not None:
        moment = _as_first_asked(session, moment, entry)
    ids = list(session.scalars(_holders(moment, after).limit(limit + 1)))
    shown = ids[:limit]
    beside = {
        "on": moment.on.isoformat(),
        "head": {"sequence": moment.sequence, "hash": moment.hash},
    }
    if not shown:
        return ApiPage([], None, beside)
    more = None
    if len(ids) > limit:
        last = session.scalar(select(Membership.public_id).where(Membership.id == shown[-1]))
        more = _make_cursor(after=last, entry=moment.sequence)
    return ApiPage(_holdings(session, moment, shown), more, beside)


def _as_first_asked(session: Session, moment: BookMoment, entry: int) -> BookMoment:
    """The book up to the entry that the first page knew."""
    if entry > moment.sequence:
        raise _bad_cursor()
    row = session.scalar(
        select(ShareEntry.hash).where(
            ShareEntry.cooperative_id == moment.cooperative_id, ShareEntry.sequence == entry
        )
    )
    return BookMoment(
        cooperative_id=moment.cooperative_id,
        on=moment.on,
        known_at=moment.known_at,
        sequence=entry,
        hash=row or moment.hash,
        is_present=moment.is_present and entry == moment.sequence,
    )


def _holders(moment: BookMoment, after: int) -> Select[Any]:
    held = (
        select(func.sum(ShareEntry.shares))
        .where(*moment.entries(), ShareEntry.membership_id == Membership.id)
        .correlate(Membership)
        .scalar_subquery()
    )
    return (
        select(Membership.id)
        .where(Membership.cooperative_id == moment.cooperative_id, Membership.id > after, held > 0)
        .order_by(Membership.id)
    )


def _holdings(
    session: Session, moment: BookMoment, membership_ids: list[int]
) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            ShareEntry.membership_id,
            Membership.member_number,
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            func.sum(ShareEntry.shares),
            func.sum(ShareEntry.amount_cents),
        )
        .join(Membership, Membership.id == ShareEntry.membership_id)
        .where(*moment.entries(), ShareEntry.membership_id.in_(membership_ids))
        .group_by(
            ShareEntry.membership_id,
            Membership.member_number,
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
        )
        .having(func.sum(ShareEntry.shares) > 0)
        .order_by(ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents)
    )
    numbers = numbers_held(session, moment, membership_ids)
    found = []
    for key, number, share_class, nominal, shares, cents in rows:
        held, paid_cents = int(shares), int(cents)
        found.append(
            {
                "number": number,
                "class": share_class,
                "nominal_cents": nominal,
                "shares": held,
                "paid_shares": max(0, min(held, paid_cents // nominal)),
                "paid_cents": paid_cents,
                "numbers": numbers.get((key, share_class, nominal), ""),
            }
        )
    return found
