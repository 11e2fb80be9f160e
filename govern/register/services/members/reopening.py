"""Taking back an ending that was wrong: the member of the same name who died, the wrong line."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.register.models import (
    EndReason,
    Erasure,
    ErasureState,
    Membership,
    Merge,
    MergeKind,
)
from govern.register.services.holdings import holding_of
from govern.register.services.members.finding import open_membership, record_change

_ERASED = (ErasureState.PARTIAL.value, ErasureState.COMPLETE.value)


def take_back_ending(session: Session, actor: Actor, membership: Membership, reason: str) -> None:
    """The membership goes on as if it had not ended. Shares that left meanwhile stay away: their
    entry is taken back by itself (``ledger.reverse_act``), which also calls the refund off.

    Rolls that were taken do not change. Raises Conflict where nothing ended or the same holder has
    another membership by now; RuleViolation where the ending follows from a transfer or a merge,
    or data were erased; InvalidInput without a reason of 5 to 500 characters.
    """
    open_membership(session, actor, membership)
    if membership.ended_on is None:
        raise Conflict(_("This membership has not ended."), remedy=_("Nothing needs to be done."))
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("A reason of 5 to 500 characters is needed."),
            remedy=_("Write how you know it."),
            field="reason",
        )
    if was_merged(session, membership):
        raise RuleViolation(
            _("The membership ended because it was merged with another one."),
            remedy=_("Take the merge back instead."),
        )
    is_transfer = membership.end_reason == EndReason.TRANSFER.value
    if is_transfer and not holding_of(session, membership.id).issued:
        raise RuleViolation(
            _("The membership ended because all its shares were transferred."),
            remedy=_("Take the entry of the transfer back instead."),
        )
    erased = select(Erasure.id).where(
        Erasure.membership_id == membership.id, Erasure.state.in_(_ERASED)
    )
    if session.scalar(erased.limit(1)) is not None:
        raise RuleViolation(
            _("Data of this member were erased after the ending."),
            remedy=_("Admit the person again, under a new number."),
        )
    refuse_another(session, membership)
    was = membership.end_reason
    membership.ended_on = membership.end_reason = None
    membership.end_note = "\n".join(filter(None, [membership.end_note, reason]))
    membership.changed_at = clock.now()
    session.flush()
    record_change(session, actor, membership, "ending_taken_back", {"reason": was})


def was_merged(session: Session, membership: Membership) -> bool:
    """Whether the membership ended because its shares went to the same holder's other one."""
    merged = select(Merge.id).where(
        Merge.merged_id == membership.id,
        Merge.kind == MergeKind.MEMBERSHIP.value,
        Merge.undone_at.is_(None),
    )
    return session.scalar(merged.limit(1)) is not None


def refuse_another(session: Session, membership: Membership) -> None:
    """Raise Conflict when the holder of a membership that ended is a member again."""
    holder = (
        Membership.person_id == membership.person_id
        if membership.person_id is not None
        else Membership.organisation_id == membership.organisation_id
    )
    number = session.scalar(
        select(Membership.member_number)
        .where(
            Membership.cooperative_id == membership.cooperative_id,
            Membership.id != membership.id,
            Membership.ended_on.is_(None),
            holder,
        )
        .limit(1)
    )
    if number is not None:
        raise Conflict(
            _("The same holder is a member again, under the number %(number)s.", number=number),
            remedy=_("Nobody has two memberships: leave this one as it is."),
        )
