"""An election is stopped for good."""

from __future__ import annotations

from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.jobs import enqueue
from govern.voting.models import BoxState, Election
from govern.voting.rules import ElectionState
from govern.voting.services import notices
from govern.voting.services.attendance import forget_attendance_order
from govern.voting.services.box import lock_box
from govern.voting.services.steps import check_step, lock_election, require_reason, take_step
from govern.voting.signals import election_cancelled


def cancel_election(
    session: Session, actor: Actor, election: Election, reason: str
) -> notices.Withdrawn:
    """Stop an election for good, before its result is published. The reason is public.

    Returns how many mails with codes were stopped, and how many may be out all the same.

    A box that exists stays readable; nobody can open it any more through this server.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    _lock_with_box(session, election)
    check_step(session, election, ElectionState.CANCELLED)
    text = require_reason(reason)
    was_open = election.stage is ElectionState.OPEN
    withdrawn = notices.withdraw_codes(session, election)
    election.cancel_reason, election.cancelled_at = text, clock.now()
    election.attendance_salt = None
    take_step(
        session, actor, election, ElectionState.CANCELLED, reason=text, details=withdrawn.details()
    )
    if was_open:
        forget_attendance_order(session, election)
        enqueue(session, "voting.scrub_attendance", election.id)
    session.flush()
    election_cancelled.send(election, session=session)
    return withdrawn


def _lock_with_box(session: Session, election: Election) -> None:
    """Lock the election and, once there is one, its box: first the box, as casting does.

    A ballot that is being cast holds the box; without this it would go in after the end.
    """
    has_box = session.get(BoxState, election.id) is not None
    if has_box:
        lock_box(session, election)
    lock_election(session, election)
    if not has_box and election.opened_at is not None:
        # It has opened while we waited.
        lock_box(session, election)
