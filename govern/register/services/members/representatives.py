"""Who represents an organisation on a day: a dated history without overlaps or gaps of our making.

A change may be recorded for a day that is past (it was told late) or to come (it is announced). A
roll reads who represented at the end of its record date, so a change recorded later does not touch
a roll that was taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import Membership, Person, Representative
from govern.register.services.members.finding import (
    index_membership,
    open_membership,
    record_change,
)


def representative_on(session: Session, organisation_id: int, day: date) -> Person | None:
    """The person who represents the organisation at the end of ``day``, None if nobody does."""
    row = _row_on(session, organisation_id, day)
    return row.person if row is not None else None


def representatives_of(session: Session, organisation_id: int) -> Sequence[Representative]:
    """Everybody who represented it, represents it or will, by first day.

    Whoever was replaced before their first day was over never did, and is left out.
    """
    return session.scalars(
        select(Representative)
        .where(
            Representative.organisation_id == organisation_id,
            or_(
                Representative.ends_on.is_(None),
                Representative.ends_on > Representative.starts_on,
            ),
        )
        .order_by(Representative.starts_on, Representative.id)
    ).all()


def put_representative(
    session: Session, membership: Membership, person: Person, starts_on: date
) -> Representative:
    """Write ``person`` into the history from ``starts_on`` until the next change recorded already.

    Raises RuleViolation for a day before the organisation joined, Conflict when that person
    represents it that day anyway.
    """
    organisation_id = membership.organisation_id or 0
    if starts_on < membership.joined_on:
        raise RuleViolation(
            _(
                "Member %(number)s joined only on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.joined_on),
            ),
            remedy=_("Give that day or a later one."),
            field="starts_on",
        )
    present = _row_on(session, organisation_id, starts_on)
    if present is not None and present.person_id == person.id:
        raise Conflict(
            _("%(name)s represents the organisation on that day already.", name=person.name),
            remedy=_("Choose another person or another day."),
            field="member_number",
        )
    if present is not None:
        ends_on, present.ends_on = present.ends_on, starts_on
    else:
        ends_on = session.scalar(
            select(Representative.starts_on)
            .where(
                Representative.organisation_id == organisation_id,
                Representative.starts_on > starts_on,
                or_(
                    Representative.ends_on.is_(None),
                    Representative.ends_on > Representative.starts_on,
                ),
            )
            .order_by(Representative.starts_on)
            .limit(1)
        )
    session.flush()
    row = Representative(
        organisation_id=organisation_id,
        person_id=person.id,
        starts_on=starts_on,
        ends_on=ends_on,
        recorded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def withdraw_representative(
    session: Session, actor: Actor, membership: Membership, representative_id: int
) -> None:
    """Take back a change that was announced and has not happened; who was there before stays on.

    Raises NotFound for a change of another organisation, Conflict for one that has begun.
    """
    cooperative = open_membership(session, actor, membership)
    row = session.scalar(
        select(Representative).where(
            Representative.id == representative_id,
            Representative.organisation_id == membership.organisation_id,
        )
    )
    if row is None:
        raise NotFound(
            _("This organisation has no such representative."), remedy=_("Reload the page.")
        )
    if row.starts_on <= clock.today(cooperative.time_zone):
        raise Conflict(
            _("%(name)s has represented the organisation since then.", name=row.person.name),
            remedy=_("Name another representative instead."),
        )
    starts_on, ends_on = row.starts_on, row.ends_on
    session.delete(row)
    session.flush()
    before = session.scalar(
        select(Representative)
        .where(
            Representative.organisation_id == membership.organisation_id,
            Representative.ends_on == starts_on,
            Representative.starts_on < starts_on,
        )
        .order_by(Representative.id.desc())
        .limit(1)
    )
    if before is not None:
        before.ends_on = ends_on
    membership.changed_at = clock.now()
    session.flush()
    index_membership(session, membership)
    record_change(
        session, actor, membership, "representative_withdrawn", {"from": starts_on.isoformat()}
    )


def _row_on(session: Session, organisation_id: int, day: date) -> Representative | None:
    return session.scalar(
        select(Representative)
        .where(
            Representative.organisation_id == organisation_id,
            Representative.starts_on <= day,
            or_(Representative.ends_on.is_(None), Representative.ends_on > day),
        )
        .order_by(Representative.starts_on.desc())
        .limit(1)
    )
