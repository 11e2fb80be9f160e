"""The tables of leaving go and come back, with rows in them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from govern import schema
from govern.access import SYSTEM
from govern.extensions import db
from govern.leaving.models import Refund
from govern.leaving.services import excluding, founders, recording
from govern.register.models import Membership
from tests.conftest import SettableClock

TABLES = {"departure", "exclusion_step", "leaving_document", "founder", "refund", "board_test"}


def test_the_tables_are_taken_back_with_rows_in_them_and_laid_down_anew(
    both_databases: str,
    session: Session,
    make_member: Callable[..., Membership],
    pass_tests: Callable[..., None],
) -> None:
    # Without shares: the migration after this one does not take numbered ledger entries back.
    membership = make_member(shares=0)
    excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    founders.set_founder(session, SYSTEM, membership, True)
    departure = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 10))
    day = date(2018, 4, 10)
    session.add(
        Refund(
            cooperative_id=membership.cooperative_id,
            membership_id=membership.id,
            departure_id=departure.id,
            amount_cents=1,
            owed_since=day,
            due_on=day,
            repay_by=day,
            state="scheduled",
            created_at=departure.created_at,
        )
    )
    pass_tests()
    session.commit()
    db.session.remove()
    engine: Any = db.engine
    schema.downgrade(engine, "0008_payments")
    assert not TABLES & set(sa.inspect(engine).get_table_names())
    schema.upgrade(engine)
    assert set(sa.inspect(engine).get_table_names()) >= TABLES
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM departure")) == 0
        assert connection.scalar(sa.text("SELECT count(*) FROM membership")) == 1


def test_a_request_in_time_is_what_an_earlier_schema_keeps_of_two_for_a_hearing(
    both_databases: str,
    session: Session,
    make_member: Callable[..., Membership],
    clock: SettableClock,
) -> None:
    procedure = excluding.propose_exclusion(
        session,
        SYSTEM,
        make_member(email="an@example.org"),
        proposed_on=date(2018, 4, 10),
        reasons="Forged invoices.",
    )
    excluding.send_proposal(session, SYSTEM, procedure)
    clock.set(datetime(2018, 5, 20, 8, 0, tzinfo=UTC))
    for received_on in (date(2018, 5, 20), date(2018, 5, 10)):
        excluding.ask_for_hearing(session, SYSTEM, procedure, received_on=received_on)
    session.commit()
    db.session.remove()
    engine: Any = db.engine
    schema.downgrade(engine, "0013_readings")
    schema.upgrade(engine)
    with engine.connect() as connection:
        asked = sa.text("SELECT is_late FROM exclusion_step WHERE step = 'hearing_asked'")
        assert [bool(row[0]) for row in connection.execute(asked)] == [False]
