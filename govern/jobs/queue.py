"""Asking for work to be done later, and running one piece of it.

A job is a row first, written in the transaction of whoever asks; after the commit its number goes
to Redis, which carries nothing else. If Redis is away, or the process dies in between, the row is
still there and the next tick (or ``govern resume``) hands it over again.

A job runs at least once and its effect must be that of once: the function either does its work in
the one transaction that the row's ``done`` mark also belongs to (then it happens exactly once), or
commits in steps each of which may be repeated.
"""

from __future__ import annotations

import importlib
import json
import logging
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, SessionTransaction

from govern import clock
from govern.database import changed_rows
from govern.errors import GovernError
from govern.extensions import db
from govern.jobs import broker
from govern.jobs.models import BackgroundJob, JobState

log = logging.getLogger("govern.jobs")

JobFunction = TypeVar("JobFunction", bound=Callable[..., None])

MAX_ATTEMPTS = 5
_AFTER_COMMIT = "govern_jobs_after_commit"
_ASKED = "govern_jobs_asked"


@dataclass(frozen=True)
class RegisteredJob:
    """A function that may run as a job: ``function(session, *arguments)``."""

    name: str
    function: Callable[..., None]
    max_attempts: int


_registered: dict[str, RegisteredJob] = {}
_resumers: list[Callable[[Session], None]] = []
_running_id: ContextVar[int | None] = ContextVar("running_job_id", default=None)
_progress: ContextVar[tuple[int, int]] = ContextVar("progress", default=(0, 0))


def job(name: str, *, max_attempts: int = MAX_ATTEMPTS) -> Callable[[JobFunction], JobFunction]:
    """Register ``function(session, *ids)`` as the idempotent job ``name`` ("register.import")."""

    def decorate(function: JobFunction) -> JobFunction:
        held = _registered.get(name)
        if held is not None and held.function.__qualname__ != function.__qualname__:
            raise ValueError(f"two jobs are named {name}")
        _registered[name] = RegisteredJob(name, function, max_attempts)
        function.__govern_job__ = name  # type: ignore[attr-defined]
        return function

    return decorate


def find_job(name: str) -> RegisteredJob:
    """The job of that name, or of that ``govern.package.module:function``; LookupError if none."""
    if ":" in name and name not in _registered:
        module, _, function = name.partition(":")
        if not module.startswith("govern."):
            raise LookupError(f"{name} is not a job of govern")
        target = getattr(importlib.import_module(module), function, None)
        name = getattr(target, "__govern_job__", name)
    if name not in _registered:
        raise LookupError(f"there is no job named {name}")
    return _registered[name]


def enqueue(
    session: Session,
    name: str,
    *arguments: int | str,
    key: str | None = None,
    delay: timedelta | None = None,
) -> BackgroundJob:
    """Ask for job ``name`` to run with ``arguments`` once this transaction is committed.

    ``key`` (default: name and arguments) makes asking twice the same as asking once while the
    first request still waits; a request made while the job already runs is kept for a second run.
    ``arguments`` must be JSON scalars that name no person. Returns the row (flushed).
    """
    registered = find_job(name)
    key = key or f"{registered.name}:{json.dumps(list(arguments), separators=(',', ':'))}"
    asked: dict[str, BackgroundJob] = session.info.setdefault(_ASKED, {})
    if key in asked:
        return asked[key]
    waiting = session.scalar(
        select(BackgroundJob).where(
            BackgroundJob.key == key, BackgroundJob.state == JobState.QUEUED.value
        )
    )
    if waiting is None:
        now = clock.now()
        waiting = BackgroundJob(
            name=registered.name,
            arguments=list(arguments),
            key=key,
            created_at=now,
            due_at=now + (delay or timedelta(0)),
        )
        waiting = _insert_once(session, waiting)
    if delay is None:
        session.info.setdefault(_AFTER_COMMIT, []).append(waiting.id)
    # Thirty thousand mails in one transaction ask for the same job.
    asked[key] = waiting
    return waiting


def _insert_once(session: Session, row: BackgroundJob) -> BackgroundJob:
    """Insert ``row``; if somebody else inserted the same key just before, give theirs."""
    try:
        with session.begin_nested():
            session.add(row)
    except sa.exc.IntegrityError:
        theirs = session.scalar(select(BackgroundJob).where(BackgroundJob.key == row.key))
        # None: theirs began to run in this very moment, which frees the key.
        return theirs if theirs is not None else _insert_once(session, row)
    return row


def register_resume(resumer: Callable[[Session], None]) -> None:
    """``govern resume`` calls ``resumer(session)``, which enqueues what a crash left undone.

    Rows of ``background_job`` need none: they are resumed anyway.
    """
    if resumer not in _resumers:
        _resumers.append(resumer)


def resumers() -> list[Callable[[Session], None]]:
    """What features registered with ``register_resume``."""
    return list(_resumers)


# -- after the commit ------------------------------------------------------------------------


def _after_commit(session: Session) -> None:
    # SQLAlchemy says "after commit" when a savepoint is released, too: nothing is safe yet then.
    if session.in_nested_transaction():
        return
    session.info.pop(_ASKED, None)
    ids = session.info.pop(_AFTER_COMMIT, [])
    if ids and broker.is_connected():
        broker.push_all(dict.fromkeys(ids))


def _after_rollback(session: Session) -> None:
    session.info.pop(_AFTER_COMMIT, None)
    session.info.pop(_ASKED, None)


def _after_soft_rollback(session: Session, _previous: SessionTransaction) -> None:
    # Of a savepoint, too: what was asked for inside it is not in the database any more.
    session.info.pop(_ASKED, None)


event.listen(Session, "after_commit", _after_commit)
event.listen(Session, "after_rollback", _after_rollback)
event.listen(Session, "after_soft_rollback", _after_soft_rollback)


# -- running ---------------------------------------------------------------------------------


def run_job(job_id: int) -> bool:
    """Claim and run one job in the present application context; False if there was nothing to do.

    Whoever else holds the job, or has finished it, wins. A failure is recorded and, unless it was
    the last attempt, tried again later; nothing is raised except for what ends the process.
    """
    session = db.session()
    claim = secrets.token_hex(16)
    if not _claim(session, job_id, claim):
        return False
    row = session.get_one(BackgroundJob, job_id)
    name, arguments = row.name, list(row.arguments)
    session.commit()
    token = _running_id.set(job_id)
    _progress.set((0, 0))
    try:
        with broker.sign_of_life(job_id):
            find_job(name).function(session, *arguments)
            _finish(session, job_id, claim)
            session.commit()
    except Exception as error:
        session.rollback()
        log.exception("job failed", extra={"job": name, "job_id": job_id})
        _note_failure(session, job_id, claim, error)
    finally:
        _running_id.reset(token)
    return True


def _claim(session: Session, job_id: int, claim: str) -> bool:
    now = clock.now()
    taken = session.execute(
        update(BackgroundJob)
        .where(
            BackgroundJob.id == job_id,
            BackgroundJob.state == JobState.QUEUED.value,
            BackgroundJob.due_at <= now,
        )
        .values(
            state=JobState.RUNNING.value,
            claim=claim,
            # Whoever asks for the same work from now on may have changed what it works on.
            key=None,
            attempts=BackgroundJob.attempts + 1,
            started_at=now,
            error="",
        )
    )
    session.commit()
    return changed_rows(taken) == 1


def _finish(session: Session, job_id: int, claim: str) -> None:
    done, total = _progress.get()
    finished = session.execute(
        update(BackgroundJob)
        .where(BackgroundJob.id == job_id, BackgroundJob.claim == claim)
        .values(
            state=JobState.DONE.value,
            claim=None,
            finished_at=clock.now(),
            done_count=done,
            total_count=total,
        )
    )
    if changed_rows(finished) != 1:
        raise ClaimLost(f"job {job_id} was given to another run meanwhile")


class ClaimLost(RuntimeError):
    """The run was given up for dead while it still worked; what it did last is rolled back."""


def _note_failure(session: Session, job_id: int, claim: str, error: Exception) -> None:
    row = session.scalar(
        select(BackgroundJob).where(BackgroundJob.id == job_id, BackgroundJob.claim == claim)
    )
    if row is None:
        session.rollback()
        return
    put_back(row, _describe(error), retry=not isinstance(error, GovernError))
    session.commit()


def put_back(row: BackgroundJob, error: str, *, retry: bool = True) -> None:
    """Give ``row`` another attempt after a growing pause, or let it fail for good."""
    try:
        limit = find_job(row.name).max_attempts
    except LookupError:
        limit = 0
    row.claim, row.error = None, error[:2000]
    if retry and row.attempts < limit:
        row.state = JobState.QUEUED.value
        row.due_at = clock.now() + timedelta(seconds=2**row.attempts)
    else:
        row.state, row.finished_at = JobState.FAILED.value, clock.now()


def _describe(error: Exception) -> str:
    """What the row keeps: a message meant for people, else only the kind (no personal data)."""
    if isinstance(error, GovernError):
        return f"{error.message} {error.remedy}".strip()
    return type(error).__name__


def run_due_jobs() -> int:
    """Run every job that is due, here and now, without Redis; the number of jobs run.

    Used by the tests and by commands that want their own work finished before they return.
    """
    count = 0
    while True:
        due = db.session.scalars(
            select(BackgroundJob.id)
            .where(
                BackgroundJob.state == JobState.QUEUED.value, BackgroundJob.due_at <= clock.now()
            )
            .order_by(BackgroundJob.id)
        ).all()
        db.session.rollback()
        ran = sum(run_job(job_id) for job_id in due)
        if not ran:
            return count
        count += ran


# -- progress --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a job is: its state, and ``done`` of ``total`` pieces (0 of 0 when unknown)."""

    state: str
    done: int
    total: int
    error: str

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE.value, JobState.FAILED.value)


def report_progress(done: int, total: int) -> None:
    """Say from inside a job that ``done`` of ``total`` pieces are finished.

    Kept in Redis, so that it is visible while the job's own transaction is still open; outside a
    job it does nothing.
    """
    job_id = _running_id.get()
    if job_id is None:
        return
    _progress.set((done, total))
    if broker.is_connected():
        broker.keep_progress(job_id, done, total)


def read_progress(row: BackgroundJob) -> Progress:
    """How far ``row`` is."""
    kept = broker.kept_progress(row.id) if broker.is_connected() else None
    done, total = kept or (row.done_count, row.total_count)
    return Progress(row.state, done, total, row.error)
