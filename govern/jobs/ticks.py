"""Things that happen at set times: every few seconds each registered function looks at the clock.

The worker's supervisor calls ``tick``. Each function runs in a transaction of its own that only
one process at a time can hold (SQLite: the write lock; PostgreSQL: an advisory lock), so that two
machines never do the same thing twice; it must be short, and hand long work to ``enqueue``.
Whatever was due while nothing ran happens at the first tick after the restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from govern import clock
from govern.database import reading
from govern.extensions import db
from govern.jobs import broker
from govern.jobs.models import BackgroundJob, JobState
from govern.jobs.queue import put_back, resumers

log = logging.getLogger("govern.jobs")

TICK_SECONDS = 2.0
LOCK_NUMBER = 7_311_983
BATCH = 500
KEEP_DONE = timedelta(days=7)

TickFunction = Callable[[Session, datetime], None]

_functions: dict[str, TickFunction] = {}


def every_tick(function: TickFunction) -> TickFunction:
    """Have ``function(session, now)`` called at every tick (usable as a decorator).

    The caller commits. Doing nothing must be cheap: one indexed query.
    """
    _functions[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def tick() -> None:
    """Call every registered function once, then hand over the jobs that are due."""
    for name, function in list(_functions.items()):
        _call(name, function)
    _call("jobs.give_up_silent_runs", give_up_silent_runs)
    _call("jobs.forget_done_jobs", forget_done_jobs)
    push_due_jobs()


def _call(name: str, function: TickFunction) -> None:
    session = db.session()
    try:
        if _only_one(session):
            function(session, clock.now())
        session.commit()
    except Exception as error:
        if isinstance(error, OperationalError) and "database is locked" in str(error.orig):
            # SQLite: somebody writes for longer than we wait. The next tick is two seconds away.
            log.warning("tick postponed: the database is being written", extra={"tick": name})
        else:
            log.exception("tick failed", extra={"tick": name})
        session.rollback()


def _only_one(session: Session) -> bool:
    """Whether this transaction may tick. SQLite's begins with the only write lock there is."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    found = session.scalar(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": LOCK_NUMBER})
    return bool(found)


def give_up_silent_runs(session: Session, now: datetime) -> None:
    """Put back jobs whose run has died (no sign of life for ``LONGEST_SILENCE``)."""
    if not broker.is_connected() or not broker.ping():
        # Without Redis nobody can give a sign of life; that is no reason to doubt anyone.
        return
    running = session.scalars(
        select(BackgroundJob)
        .where(
            BackgroundJob.state == JobState.RUNNING.value,
            BackgroundJob.started_at < now - broker.LONGEST_SILENCE,
        )
        .limit(BATCH)
    )
    for row in running:
        if not broker.is_alive(broker.client(), row.id):
            log.warning("a run died", extra={"job": row.name, "job_id": row.id})
            put_back(row, "The process that worked on this has ended unexpectedly.")


def forget_done_jobs(session: Session, now: datetime) -> None:
    """Remove the rows of jobs that were done days ago; failed ones stay until somebody looks."""
    session.execute(
        delete(BackgroundJob).where(
            BackgroundJob.state == JobState.DONE.value,
            BackgroundJob.due_at < now - KEEP_DONE,
        )
    )


def push_due_jobs() -> int:
    """Hand every job that is due to the workers, unless it is with them; the number handed over."""
    if not broker.is_connected():
        return 0
    waiting = (
        select(BackgroundJob.id)
        .where(BackgroundJob.state == JobState.QUEUED.value, BackgroundJob.due_at <= clock.now())
        .order_by(BackgroundJob.due_at)
        .limit(BATCH)
    )
    try:
        with reading(db.session):
            due = db.session.scalars(waiting).all()
    except SQLAlchemyError:
        log.exception("the database is away: jobs wait")
        return 0
    return broker.push_all(due) if due else 0


def put_back_all_running(session: Session) -> int:
    """Put back every job that is marked running: at a start when no worker can be alive."""
    rows = session.scalars(
        select(BackgroundJob).where(BackgroundJob.state == JobState.RUNNING.value)
    ).all()
    for row in rows:
        put_back(row, "The process that worked on this has ended unexpectedly.")
        if row.state == JobState.QUEUED.value:
            row.due_at = clock.now()
    return len(rows)


def resume() -> int:
    """Enqueue whatever a crash left behind; the number of jobs handed over."""
    for resumer in resumers():
        resumer(db.session())
        db.session.commit()
    return push_due_jobs()
