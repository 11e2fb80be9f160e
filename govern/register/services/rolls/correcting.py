"""Correcting a frozen roll before a vote on it opens."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.register.models import (
    CorrectionAction,
    Membership,
    Roll,
    RollCorrection,
    RollEntry,
)
from govern.register.rules.roll import (
    canonical_lines,
    digest_of,
    obstacles_on,
    totals_of,
)
from govern.register.services.rolls.entries import (
    eligible_members,
    entry_of,
    entry_values,
    lock_row,
    record_step,
    roll_lines,
)
from govern.register.services.rolls.reading import member_facts
from govern.register.signals import roll_entry_removed
from govern.register.texts import obstacle_text


def correct_roll(
    session: Session,
    actor: Actor,
    roll: Roll,
    membership: Membership,
    reason: str,
    *,
    remove: bool = False,
) -> RollCorrection:
    """Add, read again or remove one member of a frozen roll, with a reason that members can read.

    Without ``remove`` the member is read from the register again as of the record date: added if
    missing, updated if changed. Raises InvalidInput without a reason, Conflict when the roll is a
    draft, locked, or nothing would change, RuleViolation naming what keeps the member off.
    """
    actor.require(Permission.ROLL_CORRECT, roll.cooperative_id)
    lock_row(session, roll)
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("A correction of the roll needs a reason of 5 to 500 characters."),
            remedy=_("Write why the roll was wrong; every member can read it."),
            field="reason",
        )
    if membership.cooperative_id != roll.cooperative_id:
        raise NotFound(_("This member is not in the register of this cooperative."))
    if not roll.is_frozen:
        raise Conflict(
            _("This roll is still a draft."), remedy=_("Drop it and take it again, or freeze it.")
        )
    if roll.is_locked:
        raise Conflict(
            _("A vote on this roll has opened: it cannot be changed any more."),
            remedy=_("Objections go into the minutes and to the assembly."),
        )
    entry = entry_of(session, roll, membership.id)
    if remove:
        action = CorrectionAction.REMOVED
        if entry is None:
            raise Conflict(
                _("Member %(number)s is not on this roll.", number=membership.member_number),
                remedy=_("Nothing needs to be corrected."),
            )
        roll_entry_removed.send(entry, session=session)
        session.delete(entry)
    else:
        action = _read_again(session, roll, membership, entry)
    session.flush()
    before = roll.digest
    _count_again(session, roll)
    correction = RollCorrection(
        roll_id=roll.id,
        membership_id=membership.id,
        member_number=membership.member_number,
        action=action.value,
        reason=reason,
        made_at=clock.now(),
        made_by_id=actor.account_id,
        digest_before=before,
        digest_after=roll.digest,
    )
    session.add(correction)
    session.flush()
    record_step(
        session,
        actor,
        roll,
        "corrected",
        {"action": action.value, "membership": membership.public_id, "digest": roll.digest},
    )
    return correction


def _read_again(
    session: Session, roll: Roll, membership: Membership, entry: RollEntry | None
) -> CorrectionAction:
    row = session.execute(
        eligible_members(roll.cooperative_id, roll.record_date, membership.id)
    ).one_or_none()
    if row is None:
        obstacles = obstacles_on(
            member_facts(session, membership, roll.record_date), roll.record_date
        )
        raise RuleViolation(
            " ".join(obstacle_text(item, roll.record_date) for item in obstacles),
            remedy=_("Correct the register first, with the day on which it took effect."),
        )
    values = entry_values(row)
    if entry is None:
        session.add(RollEntry(roll_id=roll.id, **values))
        return CorrectionAction.ADDED
    changed = {key: value for key, value in values.items() if getattr(entry, key) != value}
    if not changed:
        raise Conflict(
            _(
                "Member %(number)s is on the roll as the register shows it.",
                number=membership.member_number,
            ),
            remedy=_("Nothing needs to be corrected."),
        )
    for key, value in changed.items():
        setattr(entry, key, value)
    return CorrectionAction.UPDATED


def _count_again(session: Session, roll: Roll) -> None:
    lines = list(roll_lines(session, roll))
    totals = totals_of(lines)
    cooperative = session.get_one(Cooperative, roll.cooperative_id)
    roll.digest = digest_of(canonical_lines(cooperative.code, roll.record_date, lines))
    roll.heads = totals["heads"]
    roll.shares_issued = totals["shares_issued"]
    roll.shares_paid = totals["shares_paid"]
    roll.totals = totals
