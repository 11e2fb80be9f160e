"""Asking the table of what each role sees, and noting who looked at a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Role
from govern.cooperatives.models import Cooperative
from govern.database import changed_rows
from govern.register.models import Membership, RegisterReading
from govern.register.rules.privacy import SELF, FieldGroup, visible_to


def fields_seen(
    actor: Actor, cooperative_id: int, *, concerned: bool = False
) -> frozenset[FieldGroup]:
    """What ``actor`` sees of a record of that cooperative (``concerned``: of their own).

    The system (a job, the command line) sees everything.
    """
    if actor.is_system:
        return frozenset(FieldGroup)
    roles = [role.value for role in actor.roles.get(cooperative_id, frozenset())]
    return visible_to([*roles, SELF] if concerned else roles)


def sees(actor: Actor, cooperative_id: int, group: FieldGroup, *, concerned: bool = False) -> bool:
    """Whether ``actor`` sees that part of a record."""
    return group in fields_seen(actor, cooperative_id, concerned=concerned)


def was_noted(
    session: Session, actor: Actor, cooperative: Cooperative, membership: Membership | None
) -> bool:
    """Whether today's reading of that record (None: of the whole register) is written down.

    True too where nothing has to be: the system, and somebody without an office here.
    """
    if actor.account_id is None or not _offices(actor, cooperative):
        return True
    found = session.scalar(
        select(RegisterReading.id).where(
            RegisterReading.account_id == actor.account_id,
            RegisterReading.subject == _subject(cooperative, membership),
            RegisterReading.day == clock.today(cooperative.time_zone),
        )
    )
    return found is not None


def note_reading(
    session: Session, actor: Actor, cooperative: Cooperative, membership: Membership | None
) -> bool:
    """Write down that ``actor`` looked at the full record, or took the whole register out.

    Once per account, record and day: False when that was done already.
    """
    if was_noted(session, actor, cooperative, membership):
        return False
    subject = _subject(cooperative, membership)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # Of two pages opened at once one waits, and then finds the line that the other has written.
    written = session.execute(
        insert(RegisterReading)
        .values(
            cooperative_id=cooperative.id,
            membership_id=membership.id if membership is not None else None,
            subject=subject,
            account_id=actor.account_id,
            roles=" ".join(_offices(actor, cooperative)),
            day=clock.today(cooperative.time_zone),
        )
        .on_conflict_do_nothing()
    )
    if changed_rows(written) == 0:
        return False
    audit.record(
        session,
        actor,
        "register:member:read" if membership is not None else "register:members:exported",
        cooperative_id=cooperative.id,
        subject=subject,
    )
    return True


@dataclass(frozen=True)
class Reading:
    """Who looked, as the person concerned is told: the offices and the day, no name."""

    day: date
    roles: tuple[Role, ...]
    whole_register: bool


def readings_of(session: Session, membership: Membership, limit: int = 100) -> Sequence[Reading]:
    """Who looked at this record, the latest days first.

    Whoever took the whole register out on a day of the membership has looked at it too.
    """
    rows = session.scalars(
        select(RegisterReading)
        .where(
            or_(
                RegisterReading.membership_id == membership.id,
                (RegisterReading.membership_id.is_(None))
                & (RegisterReading.cooperative_id == membership.cooperative_id)
                & (RegisterReading.day >= membership.joined_on),
            )
        )
        .order_by(RegisterReading.day.desc(), RegisterReading.id.desc())
        .limit(limit)
    )
    return [
        Reading(
            row.day,
            tuple(Role(name) for name in row.roles.split() if name in tuple(Role)),
            row.membership_id is None,
        )
        for row in rows
    ]


def _subject(cooperative: Cooperative, membership: Membership | None) -> str:
    if membership is None:
        return f"register:{cooperative.id}"
    return f"membership:{membership.public_id}"


def _offices(actor: Actor, cooperative: Cooperative) -> list[str]:
    held = actor.roles.get(cooperative.id, frozenset()) - {Role.MEMBER}
    return sorted(role.value for role in held)
