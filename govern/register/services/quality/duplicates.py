"""Pairs in one register that may be the same: found by three likenesses, or said to be two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, Subquery, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound
from govern.paging import Page
from govern.register.models import (
    DistinctPair,
    HolderKind,
    Membership,
    Organisation,
    Person,
)
from govern.register.services.chain import lock_register
from govern.register.services.members.finding import membership_by_public_id


class Likeness(StrEnum):
    """In what two members are alike."""

    EMAIL = "email"
    NAME = "name"
    ENTERPRISE = "enterprise"
    SAME_HOLDER = "same_holder"


@dataclass(frozen=True)
class Pair:
    """Two memberships that may be one member's, and why. ``same_holder``: they are, for certain."""

    first: Membership
    second: Membership
    likenesses: tuple[Likeness, ...]

    @property
    def same_holder(self) -> bool:
        return Likeness.SAME_HOLDER in self.likenesses


def list_pairs(
    session: Session,
    actor: Actor,
    cooperative_id: int,
    today: date,
    page: int,
    *,
    per_page: int = 25,
) -> Page[Pair]:
    """One page of the pairs of memberships that look alike and were not said to be two.

    Of members who have left only those are compared that still look like one who has not.
    """
    actor.require(Permission.REGISTER_READ, cooperative_id)
    found = _pairs(cooperative_id, today)
    total = session.scalar(select(func.count()).select_from(found)) or 0
    pages = max(1, -(-total // per_page))
    number = min(max(1, page), pages)
    first = aliased(Membership)
    rows = session.execute(
        select(found.c.low, found.c.high)
        .join(first, first.id == found.c.low)
        .order_by(first.sort_name, found.c.low, found.c.high)
        .limit(per_page)
        .offset((number - 1) * per_page)
    ).all()
    members = {
        row.id: row
        for row in session.scalars(
            select(Membership).where(Membership.id.in_({key for row in rows for key in row}))
        )
    }
    items = [
        Pair(members[low], members[high], likenesses_of(members[low], members[high]))
        for low, high in rows
    ]
    return Page(items, number, pages, total, per_page)


def count_pairs(session: Session, cooperative_id: int, today: date) -> int:
    """How many pairs wait for a decision."""
    found = _pairs(cooperative_id, today)
    return session.scalar(select(func.count()).select_from(found)) or 0


def likenesses_of(first: Membership, second: Membership) -> tuple[Likeness, ...]:
    """In what the two are alike, by the same comparisons as ``list_pairs`` makes in SQL."""
    found = []
    if first.kind == second.kind and (
        (first.person_id, first.organisation_id) == (second.person_id, second.organisation_id)
    ):
        return (Likeness.SAME_HOLDER,)
    if first.kind == second.kind and first.email_key and first.email_key == second.email_key:
        found.append(Likeness.EMAIL)
    if first.person is not None and second.person is not None:
        one, two = first.person, second.person
        if one.birth_date and (one.name_key, one.birth_date) == (two.name_key, two.birth_date):
            found.append(Likeness.NAME)
    if first.organisation is not None and second.organisation is not None:
        number = first.organisation.enterprise_number
        if number and number == second.organisation.enterprise_number:
            found.append(Likeness.ENTERPRISE)
    return tuple(found)


def pair_of(
    session: Session, cooperative: Cooperative, first_id: str, second_id: str
) -> tuple[Membership, Membership]:
    """The two memberships of that cooperative, by their public ids; NotFound, or InvalidInput
    where they are one and the same or of two kinds."""
    first = membership_by_public_id(session, cooperative, first_id)
    second = membership_by_public_id(session, cooperative, second_id)
    if first.id == second.id:
        raise NotFound(_("These are not two members."), remedy=_("Choose a pair from the list."))
    if first.kind != second.kind:
        raise InvalidInput(
            _("A person and an organisation cannot be the same member."),
            remedy=_("Choose two people or two organisations."),
        )
    return first, second


def say_distinct(
    session: Session, actor: Actor, first: Membership, second: Membership, reason: str
) -> DistinctPair:
    """Record that the two are not the same, with the reason; the pair is not shown again.

    Raises Conflict when that was recorded already or both have one holder.
    """
    actor.require(Permission.REGISTER_WRITE, first.cooperative_id)
    lock_register(session, first.cooperative_id)
    reason = checked_reason(reason)
    kind, low, high = holders_of(first, second)
    if low == high:
        raise Conflict(
            _("Both memberships have the same holder already."),
            remedy=_("Bring the two memberships together, or take the merge back."),
        )
    if _said(session, first.cooperative_id, kind, low, high) is not None:
        raise Conflict(
            _("These two were said to be different already."), remedy=_("Reload the list.")
        )
    row = DistinctPair(
        cooperative_id=first.cooperative_id,
        kind=kind.value,
        low_id=low,
        high_id=high,
        reason=reason,
        decided_at=clock.now(),
        decided_by_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    _record(session, actor, first, second, "said_distinct")
    return row


def forget_distinct(session: Session, actor: Actor, first: Membership, second: Membership) -> None:
    """Take back that the two are different: the pair is shown again."""
    actor.require(Permission.REGISTER_WRITE, first.cooperative_id)
    lock_register(session, first.cooperative_id)
    kind, low, high = holders_of(first, second)
    row = _said(session, first.cooperative_id, kind, low, high)
    if row is None:
        raise Conflict(_("Nobody said that these two are different."), remedy=_("Reload the list."))
    session.delete(row)
    session.flush()
    _record(session, actor, first, second, "distinct_forgotten")


def said_distinct(session: Session, first: Membership, second: Membership) -> DistinctPair | None:
    """What was recorded about the two being different, None where nothing was."""
    kind, low, high = holders_of(first, second)
    return _said(session, first.cooperative_id, kind, low, high)


def holders_of(first: Membership, second: Membership) -> tuple[HolderKind, int, int]:
    """The kind of the two holders, and their row numbers in ascending order."""
    if first.person_id is not None and second.person_id is not None:
        low, high = sorted((first.person_id, second.person_id))
        return HolderKind.PERSON, low, high
    low, high = sorted((first.organisation_id or 0, second.organisation_id or 0))
    return HolderKind.ORGANISATION, low, high


def checked_reason(reason: str) -> str:
    """The reason tidied; InvalidInput unless it has 5 to 500 characters."""
    tidied = " ".join(reason.split())
    if not 5 <= len(tidied) <= 500:
        raise InvalidInput(
            _("A reason of 5 to 500 characters is needed."),
            remedy=_("Write how you know it."),
            field="reason",
        )
    return tidied


# -- inside -----------------------------------------------------------------------------------


def _pairs(cooperative_id: int, today: date) -> Subquery:
    """(low, high) of every pair of memberships to look at, each once."""
    one, two = aliased(Membership), aliased(Membership)
    alike = [
        _by_email(cooperative_id, one, two),
        _by_name(cooperative_id, one, two),
        _by_enterprise(cooperative_id, one, two),
        _by_holder(cooperative_id, one, two, "person_id"),
        _by_holder(cooperative_id, one, two, "organisation_id"),
    ]
    every = union_all(*alike).subquery("alike")
    low, high = aliased(Membership), aliased(Membership)
    return (
        select(every.c.low, every.c.high)
        .join(low, low.id == every.c.low)
        .join(high, high.id == every.c.high)
        .where(
            or_(_is_alive(low, today), _is_alive(high, today)),
            or_(
                every.c.certain == 0,
                # One holder with a former and a present membership is somebody who came back.
                and_(_is_alive(low, today), _is_alive(high, today)),
            ),
            ~exists().where(
                DistinctPair.cooperative_id == cooperative_id,
                _is_pair(HolderKind.PERSON, low.person_id, high.person_id),
            ),
            ~exists().where(
                DistinctPair.cooperative_id == cooperative_id,
                _is_pair(HolderKind.ORGANISATION, low.organisation_id, high.organisation_id),
            ),
        )
        .group_by(every.c.low, every.c.high)
        .subquery("pairs")
    )


def _is_alive(row: Any, today: date) -> Any:
    return or_(row.ended_on.is_(None), row.ended_on > today)


def _is_pair(kind: HolderKind, one: Any, two: Any) -> Any:
    return and_(
        DistinctPair.kind == kind.value,
        or_(
            and_(DistinctPair.low_id == one, DistinctPair.high_id == two),
            and_(DistinctPair.low_id == two, DistinctPair.high_id == one),
        ),
    )


def _couple(cooperative_id: int, one: Any, two: Any, certain: int) -> Select[Any]:
    return select(
        one.id.label("low"), two.id.label("high"), literal(certain).label("certain")
    ).where(
        one.cooperative_id == cooperative_id,
        # "+ 0" keeps SQLite from going through the whole register for each ``one`` by the index of
        # cooperatives, where the index of holders finds the few ``two`` at once.
        two.cooperative_id + 0 == cooperative_id,
        one.id < two.id,
    )


def _by_email(cooperative_id: int, one: Any, two: Any) -> Select[Any]:
    """The same address, on two people or on two organisations with different holders."""
    shared = (
        select(Membership.email_key)
        .where(Membership.cooperative_id == cooperative_id, Membership.email_key.is_not(None))
        .group_by(Membership.email_key)
        .having(func.count() > 1)
    )
    return _couple(cooperative_id, one, two, 0).where(
        one.email_key.in_(shared),
        one.email_key == two.email_key,
        or_(one.person_id != two.person_id, one.organisation_id != two.organisation_id),
    )


def _by_name(cooperative_id: int, one: Any, two: Any) -> Select[Any]:
    """The same folded name and birth date, of two people."""
    first, second = aliased(Person), aliased(Person)
    shared = (
        select(Person.name_key)
        .where(Person.birth_date.is_not(None), Person.name_key != "")
        .group_by(Person.name_key, Person.birth_date)
        .having(func.count() > 1)
    )
    return _couple(cooperative_id, one, two, 0).where(
        first.id == one.person_id,
        second.id == two.person_id,
        first.name_key.in_(shared),
        first.name_key == second.name_key,
        first.birth_date == second.birth_date,
        first.id != second.id,
    )


def _by_enterprise(cooperative_id: int, one: Any, two: Any) -> Select[Any]:
    """The same number of the register of enterprises, of two organisations."""
    first, second = aliased(Organisation), aliased(Organisation)
    shared = (
        select(Organisation.enterprise_number)
        .where(Organisation.enterprise_number != "")
        .group_by(Organisation.enterprise_number)
        .having(func.count() > 1)
    )
    return _couple(cooperative_id, one, two, 0).where(
        first.id == one.organisation_id,
        second.id == two.organisation_id,
        first.enterprise_number.in_(shared),
        first.enterprise_number == second.enterprise_number,
        first.id != second.id,
    )


def _by_holder(cooperative_id: int, one: Any, two: Any, holder: str) -> Select[Any]:
    """Two memberships of one holder; ``holder`` names the column of that kind of holder.

    One query per kind: joined by an OR of both columns SQLite would compare everybody with
    everybody.
    """
    column = getattr(Membership, holder)
    twice = (
        select(column)
        .where(Membership.cooperative_id == cooperative_id, column.is_not(None))
        .group_by(column)
        .having(func.count() > 1)
    )
    return _couple(cooperative_id, one, two, 1).where(
        getattr(one, holder).in_(twice), getattr(one, holder) == getattr(two, holder)
    )


def _said(
    session: Session, cooperative_id: int, kind: HolderKind, low: int, high: int
) -> DistinctPair | None:
    return session.scalar(
        select(DistinctPair).where(
            DistinctPair.cooperative_id == cooperative_id,
            DistinctPair.kind == kind.value,
            DistinctPair.low_id == low,
            DistinctPair.high_id == high,
        )
    )


def _record(
    session: Session, actor: Actor, first: Membership, second: Membership, action: str
) -> None:
    audit.record(
        session,
        actor,
        f"register:pair:{action}",
        cooperative_id=first.cooperative_id,
        subject=f"membership:{first.public_id}",
        data={"other": second.public_id},
    )
