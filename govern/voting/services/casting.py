"""Putting ballots into the box.

Two acts. ``check_ballot`` verifies signature and proofs and holds no lock (libsodium releases the
interpreter while it works). ``Box.cast`` then decides in one short transaction, under the box's
row lock: event, record, running product and attendance are written together or not at all, and
the same ballot again gives the same receipt.

Nothing here is logged, audited or mailed, and no time finer than a day is kept (protocol.md §6).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM
from govern.errors import Conflict, InvalidInput
from govern.voting import keys
from govern.voting.models import Attendance, Election, ElectionEvent
from govern.voting.protocol import ballots
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.ballots import CheckedBallot, read_accepted_choices
from govern.voting.protocol.decryption import RunningTally
from govern.voting.protocol.elections import Election as ProtocolElection
from govern.voting.protocol.errors import ProtocolError
from govern.voting.rules import ElectionState
from govern.voting.services.box import (
    append_event,
    lock_box,
    read_credentials,
    read_election,
    record_bytes,
)
from govern.voting.services.steps import log_incident


@dataclass(frozen=True)
class Receipt:
    """What the server confirms. ``signature`` is over ``keys.receipt_message``."""

    tracker: str
    height: int
    event_hash: str
    day: date
    signature: str

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer to a cast (frontend/README.md)."""
        return {
            "tracker": self.tracker,
            "height": self.height,
            "event_hash": self.event_hash,
            "signature": self.signature,
            "received_at_day": self.day.isoformat(),
        }


class BallotRefused(InvalidInput):
    """The ballot is not a valid ballot of this election. ``step`` is the protocol's word."""

    def __init__(self, message: str, *, remedy: str, step: str) -> None:
        super().__init__(message, remedy=remedy, field="ballot")
        self.step = step


class NotOpen(Conflict):
    """Ballots are not accepted now."""


class CredentialMismatch(Conflict):
    """The voting code and the member do not go together."""


class AlreadyVoted(Conflict):
    """The election lets nobody vote twice, and this member has voted."""


class Superseded(Conflict):
    """This ballot is in the box, but a later one of the same voter has replaced it."""


def check_ballot(session: Session, election: Election, data: bytes) -> CheckedBallot:
    """Verify a ballot without locking anything. Raises BallotRefused naming the step.

    Call it outside a writing transaction: it takes milliseconds of arithmetic.
    """
    return verify_ballot(read_election(election), read_credentials(session, election), data)


def verify_ballot(
    election: ProtocolElection, credentials: Container[str], data: bytes
) -> CheckedBallot:
    """``check_ballot`` for a caller that has read the election and its credentials before."""
    try:
        return ballots.check_ballot(election, data, credentials)
    except ProtocolError as error:
        raise _refusal(error) from error


def _refusal(error: ProtocolError) -> BallotRefused:
    if error.step == "credential":
        return BallotRefused(
            _("This voting code does not belong to this election."),
            remedy=_("Compare the code with your letter or mail. Nothing was stored."),
            step=error.step,
        )
    if error.step in ("election_uuid", "election_hash"):
        return BallotRefused(
            _("This ballot was made for another election."),
            remedy=_("Open the booth of this election again. Nothing was stored."),
            step=error.step,
        )
    return BallotRefused(
        _("The sealed ballot is not valid (%(step)s).", step=error.step),
        remedy=_("Nothing was stored. Reload the booth and vote again, or use another browser."),
        step=error.step,
    )


class Box:
    """A locked ballot box that accepts checked ballots, in the caller's transaction.

    ``save`` writes the running product; a transaction that ends without it is rolled back by
    whoever holds it. One for a single cast, one for a thousand: the checks are the same.
    """

    def __init__(self, session: Session, election: Election, time_zone: str) -> None:
        self._session = session
        self._election = election
        self._state = lock_box(session, election)
        self._protocol = read_election(election)
        self._tally: RunningTally | None = None
        self._day = clock.today(time_zone)

    def cast(self, roll_entry_id: int, ballot: CheckedBallot) -> Receipt:
        """Accept ``ballot`` on behalf of a member of the roll, or say why not.

        The same ballot again answers with the same receipt and changes nothing. Raises NotOpen,
        Superseded, CredentialMismatch, AlreadyVoted.
        """
        session, election = self._session, self._election
        present = session.execute(
            select(ElectionEvent.height, ElectionEvent.hash, ElectionEvent.day).where(
                ElectionEvent.election_id == election.id,
                ElectionEvent.tracker == ballot.tracker,
            )
        ).one_or_none()
        attendance = session.scalar(
            select(Attendance).where(
                Attendance.election_id == election.id,
                Attendance.roll_entry_id == roll_entry_id,
            )
        )
        latest = self._latest(ballot.credential)
        if present is not None:
            self._check_same_sender(attendance, ballot)
            if latest is not None and latest[0] != present.height:
                raise Superseded(
                    _("This ballot is in the box, but a later one has replaced it."),
                    remedy=_("The later ballot counts. There is nothing to do."),
                )
            return self._receipt(ballot.tracker, present.height, present.hash, present.day)
        self._require_open()
        self._ensure_salt()
        tag = keys.attendance_tag(election, ballot.credential)
        if attendance is None:
            self._check_unused(ballot, tag, latest is not None)
            session.add(Attendance(election_id=election.id, roll_entry_id=roll_entry_id, tag=tag))
        elif attendance.tag != tag:
            raise CredentialMismatch(
                _("A vote was already cast for this member with another voting code."),
                remedy=_("Use the code with which you voted. Nothing was stored."),
            )
        elif not election.revote_allowed:
            raise AlreadyVoted(
                _("You have voted already, and this election does not let anybody vote again."),
                remedy=_("Your first ballot counts. Nothing was stored."),
            )
        self._count(ballot, latest)
        event = append_event(
            session,
            self._state,
            EventType.BALLOT,
            [ballot.data],
            tracker=ballot.tracker,
            credential=ballot.credential,
            day=self._day,
        )
        self._state.ballots += 1
        self._state.voters += attendance is None
        return self._receipt(ballot.tracker, event.height, event.hash, self._day)

    def save(self) -> None:
        """Write the running product back, if anything was counted."""
        if self._tally is not None:
            self._state.tally = self._tally.to_bytes()
        self._session.flush()

    def _latest(self, credential: str) -> tuple[int, str] | None:
        """Height and payload of the last ballot of a credential."""
        row = self._session.execute(
            select(ElectionEvent.height, ElectionEvent.payload)
            .where(
                ElectionEvent.election_id == self._election.id,
                ElectionEvent.credential == credential,
            )
            .order_by(ElectionEvent.height.desc())
            .limit(1)
        ).one_or_none()
        return (row.height, row.payload) if row is not None else None

    def _require_open(self) -> None:
        election, now = self._election, clock.now()
        if election.stage is not ElectionState.OPEN or now >= election.closes_at:
            raise NotOpen(
                _("This election does not accept ballots any more.")
                if election.opened_at is not None
                else _("This election does not accept ballots yet."),
                remedy=_("Nothing was stored. The page of the election shows its times."),
            )

    def _ensure_salt(self) -> None:
        """After a restore in mid-vote there is no salt: the backup leaves it out on purpose."""
        if self._election.attendance_salt is None:
            self._election.attendance_salt = keys.make_salt()
            log_incident(self._session, SYSTEM, self._election, "salt_renewed")

    def _check_same_sender(self, attendance: Attendance | None, ballot: CheckedBallot) -> None:
        """Refuse a ballot of the box that somebody else sends again.

        After closing the tag is gone; whoever has voted is then told what the board shows anyway.
        """
        if attendance is not None:
            if self._election.stage is not ElectionState.OPEN:
                return
            if self._election.attendance_salt is not None and attendance.tag == (
                keys.attendance_tag(self._election, ballot.credential)
            ):
                return
        raise CredentialMismatch(
            _("This ballot is in the box already, and it was not cast for this member."),
            remedy=_("Vote with your own code. Nothing was stored."),
        )

    def _check_unused(self, ballot: CheckedBallot, tag: bytes, has_ballot: bool) -> None:
        taken = has_ballot or self._session.scalar(
            select(Attendance.key).where(
                Attendance.election_id == self._election.id, Attendance.tag == tag
            )
        )
        if taken:
            raise CredentialMismatch(
                _("This voting code has been used for another member."),
                remedy=_(
                    "Use the code that was sent to this member. If it is the right one, call the "
                    "returning officer at once. Nothing was stored."
                ),
            )

    def _count(self, ballot: CheckedBallot, latest: tuple[int, str] | None) -> None:
        if self._tally is None:
            self._tally = RunningTally.from_bytes(self._protocol, bytes(self._state.tally))
        if latest is not None:
            replaced = record_bytes(self._session, self._election, latest[1])
            self._tally.remove(read_accepted_choices(self._protocol, replaced))
        self._tally.add(ballot.choices)

    def _receipt(self, tracker: str, height: int, event_hash: str, day: date) -> Receipt:
        signature = keys.sign_receipt(self._election, tracker, height, event_hash, day)
        return Receipt(tracker, height, event_hash, day, signature)


def cast_ballot(
    session: Session,
    election: Election,
    roll_entry_id: int,
    ballot: CheckedBallot,
    *,
    time_zone: str | None = None,
) -> Receipt:
    """Put one checked ballot into the box, on behalf of a member of the election's roll.

    The caller has made sure that the member is on the roll and that the person who asks may vote
    for that member; it commits. ``time_zone`` saves asking for the cooperative's.
    """
    box = Box(session, election, time_zone or election.cooperative.time_zone)
    receipt = box.cast(roll_entry_id, ballot)
    box.save()
    return receipt


def append_ballots(
    session: Session, election: Election, cast: Iterable[tuple[int, CheckedBallot]]
) -> list[Receipt]:
    """``cast_ballot`` for many (roll entry id, checked ballot) in one transaction, in order."""
    box = Box(session, election, election.cooperative.time_zone)
    receipts = [box.cast(roll_entry_id, ballot) for roll_entry_id, ballot in cast]
    box.save()
    return receipts
