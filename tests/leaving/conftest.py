"""Factories of leaving: members with shares, rules to choose, mails to read, a bank."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.app import create_app
from govern.config import Config
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.extensions import db, limiter
from govern.leaving.models import Departure
from govern.leaving.rules.board import TestKind
from govern.leaving.services import board, resigning
from govern.mail import OutboxMail
from govern.register.models import Membership
from tests.conftest import SECRET_KEY, OwnContextClient, SettableClock
from tests.register.conftest import make_member  # noqa: F401  (used as a fixture)

IBAN = "BE71 0961 2345 6769"
OTHER_IBAN = "BE68539007547034"
PDF = b"%PDF-1.7\nscan\n%%EOF\n"


def build(folder: Path, url: str) -> Flask:
    """An application in which jobs wait for ``run_jobs``, with no limits per address."""
    limiter.enabled = True
    made = create_app(
        Config(
            environment="testing",
            instance_dir=folder,
            secret_key=SECRET_KEY,
            database_url=url,
            public_url="http://localhost",
        )
    )
    made.config.update(GOVERN_NO_REDIS=True, WTF_CSRF_ENABLED=False)
    limiter.enabled = False
    made.test_client_class = OwnContextClient
    return made


@pytest.fixture(scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Path]:
    """The application of all tests here (to build one takes longer than most of them run), and
    the file of its database."""
    file = tmp_path_factory.mktemp("leaving") / "govern.sqlite"
    return build(file.parent, f"sqlite:///{file}"), file


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The shared application on a database of this test's own; one of its own for a server, threads
    or PostgreSQL."""
    if {"both_databases", "live_server"} & set(request.fixturenames):
        made = build(tmp_path, request.getfixturevalue("database_url"))
    else:
        made, file = request.getfixturevalue("_house")
        for ending in ("-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        shutil.copyfile(request.getfixturevalue("_migrated_sqlite"), file)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


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
