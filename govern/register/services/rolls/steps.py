"""Taking, freezing, dropping and locking a roll."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Texts
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    Membership,
    RegisterHead,
    Roll,
    RollEntry,
    RollState,
)
from govern.register.rules import chain
from govern.register.rules.roll import (
    RollLine,
    Totals,
    canonical_lines_in_order,
    digest_of,
)
from govern.register.services.bulk import CHUNK, copy_rows
from govern.register.services.rolls.entries import (
    eligible_members,
    entry_values,
    insert_people,
    lock_row,
    record_step,
    roll_lines,
)
from govern.register.services.rolls.reading import held_twice, verify_roll


def take_roll(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    record_date: date,
    label: str,
    objections_until: datetime | None = None,
    *,
    labels: Texts | None = None,
) -> Roll:
    """Write down who may vote as the register shows it at the end of ``record_date``.

    Every member with at least one paid share once, natural or legal, who has joined and not ended
    by then. The same data give the same digest. ``labels``: what it is for in several languages.
    Raises RuleViolation when the date lies ahead (the register of a day that is not over can still
    change) or no rule set was in force.
    """
    actor.require(Permission.ROLL_TAKE, cooperative.id)
    if not label.strip():
        raise InvalidInput(
            _("The roll has no name."), remedy=_("Say what the roll is for."), field="label"
        )
    if record_date > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("The record date %(day)s lies ahead.", day=record_date.isoformat()),
            remedy=_("Take the roll on that day or later."),
            field="record_date",
        )
    rule_set, _rules = rules_on(session, cooperative.id, record_date)
    # The head is read under its lock: no entry can slip in between it and the holdings.
    head = session.scalar(
        select(RegisterHead)
        .where(RegisterHead.cooperative_id == cooperative.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    roll = Roll(
        cooperative_id=cooperative.id,
        rule_set_id=rule_set.id,
        label=label.strip()[:200],
        labels=dict(labels) if labels else None,
        record_date=record_date,
        state=RollState.DRAFT.value,
        taken_at=clock.now(),
        taken_by_id=actor.account_id,
        objections_until=objections_until,
        digest="0" * 64,
        heads=0,
        shares_issued=0,
        shares_paid=0,
        totals={},
        register_sequence=head.sequence if head else 0,
        register_hash=head.hash if head else chain.BEGINNING,
    )
    session.add(roll)
    session.flush()
    roll.digest, totals = _write_entries(session, cooperative, roll)
    roll.totals = totals
    roll.heads = totals["heads"]
    roll.shares_issued, roll.shares_paid = totals["shares_issued"], totals["shares_paid"]
    session.flush()
    record_step(session, actor, roll, "taken", {"record_date": record_date.isoformat()})
    return roll


def _write_entries(
    session: Session, cooperative: Cooperative, roll: Roll
) -> tuple[str, dict[str, Any]]:
    """Write who is eligible; the digest and the totals of what was written.

    People are written by the database itself, organisations with their representatives one by
    one, and everything is read back as a stream: a million members are never held in memory.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        # It takes the holders for a few hundred and would look each of a million up one by one.
        session.execute(text("SET LOCAL enable_nestloop = off"))
    insert_people(session, roll)
    firms = eligible_members(cooperative.id, roll.record_date).where(
        Membership.organisation_id.is_not(None)
    )
    for part in session.execute(firms.execution_options(yield_per=CHUNK)).partitions(CHUNK):
        copy_rows(session, RollEntry, [{"roll_id": roll.id, **entry_values(row)} for row in part])
    if is_postgresql:
        session.execute(text("SET LOCAL enable_nestloop = on"))
    counted = Totals()

    def lines() -> Iterator[RollLine]:
        for line in roll_lines(session, roll):
            counted.add(line)
            yield line

    digest = digest_of(canonical_lines_in_order(cooperative.code, roll.record_date, lines()))
    return digest, counted.as_json()


def freeze_roll(session: Session, actor: Actor, roll: Roll) -> Roll:
    """Publish the roll: from now on only reasoned corrections. Freezing twice changes nothing.

    Raises Conflict when the stored entries no longer give the digest that was taken, RuleViolation
    when somebody stands on it twice: one person has one vote.
    """
    actor.require(Permission.ROLL_TAKE, roll.cooperative_id)
    lock_row(session, roll)
    if roll.is_frozen:
        return roll
    verify_roll(session, roll)
    for entries in held_twice(session, roll)[:1]:
        raise RuleViolation(
            _(
                "%(name)s stands on this roll more than once, as members %(numbers)s: one person "
                "has one vote.",
                name=entries[0].display_name,
                numbers=", ".join(entry.member_number for entry in entries),
            ),
            remedy=_(
                "Bring these memberships together as of %(day)s or earlier (register, data "
                "quality), then drop this roll and take it again.",
                day=in_words(roll.record_date),
            ),
        )
    roll.state = RollState.FROZEN.value
    roll.frozen_at = clock.now()
    session.flush()
    record_step(session, actor, roll, "frozen", {"digest": roll.digest})
    return roll


def discard_draft_roll(session: Session, actor: Actor, roll: Roll) -> None:
    """Drop a roll that was never frozen, to take it again. Raises Conflict for a frozen one."""
    actor.require(Permission.ROLL_TAKE, roll.cooperative_id)
    lock_row(session, roll)
    if roll.is_frozen:
        raise Conflict(
            _("This roll is frozen and cannot be dropped."),
            remedy=_("Correct single entries, with a reason."),
        )
    record_step(session, actor, roll, "discarded", {"digest": roll.digest})
    session.execute(delete(RollEntry).where(RollEntry.roll_id == roll.id))
    session.delete(roll)
    session.flush()


def lock_roll(session: Session, roll: Roll) -> Roll:
    """An election on this roll opens: from now on nothing changes (a trigger refuses it).

    Called by the voting feature, which has checked who may open. Locking twice changes nothing.
    Raises Conflict for a roll that is not frozen or whose entries do not give its digest.
    """
    lock_row(session, roll)
    if roll.is_locked:
        return roll
    if not roll.is_frozen:
        raise Conflict(_("This roll is still a draft."), remedy=_("Freeze the roll first."))
    verify_roll(session, roll)
    roll.locked_at = clock.now()
    session.flush()
    return roll
