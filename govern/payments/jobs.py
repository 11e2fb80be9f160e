"""What payments do in the background: reading large statements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.database import reading as only_reading
from govern.errors import GovernError
from govern.i18n import speaking
from govern.jobs import BackgroundJob, JobState, every_tick, job, register_resume, report_progress
from govern.payments.models import BankAccount, ReadingState, StatementReading
from govern.payments.services import readings
from govern.payments.services.statements import parse_file


@job(readings.READ_JOB)
def read_statement(session: Session, reading_id: int) -> None:
    """Store the entries of a file, then match them step by step; each step may be repeated."""
    row = session.get(StatementReading, reading_id)
    if row is None or row.state not in readings.ON_THE_WAY:
        return
    actor = Actor(account_id=row.created_by_id, is_system=True)
    language = row.language
    with speaking(language):
        if row.state == ReadingState.WAITING.value and not _store(session, actor, reading_id):
            return
        total = session.get_one(StatementReading, reading_id).entries_new
        done = readings.settled_count(session, session.get_one(StatementReading, reading_id))
        report_progress(done, total)
        while readings.settle_step(session, actor, session.get_one(StatementReading, reading_id)):
            session.commit()
            done = min(done + readings.STEP, total)
            report_progress(done, total)


def _store(session: Session, actor: Actor, reading_id: int) -> bool:
    """Parse between two transactions, so that nobody waits meanwhile; whether it was stored."""
    try:
        with only_reading(session):
            row = session.get_one(StatementReading, reading_id)
            content = row.content or b""
            account = session.get(BankAccount, row.bank_account_id) if row.bank_account_id else None
            parsed = parse_file(content, account=account)
        readings.store_reading(
            session, actor, session.get_one(StatementReading, reading_id), parsed
        )
        session.commit()
    except GovernError as error:
        session.rollback()
        failed = session.get_one(StatementReading, reading_id)
        readings.fail_reading(session, failed, f"{error.message} {error.remedy}".strip())
        return False
    return True


def resume_readings(session: Session) -> None:
    """Ask again for readings whose job is lost; those whose job gave up are marked failed."""
    for row in session.scalars(
        select(StatementReading).where(StatementReading.state.in_(readings.ON_THE_WAY))
    ).all():
        asked = session.get(BackgroundJob, row.job_id) if row.job_id else None
        if asked is not None and asked.state == JobState.FAILED.value:
            readings.fail_reading(session, row, _told(asked.error))
        elif asked is None or asked.state == JobState.DONE.value:
            readings.ask_for(session, row)


def mark_failed_readings(session: Session, _now: datetime) -> None:
    """A reading whose job gave up says so instead of showing a bar that never moves."""
    stuck = session.execute(
        select(StatementReading, BackgroundJob.error)
        .join(BackgroundJob, BackgroundJob.id == StatementReading.job_id)
        .where(
            StatementReading.state.in_(readings.ON_THE_WAY),
            BackgroundJob.state == JobState.FAILED.value,
        )
        .limit(20)
    ).all()
    for row, error in stuck:
        readings.fail_reading(session, row, _told(error))


def _told(error: str) -> str:
    """What a job says of its failure, where it is meant for people and not the name of a kind."""
    return error if " " in error else ""


def register_jobs() -> None:
    """Bind what runs at ticks and after a crash."""
    register_resume(resume_readings)
    every_tick(mark_failed_readings)
