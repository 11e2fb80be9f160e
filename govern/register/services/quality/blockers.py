"""What blocks voting and convening, and for whom: counted, listed page by page, exported.

Only present members are asked about: admitted by that day, and not ended. The meaning is that of
``rules.roll.obstacles_on`` for a roll taken today; here it is asked the other way round, in SQL,
of a whole register at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from govern.access import Actor, Permission
from govern.paging import Page
from govern.register.models import (
    ContactChannel,
    ContactProblem,
    Membership,
    MembershipCategory,
    Representative,
    ShareEntry,
)
from govern.register.rules.quality import Blocker
from govern.register.services.quality.addresses import still_applies

Ids = Sequence[int] | None
Finder = Callable[[int, date, Ids], Select[Any]]


def _present(day: date) -> ColumnElement[bool]:
    return and_(
        Membership.joined_on <= day,
        or_(Membership.ended_on.is_(None), Membership.ended_on > day),
    )


def _of(cooperative_id: int, ids: Ids) -> Select[Any]:
    query = select(Membership.id).where(Membership.cooperative_id == cooperative_id)
    return query if ids is None else query.where(Membership.id.in_(ids))


def _lots(day: date, ids: Ids) -> Select[Any]:
    """The holders of shares, one row per lot. One pass over an index that holds all it needs."""
    held = select(ShareEntry.membership_id).where(ShareEntry.effective_on <= day)
    if ids is not None:
        held = held.where(ShareEntry.membership_id.in_(ids))
    return held.group_by(
        ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents
    ).having(func.sum(ShareEntry.shares) >= 1)


def _no_share(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    return _of(cooperative_id, ids).where(_present(day), Membership.id.not_in(_lots(day, ids)))


def _no_paid_share(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    """Holders without a lot of which one share is covered by the capital (``rules.ledger``)."""
    is_covered = func.sum(ShareEntry.amount_cents) >= ShareEntry.nominal_cents
    lots = _lots(day, ids).add_columns(case((is_covered, 1), else_=0).label("covered")).subquery()
    unpaid = (
        select(lots.c.membership_id)
        .group_by(lots.c.membership_id)
        .having(func.max(lots.c.covered) == 0)
    )
    return _of(cooperative_id, ids).where(_present(day), Membership.id.in_(unpaid))


def _no_category(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    return _of(cooperative_id, ids).where(
        _present(day),
        Membership.id.not_in(
            select(MembershipCategory.membership_id).where(
                MembershipCategory.starts_on <= day,
                or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > day),
            )
        ),
    )


def _no_representative(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    return _of(cooperative_id, ids).where(
        _present(day),
        Membership.organisation_id.is_not(None),
        ~exists().where(
            Representative.organisation_id == Membership.organisation_id,
            Representative.starts_on <= day,
            or_(Representative.ends_on.is_(None), Representative.ends_on > day),
        ),
    )


def _twice(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    """Memberships whose holder has another one here: one person would have two votes."""
    return _of(cooperative_id, ids).where(
        _present(day),
        or_(
            Membership.person_id.in_(_held_twice(Membership.person_id, cooperative_id, day)),
            Membership.organisation_id.in_(
                _held_twice(Membership.organisation_id, cooperative_id, day)
            ),
        ),
    )


def _held_twice(holder: Any, cooperative_id: int, day: date) -> Select[Any]:
    return (
        select(holder)
        .where(Membership.cooperative_id == cooperative_id, _present(day), holder.is_not(None))
        .group_by(holder)
        .having(func.count() > 1)
    )


def _unreachable(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
    return _of(cooperative_id, ids).where(
        _present(day),
        Membership.email_key.is_(None),
        or_(Membership.street == "", Membership.town == ""),
    )


def _flagged(channel: ContactChannel) -> Finder:
    def find(cooperative_id: int, day: date, ids: Ids) -> Select[Any]:
        # The flags are few: they come first, whatever the number of members.
        flagged = select(ContactProblem.membership_id).where(
            ContactProblem.cleared_on.is_(None), ContactProblem.channel == channel.value
        )
        return (
            _of(cooperative_id, ids)
            .join(ContactProblem, still_applies())
            .where(
                Membership.id.in_(flagged), _present(day), ContactProblem.channel == channel.value
            )
        )

    return find


FINDERS: Mapping[Blocker, Finder] = {
    Blocker.NO_SHARE: _no_share,
    Blocker.NO_PAID_SHARE: _no_paid_share,
    Blocker.NO_CATEGORY: _no_category,
    Blocker.NO_REPRESENTATIVE: _no_representative,
    Blocker.TWICE: _twice,
    Blocker.UNREACHABLE: _unreachable,
    Blocker.EMAIL_REFUSED: _flagged(ContactChannel.EMAIL),
    Blocker.LETTER_RETURNED: _flagged(ContactChannel.POST),
}


@dataclass(frozen=True)
class Findings:
    """Which members each reason concerns on ``day`` (row numbers of memberships)."""

    cooperative_id: int
    day: date
    by_blocker: Mapping[Blocker, frozenset[int]]

    @property
    def counts(self) -> dict[Blocker, int]:
        """How many members each reason concerns."""
        return {blocker: len(found) for blocker, found in self.by_blocker.items()}

    def any_of(self, wanted: Sequence[Blocker]) -> frozenset[int]:
        """The members whom one of ``wanted`` concerns."""
        return frozenset().union(*(self.by_blocker[item] for item in wanted))

    def reasons_of(self, membership_id: int) -> tuple[Blocker, ...]:
        """Everything that blocks that member."""
        return tuple(item for item, found in self.by_blocker.items() if membership_id in found)


def find_blockers(session: Session, actor: Actor, cooperative_id: int, day: date) -> Findings:
    """Ask the whole register once for everything that blocks on ``day``."""
    actor.require(Permission.REGISTER_READ, cooperative_id)
    return Findings(
        cooperative_id,
        day,
        {
            blocker: frozenset(session.scalars(find(cooperative_id, day, None)))
            for blocker, find in FINDERS.items()
        },
    )


@dataclass(frozen=True)
class Blocked:
    """One member and everything that blocks."""

    membership: Membership
    blockers: tuple[Blocker, ...]


def list_blocked(
    session: Session,
    findings: Findings,
    wanted: Sequence[Blocker],
    page: int,
    *,
    per_page: int = 50,
) -> Page[Blocked]:
    """One page of the members whom any of ``wanted`` concerns, by name, with all their reasons."""
    ids = _by_name(session, findings.cooperative_id, findings.any_of(wanted))
    pages = max(1, -(-len(ids) // per_page))
    number = min(max(1, page), pages)
    shown = ids[(number - 1) * per_page : number * per_page]
    rows = session.scalars(
        select(Membership)
        .where(Membership.id.in_(shown))
        .options(selectinload(Membership.person), selectinload(Membership.organisation))
    )
    by_id = {row.id: row for row in rows}
    items = [Blocked(by_id[key], findings.reasons_of(key)) for key in shown if key in by_id]
    return Page(items, number, pages, len(ids), per_page)


def export_blocked(
    session: Session, findings: Findings, wanted: Sequence[Blocker]
) -> Iterator[Blocked]:
    """All of them, in the order of the list."""
    number: int | None = 1
    while number is not None:
        part = list_blocked(session, findings, wanted, number, per_page=5000)
        yield from part
        number = part.next


def blockers_of(session: Session, membership: Membership, day: date) -> tuple[Blocker, ...]:
    """Everything that blocks this one member on ``day``."""
    return tuple(
        blocker
        for blocker, find in FINDERS.items()
        if session.scalar(find(membership.cooperative_id, day, [membership.id])) is not None
    )


_FEW = 500


def _by_name(session: Session, cooperative_id: int, ids: frozenset[int]) -> list[int]:
    """``ids`` in the order of the names."""
    query = (
        select(Membership.id)
        .where(Membership.cooperative_id == cooperative_id)
        .order_by(Membership.sort_name, Membership.id)
    )
    if len(ids) <= _FEW:
        return list(session.scalars(query.where(Membership.id.in_(ids))))
    # An index gives all names in order; that is quicker than a long list of numbers.
    return [row_id for row_id in session.scalars(query) if row_id in ids]
