"""What every table shares: naming of constraints, types, and how the two databases are opened.

SQLite: the driver stays in autocommit and we say BEGIN ourselves, so that a request which may
write takes the write lock first (``BEGIN IMMEDIATE``) and a reading request cannot write at all.
PostgreSQL: a reading request runs in a read-only transaction. Both databases then behave alike.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, cast

import flask
from sqlalchemy import CursorResult, Dialect, Engine, MetaData, Result, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session
from sqlalchemy.types import DateTime, TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; naive datetimes are refused before they can be stored."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def make_public_id() -> str:
    """An identifier for URLs that cannot be guessed: 22 Base58 characters, 128 bits."""
    return "".join(secrets.choice(BASE58) for _ in range(22))


def changed_rows(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE has touched."""
    return cast("CursorResult[Any]", result).rowcount


_reading: ContextVar[bool] = ContextVar("reading", default=False)


def _reads_only() -> bool:
    """GET and HEAD never write: they need no write lock, and a mistake in one fails at once."""
    if _reading.get():
        return True
    if not flask.has_request_context():
        return False
    return bool(flask.g.get("reads_only", flask.request.method in ("GET", "HEAD", "OPTIONS")))


@contextmanager
def reading(session: Session | scoped_session[Any]) -> Iterator[None]:
    """Inside, transactions of ``session`` only read, so that long work locks nobody out.

    For jobs and commands: what the session has not committed before is rolled back.
    """
    session.rollback()
    token = _reading.set(True)
    try:
        yield
    finally:
        session.rollback()
        _reading.reset(token)


def begin_writing(session: Session | scoped_session[Any]) -> None:
    """End the reading part of a request that declared ``@reads_first``; the next query may write.

    Rows read so far are read again when they are used.
    """
    session.rollback()
    flask.g.reads_only = False


@contextmanager
def writing_aside(session: Session | scoped_session[Any]) -> Iterator[None]:
    """A short transaction that writes inside a request that only reads, committed at its end.

    For the trace that a page leaves (who looked at a record): it is down before the page is made,
    and the page is read in a transaction of its own afterwards. Rows read so far are read again.
    """
    session.rollback()
    before = flask.g.pop("reads_only", None)
    flask.g.reads_only = False
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        flask.g.pop("reads_only", None)
        if before is not None:
            flask.g.reads_only = before


def configure_engine(engine: Engine) -> None:
    """Attach the connection and transaction settings above to ``engine``."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def _open_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Without it INSERT OR REPLACE walks past the delete triggers of append-only tables.
    cursor.execute("PRAGMA recursive_triggers=ON")
    # What is deleted (codes that were sent, who voted when) is overwritten, not only unlinked.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if _reads_only():
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if _reads_only():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


# -- append-only tables, used by migrations ---------------------------------------------------


def append_only_ddl(table: str, dialect: str, *, key: str = "id") -> list[str]:
    """Statements that make ``table`` refuse UPDATE, DELETE, TRUNCATE and replacing inserts.

    ``key`` is the primary key column (SQLite's insert guard needs it).
    """
    if dialect == "sqlite":
        refuse = f"SELECT RAISE(ABORT, '{table} is append-only');"
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse} END",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse} END",
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN {refuse} END",
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only",
    ]


def drop_append_only_ddl(table: str, dialect: str) -> list[str]:
    """The reverse of ``append_only_ddl``, for a downgrade."""
    if dialect == "sqlite":
        return [
            f"DROP TRIGGER IF EXISTS {table}_{what}"
            for what in ("no_update", "no_delete", "no_replace")
        ]
    return [f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"]
