"""Who has voted: kept apart from the box, and put out of order when the box is closed.

While the vote is open, PostgreSQL's ``xmin`` and ``ctid`` and SQLite's log tie a row here to the
ballot that was written in the same transaction; we say so in docs/verify.md. At closing the rows
are written anew in random order, in one statement, with fresh random keys and without tags; then
what the old rows leave behind in the files is overwritten (``overwrite_deleted``).
"""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import Connection, Engine, func, select, text
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


def overwrite_deleted(engine: Engine) -> bool:
    """Overwrite what deleted rows leave behind in the database's files; whether it succeeded.

    Runs outside any transaction. SQLite: the write-ahead log is emptied into the database and the
    database written anew; PostgreSQL: the table's file is written anew without dead rows. False
    when somebody else was reading or writing: try again later.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            return _scrub_sqlite(connection)
        for table in ("election_attendance", "election_credential_part"):
            connection.exec_driver_sql(f"VACUUM (FULL) {table}")
    return True


def _scrub_sqlite(connection: Connection) -> bool:
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA query_only=OFF")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        cursor.close()
    return not busy


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
