"""Money of an application that the bank moved although it was called off, or twice."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from govern.access import SYSTEM
from govern.clock import now
from govern.errors import RuleViolation
from govern.joining.rules import ApplicationState
from govern.joining.services import deciding
from govern.payments.models import BankEntry, Doubt, OutgoingPayment
from govern.payments.reading.records import ReadEntry, ReadStatement
from govern.payments.services import batches, claims, matching, outgoing
from govern.payments.services.following import settle_outgoing_by_hand
from govern.payments.services.statements import store_statements
from tests.joining.conftest import OURS, THEIRS


@pytest.fixture
def ended(session, apply_for, pay, clock):
    """An application for two shares, half paid, that ended: the half is planned to go back."""
    application = apply_for(shares=2)
    deciding.accept_application(session, SYSTEM, application)
    session.commit()
    pay(application.request, 3000)
    clock.advance(days=60)
    assert deciding.expire_application(session, application)
    session.commit()
    return application


@pytest.fixture
def giving_back(session, ended, account):
    """The payment that gives the half back, in a file that the bank has."""
    payment = session.scalars(select(OutgoingPayment)).one()
    outgoing.release_outgoing(session, SYSTEM, payment)
    batch = batches.make_batch(session, SYSTEM, account, [payment], now().date())
    batches.mark_batch_sent(session, SYSTEM, batch)
    session.commit()
    return payment


@pytest.fixture
def debit(session, cooperative):
    """``debit(3000, "1")``: the bank books money that left."""

    def book(cents, number, **others):
        day = now().date()
        entry = ReadEntry(
            amount_cents=-cents, booked_on=day, value_on=day, bank_reference=number,
            counterparty_iban=THEIRS, **others,
        )  # fmt: skip
        statement = ReadStatement(format="csv", iban=OURS, entries=[entry])
        store_statements(
            session, SYSTEM, cooperative, [statement], file_name="t", digest=f"{int(number):064x}"
        )
        session.commit()
        return session.scalars(select(BankEntry).where(BankEntry.bank_reference == number)).one()

    return book


def refuse_file(session, payment):
    batches.cancel_batch(session, SYSTEM, payment.batch, "the bank refused it")
    session.commit()


def test_what_left_twice_is_not_counted_when_the_application_is_opened_again(
    session, ended, giving_back, debit, pay
):
    debit(3000, "901", end_to_end_id=giving_back.end_to_end_id)
    assert giving_back.state == "paid"
    back = debit(3000, "902", is_return=True)
    assert back.doubt == Doubt.LEDGER_REFUSED.value
    credit = session.scalars(select(BankEntry).where(BankEntry.amount_cents > 0)).one()
    claims.settle_as_claim(session, SYSTEM, back, credit, "Ana is asked for it by letter")
    session.commit()
    deciding.reopen_application(session, SYSTEM, ended)
    session.commit()
    assert (ended.request.amount_cents, ended.request.paid_cents) == (6000, 0)
    pay(ended.request, 3000, date(2018, 7, 31))
    assert ended.status is ApplicationState.ACCEPTED


def test_money_of_an_ended_application_that_left_after_all_is_given_back(
    session, ended, giving_back, debit
):
    refuse_file(session, giving_back)
    outgoing.cancel_outgoing(session, SYSTEM, giving_back, reason="given back in cash")
    session.commit()
    left = debit(3000, "901", end_to_end_id=giving_back.end_to_end_id)
    settle_outgoing_by_hand(session, SYSTEM, left, giving_back)
    assert (left.state, giving_back.state) == ("matched", "paid")
    deciding.reopen_application(session, SYSTEM, ended)
    assert (ended.request.amount_cents, ended.request.paid_cents) == (6000, 0)


def test_money_that_counts_again_and_left_after_all_is_taken_back_from_the_application(
    session, ended, giving_back, debit
):
    refuse_file(session, giving_back)
    deciding.reopen_application(session, SYSTEM, ended)
    session.commit()
    assert (giving_back.state, ended.request.paid_cents) == ("cancelled", 3000)
    left = debit(3000, "901", end_to_end_id=giving_back.end_to_end_id)
    with pytest.raises(RuleViolation, match="counted for something again"):
        settle_outgoing_by_hand(session, SYSTEM, left, giving_back)
    session.rollback()
    credit = session.scalars(select(BankEntry).where(BankEntry.amount_cents > 0)).one()
    matching.return_by_hand(session, SYSTEM, left, credit)
    assert (ended.request.paid_cents, ended.request.due_cents) == (0, 6000)
    assert (credit.state, left.state, giving_back.state) == ("returned", "matched", "cancelled")
