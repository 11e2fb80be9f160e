"""What was deleted is overwritten in the files, and nobody who reads slowly can prevent it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from govern import clock
from govern.extensions import db
from govern.jobs.models import BackgroundJob
from govern.voting.services import attendance
from govern.voting.services.attendance import overwrite_deleted
from govern.voting.views import blueprint

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits long for a lock in these tests."""
    monkeypatch.setattr(attendance, "LOCK_PATIENCE", 50)


def test_a_slow_download_of_the_box_keeps_nothing_from_being_overwritten(
    holding, client, monkeypatch
):
    monkeypatch.setattr(blueprint, "PIECE", 512)
    held = holding.opened()
    for voter in held.voters[:3]:
        held.cast(voter)
    whole = held.archive()
    held.session.commit()
    with client.get(f"/elections/{held.election.uuid}/archive.bel", buffered=False) as answer:
        pieces = answer.iter_encoded()
        first = next(pieces)
        assert len(first) == 512
        assert overwrite_deleted(db.engine)
        # What was cast meanwhile is not in the archive that was asked for before.
        held.cast(held.voters[3])
        assert first + b"".join(pieces) == whole


@pytest.fixture
def reader(app):
    """Another connection, whose transaction goes on reading what it saw first."""
    engine = create_engine(db.engine.url)
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    connection = engine.connect().execution_options(**options)
    if engine.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    connection.execute(text("SELECT count(*) FROM cooperative")).all()
    yield connection
    connection.close()
    engine.dispose()


def test_while_somebody_reads_it_is_tried_again_until_it_succeeds(
    holding, reader, both_databases, tmp_path
):
    held = holding.opened()
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.closed(held)
    logs = list(tmp_path.glob("*.sqlite-wal"))
    sizes = [log.stat().st_size for log in logs]
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is None
    # A try that has to fail does not write the whole database into the log.
    grown = [log.stat().st_size - size for log, size in zip(logs, sizes, strict=True)]
    assert all(growth < 500_000 for growth in grown)
    waiting = held.session.query(BackgroundJob).filter_by(
        name="voting.scrub_attendance", state="queued"
    )
    assert [row.due_at > clock.now() for row in waiting] == [True]
    reader.rollback()
    reader.close()
    holding.clock.set(clock.now() + timedelta(minutes=1))
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is not None


def test_the_place_where_codes_stood_by_batch_is_overwritten_in_the_end(holding, reader):
    held = holding.with_credentials()
    waiting = held.session.query(BackgroundJob).filter_by(
        name="voting.overwrite_parts", state="queued"
    )
    assert waiting.count() == 1
    reader.close()
    holding.clock.set(clock.now() + timedelta(minutes=1))
    holding.run_jobs()
    assert waiting.count() == 0
    states = held.session.query(BackgroundJob.state).filter_by(name="voting.overwrite_parts")
    assert [state for (state,) in states] == ["done", "done"]


def stored_bytes(session, folder):
    """What the files of the table of elections (SQLite: of the whole database) hold by now."""
    if session.get_bind().dialect.name == "sqlite":
        paths = list(folder.glob("*.sqlite*"))
    else:
        session.execute(text("CHECKPOINT"))
        data = session.execute(text("SHOW data_directory")).scalar_one()
        path = session.execute(text("SELECT pg_relation_filepath('election')")).scalar_one()
        paths = [Path(data) / path]
    session.commit()
    return b"".join(path.read_bytes() for path in paths)


def test_the_salt_of_a_closed_vote_is_in_no_dead_row_either(holding, both_databases, tmp_path):
    """With it, a copy of the disk could tell from the tags in an old backup who cast what."""
    held = holding.opened()
    held.cast(held.voters[0])
    salt = bytes(held.election.attendance_salt)
    assert salt in stored_bytes(held.session, tmp_path)
    holding.closed(held)
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is not None
    assert salt not in stored_bytes(held.session, tmp_path)
