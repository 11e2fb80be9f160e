"""The registrar's list of applications, and the numbers beside its filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from govern.joining.models import Application
from govern.joining.rules import ApplicationState, Hold
from govern.paging import Page, paginate
from govern.register.models import Membership

WAITING, HELD, RETURNED, ALL = "waiting", "held", "returned", "all"
"""Filters beside the states: what a registrar is expected to look at, and everything."""


@dataclass(frozen=True)
class ApplicationFilter:
    """What the list shows. ``show``: a state, ``waiting``, ``held``, ``returned`` or ``all``.

    ``by_contact``: whether an address is searched, too.
    """

    query: str = ""
    show: str = WAITING
    by_contact: bool = True


def _visible(cooperative_id: int) -> Select[Application]:
    return select(Application).where(
        Application.cooperative_id == cooperative_id,
        Application.state != ApplicationState.UNCONFIRMED.value,
    )


def _shown(show: str) -> object:
    held = Application.hold != Hold.NOTHING.value
    if show == HELD:
        return held
    if show == RETURNED:
        return Application.returned_on.is_not(None)
    if show in tuple(ApplicationState):
        return Application.state == show
    if show == WAITING:
        return or_(
            Application.state == ApplicationState.CONFIRMED.value,
            held,
            and_(
                Application.returned_on.is_not(None),
                # Who has left meanwhile owes nothing for shares any more.
                Application.membership_id.in_(
                    select(Membership.id).where(Membership.ended_on.is_(None))
                ),
            ),
        )
    return Application.id.is_not(None)


def _wanted(cooperative_id: int, wanted: ApplicationFilter) -> Select[Application]:
    query = _visible(cooperative_id).where(_shown(wanted.show))  # type: ignore[arg-type]
    for word in wanted.query.split()[:8]:
        columns = [
            Application.given_name,
            Application.family_name,
            Application.organisation_name,
            Application.enterprise_number,
            *([Application.email] if wanted.by_contact else []),
        ]
        like = f"%{_escaped(word)}%"
        query = query.where(or_(*(column.ilike(like, escape="\\") for column in columns)))
    return query


def all_applications(
    session: Session, cooperative_id: int, wanted: ApplicationFilter
) -> Iterator[Application]:
    """Every application that matches, the oldest first, read in pieces."""
    query = _wanted(cooperative_id, wanted).order_by(Application.id)
    yield from session.scalars(query.execution_options(yield_per=500))


def find_applications(
    session: Session, cooperative_id: int, wanted: ApplicationFilter, page: int, per_page: int = 50
) -> Page[Application]:
    """The confirmed applications that match, what waits longest first where something waits."""
    query = _wanted(cooperative_id, wanted)
    oldest_first = wanted.show in (WAITING, HELD, ApplicationState.CONFIRMED.value)
    order = Application.id.asc() if oldest_first else Application.id.desc()
    return paginate(session, query.order_by(order), page, per_page)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def waiting_count(session: Session, cooperative_id: int) -> int:
    """How many applications wait for the registrar."""
    count = session.scalar(
        select(func.count(Application.id)).where(
            and_(
                Application.cooperative_id == cooperative_id,
                Application.state != ApplicationState.UNCONFIRMED.value,
                _shown(WAITING),  # type: ignore[arg-type]
            )
        )
    )
    return count or 0


def to_be_decided(session: Session, cooperative_id: int, limit: int = 200) -> list[Application]:
    """The applications for the next list of the board, the oldest first."""
    return list(
        session.scalars(
            select(Application)
            .where(
                Application.cooperative_id == cooperative_id,
                Application.state == ApplicationState.CONFIRMED.value,
            )
            .order_by(Application.id)
            .limit(limit)
        )
    )
