"""Factories of joining: statutes, a bank account, applications at each step, money that arrives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.joining.models import Application, Statutes
from govern.joining.services import applying, by_transfer
from govern.joining.services.applying import ApplicationInput
from govern.joining.services.statutes import add_statutes
from govern.mail.models import OutboxMail
from govern.mail.queueing import read_content
from govern.payments.models import BankAccount, BankEntry, PaymentRequest
from govern.payments.reading.records import ReadEntry, ReadStatement
from govern.payments.services.accounts import add_bank_account
from govern.payments.services.statements import store_statements
from govern.register.models import MemberKind, Membership, TransferRequest
from govern.register.services import transfers
from govern.register.services.members import Contact, NewMember, add_member
from govern.register.services.transfers import Proposal

OURS = "BE68539007547034"
THEIRS = "BE71096123456769"
TODAY = date(2018, 6, 1)


@pytest.fixture
def shares_app() -> bool:
    """One application for all tests here."""
    return True


@pytest.fixture(autouse=True)
def _standing_still(clock: Any) -> None:
    """Noon UTC on 1 June 2018."""


@pytest.fixture
def set_joining(session: Session, cooperative: Cooperative) -> Callable[..., None]:
    """``set_joining(acceptance="board", maximum_shares=5)``: how one joins here."""

    def change(**values: Any) -> None:
        row = cooperative.rule_sets[0]
        rules = rules_from_json(row.rules)
        joining = replace(rules.joining, **values)
        row.rules = rules_to_json(replace(rules, joining=joining))
        session.commit()

    return change


@pytest.fixture
def statutes(session: Session, cooperative: Cooperative) -> Statutes:
    """The statutes of 2017, in French and English."""
    made = add_statutes(
        session,
        SYSTEM,
        cooperative,
        version="2017",
        adopted_on=date(2017, 1, 1),
        texts={"fr": b"# Statuts\n\nArticle 1", "en": b"# Statutes\n\nArticle 1"},
    )
    session.commit()
    return made


@pytest.fixture
def account(session: Session, cooperative: Cooperative) -> BankAccount:
    """The account that the cooperative is paid on."""
    made = add_bank_account(
        session, SYSTEM, cooperative, iban=OURS, bic="GKCCBEBB", holder="SmartCoop SC"
    )
    session.commit()
    return made


CONTACT = Contact(
    language="en",
    email="ana@example.org",
    street="Rue Haute 1",
    postal_code="1000",
    town="Bruxelles",
    country="BE",
)


@pytest.fixture
def submit(session: Session, cooperative: Cooperative, statutes: Statutes) -> Any:
    """``submit(shares=2, email="x@example.org")``: a form that was sent, not confirmed."""

    def send(**others: Any) -> Application:
        values: dict[str, Any] = {
            "kind": MemberKind.NATURAL,
            "category": "A",
            "shares": 1,
            "given_name": "Ana",
            "family_name": "Sample",
            "birth_date": date(1980, 5, 4),
            "statutes_digest": statutes.texts[1].digest,
            "consents": True,
        }
        email = others.pop("email", CONTACT.email)
        contact = replace(CONTACT, email=email)
        made = applying.submit_application(
            session, cooperative, ApplicationInput(contact=contact, **{**values, **others})
        )
        session.commit()
        return made

    return send


@pytest.fixture
def token_of(session: Session, run_jobs: Callable[[], int]) -> Callable[[Application], str]:
    """The token in the mail that answered the form."""

    def find(application: Application) -> str:
        run_jobs()
        mail = session.scalar(
            select(OutboxMail).where(
                OutboxMail.dedupe_key == f"joining:answer:{application.public_id}"
            )
        )
        assert mail is not None, "no mail was sent"
        content = read_content(mail)
        assert content is not None
        found = re.search(r"/join/confirm/(\S+)", content.text)
        assert found is not None, content.text
        return found.group(1)

    return find


@pytest.fixture
def apply_for(
    session: Session,
    cooperative: Cooperative,
    account: BankAccount,
    submit: Callable[..., Application],
    token_of: Callable[[Application], str],
) -> Callable[..., Application]:
    """``apply_for(shares=2)``: an application whose address is confirmed."""

    def make(**others: Any) -> Application:
        token = token_of(submit(**others))
        made = applying.confirm_application(session, cooperative, token)
        session.commit()
        return made

    return make


@pytest.fixture
def pay(
    session: Session, cooperative: Cooperative, account: BankAccount
) -> Callable[..., BankEntry]:
    """``pay(request, 3000, day)``: a statement with that money is read; the entry."""
    numbers = iter(range(1, 1000))

    def receive(
        request: PaymentRequest | str, cents: int, day: date = TODAY, **others: Any
    ) -> BankEntry:
        reference = request if isinstance(request, str) else request.reference
        number = next(numbers)
        entry = ReadEntry(
            amount_cents=cents,
            booked_on=day,
            value_on=day,
            counterparty_name=others.get("name", "Ana Sample"),
            counterparty_iban=others.get("iban", THEIRS),
            reference=reference,
            bank_reference=f"bank-{number}",
        )
        store_statements(
            session,
            SYSTEM,
            cooperative,
            [ReadStatement(format="csv", iban=OURS, entries=[entry])],
            file_name="statement.csv",
            digest=f"{number:064x}",
        )
        session.commit()
        return session.scalars(
            select(BankEntry).where(BankEntry.bank_reference == f"bank-{number}")
        ).one()

    return receive


@pytest.fixture
def make_member(session: Session, cooperative: Cooperative) -> Callable[..., Membership]:
    """``make_member("Ana", "Sample", email=…)``: admitted on 1 March 2018 with one paid share."""

    def make(given: str = "Bo", family: str = "Peeters", **others: Any) -> Membership:
        values: dict[str, Any] = {
            "member_number": "",
            "joined_on": date(2018, 3, 1),
            "category": "A",
            "contact": Contact(language="fr", email=others.pop("email", "")),
            "shares": 1,
            "paid_cents": 3000,
            "accept_duplicate": True,
        }
        names = (
            {} if "organisation_name" in others else {"given_name": given, "family_name": family}
        )
        made = add_member(session, SYSTEM, cooperative, NewMember(**{**values, **names, **others}))
        session.commit()
        return made

    return make


@pytest.fixture
def giver(make_member: Any) -> Membership:
    contact = Contact(language="en", email="gil@example.org")
    return make_member("Gil", "Giver", shares=3, paid_cents=9000, contact=contact)


@pytest.fixture
def promise(session: Any, cooperative: Any, statutes: Any, giver: Membership) -> Any:
    """``promise(2)``: shares that Gil wants to give to Dora, who is no member."""

    def make(shares: int = 1, **others: Any) -> TransferRequest:
        actor = others.pop("actor", SYSTEM)
        values = {"receiver_name": "Dora", "receiver_email": "dora@example.org", **others}
        made = transfers.propose_transfer(session, actor, giver, Proposal(shares, "gift", **values))
        session.commit()
        return made

    return make


@pytest.fixture
def apply_by(session: Any, cooperative: Any, statutes: Any) -> Any:
    """``apply_by(request)``: Dora sends the form behind the link."""

    def send(request: TransferRequest, **others: Any) -> Application:
        values: dict[str, Any] = {
            "kind": MemberKind.NATURAL,
            "category": "A",
            "shares": 0,
            "given_name": "Dora",
            "family_name": "Novak",
            "birth_date": date(1985, 2, 3),
            "statutes_digest": statutes.texts[1].digest,
            "consents": True,
            "contact": replace(CONTACT, email=""),
        }
        given = ApplicationInput(**{**values, **others})
        made = by_transfer.apply_by_transfer(session, cooperative, request, given)
        session.commit()
        return made

    return send


def mails_of(session: Session, start: str = "joining:") -> list[str]:
    """The keys of the mails so far, without what is random in them."""
    keys = session.scalars(select(OutboxMail.dedupe_key).order_by(OutboxMail.id))
    return [":".join(key.split(":")[:2]) for key in keys if key.startswith(start)]


def text_of(session: Session, kind: str) -> str:
    """What the newest mail of a kind says: ``text_of(session, "welcome")``."""
    mail = session.scalars(
        select(OutboxMail)
        .where(OutboxMail.dedupe_key.startswith(f"joining:{kind}:"))
        .order_by(OutboxMail.id.desc())
    ).first()
    assert mail is not None, f"no mail of the kind {kind}"
    content = read_content(mail)
    assert content is not None
    return f"{content.subject}\n{content.text}"
