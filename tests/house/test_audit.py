"""The audit log: append-only, chained, and verifiable."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from govern import audit
from govern.access import SYSTEM, Actor


def test_entries_count_from_one_and_follow_each_other(session, both_databases):
    first = audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    second = audit.record(session, Actor(account_id=2**52), "house:test:done", cooperative_id=None)
    session.commit()
    assert (first.position, first.previous_hash) == (1, audit.BEGINNING)
    assert second.previous_hash == first.hash
    assert audit.verify_chain(session) == audit.ChainState(2, second.hash)


def test_an_empty_log_verifies(session):
    assert audit.verify_chain(session) == audit.ChainState(0, audit.BEGINNING)


def test_what_is_rolled_back_leaves_no_gap(session, both_databases):
    audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    session.rollback()
    kept = audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    session.commit()
    assert kept.position == 1
    audit.verify_chain(session)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET subject = 'other'",
        "DELETE FROM audit_entry",
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry",
    ],
)
def test_the_database_refuses_to_change_an_entry(session, statement):
    audit.record(session, SYSTEM, "house:test:done", cooperative_id=None)
    session.commit()
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        session.execute(sa.text(statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET subject = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
def test_postgresql_refuses_to_change_an_entry(request, statement):
    url = request.getfixturevalue("postgresql_url")
    engine = sa.create_engine(url)
    with engine.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="append-only"):
        connection.execute(sa.text(statement))
    engine.dispose()


def _tamper(session, statement):
    """Change what the trigger protects, as somebody with the database file in hand could."""
    for trigger in ("no_update", "no_delete", "no_replace"):
        session.execute(sa.text(f"DROP TRIGGER audit_entry_{trigger}"))
    session.execute(sa.text(statement))
    session.commit()
    session.expire_all()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit_entry SET tag = 'a:b:c' WHERE position = 2", "Entry 2 .* was changed"),
        ("UPDATE audit_entry SET account_id = 7 WHERE position = 1", "Entry 1 .* was changed"),
        ("UPDATE audit_entry SET data = '{}' WHERE position = 2", "Entry 2 .* was changed"),
        (
            "UPDATE audit_entry SET recorded_at = '2018-01-01' WHERE position = 3",
            "Entry 3 .* was changed",
        ),
        ("DELETE FROM audit_entry WHERE position = 2", "Entry 2 .* missing"),
        ("DELETE FROM audit_entry WHERE position = 3", "ends at entry 2"),
        (
            "UPDATE audit_entry SET previous_hash = '" + "f" * 64 + "' WHERE position = 2",
            "does not follow",
        ),
    ],
)
def test_verification_names_the_entry_that_does_not_fit(session, statement, words):
    for number in (1, 2, 3):
        audit.record(
            session, SYSTEM, "house:test:done", cooperative_id=None, data={"number": number}
        )
    session.commit()
    _tamper(session, statement)
    with pytest.raises(audit.BrokenChain, match=words):
        audit.verify_chain(session)


def test_a_tag_has_three_parts(session):
    with pytest.raises(ValueError, match="source:subject:action"):
        audit.record(session, SYSTEM, "something", cooperative_id=None)
