"""Statements read twice, overlapping, at once; and those that are refused whole."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.errors import GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.payments import signals
from govern.payments.models import (
    BankEntry,
    BankStatement,
    OutgoingPayment,
    PaymentMatch,
)
from govern.payments.services import accounts
from govern.payments.services.statements import read_file, shown_name
from govern.register.models import ShareEntry
from tests.payments.statements import AN, DATA, Tx, camt
from tests.payments.test_statements import entries


def counts(session: Session) -> list[int]:
    tables = (BankStatement, BankEntry, PaymentMatch, OutgoingPayment, ShareEntry)
    return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_a_statement_read_twice_changes_nothing(session, read, ordered):
    twins = [Tx(1000, message="gift"), Tx(1000, message="gift")]
    content = camt(Tx(10_000, reference=ordered.reference), *twins)
    assert read(content=content).new == 3
    before = counts(session)
    again = read(content=content)
    assert (again.new, again.known) == (0, 3)
    assert counts(session) == before


def test_of_overlapping_statements_only_what_is_new_is_read(session, read, ask):
    old, new = Tx(1000, bank_reference="B1"), Tx(2000, bank_reference="B2", day="2018-05-31")
    read(old)
    result = read(old, new, identification="2")
    assert (result.new, result.known) == (1, 1)
    assert [entry.amount_cents for entry in entries(session)] == [1000, 2000]


def test_twins_in_two_statements_that_follow_each_other_are_two(session, read):
    """A bank that numbers no entries, and a statement at noon and one in the evening."""
    gift = Tx(1000, message="gift")
    noon = camt(gift, identification="noon")
    evening = camt(gift, opening=101_000, identification="evening")
    assert (read(content=noon).new, read(content=evening).new) == (1, 1)
    assert (read(content=evening).new, read(content=noon).new) == (0, 0)
    whole_day = camt(gift, gift, identification="day")
    assert read(content=whole_day).known >= 1
    assert len(entries(session)) == 2


def test_the_same_days_read_as_table_and_as_xml_count_once(session, read, ask):
    request = ask(6000)
    request.reference = "123456789002"
    session.commit()
    read(content=(DATA / "bnp_fr.csv").read_bytes())
    before = counts(session)
    read(
        Tx(6000, reference="123456789002", day="2018-05-29", bank_reference="B1"),
        Tx(-123_456, message="loyer juin", iban="BE05910000000075", bank_reference="B2"),
    )
    assert counts(session) == before


def test_when_it_breaks_off_in_the_middle_nothing_is_kept_and_it_can_be_read_again(
    session, read, ask
):
    first, second = ask(6000), ask(3000)
    statement = [Tx(6000, reference=first.reference), Tx(3000, reference=second.reference)]

    def break_off(request: Any, **_others: Any) -> None:
        if request is second:
            raise MemoryError

    with signals.payment_received.connected_to(break_off), pytest.raises(MemoryError):
        read(*statement)
    session.rollback()
    assert (entries(session), first.paid_cents) == ([], 0)
    assert read(*statement).new == 2
    assert (first.paid_cents, second.paid_cents) == (6000, 3000)


def test_the_name_of_a_file_is_one_line_of_what_can_be_printed():
    assert shown_name("a\x00b\n c.xml") == "ab c.xml"
    assert (shown_name("\x00"), len(shown_name("x" * 900))) == ("-", 200)


def test_the_statement_of_another_account_is_refused_and_names_it(session, read):
    with pytest.raises(InvalidInput) as refused:
        read(Tx(6000), iban=AN)
    assert "BE71 0961 2345 6769" in refused.value.message
    assert entries(session) == []


def test_the_statement_of_a_closed_account_is_refused(session, read, account):
    accounts.close_account(session, SYSTEM, account)
    with pytest.raises(RuleViolation):
        read(Tx(6000))


def test_an_entry_that_lies_ahead_is_refused_whole(session, read):
    with pytest.raises(InvalidInput):
        read(Tx(6000), Tx(1000, day="2019-01-01"))
    session.rollback()
    assert entries(session) == []


def test_the_same_file_sent_twice_at_once_is_read_once(
    app, postgresql_url, both_databases, session, read, ask, cooperative
):
    """Two treasurers press the button at the same moment, on either database."""
    request = ask(6000)
    content = camt(Tx(6000, reference=request.reference), Tx(1000), Tx(1000))
    ready = threading.Barrier(2)
    results: list[Any] = []
    cooperative_id = cooperative.id
    session.commit()

    def send() -> None:
        with app.app_context():
            from govern.cooperatives.models import Cooperative

            mine = db.session()
            ready.wait(30)
            own = mine.get_one(Cooperative, cooperative_id)
            try:
                result = read_file(mine, SYSTEM, own, file_name="a.xml", content=content)
                mine.commit()
                results.append((result.new, result.known))
            except GovernError as error:
                mine.rollback()
                results.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    session.expire_all()
    assert sorted(results) == [(0, 3), (3, 0)]
    assert request.paid_cents == 6000
    assert len(entries(session)) == 3
