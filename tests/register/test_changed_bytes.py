"""Whatever byte of whatever ledger row is changed behind the application's back is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.database import drop_append_only_ddl
from govern.register.models import Membership, RegisterHead, ShareEntry
from govern.register.rules import chain
from govern.register.services import ledger
from govern.register.services.verifying import BrokenLedger, verify_ledger

Make = Callable[..., Membership]
COLUMNS = [column.name for column in ShareEntry.__table__.columns]


@pytest.fixture
def written(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    """A ledger of both versions with every kind of entry but conversions; how many entries."""
    recorder = make_account("Registrar")
    with monkeypatch.context() as before:
        # As the entries were written before shares had numbers.
        before.setattr(chain, "VERSION", 1)
        first, second = make_member(shares=3), make_member(given_name="Bo", shares=2)
        moved = ledger.transfer_shares(session, SYSTEM, first, second, 1, date(2018, 3, 1))[0]
        ledger.reverse_act(session, SYSTEM, moved, "the wrong receiver")
    acting = type(SYSTEM)(account_id=recorder.id, is_system=True)
    ledger.transfer_shares(session, acting, first, second, 2, date(2018, 3, 2), cause="sale")
    back = ledger.refund_shares(session, acting, second, 1, date(2018, 3, 3))[0]
    ledger.reverse_act(session, acting, back, "refunded in error")
    for statement in drop_append_only_ddl("share_entry", session.get_bind().dialect.name):
        session.execute(text(statement))
    session.commit()
    return verify_ledger(session, cooperative).entries


KEYS = ("id", "sequence", "reverses_id")
"""Columns in which the database itself refuses many a changed value: there a high bit changes."""


def changed(column: str, value: Any, place: int, bit: int) -> Any:
    """``value`` with one bit changed: of one character, or of the number."""
    if value is None:
        return 1000 + bit
    if isinstance(value, int):
        return value ^ (1 << (10 + bit if column in KEYS else bit + place % 4 * 7))
    if value == "":
        return chr(33 + bit)
    at = place % len(value)
    other = chr(ord(value[at]) ^ (1 << bit))
    return value[:at] + ("?" if other == "\0" else other) + value[at + 1 :]


@settings(
    max_examples=7,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 6))
def test_one_changed_byte_of_any_column_is_found_and_its_entry_named(
    session: Session, cooperative: Cooperative, written: int, which: int, place: int, bit: int
) -> None:
    row = {"sequence": 1 + which % written, "cooperative": cooperative.id}
    for column in COLUMNS:
        message = after_change(session, cooperative, row, column, place, bit)
        assert f"ntry {row['sequence']} " in message, column
    assert verify_ledger(session, cooperative).entries == written


def after_change(
    session: Session,
    cooperative: Cooperative,
    row: dict[str, int],
    column: str,
    place: int,
    bit: int,
) -> str:
    """What a verification says when that column of that row was changed; put back afterwards."""
    where = "WHERE sequence = :sequence AND cooperative_id = :cooperative"
    connection = session.connection()
    connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    try:
        before = session.scalar(text(f"SELECT {column} FROM share_entry {where}"), row)
        session.execute(
            text(f"UPDATE share_entry SET {column} = :after {where}"),
            {**row, "after": changed(column, before, place, bit)},
        )
        with pytest.raises(BrokenLedger) as found:
            verify_ledger(session, cooperative)
        return found.value.message
    finally:
        session.rollback()


@pytest.mark.usefixtures("written")
def test_an_instant_spelt_otherwise_is_a_changed_byte(
    session: Session, cooperative: Cooperative
) -> None:
    session.execute(
        text("UPDATE share_entry SET recorded_at = replace(recorded_at, ' ', '!') WHERE id = 2")
    )
    with pytest.raises(BrokenLedger, match="Entry 2 "):
        verify_ledger(session, cooperative)


def test_the_highest_number_and_the_head_are_verified_too(
    session: Session, cooperative: Cooperative, written: int
) -> None:
    session.execute(text("UPDATE share_numbering SET last_number = 4"))
    with pytest.raises(BrokenLedger, match="highest share number of the class “ordinary” is 5"):
        verify_ledger(session, cooperative)
    session.rollback()
    head = session.get_one(RegisterHead, cooperative.id)
    head.hash = "0" * 64
    session.flush()
    with pytest.raises(BrokenLedger, match="was written"):
        verify_ledger(session, cooperative)


def test_a_holder_whose_present_statement_is_called_a_former_one_is_found(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    """Otherwise nothing would tell the name in the register from the one recorded."""
    make_member("7")
    session.execute(text("UPDATE holder_opening SET is_current = false"))
    with pytest.raises(BrokenLedger, match="the holder 7 was changed"):
        verify_ledger(session, cooperative)


def test_a_ledger_written_anew_with_a_number_held_twice_is_found(
    session: Session, cooperative: Cooperative, make_member: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even consistent hashes make a share that two members hold."""
    from govern.register.services.ledger import moving

    first, second = make_member(shares=2), make_member(given_name="Bo", shares=2)
    real = moving.leaving

    def forged(*args: Any, **named: Any) -> Any:
        return [part.__class__(part.lot, 1, part.cents, "3") for part in real(*args, **named)]

    monkeypatch.setattr(moving, "leaving", forged)
    ledger.transfer_shares(session, SYSTEM, first, second, 1, date(2018, 3, 1))
    with pytest.raises(BrokenLedger, match=r"shares of entry 5 .+ carry numbers that they cannot"):
        verify_ledger(session, cooperative)
