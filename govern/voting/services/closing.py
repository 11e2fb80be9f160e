"""Opening and closing the box, by the clock or early, and what the two leave behind."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.errors import InvalidInput
from govern.i18n import instant
from govern.jobs import enqueue
from govern.register.services.rolls import lock_roll, verify_roll
from govern.voting import keys
from govern.voting.models import Election, PublicCredential
from govern.voting.protocol.archive import EventType, make_setup
from govern.voting.protocol.credentials import make_public_credentials
from govern.voting.protocol.decryption import RunningTally
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.rules import ElectionState
from govern.voting.services import notices
from govern.voting.services.attendance import forget_attendance_order
from govern.voting.services.box import append_event, lock_box, read_election, start_box
from govern.voting.services.steps import (
    check_step,
    lock_election,
    log_incident,
    require_reason,
    require_state,
    take_step,
)
from govern.voting.signals import election_closed, election_opened


def open_election(session: Session, actor: Actor, election: Election) -> None:
    """Begin to accept ballots (credentials → open): lock the roll, write the Setup event.

    Mails the digests to trustees and auditors, so that they are lodged outside this server
    before the first ballot. Raises NotReady with what is missing.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    check_step(session, election, ElectionState.OPEN)
    lock_roll(session, election.roll)
    verify_roll(session, election.roll)
    # The roll may have been corrected between the first look and its lock.
    check_step(session, election, ElectionState.OPEN)
    protocol_election = read_election(election)
    group = protocol_election.group
    credentials = make_public_credentials(
        group.decode_trusted(key)
        for key in session.scalars(
            select(PublicCredential.public_key).where(PublicCredential.election_id == election.id)
        )
    )
    setup = make_setup(protocol_election.data, bytes(election.trustees_data or b""), credentials)
    now = clock.now()
    election.roll_digest = election.roll.digest
    election.heads = election.roll.heads
    election.credentials_digest = sha256_hex(credentials)
    election.setup_hash = setup.hash
    election.archive_timestamp = int(now.timestamp())
    election.receipt_key = keys.receipt_public_key(election)
    election.opened_at = now
    take_step(
        session,
        actor,
        election,
        ElectionState.OPEN,
        details={
            "heads": election.heads,
            "roll_digest": election.roll_digest,
            "credentials_digest": election.credentials_digest,
            "fingerprint": election.fingerprint,
            "setup_hash": election.setup_hash,
        },
    )
    election.attendance_salt = keys.make_salt()
    start_box(session, election, setup, RunningTally(protocol_election).to_bytes())
    notices.announce_opening(session, election)
    election_opened.send(election, session=session)


def extend_election(
    session: Session, actor: Actor, election: Election, closes_at: datetime, reason: str
) -> None:
    """Move the closing time of an open election later, because of an outage for example.

    Also possible after the closing time as long as the box is not closed: an outage that covers
    the closing time is then made good before the server starts to work again.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_box(session, election)
    require_state(election, ElectionState.OPEN)
    before = election.closes_at
    if closes_at <= before or closes_at <= clock.now():
        raise InvalidInput(
            _(
                "The new closing time must be later than %(before)s and than now.",
                before=instant(before),
            ),
            field="closes_at",
        )
    election.closes_at = closes_at
    log_incident(
        session,
        actor,
        election,
        "extended",
        reason=require_reason(reason),
        details={"before": before.isoformat(), "after": closes_at.isoformat()},
    )
    session.flush()


def close_election(
    session: Session, actor: Actor, election: Election, *, early_reason: str = ""
) -> None:
    """Close the box (open → closed): EndBallots, and no trace of who voted when.

    Before its time only with ``early_reason``, which is public; the closing time becomes now.
    The count follows in a job.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    box = lock_box(session, election)
    now = clock.now()
    if early_reason and election.stage is ElectionState.OPEN and now < election.closes_at:
        reason = require_reason(early_reason)
        before, election.closes_at = election.closes_at, now
        log_incident(
            session,
            actor,
            election,
            "closed_early",
            reason=reason,
            details={"before": before.isoformat()},
        )
    check_step(session, election, ElectionState.CLOSED)
    append_event(session, box, EventType.END_BALLOTS, singleton=EventType.END_BALLOTS.value)
    election.attendance_salt = None
    election.closed_at = now
    forget_attendance_order(session, election)
    take_step(
        session,
        actor,
        election,
        ElectionState.CLOSED,
        details={"ballots": box.ballots, "voters": box.voters},
    )
    session.flush()
    enqueue(session, "voting.scrub_attendance", election.id)
    enqueue(session, "voting.advance", election.id)
    election_closed.send(election, session=session)
