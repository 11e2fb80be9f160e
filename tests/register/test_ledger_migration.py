"""Entries from before shares had numbers get the numbers that follow from replaying them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from govern import database, schema
from govern.database import append_only_ddl

NOW = datetime(2018, 6, 1, tzinfo=UTC)
BEFORE = "0008_payments"
ACTS = [
    # (sequence, member, kind, shares, cents, day, act, reverses)
    (1, 1, "subscription", 3, 0, date(2018, 1, 1), "a", None),
    (2, 1, "payment", 0, 9000, date(2018, 1, 1), "b", None),
    (3, 2, "subscription", 2, 0, date(2018, 1, 5), "c", None),
    (4, 1, "transfer_out", -2, -6000, date(2018, 2, 1), "d", None),
    (5, 2, "transfer_in", 2, 6000, date(2018, 2, 1), "d", None),
    # Recorded late: on 10 January the second member held only the numbers 4 and 5.
    (6, 2, "refund", -1, 0, date(2018, 1, 10), "e", None),
    (7, 1, "transfer_out", 2, 6000, date(2018, 2, 1), "f", 4),
    (8, 2, "transfer_in", -2, -6000, date(2018, 2, 1), "f", 5),
    (9, 2, "refund", 1, 0, date(2018, 1, 10), "g", 6),
    (10, 1, "subscription", 1, 0, date(2018, 3, 1), "h", None),
]
NUMBERS = ["1-3", "", "4-5", "1-2", "1-2", "4", "1-2", "1-2", "4", "6"]


@pytest.fixture
def engine(both_databases: str) -> Iterator[sa.Engine]:
    opened = sa.create_engine(both_databases)
    database.configure_engine(opened)
    schema.downgrade(opened, BEFORE)
    yield opened
    opened.dispose()


def fill(connection: sa.Connection) -> None:
    """A cooperative with two members and a ledger of version 1."""
    metadata = sa.MetaData()
    metadata.reflect(connection)

    def insert(table: str, **values: Any) -> None:
        connection.execute(metadata.tables[table].insert().values(**values))

    insert(
        "cooperative", id=1, code="smartcoop", name="SmartCoop", country="BE", legal_form="",
        enterprise_number="", seat="", email="", time_zone="Europe/Brussels", languages=["fr"],
        accent="red", status="active", is_demonstration=False, created_at=NOW,
    )  # fmt: skip
    for key in (1, 2):
        insert(
            "person", id=key, given_name="An", family_name="Peeters", name_key=f"an peeters {key}",
            created_at=NOW,
        )  # fmt: skip
        insert(
            "membership", id=key, public_id=f"m{key}", cooperative_id=1, member_number=str(key),
            number_key=str(key), person_id=key, joined_on=date(2018, 1, 1), end_note="",
            language="fr", street="", postal_code="", town="", country="BE", sort_name="",
            search_text="", created_at=NOW, changed_at=NOW,
        )  # fmt: skip
    insert("register_head", cooperative_id=1, sequence=len(ACTS), hash="f" * 64)
    for sequence, member, kind, shares, cents, day, act, reverses in ACTS:
        insert(
            "share_entry", id=sequence + 100, cooperative_id=1, sequence=sequence,
            membership_id=member, kind=kind, share_class="ordinary", nominal_cents=3000,
            shares=shares, amount_cents=cents, effective_on=day, recorded_at=NOW, act_id=act,
            source="form", reverses_id=reverses + 100 if reverses else None,
            commitment="c" * 64, previous_hash="0" * 64, hash="1" * 64,
        )  # fmt: skip
    insert("entry_remark", entry_id=104, text="kept")


def refuses_changes(connection: sa.Connection) -> bool:
    for statement in ("UPDATE share_entry SET source = 'x'", "DELETE FROM share_entry"):
        with pytest.raises(DatabaseError, match="append-only"), connection.begin_nested():
            connection.exec_driver_sql(statement)
    return True


def test_entries_get_their_numbers_and_the_ledger_stays_guarded(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        fill(connection)
    schema.upgrade(engine)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT sequence, version, numbers, cause FROM share_entry ORDER BY sequence"
        ).all()
        assert [row[2] for row in rows] == NUMBERS
        assert {(row[1], row[3]) for row in rows} == {(1, "")}
        assert connection.exec_driver_sql("SELECT * FROM share_numbering").all() == [
            (1, "ordinary", 6)
        ]
        assert connection.exec_driver_sql("SELECT text FROM entry_remark").scalar() == "kept"
        assert refuses_changes(connection)
    schema.downgrade(engine, BEFORE)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM share_entry").scalar() == 10
        assert refuses_changes(connection)
    schema.upgrade(engine)
    with engine.begin() as connection:
        numbers = connection.exec_driver_sql("SELECT numbers FROM share_entry ORDER BY sequence")
        assert list(numbers.scalars()) == NUMBERS


def test_a_ledger_with_numbers_in_its_hashes_cannot_go_back(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        fill(connection)
    schema.upgrade(engine)
    with engine.begin() as connection:
        for statement in database.drop_append_only_ddl("share_entry", connection.dialect.name):
            connection.execute(sa.text(statement))
        connection.exec_driver_sql("UPDATE share_entry SET version = 2 WHERE sequence = 10")
        for statement in append_only_ddl("share_entry", connection.dialect.name):
            connection.execute(sa.text(statement))
    with pytest.raises(RuntimeError, match="1 entries of the share ledger carry numbers"):
        schema.downgrade(engine, BEFORE)
