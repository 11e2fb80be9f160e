"""Payments that go out: released, put into one file, followed by the statements."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    GovernError,
    InvalidInput,
    RuleViolation,
)
from govern.extensions import db
from govern.payments import signals
from govern.payments.models import BankAccount, BankEntry, OutgoingPayment, PaymentBatch
from govern.payments.pain import NAMESPACE, Transfer, message_id_of, write_pain
from govern.payments.services import accounts, batches, outgoing
from govern.payments.services.statements import read_file
from tests.payments.statements import AN, Tx, camt

TODAY = date(2018, 6, 1)
NS = f"{{{NAMESPACE}}}"


@pytest.fixture
def plan(session: Session, cooperative: Any, account: Any) -> Callable[..., OutgoingPayment]:
    """``plan(3000)``: a payment, released unless told otherwise."""
    number = 0

    def make(cents: int = 3000, *, released: bool = True, **others: Any) -> OutgoingPayment:
        nonlocal number
        number += 1
        payment = outgoing.request_outgoing(
            session,
            SYSTEM,
            cooperative,
            payee_name=others.pop("payee_name", "Zoé Müller & Co"),
            iban=others.pop("iban", AN),
            amount_cents=cents,
            due_on=TODAY,
            text="Refund of shares",
            subject=others.pop("subject", f"grant:{number}"),
            **others,
        )
        if released:
            outgoing.release_outgoing(session, SYSTEM, payment)
        session.commit()
        return payment

    return make


@pytest.fixture
def read(session: Session, cooperative: Any, account: Any) -> Callable[..., Any]:
    def reading(*entries: Tx, **options: Any) -> Any:
        content = camt(*entries, **options)
        result = read_file(session, SYSTEM, cooperative, file_name="s.xml", content=content)
        session.commit()
        return result

    return reading


def debit(payment: OutgoingPayment, **others: Any) -> Tx:
    others.setdefault("end_to_end", payment.end_to_end_id)
    others.setdefault("day", "2018-06-01")
    return Tx(-payment.amount_cents, name="Z", **others)


# -- planned and released -----------------------------------------------------------------------


def test_planning_the_same_twice_plans_once(plan):
    assert plan(3000, subject="grant:x", released=False) is plan(
        3000, subject="grant:x", released=False
    )
    with pytest.raises(Conflict):
        plan(4000, subject="grant:x", released=False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"iban": "BE68539007547035"}, "iban"),
        ({"bic": "X"}, "bic"),
        ({"payee_name": " "}, "payee_name"),
    ],
)
def test_a_payment_to_a_wrong_account_is_refused(plan, wrong, field):
    with pytest.raises(InvalidInput) as refused:
        plan(3000, **wrong)
    assert refused.value.field == field


def test_only_whoever_may_releases(session, plan, make_account, cooperative):
    payment = plan(released=False)
    registrar = make_account("Rita", roles=[(cooperative, Role.REGISTRAR)])
    with pytest.raises(Forbidden):
        outgoing.release_outgoing(session, actor_for(session, registrar), payment)


def test_a_feature_above_can_refuse_the_release(session, plan):
    payment = plan(released=False)

    def refuse(_payment: Any, **_others: Any) -> None:
        raise RuleViolation("the board has not tested the net assets")

    with signals.outgoing_releasing.connected_to(refuse), pytest.raises(RuleViolation):
        outgoing.release_outgoing(session, SYSTEM, payment)
    session.rollback()
    assert payment.state == "planned"


def test_a_cancelled_payment_is_not_released(session, plan):
    payment = plan(released=False)
    outgoing.cancel_outgoing(session, SYSTEM, payment, reason="not owed")
    with pytest.raises(ForbiddenTransition):
        outgoing.release_outgoing(session, SYSTEM, payment)


def test_a_payment_in_a_file_is_not_released_once_more(session, account, plan):
    payment = plan()
    batch = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    for _step in range(2):
        with pytest.raises(ForbiddenTransition):
            outgoing.release_outgoing(session, SYSTEM, payment)
        batches.mark_batch_sent(session, SYSTEM, batch)
    assert payment.state == "sent"


# -- the file -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def standard() -> xmlschema.XMLSchema:
    """The schema of pain.001.001.09 as ISO 20022 publishes it, out of a package that carries it."""
    folder = resources.files("sepaxml") / "schemas"
    with resources.as_file(folder / "pain.001.001.09.xsd") as path:
        return xmlschema.XMLSchema(path)


def transfers() -> list[Transfer]:
    return [
        Transfer("G-1", "Zoé Müller & Co", AN, "", 3005, "Remboursement – parts n° 4"),
        Transfer("G-2", "An Peeters", AN, "GKCCBEBB", 100, "", "123456789002"),
        Transfer("G-3", "Bo", AN, "", 1, "", "RF18539007547034"),
    ]


def write(items: list[Transfer], bic: str = "") -> str:
    return write_pain(
        message_id="G20180601-1-abc", made_at=datetime(2018, 6, 1, 14, tzinfo=UTC),
        debtor_name="SmartCoop", debtor_iban="BE68539007547034", debtor_bic=bic,
        execute_on=TODAY, transfers=items,
    )  # fmt: skip


def pain_of(items: list[Transfer], bic: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(write(items, bic))  # noqa: S314


@pytest.mark.parametrize("bic", ["", "GKCCBEBB"])
def test_the_file_is_what_the_standard_says(standard, bic):
    xml = write(transfers(), bic)
    standard.validate(xml)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        standard.validate(xml.replace("<EndToEndId>G-2</EndToEndId>", ""))


def test_the_control_sums_and_counts_are_those_of_the_payments():
    root = pain_of(transfers())
    assert [item.text for item in root.iter(f"{NS}CtrlSum")] == ["31.06", "31.06"]
    assert [item.text for item in root.iter(f"{NS}NbOfTxs")] == ["3", "3"]
    amounts = [item.text for item in root.iter(f"{NS}InstdAmt")]
    assert amounts == ["30.05", "1.00", "0.01"]


def test_names_and_messages_are_in_the_characters_that_banks_take():
    root = pain_of(transfers())
    assert [item.text for item in root.iter(f"{NS}Nm")][2] == "Zoe Mueller + Co"
    assert [item.text for item in root.iter(f"{NS}Ustrd")] == ["Remboursement - parts n 4"]
    assert [item.text for item in root.iter(f"{NS}Issr")] == ["BBA", "ISO"]


def test_the_identification_is_that_of_the_content():
    one = message_id_of("BE68539007547034", TODAY, 1, transfers())
    assert one == message_id_of("BE68539007547034", TODAY, 1, transfers())
    assert one != message_id_of("BE68539007547034", TODAY, 2, transfers())
    assert one != message_id_of("BE68539007547034", TODAY, 1, transfers()[:2])
    assert len(one) <= 35


# -- batches ------------------------------------------------------------------------------------


def test_a_batch_holds_what_was_released(both_databases, session, account, plan):
    payments = [plan(3000), plan(4500)]
    batch = batches.make_batch(session, SYSTEM, account, payments, TODAY)
    assert (batch.total_cents, batch.count, batch.state) == (7500, 2, "made")
    assert {payment.state for payment in payments} == {"in_batch"}
    root = ElementTree.fromstring(batch.xml)  # noqa: S314
    assert [item.text for item in root.iter(f"{NS}EndToEndId")] == [
        payment.end_to_end_id for payment in payments
    ]


def test_what_is_not_released_goes_into_no_batch(session, account, plan):
    with pytest.raises(ForbiddenTransition):
        batches.make_batch(session, SYSTEM, account, [plan(released=False)], TODAY)


def test_one_batch_at_a_time(session, account, plan):
    first = batches.make_batch(session, SYSTEM, account, [plan()], TODAY)
    second = plan()
    with pytest.raises(Conflict):
        batches.make_batch(session, SYSTEM, account, [second], TODAY)
    batches.mark_batch_sent(session, SYSTEM, first)
    batches.make_batch(session, SYSTEM, account, [second], TODAY)


def test_the_database_itself_refuses_a_second_waiting_batch(both_databases, session, account, plan):
    first = batches.make_batch(session, SYSTEM, account, [plan()], TODAY)
    batches.mark_batch_sent(session, SYSTEM, first)
    batches.make_batch(session, SYSTEM, account, [plan()], TODAY)
    session.commit()
    with pytest.raises(IntegrityError):
        session.execute(
            update(PaymentBatch).where(PaymentBatch.id == first.id).values(state="made")
        )


def test_the_payments_of_a_cancelled_batch_go_into_another_with_another_name(
    session, account, plan
):
    payment = plan()
    first = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    with pytest.raises(InvalidInput):
        batches.cancel_batch(session, SYSTEM, first, "")
    batches.cancel_batch(session, SYSTEM, first, "the bank refused it")
    assert (payment.state, payment.batch_id) == ("released", None)
    second = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    assert second.message_id != first.message_id
    with pytest.raises(Conflict):
        batches.batch_for_download(session, SYSTEM, account.cooperative, first.public_id)


def test_a_batch_is_not_paid_in_the_past(session, account, plan):
    with pytest.raises(InvalidInput):
        batches.make_batch(session, SYSTEM, account, [plan()], date(2018, 5, 31))


def test_two_at_once_make_one_batch(both_databases, app, session, account, plan):
    payment_id, account_id = plan().id, account.id
    session.commit()
    ready = threading.Barrier(2)
    results: list[Any] = []

    def make() -> None:
        with app.app_context():
            mine = db.session()
            ready.wait(30)
            try:
                batches.make_batch(
                    mine,
                    SYSTEM,
                    mine.get_one(BankAccount, account_id),
                    [mine.get_one(OutgoingPayment, payment_id)],
                    TODAY,
                )
                mine.commit()
                results.append("made")
            except GovernError as error:
                mine.rollback()
                results.append(type(error).__name__)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == ["Conflict", "made"]


# -- followed -----------------------------------------------------------------------------------


@pytest.fixture
def sent(session: Session, account: Any, plan: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """A batch of two payments that the bank has."""
    one, other = plan(3000), plan(4500)
    batch = batches.make_batch(session, SYSTEM, account, [one, other], TODAY)
    batches.mark_batch_sent(session, SYSTEM, batch)
    session.commit()
    return batch, one, other


def test_the_statement_shows_each_payment_that_left(session, read, sent):
    batch, one, other = sent
    told: list[date] = []

    def listen(_payment: Any, *, paid_on: date, **_others: Any) -> None:
        told.append(paid_on)

    with signals.outgoing_paid.connected_to(listen):
        read(debit(one, day="2018-06-01"))
    assert (one.state, one.paid_on, other.state) == ("paid", date(2018, 6, 1), "sent")
    assert (batch.state, told) == ("sent", [date(2018, 6, 1)])
    read(debit(other), identification="2")
    assert batch.state == "done"


def test_a_file_booked_in_one_sum_pays_all_of_it(session, read, sent):
    batch, one, other = sent
    read(Tx(-7500, iban="", batch=batch.message_id))
    assert {one.state, other.state} == {"paid"}
    assert batch.state == "done"


def test_a_file_booked_in_one_sum_with_its_parts_pays_each(session, read, sent):
    batch, one, other = sent
    parts = [debit(one), debit(other)]
    read(Tx(-7500, parts=parts, batch=batch.message_id, day="2018-06-01"))
    assert {one.state, other.state} == {"paid"}


def test_a_payment_that_left_though_nobody_said_so_is_paid(session, account, plan, read):
    payment = plan()
    batch = batches.make_batch(session, SYSTEM, account, [payment], TODAY)
    session.commit()
    read(debit(payment))
    assert (payment.state, batch.state) == ("paid", "done")


def test_a_payment_that_comes_back_says_why(session, read, sent):
    _batch, one, _other = sent
    told: list[str] = []

    def listen(_payment: Any, *, reason: str, **_others: Any) -> None:
        told.append(reason)

    read(debit(one))
    with signals.outgoing_returned.connected_to(listen):
        read(
            Tx(3000, end_to_end=one.end_to_end_id, return_code="AC04", day="2018-06-01"),
            identification="2",
        )
    assert (one.state, told) == ("returned", ["AC04"])


def test_another_amount_than_ours_waits_for_a_person(session, read, sent):
    _batch, one, _other = sent
    read(Tx(-2999, end_to_end=one.end_to_end_id))
    [entry] = session.scalars(select(BankEntry))
    assert (entry.doubt, one.state) == ("outgoing_amount", "sent")


def test_a_payment_that_was_never_handed_over_is_unexpected(session, read, plan):
    payment = plan()
    read(debit(payment))
    [entry] = session.scalars(select(BankEntry))
    assert (entry.doubt, payment.state) == ("outgoing_unexpected", "released")


def test_a_batch_of_which_something_left_cannot_be_cancelled(session, read, sent):
    batch, one, _other = sent
    read(debit(one))
    with pytest.raises(RuleViolation):
        batches.cancel_batch(session, SYSTEM, batch, "the bank refused it")


# -- accounts -----------------------------------------------------------------------------------


def test_one_account_is_the_default_one(session, cooperative, account):
    other = accounts.add_bank_account(
        session, SYSTEM, cooperative, iban=AN, bic="", holder="SmartCoop"
    )
    assert (account.is_default, other.is_default) == (True, False)
    accounts.make_default(session, SYSTEM, other)
    session.expire_all()
    assert (account.is_default, other.is_default) == (False, True)
    accounts.close_account(session, SYSTEM, other)
    assert accounts.default_account(session, cooperative.id) is None


def test_an_account_with_a_file_at_the_bank_cannot_be_closed(session, account, sent):
    with pytest.raises(RuleViolation):
        accounts.close_account(session, SYSTEM, account)


def test_the_same_account_is_named_once_and_can_be_opened_again(session, cooperative, account):
    with pytest.raises(Conflict):
        accounts.add_bank_account(
            session, SYSTEM, cooperative, iban=account.iban, bic="", holder="x"
        )
    accounts.close_account(session, SYSTEM, account)
    again = accounts.add_bank_account(
        session, SYSTEM, cooperative, iban=account.iban, bic="", holder="SmartCoop SC"
    )
    assert again is account
    assert account.is_default
