"""Finding members, and keeping what is searched and sorted up to date."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Category
from govern.cooperatives.services import rules_on
from govern.errors import NotFound
from govern.register.models import (
    Membership,
    Representative,
)
from govern.register.models.people import COUNTED, COUNTED_ORDER
from govern.register.rules import values
from govern.register.rules.folding import fold, search_text
from govern.register.services.chain import lock_register


def index_membership(session: Session, membership: Membership) -> None:
    """Fold again what is searched and sorted, after a change."""
    session.flush()
    representative = ""
    if membership.organisation_id is not None:
        # Whoever represents it now, and whoever is named for a day to come.
        today = clock.today(session.get_one(Cooperative, membership.cooperative_id).time_zone)
        rows = session.scalars(
            select(Representative)
            .where(
                Representative.organisation_id == membership.organisation_id,
                or_(Representative.ends_on.is_(None), Representative.ends_on > today),
            )
            .order_by(Representative.starts_on)
        )
        representative = " ".join(row.person.name for row in rows)
    person, organisation = membership.person, membership.organisation
    membership.sort_name = (
        fold(f"{person.family_name} {person.given_name}")
        if person is not None
        else fold(membership.display_name)
    )
    membership.search_text = member_search_text(
        membership.member_number,
        membership.display_name,
        representative,
        membership.email or "",
        membership.town,
        organisation.enterprise_number if organisation else "",
    )
    session.flush()


def member_search_text(
    number: str, name: str, representative: str, email: str, town: str, enterprise_number: str
) -> str:
    """What a search for a member looks through."""
    return search_text(number, name, representative, email, town, enterprise_number)


def next_member_number(session: Session, cooperative_id: int) -> str:
    """One more than the highest number made of digits only (at most 18 of them)."""
    # In the words of the index ``ix_membership_counted``, or every number would be looked at.
    highest = session.scalar(
        select(Membership.member_number)
        .where(Membership.cooperative_id == cooperative_id, text(COUNTED))
        .order_by(*(text(f"{part} DESC") for part in COUNTED_ORDER))
        .limit(1)
    )
    return str(int(highest or 0) + 1)


def membership_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> Membership:
    """The membership of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(Membership).where(
            Membership.public_id == public_id, Membership.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such member in this register."), remedy=_("Search the member list.")
        )
    return found


def membership_by_number(
    session: Session, cooperative_id: int, member_number: str
) -> Membership | None:
    """The membership with that number, or None."""
    return session.scalar(
        select(Membership).where(
            Membership.cooperative_id == cooperative_id,
            Membership.member_number == values.tidy(member_number),
        )
    )


def categories_on(session: Session, cooperative_id: int, day: date) -> tuple[Category, ...]:
    """The categories of the rule set in force on ``day``."""
    return rules_on(session, cooperative_id, day)[1].categories


def open_membership(session: Session, actor: Actor, membership: Membership) -> Cooperative:
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    return session.get_one(Cooperative, membership.cooperative_id)


def record_change(
    session: Session, actor: Actor, membership: Membership, action: str, data: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        f"register:membership:{action}",
        cooperative_id=membership.cooperative_id,
        subject=f"membership:{membership.public_id}",
        data=data,
    )
