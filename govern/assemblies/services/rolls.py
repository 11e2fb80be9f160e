"""The roll of an assembly, taken from the register, and where one person stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.assemblies.models import Assembly
from govern.assemblies.rules import AssemblyState, end_of_day, local_day
from govern.assemblies.services.guards import lock_assembly
from govern.errors import RuleViolation
from govern.i18n import local_text
from govern.register import services as register
from govern.register.models import Membership, Roll
from govern.register.rules.roll import Obstacle


def take_assembly_roll(session: Session, actor: Actor, assembly: Assembly) -> Roll:
    """Take the roll of ``assembly`` as a draft; a draft that is there already is taken again.

    Raises RuleViolation before the record date, for a frozen roll or an assembly that is over.
    """
    actor.require(Permission.ROLL_TAKE, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state not in (AssemblyState.DRAFT.value, AssemblyState.CONVENED.value):
        raise RuleViolation(
            _("The roll of an assembly that is over cannot be taken."),
            remedy=_("Convene another assembly."),
        )
    drop_assembly_roll(session, actor, assembly)
    roll = register.take_roll(
        session,
        actor,
        assembly.cooperative,
        assembly.record_date,
        # In the language of the house, not of who took the roll.
        label=f"{local_text(assembly.titles, assembly.cooperative.languages[0])} ({assembly.slug})",
        objections_until=objections_until(assembly),
        labels={
            code: f"{title} ({assembly.slug})" for code, title in assembly.titles.items() if title
        },
    )
    assembly.roll_id = roll.id
    session.flush()
    session.expire(assembly, ["roll"])
    return roll


def drop_assembly_roll(session: Session, actor: Actor, assembly: Assembly) -> None:
    """Drop a draft of the roll, if there is one. Raises RuleViolation for a frozen one."""
    actor.require(Permission.ROLL_TAKE, assembly.cooperative_id)
    roll = assembly.roll
    if roll is None:
        return
    if roll.is_frozen:
        raise RuleViolation(
            _("The roll is frozen."),
            remedy=_("Correct single entries of it, each with a reason."),
        )
    assembly.roll_id = None
    session.flush()
    session.expire(assembly, ["roll"])
    register.discard_draft_roll(session, actor, roll)


def freeze_assembly_roll(session: Session, actor: Actor, assembly: Assembly) -> Roll:
    """Publish the roll: from now on only corrections with a reason."""
    actor.require(Permission.ROLL_TAKE, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.roll is None:
        raise RuleViolation(
            _("The roll has not been taken yet."), remedy=_("Take it on the record date or later.")
        )
    return register.freeze_roll(session, actor, assembly.roll)


def objections_until(assembly: Assembly) -> datetime | None:
    """The instant at which the last day for objections ends; None where no day is set."""
    if assembly.objection_deadline is None:
        return None
    return end_of_day(assembly.objection_deadline, assembly.cooperative.time_zone)


@dataclass(frozen=True)
class RollStanding:
    """One membership of the person who asks, and where it stands on the roll."""

    membership: Membership
    is_own: bool
    on_roll: bool
    obstacles: tuple[Obstacle, ...]
    shares_paid: int
    until: datetime | None
    last_day: date | None
    """The last calendar day on which ``until`` lets members object."""


def standings_for(
    session: Session, assembly: Assembly, account_id: int | None
) -> list[RollStanding]:
    """Where the person's own membership and those that they represent stand on a frozen roll."""
    roll = assembly.roll
    if account_id is None or roll is None or not roll.is_frozen:
        return []
    found = []
    for membership in register.memberships_for_account(
        session, account_id, assembly.cooperative_id
    ):
        standing = register.why_not_on_roll(session, roll, membership)
        until = standing.objections_until
        found.append(
            RollStanding(
                membership=membership,
                is_own=membership.person_id is not None,
                on_roll=standing.on_roll,
                obstacles=tuple(standing.obstacles),
                shares_paid=standing.shares_paid,
                until=until,
                last_day=_last_day(until, assembly.cooperative.time_zone),
            )
        )
    return found


def _last_day(until: datetime | None, time_zone: str) -> date | None:
    return None if until is None else local_day(until - timedelta(microseconds=1), time_zone)
