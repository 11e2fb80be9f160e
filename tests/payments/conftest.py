"""Factories of payments: an account at the bank, members with shares to pay, statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.database import make_public_id
from govern.joining.models import ShareOrder
from govern.payments.models import BankAccount, PaymentRequest
from govern.payments.reading import ReadEntry, ReadStatement
from govern.payments.services import request_payment
from govern.payments.services.accounts import add_bank_account
from govern.payments.services.statements import ReadingResult, read_file, store_statements
from govern.register.models import Membership
from govern.register.services.members import Contact, NewMember, add_member
from tests.payments.statements import Tx, camt

OURS = "BE68539007547034"
THEIRS = "BE71096123456769"
GERMAN = "DE89370400440532013000"


@pytest.fixture
def shares_app() -> bool:
    """One application for all tests here."""
    return True


@pytest.fixture
def account(session: Session, clock: Any, cooperative: Cooperative) -> BankAccount:
    """The account that the cooperative is paid on."""
    made = add_bank_account(
        session, SYSTEM, cooperative, iban=OURS, bic="GKCCBEBB", holder="SmartCoop SC"
    )
    session.commit()
    return made


@pytest.fixture
def make_member(session: Session, cooperative: Cooperative) -> Callable[..., Membership]:
    """``make_member("An", "Peeters", shares=2, paid_cents=0)``: admitted on 1 March 2018."""

    def make(given: str = "An", family: str = "Peeters", **others: Any) -> Membership:
        made = add_member(
            session,
            SYSTEM,
            cooperative,
            NewMember(
                member_number=others.pop("member_number", ""),
                given_name=given,
                family_name=family,
                joined_on=others.pop("joined_on", date(2018, 3, 1)),
                category="A",
                contact=Contact(language="fr"),
                shares=others.pop("shares", 2),
                paid_cents=others.pop("paid_cents", 0),
                accept_duplicate=True,
                **others,
            ),
        )
        session.commit()
        return made

    return make


@pytest.fixture
def ask(session: Session, cooperative: Cooperative) -> Callable[..., PaymentRequest]:
    """``ask(6000, "An Peeters")``: a request under a reference of its own."""
    number = 0

    def make(amount_cents: int = 6000, payer: str = "An Peeters", **others: Any) -> PaymentRequest:
        nonlocal number
        number += 1
        made = request_payment(
            session,
            SYSTEM,
            cooperative,
            amount_cents=amount_cents,
            subject=others.pop("subject", f"application:{number}"),
            payer_name=payer,
            language=others.pop("language", "fr"),
            due_on=others.pop("due_on", date(2018, 7, 1)),
            **others,
        )
        session.commit()
        return made

    return make


@pytest.fixture
def ordered(
    session: Session,
    cooperative: Cooperative,
    make_member: Callable[..., Membership],
    ask: Callable[..., PaymentRequest],
) -> PaymentRequest:
    """What is asked of a member who has ordered two shares: their 60 euro."""
    member, order_id = make_member(shares=0), make_public_id()
    request = ask(6000, subject=f"order:{member.public_id}:{order_id}", membership=member)
    _row, rules = rules_on(session, cooperative.id, date(2018, 6, 1))
    session.add(
        ShareOrder(
            public_id=order_id,
            membership_id=member.id,
            shares=2,
            share_class=rules.share_classes[0].code,
            price_cents=3000,
            request_id=request.id,
            payment_due_on=request.due_on,
            ordered_on=date(2018, 5, 1),
        )
    )
    session.commit()
    return request


@pytest.fixture
def table(
    session: Session, cooperative: Cooperative, account: BankAccount
) -> Callable[..., ReadingResult]:
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


@pytest.fixture
def read(
    session: Session, cooperative: Cooperative, account: BankAccount
) -> Callable[..., ReadingResult]:
    """``read(Tx(6000, …))``: a statement with these entries, read and stored."""

    def reading(*entries: Tx, content: bytes = b"", **options: Any) -> ReadingResult:
        result = read_file(
            session,
            SYSTEM,
            cooperative,
            file_name="statement.xml",
            content=content or camt(*entries, **options),
        )
        session.commit()
        return result

    return reading
