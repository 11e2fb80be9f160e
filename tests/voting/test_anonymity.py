"""After closing, a full dump must not help to say whose ballot is whose (security.md).

The attacker has everything: every table with its hidden columns, the database's files, the outbox,
the jobs, the audit log. They know the order of the ballots, which is public. If any order, id,
time or physical place of the attendance follows the order of casting, the best guess beats chance.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from govern.audit import AuditEntry
from govern.extensions import db
from govern.jobs.models import BackgroundJob
from govern.mail.models import OutboxMail
from govern.register.models import RollEntry
from govern.voting.models import Attendance, ElectionEvent

VOTERS = 60


def rank_correlation(left, right):
    """Spearman's, for lists without ties."""

    def ranks(values):
        order = sorted(range(len(values)), key=values.__getitem__)
        places = [0] * len(values)
        for place, index in enumerate(order):
            places[index] = place
        return places

    pairs = zip(ranks(left), ranks(right), strict=True)
    count = len(left)
    return 1 - 6 * sum((a - b) ** 2 for a, b in pairs) / (count * (count**2 - 1))


def hits(order_of_rows, cast_order):
    """How many voters an attacker names right who reads the rows in this order."""
    return sum(a == b for a, b in zip(order_of_rows, cast_order, strict=True))


# With 60 rows in random order a correlation beyond 0.6 has a probability of about 4 in a million,
# and nine or more right guesses (one is expected) about one in a million.
CORRELATION = 0.6
HITS = 9


def no_better_than_chance(rows, cast_order):
    positions = {entry: place for place, entry in enumerate(cast_order)}
    correlation = rank_correlation(list(range(len(rows))), [positions[entry] for entry in rows])
    return (
        abs(correlation) < CORRELATION
        and max(hits(rows, cast_order), hits(rows[::-1], cast_order)) < HITS
    )


@pytest.fixture
def voted(holding):
    """An election in which all voted, in an order of chance; and that order."""
    held = holding.opened(members=VOTERS)
    order = list(held.voters)
    random.Random(20180619).shuffle(order)
    for voter in order:
        held.cast(voter)
    secrets = held.session.query(Attendance.key, Attendance.tag).all()
    held.session.commit()
    return held, [voter.entry_id for voter in order], secrets


def close_and_clean(holding, held):
    holding.closed(held)
    holding.run_jobs()
    holding.session.refresh(held.election)
    assert held.election.attendance_scrubbed_at is not None
    held.session.commit()


def places_in_file(database, rows):
    """The entries in the order in which their rows lie in SQLite's file: first and last places."""
    stored = database.read_bytes()
    return [
        [entry for _at, entry in sorted((find(bytes(key)), entry) for key, entry in rows)]
        for find in (stored.find, stored.rfind)
    ]


def let_go_of_the_file(held):
    """Everything is in the one file of SQLite afterwards; its path."""
    database = Path(held.session.get_bind().url.database)
    held.session.remove()
    db.engine.dispose()
    return database


def test_while_open_whoever_has_the_files_finds_the_order(voted, both_databases):
    """Otherwise the tests below could not fail: before closing the attacker wins."""
    held, order, _secrets = voted
    if held.session.get_bind().dialect.name == "postgresql":
        query = text("SELECT roll_entry_id FROM election_attendance ORDER BY ctid")
        orders = [[entry for (entry,) in held.session.execute(query)]]
    else:
        rows = held.session.query(Attendance.key, Attendance.roll_entry_id).all()
        orders = places_in_file(let_go_of_the_file(held), rows)
    assert not all(no_better_than_chance(by_place, order) for by_place in orders)


ORDERS = {
    "sqlite": ("", "ORDER BY key", "ORDER BY roll_entry_id"),
    "postgresql": (
        "",
        "ORDER BY key",
        "ORDER BY ctid",
        "ORDER BY xmin::text::bigint",
        "ORDER BY cmin::text::bigint",
        "ORDER BY xmin::text::bigint, ctid DESC",
    ),
}


def test_after_closing_no_order_of_the_attendance_follows_the_box(holding, voted, both_databases):
    held, order, _secrets = voted
    close_and_clean(holding, held)
    for clause in ORDERS[held.session.get_bind().dialect.name]:
        query = text(f"SELECT roll_entry_id FROM election_attendance {clause}")
        rows = [entry for (entry,) in held.session.execute(query)]
        assert sorted(rows) == sorted(order)
        assert no_better_than_chance(rows, order), clause or "as it lies"


def test_after_closing_all_rows_come_from_one_transaction(holding, voted, both_databases):
    held, _order, _secrets = voted
    close_and_clean(holding, held)
    if held.session.get_bind().dialect.name == "sqlite":
        columns = {
            row[1] for row in held.session.execute(text("PRAGMA table_info(election_attendance)"))
        }
        assert columns == {"election_id", "key", "roll_entry_id", "tag"}
        with pytest.raises(DatabaseError, match="no such column: rowid"):
            held.session.execute(text("SELECT rowid FROM election_attendance"))
        return
    found = held.session.execute(
        text(
            "SELECT count(DISTINCT xmin::text), count(DISTINCT cmin::text) FROM election_attendance"
        )
    ).one()
    assert tuple(found) == (1, 1)


def test_after_closing_salt_and_tags_are_gone(holding, voted, both_databases):
    held, _order, _secrets = voted
    close_and_clean(holding, held)
    assert held.election.attendance_salt is None
    assert held.session.query(Attendance).filter(Attendance.tag.is_not(None)).count() == 0
    assert held.session.query(Attendance).count() == VOTERS


def test_after_closing_the_database_files_hold_no_old_key_tag_or_salt(holding, voted):
    held, _order, secrets = voted
    salt = bytes(held.election.attendance_salt)
    close_and_clean(holding, held)
    database = let_go_of_the_file(held)
    stored = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    for key, tag in secrets:
        assert bytes(key) not in stored
        assert bytes(tag) not in stored
    assert salt not in stored


def test_the_place_of_the_rows_in_the_file_follows_nothing(holding, voted):
    held, order, _secrets = voted
    close_and_clean(holding, held)
    rows = held.session.query(Attendance.key, Attendance.roll_entry_id).all()
    for by_place in places_in_file(let_go_of_the_file(held), rows):
        assert no_better_than_chance(by_place, order)


def test_no_row_anywhere_ties_a_member_to_a_ballot(holding, voted, both_databases):
    """No table but the box knows a tracker or an event's hash; the box knows no member."""
    held, _order, _secrets = voted
    close_and_clean(holding, held)
    session = held.session
    events = session.query(ElectionEvent).filter_by(kind="Ballot").all()
    public = {value for event in events for value in (event.tracker, event.hash, event.payload)}
    box = {"election_event", "election_record", "election_box"}
    for table in db.metadata.sorted_tables:
        if table.name in box:
            continue
        for row in session.execute(table.select()):
            said = repr(tuple(row))
            assert not any(value in said for value in public), table.name
    people = {
        value
        for entry in session.query(RollEntry)
        for value in (entry.member_number, entry.display_name, entry.email)
    }
    for event in events:
        assert not people & set(re.findall(r"[\w@.]+", bytes(event.data).decode()))


def test_no_log_job_or_mail_was_written_while_the_votes_were_cast(holding):
    held = holding.opened(members=5)
    session = held.session
    holding.run_jobs()

    def count():
        return [session.query(model).count() for model in (AuditEntry, BackgroundJob, OutboxMail)]

    before = count()
    for voter in held.voters:
        held.cast(voter)
    assert count() == before


def test_the_measure_finds_an_order_when_there_is_one():
    order = list(range(VOTERS))
    assert not no_better_than_chance(order, order)
    assert not no_better_than_chance(order[::-1], order)
    noisy = sorted(order, key=lambda place: place + random.Random(place).uniform(-15, 15))
    assert not no_better_than_chance(noisy, order)
    shuffled = list(order)
    random.Random(3).shuffle(shuffled)
    assert no_better_than_chance(shuffled, order)
