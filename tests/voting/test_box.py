"""The ballot box: append-only, one chain, checked again and again, published byte for byte."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from govern.access import SYSTEM
from govern.database import drop_append_only_ddl
from govern.jobs import tick
from govern.voting import jobs
from govern.voting.models import BoxState, ElectionEvent, ElectionRecord, Incident
from govern.voting.protocol import archive
from govern.voting.protocol.archive import ArchiveReader, EventType
from govern.voting.protocol.audit import audit_archive
from govern.voting.protocol.errors import ArchiveError
from govern.voting.services import box, tally
from govern.voting.services.box import BrokenBox
from govern.voting.services.steps import NotReady


@pytest.fixture
def with_ballots(holding):
    held = holding.opened()
    for voter in held.voters[:3]:
        held.cast(voter, [1, 0, 0], [0, 1, 0, 0, 0])
    return held


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE election_event SET tracker = 'x' WHERE kind = 'Ballot'",
        "DELETE FROM election_event",
        "UPDATE election_record SET data = data",
        "DELETE FROM election_record",
        "UPDATE election_incident SET reason = 'x'",
        "DELETE FROM election_incident",
    ],
)
def test_the_box_and_the_log_are_append_only(with_ballots, both_databases, statement):
    with pytest.raises(DatabaseError, match="append-only"):
        with_ballots.session.execute(text(statement))
    with_ballots.session.rollback()


def test_a_row_of_the_box_cannot_be_replaced(with_ballots):
    session = with_ballots.session
    for table, columns in (
        (
            "election_event",
            "hash, election_id, height, parent, kind, payload, singleton, "
            "tracker, credential, day, data",
        ),
        ("election_record", "id, election_id, height, position, hash, data"),
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT {columns} FROM {table}"))
        session.rollback()


def test_the_chain_cannot_fork_and_no_event_happens_twice(with_ballots, both_databases):
    session, election = with_ballots.session, with_ballots.election
    state = session.get(BoxState, election.id)
    old = session.query(ElectionEvent).filter_by(election_id=election.id, height=1).one()
    fork = archive.link_event(EventType.BALLOT, EventType.SETUP, 0, old.parent, [b"{}"])
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        box._store(session, election.id, fork, parent=old.parent, tracker="x" * 43)
    session.rollback()
    with pytest.raises(ArchiveError):
        box.append_event(session, state, EventType.RESULT, [b"{}"], singleton="Result")
    session.rollback()


def test_a_second_result_is_refused_by_the_database_itself(holding, with_ballots, both_databases):
    held = holding.published(with_ballots)
    session, election = held.session, held.election
    with pytest.raises(Exception, match="cannot become"):
        tally.publish_result(session, SYSTEM, election)
    session.rollback()
    state = session.get(BoxState, election.id)
    state.kind, state.height = EventType.PARTIAL_DECRYPTION.value, state.height
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        box.append_event(session, state, EventType.RESULT, [b'{"result":[]}'], singleton="Result")
    session.rollback()


def falsify(session, table, statement, **values):
    """What only somebody with the database's own rights can do."""
    dialect = session.get_bind().dialect.name
    for line in drop_append_only_ddl(table, dialect):
        session.execute(text(line))
    session.execute(text(statement), values)
    session.commit()
    session.expire_all()


FALSIFICATIONS = {
    "a byte of a ballot": (
        "election_record",
        "UPDATE election_record SET data = :data WHERE height = 2",
        {"data": b'{"election_uuid":"x"}'},
        2,
    ),
    "a byte of an event": (
        "election_event",
        "UPDATE election_event SET data = :data WHERE height = 1",
        {"data": b"{}"},
        1,
    ),
    "the parent of an event": (
        "election_event",
        "UPDATE election_event SET parent = :data WHERE height = 3",
        {"data": "0" * 64},
        3,
    ),
    "an event removed": (
        "election_event",
        "DELETE FROM election_event WHERE height = 2",
        {},
        2,
    ),
    "the last event removed": (
        "election_event",
        "DELETE FROM election_event WHERE height = 3",
        {},
        3,
    ),
}


@pytest.mark.parametrize("what", FALSIFICATIONS)
def test_the_check_finds_what_was_falsified_and_says_so_in_public(holding, with_ballots, what):
    session, election = with_ballots.session, with_ballots.election
    table, statement, values, height = FALSIFICATIONS[what]
    falsify(session, table, statement, **values)
    with pytest.raises(BrokenBox, match=str(height)):
        box.check_chain(session, election)
    session.commit()
    jobs.verify_chain(session, election.id)
    session.commit()
    assert election.unsound_since is not None
    assert session.query(Incident).filter_by(code="box_unsound").count() == 1
    holding.closed(with_ballots)
    holding.run_jobs()
    assert election.state == "closed"
    with pytest.raises(NotReady):
        tally.tally_election(session, SYSTEM, election)


def test_an_open_box_is_checked_by_itself(holding, with_ballots):
    election = with_ballots.election
    assert election.checked_at is None
    tick()
    holding.run_jobs()
    assert (election.checked_at, election.checked_height) == (holding.clock.now, 3)
    assert election.unsound_since is None


def test_a_running_product_that_is_not_that_of_the_box_is_never_published(holding, with_ballots):
    session, election = with_ballots.session, with_ballots.election
    state = session.get(BoxState, election.id)
    first = bytes(state.tally)
    held = with_ballots
    held.cast(held.voters[3], [0, 1, 0], [1, 0, 0, 0, 0])
    state.tally = first.replace(b'"count":3', b'"count":4')
    session.commit()
    holding.closed(held)
    holding.run_jobs()
    assert election.state == "tallying"
    assert election.unsound_since is not None
    with pytest.raises(NotReady):
        held.decrypt(1)


def test_the_archive_at_any_moment_is_the_beginning_of_every_later_one(holding, tmp_path):
    held = holding.opened()
    earlier = []
    for voter in held.voters[:3]:
        earlier.append(held.archive())
        held.cast(voter)
    earlier.append(held.archive())
    holding.published(held)
    whole = held.archive()
    for number, part in enumerate(earlier):
        assert whole.startswith(part)
        old, new = tmp_path / f"{number}.bel", tmp_path / "whole.bel"
        old.write_bytes(part)
        new.write_bytes(whole)
        assert audit_archive(new, extends=old, workers=1).extends is not None


def test_the_size_of_the_archive_is_known_without_reading_it(with_ballots, both_databases):
    session, election = with_ballots.session, with_ballots.election
    assert box.archive_size(session, election) == len(with_ballots.archive())


def test_the_archive_carries_no_time_of_a_ballot(with_ballots, tmp_path):
    path = with_ballots.write_archive(tmp_path)
    with path.open("rb") as file:
        reader = ArchiveReader(file)
        events = [item.event for item in reader.events() if item.event.type is EventType.BALLOT]
    assert len(events) == 3
    for event in events:
        assert b"time" not in event.content
        assert b"time" not in event.data[0]
    assert reader.timestamp == int(with_ballots.election.opened_at.timestamp())


def test_every_record_of_the_box_is_referred_to(with_ballots):
    session = with_ballots.session
    heights = {height for (height,) in session.query(ElectionRecord.height)}
    assert heights == {height for (height,) in session.query(ElectionEvent.height)}
