"""What elections do by themselves: open and close by the clock, count, check, clean up.

Every function may run twice, and after a crash in the middle: it looks at the state first, and
each step is one transaction.
"""

from __future__ import annotations

import logging
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM
from govern.accounts.services.sessions import forget_sign_in_order
from govern.database import reading
from govern.extensions import db
from govern.jobs import enqueue, every_tick, job, report_progress
from govern.voting.models import CredentialRun, Election, Incident
from govern.voting.protocol.audit import audit_archive
from govern.voting.protocol.errors import AuditError
from govern.voting.rules import ElectionState, missing_for
from govern.voting.services import closing, notices, tally
from govern.voting.services.attendance import overwrite_deleted
from govern.voting.services.box import BrokenBox, box_height, check_chain, stream_archive
from govern.voting.services.credentials import (
    check_uploaded_batch,
    count_done,
    finish_run,
    make_batch,
)
from govern.voting.services.steps import NotReady, gather_facts, lock_election, log_incident
from govern.voting.texts import missing_sentence

log = logging.getLogger("govern.voting")

CHECK_EVERY = timedelta(minutes=10)
"""How old the last check of an open box may be."""

SCRUB_PAUSE = timedelta(seconds=30)
"""How long to wait when somebody's reading kept deleted rows from being overwritten."""


@every_tick
def keep_times(session: Session, now: datetime) -> None:
    """Open what is due to open, close what is due to close (also after a restart)."""
    due = session.scalars(
        select(Election)
        .where(
            or_(
                (Election.state == ElectionState.CREDENTIALS.value) & (Election.opens_at <= now),
                (Election.state == ElectionState.OPEN.value) & (Election.closes_at <= now),
            )
        )
        .order_by(Election.id)
    ).all()
    for election in due:
        try:
            with session.begin_nested():
                if election.stage is ElectionState.OPEN:
                    closing.close_election(session, SYSTEM, election)
                else:
                    _open_or_report(session, election)
        except Exception:
            # One election in trouble must not hold up the others; it is tried again at each tick.
            log.exception("an election could not follow its times", extra={"id": election.id})


def _open_or_report(session: Session, election: Election) -> None:
    """Open, or say once per opening time what is missing."""
    missing = missing_for(ElectionState.OPEN, gather_facts(session, election))
    if not missing:
        closing.open_election(session, SYSTEM, election)
        return
    told = session.scalar(
        select(Incident.id).where(
            Incident.election_id == election.id,
            # Whoever fixes it after its opening time sees on the page what is missing.
            Incident.code.in_(("opening_failed", ElectionState.CREDENTIALS.value)),
            Incident.recorded_at >= election.opens_at,
        )
    )
    if told is None:
        codes = [item.code for item in missing]
        log_incident(session, SYSTEM, election, "opening_failed", details={"missing": codes})
        notices.report_opening_failed(
            session, election, [missing_sentence(item) for item in missing]
        )


@every_tick
def look_after_boxes(session: Session, now: datetime) -> None:
    """Ask for what a crash may have left undone: counting, cleaning up, checking open boxes."""
    waiting = session.scalars(
        select(Election).where(
            or_(
                Election.state.in_([ElectionState.CLOSED.value, ElectionState.TALLYING.value]),
                (Election.state == ElectionState.OPEN.value)
                & or_(Election.checked_at.is_(None), Election.checked_at < now - CHECK_EVERY),
                _has_attendance_to_scrub(),
            )
        )
    ).all()
    for election in waiting:
        if election.stage is ElectionState.OPEN:
            enqueue(session, "voting.verify_chain", election.id)
        elif _can_advance(session, election):
            enqueue(session, "voting.advance", election.id)
        if _is_over(election) and election.attendance_scrubbed_at is None:
            enqueue(session, "voting.scrub_attendance", election.id)


def _has_attendance_to_scrub() -> ColumnElement[bool]:
    """Closed, or cancelled after it had opened, and not scrubbed yet."""
    over = or_(
        Election.closed_at.is_not(None),
        Election.cancelled_at.is_not(None) & Election.opened_at.is_not(None),
    )
    return over & Election.attendance_scrubbed_at.is_(None)


def _is_over(election: Election) -> bool:
    """Whether nobody votes any more in an election that had opened."""
    return election.closed_at is not None or (
        election.cancelled_at is not None and election.opened_at is not None
    )


def _can_advance(session: Session, election: Election) -> bool:
    if election.stage is ElectionState.CLOSED:
        return election.unsound_since is None
    if election.stage is not ElectionState.TALLYING or election.unsound_since is not None:
        return False
    if election.recounted_at is None:
        return True
    return not missing_for(ElectionState.PUBLISHED, gather_facts(session, election))


@job("voting.advance")
def advance(session: Session, election_id: int) -> None:
    """Take a closed election as far as it can go: add up, count again, publish."""
    election = session.get_one(Election, election_id)
    if election.stage is ElectionState.CLOSED:
        try:
            tally.tally_election(session, SYSTEM, election)
        except NotReady:
            session.rollback()
            return
        except BrokenBox:
            # The product does not hold one ballot per voter: said in public, and not tried again.
            session.rollback()
            lock_election(session, election)
            tally.mark_unsound(session, election)
            return
        session.commit()
    if election.stage is ElectionState.TALLYING and election.recounted_at is None:
        _recount(session, election)
    if election.stage is ElectionState.TALLYING and not missing_for(
        ElectionState.PUBLISHED, gather_facts(session, election)
    ):
        tally.publish_result(session, SYSTEM, election)
        enqueue(session, "voting.audit_archive", election.id)
        session.commit()


def _recount(session: Session, election: Election) -> None:
    """Count again without holding any lock; the box does not change any more."""
    with reading(session):
        try:
            counted = tally.count_again(session, election, report_progress)
        except BrokenBox:
            counted = None
    tally.accept_recount(session, election, counted)
    session.commit()


@job("voting.verify_chain")
def verify_chain(session: Session, election_id: int) -> None:
    """Check the whole chain of a box while it is open, and note when and how far."""
    election = session.get_one(Election, election_id)
    if election.stage is not ElectionState.OPEN:
        return
    with reading(session):
        last = box_height(session, election)
        try:
            check_chain(session, election, last=last)
            sound = True
        except BrokenBox:
            sound = False
    lock_election(session, election)
    election.checked_at, election.checked_height = clock.now(), last
    if not sound:
        tally.mark_unsound(session, election, last)


@job("voting.scrub_attendance")
def scrub(session: Session, election_id: int) -> None:
    """Overwrite what the order of voting left in the database's files. Tried until it succeeds."""
    election = session.get_one(Election, election_id)
    if not _is_over(election) or election.attendance_scrubbed_at is not None:
        return
    forget_sign_in_order(session)
    session.commit()
    if not overwrite_deleted(db.engine):
        # The next tick finds this request waiting and does not ask again before.
        enqueue(session, "voting.scrub_attendance", election_id, delay=SCRUB_PAUSE)
        return
    lock_election(session, election)
    election.attendance_scrubbed_at = clock.now()
    log_incident(session, SYSTEM, election, "attendance_scrubbed")


@job("voting.make_credentials")
def make_credentials(session: Session, run_id: int) -> None:
    """Make the voting codes of a run, batch by batch; goes on where a crash left it."""
    run = session.get_one(CredentialRun, run_id)
    done, total = count_done(session, run), run.total
    report_progress(done, total)
    while made := make_batch(session, run):
        session.commit()
        done += made
        report_progress(done, total)
    _finish(session, run)


@job("voting.check_credentials")
def check_credentials(session: Session, run_id: int) -> None:
    """Check the uploaded public keys of a run, batch by batch."""
    run = session.get_one(CredentialRun, run_id)
    done, total = count_done(session, run), run.total
    while checked := check_uploaded_batch(session, run):
        session.commit()
        done += checked
        report_progress(done, total)
    _finish(session, run)


def _finish(session: Session, run: CredentialRun) -> None:
    """Pool the keys, and have the place overwritten where they stood batch by batch."""
    if finish_run(session, run):
        enqueue(session, "voting.overwrite_parts")


@job("voting.overwrite_parts")
def overwrite_parts(session: Session) -> None:
    """Overwrite where the keys of finished runs stood. Tried until it succeeds."""
    session.commit()
    if not overwrite_deleted(db.engine):
        enqueue(session, "voting.overwrite_parts", delay=SCRUB_PAUSE)


@job("voting.audit_archive", max_attempts=2)
def audit_published(session: Session, election_id: int) -> None:
    """Run the strict verifier over the published archive and note what it said."""
    election = session.get_one(Election, election_id)
    if election.stage is not ElectionState.PUBLISHED or _was_audited(session, election):
        return
    with tempfile.TemporaryDirectory(prefix="govern-audit-") as folder:
        path = Path(folder) / f"{election.uuid}.bel"
        with reading(session), path.open("wb") as file:
            for piece in stream_archive(session, election):
                file.write(piece)
        try:
            audit_archive(path)
        except AuditError as error:
            code, details = "audit_refused", {"step": error.number}
        else:
            code, details = "audited", {}
    lock_election(session, election)
    if not _was_audited(session, election):
        log_incident(session, SYSTEM, election, code, details=details)


def _was_audited(session: Session, election: Election) -> bool:
    query = select(Incident.id).where(
        Incident.election_id == election.id, Incident.code.in_(("audited", "audit_refused"))
    )
    return session.scalars(query.limit(1)).first() is not None
