"""Large statements: understood at once, stored in one piece by a job, matched in small steps.

Matching writes the ledger and takes longer than a browser waits. All entries are stored in one
transaction, or none; then they are matched in short ones, so that nobody else waits for long, and
whoever takes the work up again goes on where it stood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, NotFound
from govern.jobs import enqueue
from govern.payments.models import (
    BankAccount,
    BankEntry,
    EntryState,
    ReadingState,
    StatementReading,
)
from govern.payments.reading import ReadStatement
from govern.payments.services.requests import lock_requests
from govern.payments.services.statements import (
    checked_statement,
    record_reading,
    settle_new,
    shown_name,
    store_entries,
)

READ_JOB = "payments.read_statement"
AT_ONCE = 200
"""Entries that are matched while the browser waits: a few seconds at most."""

STEP = 20
"""Entries that are matched in one transaction: well under a second or two."""

ON_THE_WAY = (ReadingState.WAITING.value, ReadingState.MATCHING.value)


def is_large(parsed: Sequence[ReadStatement]) -> bool:
    """Whether a file is to be read by a job."""
    return sum(len(read.entries) for read in parsed) > AT_ONCE


def start_reading(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    parsed: Sequence[ReadStatement],
    *,
    file_name: str,
    content: bytes,
    account: BankAccount | None,
    language: str,
) -> StatementReading:
    """Ask for a file to be read that was understood (flushed). The same file twice is one reading.

    Raises what ``store_entries`` would refuse, as far as it can be told beforehand.
    """
    actor.require(Permission.PAYMENTS_WRITE, cooperative.id)
    lock_requests(session, cooperative.id)
    for read in parsed:
        checked_statement(session, cooperative, read)
    digest = hashlib.sha256(content).hexdigest()
    present = session.scalar(
        select(StatementReading).where(
            StatementReading.cooperative_id == cooperative.id,
            StatementReading.file_digest == digest,
            StatementReading.state.in_(ON_THE_WAY),
        )
    )
    if present is not None:
        return present
    reading = StatementReading(
        cooperative_id=cooperative.id,
        bank_account_id=account.id if account else None,
        state=ReadingState.WAITING.value,
        file_name=shown_name(file_name),
        file_digest=digest,
        content=content,
        language=language,
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(reading)
    session.flush()
    ask_for(session, reading)
    return reading


def ask_for(session: Session, reading: StatementReading) -> None:
    """Ask for the work that a reading still needs (flushed)."""
    reading.job_id = enqueue(session, READ_JOB, reading.id).id
    session.flush()


def store_reading(
    session: Session, actor: Actor, reading: StatementReading, parsed: Sequence[ReadStatement]
) -> None:
    """Store the entries of a file that waits, all together (flushed). Nothing for another one."""
    cooperative = session.get_one(Cooperative, reading.cooperative_id)
    lock_requests(session, cooperative.id)
    session.refresh(reading)
    if reading.state != ReadingState.WAITING.value:
        return
    stored = store_entries(
        session,
        actor,
        cooperative,
        parsed,
        file_name=reading.file_name,
        digest=reading.file_digest,
    )
    reading.state = ReadingState.MATCHING.value
    reading.content = None
    reading.statement_ids = [statement.id for statement in stored.statements]
    reading.batch_ids = {
        str(row.id): entry.batch_id for row, entry in stored.rows if entry.batch_id
    }
    reading.entries_new, reading.entries_known = len(stored.rows), stored.known
    session.flush()
    record_reading(session, actor, cooperative, stored, reading.file_digest, {})


def settle_step(session: Session, actor: Actor, reading: StatementReading) -> bool:
    """Match the next entries of a file that is stored (flushed); False once none is left.

    What a person has dealt with meanwhile is left alone. The caller commits after each step.
    """
    lock_requests(session, reading.cooperative_id)
    session.refresh(reading)
    if reading.state != ReadingState.MATCHING.value:
        return False
    rows = session.scalars(
        select(BankEntry)
        .where(
            BankEntry.statement_id.in_(reading.statement_ids),
            BankEntry.id > reading.settled_up_to,
        )
        .order_by(BankEntry.id)
        .limit(STEP)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if row.state == EntryState.UNMATCHED.value:
            settle_new(session, actor, row, reading.batch_ids.get(str(row.id), ""))
    if rows:
        reading.settled_up_to = rows[-1].id
    else:
        reading.state = ReadingState.DONE.value
        reading.batch_ids = {}
        reading.finished_at = clock.now()
    session.flush()
    return bool(rows)


def settled_count(session: Session, reading: StatementReading) -> int:
    """How many of the entries of a file were matched, or looked at."""
    found = session.scalar(
        select(func.count())
        .select_from(BankEntry)
        .where(
            BankEntry.statement_id.in_(reading.statement_ids),
            BankEntry.id <= reading.settled_up_to,
        )
    )
    return found or 0


def waiting_count(session: Session, reading: StatementReading) -> int:
    """How many entries of a file wait for a person."""
    found = session.scalar(
        select(func.count())
        .select_from(BankEntry)
        .where(
            BankEntry.statement_id.in_(reading.statement_ids),
            BankEntry.state.in_([EntryState.DOUBTFUL.value, EntryState.UNMATCHED.value]),
        )
    )
    return found or 0


def fail_reading(session: Session, reading: StatementReading, failure: str) -> None:
    """Note why a file could not be read, or not be matched to its end (flushed)."""
    lock_requests(session, reading.cooperative_id)
    session.refresh(reading)
    if reading.state in ON_THE_WAY:
        reading.state = ReadingState.FAILED.value
        reading.content = None
        reading.failure = failure[:2000]
        reading.finished_at = clock.now()
        session.flush()


def go_on(session: Session, actor: Actor, reading: StatementReading) -> None:
    """Match the rest of a file whose matching broke off. Conflict where there is no rest."""
    actor.require(Permission.PAYMENTS_WRITE, reading.cooperative_id)
    lock_requests(session, reading.cooperative_id)
    session.refresh(reading)
    if reading.state in ON_THE_WAY:
        return
    if reading.state != ReadingState.FAILED.value or not reading.statement_ids:
        raise Conflict(
            _("Nothing of this file is left to match."),
            remedy=_("If it was not read, send it again."),
        )
    reading.state, reading.failure, reading.finished_at = ReadingState.MATCHING.value, "", None
    session.flush()
    ask_for(session, reading)


def reading_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> StatementReading:
    """The reading of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(StatementReading).where(
            StatementReading.public_id == public_id,
            StatementReading.cooperative_id == cooperative.id,
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such reading of a file."),
            remedy=_("Choose one from the list of bank statements."),
        )
    return found


def recent_readings(session: Session, cooperative_id: int) -> list[StatementReading]:
    """Files on their way, and those that failed lately, the newest first."""
    return list(
        session.scalars(
            select(StatementReading)
            .where(
                StatementReading.cooperative_id == cooperative_id,
                StatementReading.state != ReadingState.DONE.value,
            )
            .order_by(StatementReading.id.desc())
            .limit(5)
        )
    )
