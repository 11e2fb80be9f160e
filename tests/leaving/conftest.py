"""Factories of leaving: members with shares, rules to choose, mails to read, a bank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.leaving.models import Departure
from govern.leaving.rules.board import TestKind
from govern.leaving.services import board, resigning
from govern.mail import OutboxMail
from govern.register.models import Membership
from tests.conftest import SettableClock
from tests.register.conftest import make_member  # noqa: F401  (used as a fixture)

IBAN = "BE71 0961 2345 6769"
OTHER_IBAN = "BE68539007547034"
PDF = b"%PDF-1.7\nscan\n%%EOF\n"


@pytest.fixture
def shares_app() -> bool:
    """One application for all tests here."""
    return True


@pytest.fixture(autouse=True)
def _spring(clock: SettableClock) -> None:
    """Noon on 10 April 2018: inside the first six months of the financial year."""
    clock.set(datetime(2018, 4, 10, 10, 0, tzinfo=UTC))
    return


@pytest.fixture
def set_rules(session: Session, cooperative: Cooperative) -> Callable[..., None]:
    """``set_rules(outside_window="keep")``: other rules of leaving, from the beginning."""

    def change(**fields: Any) -> None:
        row = cooperative.rule_sets[0]
        rules = rules_from_json(row.rules)
        row.rules = rules_to_json(replace(rules, leaving=replace(rules.leaving, **fields)))
        session.commit()

    return change


@pytest.fixture
def make_owner(
    session: Session,
    make_member: Callable[..., Membership],  # noqa: F811
    make_account: Callable[..., Any],
) -> Callable[..., tuple[Membership, Any]]:
    """``make_owner(shares=2)``: a member with an account; gives membership and account."""

    def make(**fields: Any) -> tuple[Membership, Any]:
        membership = make_member(**{"shares": 2, "email": "an@example.org", **fields})
        account = make_account("An Peeters", password=fields.get("password"))
        assert membership.person is not None
        membership.person.account_id = account.id
        session.commit()
        return membership, account

    return make


@pytest.fixture
def make_resigned(
    session: Session, make_owner: Callable[..., tuple[Membership, Any]]
) -> Callable[..., Departure]:
    """A member whose request is signed."""

    def make(shares: int | None = None, held: int = 2, **fields: Any) -> Departure:
        membership, account = make_owner(shares=held, **fields)
        actor = actor_for(session, account)
        departure = resigning.request_resignation(
            session, actor, membership, shares=shares, holder="An Peeters", iban=IBAN
        )
        resigning.sign_with_password(session, actor, departure)
        session.commit()
        return departure

    return make


@pytest.fixture
def pass_tests(session: Session, cooperative: Cooperative) -> Callable[..., None]:
    """Both tests of the board, passed today."""

    def record(up_to_cents: int = 1_000_000, until: date = date(2030, 1, 1), **fields: Any) -> None:
        from govern import clock

        for kind in TestKind:
            board.record_test(
                session,
                SYSTEM,
                cooperative,
                kind=kind,
                decided_on=fields.get("decided_on", clock.today()),
                passed=fields.get("passed", True),
                valid_until=until,
                up_to_cents=up_to_cents,
                text="Annual accounts approved, margin of two years.",
            )
        session.commit()

    return record


def mails(session: Session, **where: Any) -> list[OutboxMail]:
    """What was written, in order."""
    return list(session.scalars(select(OutboxMail).filter_by(**where).order_by(OutboxMail.id)))
