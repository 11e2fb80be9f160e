"""Factories of the register: a cooperative with three categories, members, imports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Category, rules_to_json
from govern.register import jobs as register_jobs
from govern.register.models import EndReason, ImportBatch, ImportProblem, Membership
from govern.register.services import imports, ledger, members
from govern.register.services.accounts import open_person_account
from govern.register.services.members import Contact, NewMember
from tests.conftest import sample_rules

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How long an example takes says nothing on a busy machine."""
Import = Callable[..., ImportBatch]
DATA = Path(__file__).parent / "data"
RECORD_DATE = date(2018, 4, 1)
"""Of the rolls that tests take."""

HEADER = (
    "Member number;Name;Given name;Birth date;E-mail;Language;Street and number;Postal code;"
    "Municipality;Country;Category;Joined on;Number of shares;Paid amount;Enterprise number;"
    "Representative;Left on"
)


@pytest.fixture
def shares_app() -> bool:
    """One application for all tests here."""
    return True


@pytest.fixture
def cooperative(make_cooperative: Callable[..., Cooperative], session: Session) -> Cooperative:
    """A cooperative whose rule set knows the categories A, B and C."""
    made = make_cooperative()
    rules = sample_rules()
    third = Category("C", {"fr": "Partenaires externes", "en": "Outside partners"})
    made.rule_sets[0].rules = rules_to_json(replace(rules, categories=(*rules.categories, third)))
    session.commit()
    return made


def members_of(session: Session) -> dict[str, Membership]:
    return {item.member_number: item for item in session.scalars(select(Membership))}


def problems_of(session: Session, batch: ImportBatch) -> list[tuple[int, str, str]]:
    rows = session.scalars(select(ImportProblem).where(ImportProblem.batch_id == batch.id))
    return sorted((item.row, item.severity, item.code) for item in rows)


def csv_file(*rows: str, header: str = HEADER) -> bytes:
    """A file in UTF-8 with semicolons, as a spreadsheet would save it."""
    return "\r\n".join([header, *rows, ""]).encode()


def row(
    number: str = "1",
    family: str = "Peeters",
    given: str = "An",
    born: str = "01/02/1980",
    email: str = "an@example.org",
    category: str = "A",
    joined: str = "01/03/2018",
    shares: str = "1",
    paid: str = "30,00",
    **others: str,
) -> str:
    """One row of ``csv_file``; what is not said is ordinary."""
    cells = [
        number,
        family,
        given,
        born,
        email,
        others.get("language", "NL"),
        others.get("street", "Kerkstraat 1"),
        others.get("postal_code", "9000"),
        others.get("town", "Gent"),
        others.get("country", "BE"),
        category,
        joined,
        shares,
        paid,
        others.get("enterprise", ""),
        others.get("representative", ""),
        others.get("left", ""),
    ]
    return ";".join(cells)


@pytest.fixture
def check_file(session: Session, cooperative: Cooperative) -> Callable[..., ImportBatch]:
    """``check_file(content)``: the import after its check, as the preview shows it."""

    def check(content: bytes, **options: Any) -> ImportBatch:
        batch = imports.start_import(session, SYSTEM, cooperative, "register.csv", content, "en")
        if options.get("hold_back_duplicates"):
            batch.hold_back_duplicates = True
        session.commit()
        register_jobs.check_import(session, batch.id)
        session.commit()
        return batch

    return check


@pytest.fixture
def import_file(
    session: Session, check_file: Callable[..., ImportBatch]
) -> Callable[..., ImportBatch]:
    """``import_file(content)``: checked, confirmed and written."""

    def bring_in(content: bytes, **options: Any) -> ImportBatch:
        batch = check_file(content, **options)
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest)
        session.commit()
        register_jobs.run_import(session, batch.id)
        session.commit()
        return batch

    return bring_in


@pytest.fixture
def make_member(session: Session, cooperative: Cooperative) -> Callable[..., Membership]:
    """``make_member(number="7", shares=2, paid_cents=6000)``: admitted by the registrar's form."""

    def make(number: str = "", **fields: Any) -> Membership:
        contact = Contact(
            language=fields.pop("language", "en"),
            email=fields.pop("email", ""),
            street="Kerkstraat 1",
            postal_code="9000",
            town="Gent",
            country=fields.pop("country", "BE"),
        )
        shares = fields.pop("shares", 1)
        values: dict[str, Any] = {
            "member_number": number,
            "joined_on": date(2018, 1, 10),
            "category": "A",
            "contact": contact,
            "given_name": "An",
            "family_name": "Peeters",
            "shares": shares,
            "paid_cents": shares * 3000,
            "accept_duplicate": True,
        }
        if "organisation_name" in fields:
            values |= {
                "given_name": "",
                "family_name": "",
                "enterprise_number": "0871985062",
                "representative_given_name": "Victor",
                "representative_family_name": "Verelst",
                "category": "B",
            }
        made = members.add_member(session, SYSTEM, cooperative, NewMember(**{**values, **fields}))
        session.commit()
        return made

    return make


@pytest.fixture
def everybody(session: Session, make_member: Callable[..., Membership]) -> dict[str, Membership]:
    """One member of each kind that a roll has to decide about."""
    unpaid = make_member("unpaid", shares=0)
    ledger.subscribe_shares(session, SYSTEM, unpaid, 2, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, unpaid, 2999, date(2018, 2, 1))
    partly = make_member("partly", shares=0, given_name="Bo")
    ledger.subscribe_shares(session, SYSTEM, partly, 3, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, partly, 7500, date(2018, 2, 1))
    left = make_member("left", given_name="Cy")
    members.end_membership(session, SYSTEM, left, date(2018, 3, 1), EndReason.RESIGNATION)
    leaving = make_member("leaving", given_name="Di")
    members.end_membership(session, SYSTEM, leaving, date(2018, 5, 1), EndReason.RESIGNATION)
    late = make_member("late", joined_on=date(2018, 5, 2), given_name="Ed")
    paid_late = make_member("paid-late", shares=0, given_name="Flo")
    ledger.subscribe_shares(session, SYSTEM, paid_late, 1, date(2018, 2, 1))
    ledger.record_payment(session, SYSTEM, paid_late, 3000, date(2018, 4, 2))
    session.commit()
    return {
        "plain": make_member("plain", shares=2, given_name="Gus", email="gus@example.org"),
        "firm": make_member("firm", organisation_name="Atelier CV"),
        "unpaid": unpaid,
        "partly": partly,
        "left": left,
        "leaving": leaving,
        "late": late,
        "paid-late": paid_late,
    }


@pytest.fixture
def registrar(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
) -> FlaskClient:
    sign_in(client, make_account("Rita Registrar", roles=[(cooperative, Role.REGISTRAR)]))
    return client


@pytest.fixture
def member(
    app: Any, session: Session, make_member: Callable[..., Membership], sign_in: Callable[..., None]
) -> tuple[FlaskClient, Membership]:
    """A signed-in member, number 7."""
    made = make_member("7", shares=2, email="an@example.org")
    account = open_person_account(session, made.person_id or 0)
    session.commit()
    browser = app.test_client()
    sign_in(browser, account)
    return browser, made
