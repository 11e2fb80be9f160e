"""What crosses: numbered after it was read, returned after it was spent, paid after all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.payments import signals
from govern.payments.models import BankEntry
from govern.payments.reading import ReadEntry, ReadStatement, records
from govern.payments.rules.references import references_in
from govern.payments.services import batches, outgoing
from govern.payments.services.statements import ReadingResult, store_statements
from tests.payments.statements import AN, OURS

TODAY = date(2018, 6, 1)
Table = Callable[..., ReadingResult]


@pytest.fixture
def table(session: Session, cooperative: Any, account: Any) -> Table:
    """``table(line(6000), …)``: a table of the bank with these lines, read and stored."""
    number = 0

    def reading(*lines: ReadEntry) -> ReadingResult:
        nonlocal number
        number += 1
        statement = ReadStatement(format="csv", iban=OURS, entries=list(lines))
        result = store_statements(
            session, SYSTEM, cooperative, [statement], file_name="t.csv", digest=f"{number:064x}"
        )
        session.commit()
        return result

    return reading


def line(cents: int, number: str = "", *, day: date = TODAY, **others: Any) -> ReadEntry:
    others.setdefault("counterparty_iban", AN)
    return ReadEntry(
        amount_cents=cents, booked_on=day, value_on=day, bank_reference=number, **others
    )


def entries(session: Session) -> list[BankEntry]:
    return list(session.scalars(select(BankEntry).order_by(BankEntry.id)))


# -- numbered later -----------------------------------------------------------------------------


def test_an_entry_that_the_bank_numbers_only_later_counts_once(session, table, ask):
    request = ask(6000)
    early = line(6000, reference=request.reference)
    numbered = line(6000, "2018-0007", reference=request.reference)
    assert table(early).new == 1
    assert (table(numbered).new, table(early).new, table(numbered).new) == (0, 0, 0)
    [entry] = entries(session)
    assert (entry.bank_reference, request.paid_cents) == ("2018-0007", 6000)


def test_a_twin_with_another_number_is_another_payment(session, table):
    table(line(1000, remittance="gift"))
    both = [line(1000, "1", remittance="gift"), line(1000, "2", remittance="gift")]
    assert table(*both).new == 1
    assert table(*both).new == 0
    assert [entry.bank_reference for entry in entries(session)] == ["1", "2"]


def test_a_twin_that_is_not_numbered_yet_keeps_its_own_place(session, table):
    early = line(1000, remittance="gift")
    table(early)
    assert table(line(1000, "2", remittance="gift"), early).new == 1
    assert len(entries(session)) == 2


# -- messages -----------------------------------------------------------------------------------


def test_of_a_message_of_blanks_only_a_bounded_piece_is_searched(monkeypatch):
    searched: list[str] = []

    def search(text: str) -> list[str]:
        searched.append(text)
        return references_in(text)

    monkeypatch.setattr(records.references, "references_in", search)
    blanks = " " * 300_000
    assert records.reference_of("", f"123{blanks}x") == ""
    assert records.reference_of("", f"{blanks}123/4567/{blanks}89002{blanks}") == "123456789002"
    assert records.reference_of("", "1 x" * 100_000) == ""
    assert max(map(len, searched)) <= records.MAX_SEARCHED


# -- payments going out -------------------------------------------------------------------------


@pytest.fixture
def released(session: Session, cooperative: Any, account: Any) -> outgoing.OutgoingPayment:
    payment = outgoing.request_outgoing(
        session, SYSTEM, cooperative, payee_name="An Peeters", iban=AN, amount_cents=3000,
        due_on=TODAY, text="Refund of shares", subject="grant:1",
    )  # fmt: skip
    outgoing.release_outgoing(session, SYSTEM, payment)
    session.commit()
    return payment


def test_features_above_are_told_on_which_day_a_file_is_to_be_paid(session, account, released):
    told: list[date] = []

    def listen(_payment: Any, *, execute_on: date, **_others: Any) -> None:
        told.append(execute_on)

    with signals.outgoing_releasing.connected_to(listen):
        batches.make_batch(session, SYSTEM, account, [released], date(2019, 3, 1))
    assert told == [date(2019, 3, 1)]
