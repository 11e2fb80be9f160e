"""The register is locked once per transaction, and anew where its lock was lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.extensions import db
from govern.register.services.chain import lock_register


@pytest.fixture
def asked(session: Session) -> Iterator[list[str]]:
    """What is asked of the table whose row is the lock."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, _parameters, _context, _many) -> None:
        if "FROM register_head" in statement:
            statements.append(statement)

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_whoever_holds_the_lock_does_not_ask_for_it_again(
    both_databases, session: Session, cooperative: Cooperative, asked: list[str]
):
    head = lock_register(session, cooperative.id)
    with session.begin_nested():
        assert lock_register(session, cooperative.id) is head
    assert lock_register(session, cooperative.id) is head
    assert len(asked) == 1


def test_a_lock_taken_in_a_step_that_was_undone_is_taken_anew(
    both_databases, session: Session, cooperative: Cooperative, asked: list[str]
):
    session.flush()
    step = session.begin_nested()
    lock_register(session, cooperative.id)
    step.rollback()
    lock_register(session, cooperative.id)
    assert len(asked) == 2
    session.commit()
    lock_register(session, cooperative.id)
    assert len(asked) == 3


def test_what_a_step_that_was_undone_had_appended_does_not_count(
    session: Session, cooperative: Cooperative
):
    head = lock_register(session, cooperative.id)
    before = (head.sequence, head.hash)
    step = session.begin_nested()
    with session.begin_nested():
        head.sequence, head.hash = 7, "7" * 64
        session.flush()
    step.rollback()
    head = lock_register(session, cooperative.id)
    assert (head.sequence, head.hash) == before
