"""The matrix itself: see the docstring of this folder."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from govern import clock as govern_clock
from govern.access import ROLE_PERMISSIONS, Access, Role, declared_access, public
from govern.accounts.identity import session_values
from govern.accounts.models import Account
from govern.accounts.services import start_session
from govern.config import Config
from govern.extensions import db
from tests.access.example import Example, given
from tests.access.examples import EXAMPLES
from tests.access.world import Side, build_side, facts_of, standing_clock
from tests.conftest import SECRET_KEY, SettableClock, build_app

HOME, FOREIGN = "thuis", "elders"


# -- the routes --------------------------------------------------------------------------------


def _make_app(folder: Path) -> Flask:
    config = Config(
        environment="testing",
        instance_dir=folder,
        secret_key=SECRET_KEY,
        database_url=f"sqlite:///{folder / 'world.sqlite'}",
        public_url="http://localhost",
    )
    return build_app(config)


def _routes() -> list[tuple[str, str, Rule, Access | None]]:
    """Every endpoint with each of its methods."""
    app = _make_app(Path(tempfile.mkdtemp(prefix="govern-routes-")))
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            access = declared_access(app.view_functions[rule.endpoint])
            found[(rule.endpoint, method)] = (rule.endpoint, method, rule, access)
    return [found[key] for key in sorted(found)]


ROUTES = _routes()
NAMED = [pytest.param(*route, id=f"{route[0]}-{route[1]}") for route in ROUTES]


# -- who asks ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Persona:
    """Somebody who asks for a page of the cooperative ``HOME``."""

    name: str
    side: str | None
    role: Role | None

    def may(self, access: Access) -> bool:
        """What the declaration of the route says about this person."""
        if access.level == "public":
            return True
        if self.side is None:
            return False
        if access.level == "signed_in":
            return True
        return (
            self.side == HOME
            and self.role is not None
            and access.permission in ROLE_PERMISSIONS[self.role]
        )


PERSONAS = [
    Persona("a stranger", None, None),
    Persona("somebody without a role", HOME, None),
    *(Persona(f"the {role} of the cooperative", HOME, role) for role in Role),
    *(Persona(f"the {role} of another cooperative", FOREIGN, role) for role in Role),
]


# -- the world ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """A world as it was built: its database, who is in it, their sessions, and the time then."""

    database: Path
    sides: dict[str, Side]
    tokens: dict[int, str]
    clock: SettableClock
    now: datetime


@cache
def _build(migrated: Path) -> Built:
    """Build the two sides once per process; whoever needs them gets a copy."""
    folder = migrated.parent / "world"
    folder.mkdir()
    shutil.copyfile(migrated, folder / "world.sqlite")
    settable = standing_clock()
    previous = govern_clock.use_clock(settable)
    app = _make_app(folder)
    try:
        with app.app_context():
            sides = {code: build_side(db.session(), code, settable) for code in (HOME, FOREIGN)}
            tokens = {
                account_id: start_session(db.session(), db.session.get_one(Account, account_id))
                for side in sides.values()
                for account_id in side.accounts.values()
            }
            db.session.commit()
        _settle(app)
    finally:
        govern_clock.use_clock(previous)
    return Built(folder / "world.sqlite", sides, tokens, settable, settable.now)


def _settle(app: Flask) -> None:
    """Everything into the main file, so that a byte in the log means that somebody wrote."""
    with app.app_context():
        db.session.remove()
        with db.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()


class World:
    """The two sides, in a database that is put back after every request that wrote."""

    def __init__(self, built: Built, folder: Path) -> None:
        self.sides, self.tokens = built.sides, built.tokens
        self.path = folder / "world.sqlite"
        self.log = folder / "world.sqlite-wal"
        self.kept = built.database
        shutil.copyfile(self.kept, self.path)
        self.app = _make_app(folder)
        self.has_changed = False

    def _settle(self) -> None:
        _settle(self.app)

    @property
    def was_written(self) -> bool:
        return self.log.exists() and self.log.stat().st_size > 0

    def put_back(self) -> None:
        if not (self.has_changed or self.was_written):
            return
        self.has_changed = False
        # Page by page through SQLite itself: a connection that is still open stays sound.
        with (
            closing(sqlite3.connect(self.kept)) as kept,
            closing(sqlite3.connect(self.path)) as present,
        ):
            present.execute("PRAGMA synchronous=OFF")
            kept.backup(present)
        self._settle()

    def ask(
        self,
        example: Example,
        endpoint: str,
        method: str,
        persona: Persona,
        *,
        at: str = HOME,
        about: str = HOME,
    ) -> TestResponse:
        """Ask for a route of cooperative ``at`` about the things of ``about``, as ``persona``."""
        self.put_back()
        side = Side(**vars(self.sides[about]))
        account_id = None
        if persona.side is not None:
            account_id = self.sides[persona.side].accounts[persona.role]
        with self.app.app_context():
            side.caller, side.session = account_id, db.session()
            arguments = dict(given(example.arguments, side))
            query, form = given(example.query, side), given(example.form, side)
            body = given(example.json, side)
            db.session.commit()
            variables = self.app.url_map._rules_by_endpoint[endpoint][0].arguments
            if "cooperative" in variables:
                arguments.setdefault("cooperative", self.sides[at].code)
            with self.app.test_request_context():
                address = url_for(endpoint, **arguments)
        self.has_changed = self.was_written
        if self.has_changed:
            self._settle()
        client = self.app.test_client()
        if account_id is not None:
            with client.session_transaction() as cookie:
                cookie.update(session_values(self.tokens[account_id]))
        try:
            return client.open(
                address,
                method=method,
                query_string=query,
                data=form if body is None and method != "GET" else None,
                json=body if method != "GET" else None,
                headers=example.headers,
                # Streamed answers are read to their end while the request's context is there.
                buffered=True,
            )
        except Exception:  # noqa: BLE001
            # A traceback would keep the request's transaction open, and all later ones waiting.
            told = f"{persona.name}: {method} {address}\n{traceback.format_exc()}"
            self._settle()
            pytest.fail(told, pytrace=False)


@contextmanager
def standing_world(migrated: Path, folder: Path) -> Iterator[World]:
    """A world in ``folder``, and its clock in force."""
    built = _build(migrated)
    built.clock.set(built.now)
    previous = govern_clock.use_clock(built.clock)
    yield World(built, folder)
    govern_clock.use_clock(previous)


@pytest.fixture(scope="module")
def world(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with standing_world(_migrated_sqlite, tmp_path_factory.mktemp("world")) as made:
        yield made


# -- the cells ---------------------------------------------------------------------------------


def is_way_to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 302 and answer.location.startswith("/sign-in?next=")


def is_refusal(answer: TestResponse) -> bool:
    return answer.status_code in (401, 403, 404) or is_way_to_sign_in(answer)


def is_success(answer: TestResponse, example: Example) -> bool:
    if answer.status_code in example.answers:
        return True
    return 200 <= answer.status_code < 400 and not is_way_to_sign_in(answer)


def describe(answer: TestResponse) -> str:
    """The status, and what the page says if it is an error."""
    import html
    import re

    text = html.unescape(re.sub(r"<[^>]+>|\s+", " ", answer.text)) if answer.text else ""
    return f"{answer.status_code} {answer.location or ''} {text[-1500:]}"


@pytest.mark.parametrize(("endpoint", "method", "rule", "access"), NAMED)
def test_a_route_answers_those_who_may_and_refuses_the_others(
    world: World, endpoint: str, method: str, rule: Rule, access: Access | None
) -> None:
    assert access is not None, f"{endpoint} declares no access"
    assert endpoint in EXAMPLES, (
        f"{endpoint} ({rule}) has no example: add a line to tests/access/examples.py"
    )
    example = EXAMPLES[endpoint].for_method(method)
    wrong = []
    for persona in PERSONAS:
        allowed = persona.may(access)
        if allowed and example.only is not None:
            allowed = persona.side == HOME and persona.role in example.only
        answer = world.ask(example, endpoint, method, persona)
        if allowed and not is_success(answer, example):
            wrong.append(f"{persona.name} may, but was answered {describe(answer)}")
        if not allowed and not is_refusal(answer):
            wrong.append(f"{persona.name} may not, but was answered {describe(answer)}")
        may_write = allowed and (method != "GET" or example.leaves_trace)
        if not may_write and world.was_written:
            wrong.append(f"{persona.name}: the request wrote to the database")
    assert not wrong, "\n".join([f"{method} {rule} {facts_of(world.sides[HOME])}", *wrong])


IN_COOPERATIVES = [
    param
    for param, (_endpoint, _method, rule, _access) in zip(NAMED, ROUTES, strict=True)
    if "cooperative" in rule.arguments and len(rule.arguments) > 1
]


@pytest.mark.parametrize(("endpoint", "method", "rule", "access"), IN_COOPERATIVES)
def test_a_thing_of_another_cooperative_is_not_found_under_ones_own(
    world: World, endpoint: str, method: str, rule: Rule, access: Access
) -> None:
    """Whoever may do everything at home asks there for what belongs to the others."""
    assert endpoint in EXAMPLES, f"{endpoint} has no example"
    example = EXAMPLES[endpoint].for_method(method)
    wrong = []
    for persona in PERSONAS:
        if persona.side != HOME or not persona.may(access):
            continue
        answer = world.ask(example, endpoint, method, persona, at=HOME, about=FOREIGN)
        if answer.status_code not in (403, 404):
            wrong.append(f"{persona.name} was answered {describe(answer)}")
        if world.was_written:
            wrong.append(f"{persona.name}: the request wrote to the database")
    assert not wrong, "\n".join([f"{method} {rule}", *wrong])


def test_no_example_is_left_of_a_route_that_is_gone() -> None:
    assert set(EXAMPLES) - {endpoint for endpoint, *_ in ROUTES} == set()


def test_an_application_with_an_undeclared_route_does_not_start(tmp_path: Path) -> None:
    from govern import web

    app = _make_app(tmp_path)
    app._got_first_request = False
    app.add_url_rule("/declared", "declared", public(lambda: ""))
    web.refuse_undeclared_routes(app)
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="forgotten"):
        web.refuse_undeclared_routes(app)


def test_every_permission_is_held_by_some_role_and_every_role_holds_some() -> None:
    from govern.access import Permission

    held = set().union(*ROLE_PERMISSIONS.values())
    assert held == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)
