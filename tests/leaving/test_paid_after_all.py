"""A refund whose payment was called off here, and made by the bank all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.clock import now
from govern.cooperatives.models import Cooperative
from govern.errors import RuleViolation
from govern.leaving.models import Refund
from govern.leaving.services import effect, refunds
from govern.leaving.services.payees import put_payee
from govern.payments.models import BankAccount, BankEntry, OutgoingPayment
from govern.payments.reading.records import ReadEntry, ReadStatement
from govern.payments.services import cancel_outgoing
from govern.payments.services.accounts import add_bank_account
from govern.payments.services.batches import cancel_batch, make_batch, mark_batch_sent
from govern.payments.services.following import settle_outgoing_by_hand
from govern.payments.services.statements import store_statements
from govern.payments.services.unsaying import said_of, undo_outgoing

Make = Callable[..., Any]


@pytest.fixture
def refund(
    session: Session, cooperative: Cooperative, clock: Any, make_resigned: Make, pass_tests: Make
) -> Refund:
    """What is owed for two shares, with both tests of the board."""
    departure = make_resigned()
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    effect.take_effect_job(session, departure.id)
    pass_tests()
    session.commit()
    return session.scalars(select(Refund)).one()


@pytest.fixture
def called_off(session: Session, cooperative: Cooperative, refund: Refund) -> OutgoingPayment:
    """Its payment was in a file that the bank was said to refuse, and was then cancelled."""
    own = add_bank_account(
        session, SYSTEM, cooperative, iban="BE68539007547034", bic="", holder="SmartCoop"
    )
    [payment] = refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    batch = make_batch(session, SYSTEM, own, [payment], now().date())
    mark_batch_sent(session, SYSTEM, batch)
    cancel_batch(session, SYSTEM, batch, "the bank refused it")
    cancel_outgoing(session, SYSTEM, payment, reason="to be paid next year")
    session.commit()
    assert refund.state == "scheduled"
    return payment


@pytest.fixture
def debit(session: Session, cooperative: Cooperative, called_off: OutgoingPayment) -> BankEntry:
    """The bank has made that payment."""
    day = now().date()
    entry = ReadEntry(
        amount_cents=-called_off.amount_cents,
        booked_on=day,
        value_on=day,
        end_to_end_id=called_off.end_to_end_id,
    )
    statement = ReadStatement(format="csv", iban="BE68539007547034", entries=[entry])
    store_statements(session, SYSTEM, cooperative, [statement], file_name="t", digest="0" * 64)
    session.commit()
    return session.scalars(select(BankEntry)).one()


def test_the_refund_is_paid_under_the_tests_that_it_was_released_under(
    session: Session, refund: Refund, called_off: OutgoingPayment, debit: BankEntry
) -> None:
    assert refund.net_asset_test_id is None
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    session.commit()
    assert (refund.state, refund.paid_on, called_off.state) == ("paid", now().date(), "paid")
    assert refund.net_asset_test_id
    assert refund.liquidity_test_id


def test_also_while_the_board_has_put_it_off(
    session: Session, refund: Refund, called_off: OutgoingPayment, debit: BankEntry
) -> None:
    refunds.postpone_refund(session, SYSTEM, refund, reason="no money this year")
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    assert (refund.state, refund.reason) == ("paid", "")


def test_a_refund_that_is_being_paid_anew_is_not_paid_twice(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    called_off: OutgoingPayment,
    debit: BankEntry,
) -> None:
    [second] = refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    with pytest.raises(RuleViolation, match="paid twice"):
        settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    cancel_outgoing(session, SYSTEM, second, reason="the first one left")
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    assert (refund.state, refund.outgoing_id) == ("paid", called_off.id)


def test_also_after_a_later_payment_came_back(
    session: Session,
    cooperative: Cooperative,
    refund: Refund,
    called_off: OutgoingPayment,
    debit: BankEntry,
) -> None:
    [second] = refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    own = session.scalars(select(BankAccount)).one()
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, own, [second], now().date()))
    back = ReadEntry(
        amount_cents=second.amount_cents,
        booked_on=now().date(),
        value_on=now().date(),
        end_to_end_id=second.end_to_end_id,
    )
    statement = ReadStatement(format="csv", iban="BE68539007547034", entries=[back])
    store_statements(session, SYSTEM, cooperative, [statement], file_name="t", digest="1" * 64)
    assert refund.state == "returned"
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    assert (refund.state, refund.outgoing_id) == ("paid", called_off.id)


def test_what_is_no_longer_owed_is_not_settled_by_it(
    session: Session, refund: Refund, called_off: OutgoingPayment, debit: BankEntry
) -> None:
    refund.state = "cancelled"
    session.commit()
    with pytest.raises(RuleViolation, match="Nothing is owed"):
        settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    session.rollback()
    assert (called_off.state, debit.state) == ("cancelled", "doubtful")


def test_when_it_was_another_payment_the_refund_is_owed_again(session, refund, called_off, debit):
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    [said] = said_of(session, debit)
    undo_outgoing(session, SYSTEM, said, "it was the rent")
    session.commit()
    assert (refund.state, refund.paid_on, called_off.state) == ("scheduled", None, "cancelled")
    assert (refund.net_asset_test_id, refund.liquidity_test_id) == (None, None)
    settle_outgoing_by_hand(session, SYSTEM, debit, called_off)
    assert refund.state == "paid"


def test_a_refund_on_its_way_is_on_its_way_again(session, cooperative, refund):
    own = add_bank_account(
        session, SYSTEM, cooperative, iban="BE68539007547034", bic="", holder="SmartCoop"
    )
    [payment] = refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, own, [payment], now().date()))
    day, cents = now().date(), payment.amount_cents
    for number, amount in enumerate((-cents, cents)):
        entry = ReadEntry(
            amount_cents=amount,
            booked_on=day,
            value_on=day,
            counterparty_iban=payment.iban,
            is_return=amount > 0,
        )
        statement = ReadStatement(format="csv", iban="BE68539007547034", entries=[entry])
        store_statements(
            session, SYSTEM, cooperative, [statement], file_name="t", digest=f"{number:064x}"
        )
    debit, credit = session.scalars(select(BankEntry).order_by(BankEntry.id)).all()
    settle_outgoing_by_hand(session, SYSTEM, debit, payment)
    settle_outgoing_by_hand(session, SYSTEM, credit, payment)
    assert (refund.state, refund.paid_on) == ("returned", None)
    undo_outgoing(session, SYSTEM, said_of(session, credit)[-1], "somebody else gave it")
    assert (refund.state, refund.paid_on) == ("paid", day)
    undo_outgoing(session, SYSTEM, said_of(session, debit)[-1], "it was the rent")
    assert (refund.state, refund.paid_on, payment.state) == ("released", None, "sent")


def test_a_refund_whose_owner_has_given_another_account_since_stays_so(
    session, cooperative, refund, clock
):
    own = add_bank_account(
        session, SYSTEM, cooperative, iban="BE68539007547034", bic="", holder="SmartCoop"
    )
    [payment] = refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    mark_batch_sent(session, SYSTEM, make_batch(session, SYSTEM, own, [payment], now().date()))
    day = now().date()
    entry = ReadEntry(
        amount_cents=payment.amount_cents, booked_on=day, value_on=day, is_return=True
    )
    statement = ReadStatement(format="csv", iban="BE68539007547034", entries=[entry])
    store_statements(session, SYSTEM, cooperative, [statement], file_name="t", digest="0" * 64)
    credit = session.scalars(select(BankEntry)).one()
    settle_outgoing_by_hand(session, SYSTEM, credit, payment)
    put_payee(session, SYSTEM, refund.departure, holder="An", iban="DE89370400440532013000")
    session.commit()
    with pytest.raises(RuleViolation, match="taken up again"):
        undo_outgoing(session, SYSTEM, said_of(session, credit)[-1], "somebody else gave it")
    session.rollback()
    assert (refund.state, payment.state) == ("scheduled", "returned")
