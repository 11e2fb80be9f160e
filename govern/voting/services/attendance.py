"""Who has voted: kept apart from the box, and put out of order when the box is closed.

While the vote is open, PostgreSQL's ``xmin`` and ``ctid`` and SQLite's log tie a row here to the
ballot that was written in the same transaction; we say so in docs/verify.md. At closing the rows
are written anew in random order, in one statement, with fresh random keys and without tags; then
what the old rows leave behind in the files is overwritten (``overwrite_deleted``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from govern.errors import Conflict
from govern.voting.models import Attendance, Election
from govern.voting.rules import AFTER_CLOSING

_REWRITE = {
    # The primary key is the place of a row in a table WITHOUT ROWID: a fresh random key moves
    # every row. The scan follows the old keys, which were random too.
    "sqlite": (
        "UPDATE election_attendance SET key = randomblob(16), tag = NULL "
        "WHERE election_id = :election_id"
    ),
    # The sort takes in the whole DELETE before the first row goes back in.
    "postgresql": (
        "WITH gone AS (DELETE FROM election_attendance WHERE election_id = :election_id "
        "RETURNING election_id, roll_entry_id) "
        "INSERT INTO election_attendance (election_id, key, roll_entry_id, tag) "
        "SELECT election_id, uuid_send(gen_random_uuid()), roll_entry_id, NULL FROM gone "
        "ORDER BY gen_random_uuid()"
    ),
}


def forget_attendance_order(session: Session, election: Election) -> None:
    """Rewrite the election's attendance in random order, in one statement."""
    session.flush()
    dialect = session.get_bind().dialect.name
    session.execute(text(_REWRITE[dialect]), {"election_id": election.id})
    session.expire_all()


LOCK_NOT_AVAILABLE = "55P03"

_REWRITTEN_TABLES = ("election", "election_attendance", "election_credential_part")
"""Where something was that must not stay in dead rows: the salt, tags, batches of public keys."""

_OLD_SNAPSHOTS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND (age(backend_xmin) > age(%(horizon)s::xid) OR age(backend_xid) > age(%(horizon)s::xid))"
)

LOCK_PATIENCE = 2000
"""Milliseconds for which a rewriting may wait for a lock: meanwhile others wait behind it."""


def overwrite_deleted(engine: Engine) -> bool:
    """Overwrite what deleted rows leave behind in the database's files; whether it succeeded.

    Runs outside any transaction. SQLite: the write-ahead log is emptied into the database and the
    database written anew; PostgreSQL: the tables' files are written anew without dead rows. False
    when somebody else was reading or writing: try again later. What could not be done then costs
    little, so a slow reader cannot make the server write the database again and again.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            return _scrub_sqlite(connection)
        return _scrub_postgresql(connection)


def _scrub_sqlite(connection: Connection) -> bool:
    cursor = connection.connection.cursor()
    patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    try:
        cursor.execute(f"PRAGMA busy_timeout={LOCK_PATIENCE}")
        cursor.execute("PRAGMA query_only=OFF")
        cursor.execute("PRAGMA secure_delete=ON")
        # Somebody who reads keeps the log from being emptied: then the rest would be in vain.
        if not _empty_log(cursor):
            return False
        cursor.execute("VACUUM")
        return _empty_log(cursor)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return False
        raise
    finally:
        cursor.execute(f"PRAGMA busy_timeout={patience}")
        cursor.close()


def _empty_log(cursor: Any) -> bool:
    return not cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


def _scrub_postgresql(connection: Connection) -> bool:
    """A dead row that an older snapshot may still see would be copied: wait until there is none."""
    horizon = connection.exec_driver_sql(
        "SELECT mod(pg_snapshot_xmax(pg_current_snapshot())::text::numeric, 4294967296)::text"
    ).scalar_one()
    connection.exec_driver_sql(f"SET lock_timeout = {LOCK_PATIENCE}")
    try:
        if connection.exec_driver_sql(_OLD_SNAPSHOTS, {"horizon": horizon}).scalar_one():
            return False
        for table in _REWRITTEN_TABLES:
            connection.exec_driver_sql(f"VACUUM (FULL) {table}")
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            return False
        raise
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
    return True


def has_voted(session: Session, election: Election, roll_entry_id: int) -> bool:
    """Whether this member has voted. Only that member may be told while the vote is open."""
    return (
        session.scalar(
            select(func.count()).where(
                Attendance.election_id == election.id,
                Attendance.roll_entry_id == roll_entry_id,
            )
        )
        or 0
    ) > 0


def read_attendance(session: Session, election: Election) -> list[int]:
    """The roll entries that voted, in ascending order; Conflict before the box is closed.

    Nobody sees this list during the vote: polled beside the public board it would tie members
    to ballots.
    """
    if election.stage not in AFTER_CLOSING:
        raise Conflict(
            _("Who has voted may be read only after the vote is closed."),
            remedy=_("Come back after the closing time."),
        )
    return list(
        session.scalars(
            select(Attendance.roll_entry_id)
            .where(Attendance.election_id == election.id)
            .order_by(Attendance.roll_entry_id)
        )
    )


def count_attendance(session: Session, election: Election) -> int:
    """How many members have voted."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Attendance)
            .where(Attendance.election_id == election.id)
        )
        or 0
    )


def entries_that_voted(
    session: Session, election: Election, roll_entry_ids: Iterable[int]
) -> set[int]:
    """Those of ``roll_entry_ids`` (one member's own entries) that have voted."""
    wanted = list(roll_entry_ids)
    return set(
        session.scalars(
            select(Attendance.roll_entry_id).where(
                Attendance.election_id == election.id, Attendance.roll_entry_id.in_(wanted)
            )
        )
    )
