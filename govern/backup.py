"""Backups: every row of every table in one file, for either database.

The file is a ZIP of JSON lines, one entry per table, rows in the order of their primary keys, with
a manifest of counts and SHA-256 digests. It says nothing about the order in which rows were
written, so a backup tells no more about a vote than the tables themselves. It is read back into an
empty database of either kind, whole or not at all: moving from SQLite to PostgreSQL is a backup
and a restore.

A column whose model says ``info={"backup": False}`` is left out (NULL), a table that says so
altogether: what a copy must not know. The server's secret key is not in the file either; what was
sealed under it can only be opened with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from govern import clock, schema
from govern.database import UtcDateTime, reading
from govern.errors import Conflict, InvalidInput

FORMAT = 1
BATCH = 500
MANIFEST = "manifest.json"
HELD_BY_RESTORE = "It was waiting when the backup was made that was restored."
"""What the outbox says of a mail that is ``unclear`` since a restore."""

Report = Callable[[str, int, int], None]
"""Called with (table, rows done, rows in all)."""


@dataclass(frozen=True)
class TableEntry:
    """What the manifest says about one table."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in a backup, and which schema it is of."""

    format: int
    revision: str
    made_at: str
    tables: tuple[TableEntry, ...]

    @property
    def rows(self) -> int:
        return sum(entry.rows for entry in self.tables)


def _silent(_table: str, _done: int, _total: int) -> None:
    return None


# -- writing ---------------------------------------------------------------------------------


def write_backup(engine: sa.Engine, target: Path, report: Report = _silent) -> Manifest:
    """Write all tables, as they are at one instant, to ``target`` (mode 600); the manifest.

    The file appears under its name only when it is whole. Raises Conflict if it exists already.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.", remedy="Choose another name.")
    partial = target.with_name(f"{target.name}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                manifest = _write_tables(engine, archive, report)
                archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _write_tables(engine: sa.Engine, archive: zipfile.ZipFile, report: Report) -> Manifest:
    metadata = schema.load_models()
    entries = []
    with _one_instant(engine) as connection:
        revision = schema.database_revision(connection)
        for table in sorted(metadata.tables.values(), key=lambda item: item.name):
            if table.info.get("backup", True):
                entries.append(_write_table(connection, table, archive, report))
    return Manifest(FORMAT, revision, clock.now().isoformat(), tuple(entries))


@contextmanager
def _one_instant(engine: sa.Engine) -> Iterator[Connection]:
    """A connection whose whole transaction sees the same state, and keeps nobody from writing."""
    repeatable = engine.dialect.name == "postgresql"
    options = {"isolation_level": "REPEATABLE READ"} if repeatable else {}
    with Session(engine) as session, reading(session):
        yield session.connection(execution_options=options)


def _write_table(
    connection: Connection, table: sa.Table, archive: zipfile.ZipFile, report: Report
) -> TableEntry:
    total = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    digest, count = hashlib.sha256(), 0
    columns = [column for column in table.columns if column.info.get("backup", True)]
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as file:
        for row in _rows(connection, table, columns):
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
            if count % BATCH == 0:
                report(table.name, count, total)
    report(table.name, count, total)
    return TableEntry(table.name, count, digest.hexdigest())


def _rows(
    connection: Connection, table: sa.Table, columns: list[sa.Column[Any]]
) -> Iterator[dict[str, Any]]:
    query = sa.select(*(_readable(column) for column in columns)).order_by(
        *(_in_byte_order(connection, column) for column in table.primary_key.columns)
    )
    names = [column.name for column in columns]
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        yield {name: _plain(value) for name, value in zip(names, row, strict=True)}


def _readable(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    # JSON as the text that is stored: hashes may have been made over it.
    return sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column


def _in_byte_order(connection: Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "postgresql" and isinstance(column.type, sa.String):
        return sa.collate(column, "C")
    return column


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


# -- reading ---------------------------------------------------------------------------------


def read_manifest(source: Path) -> Manifest:
    """The manifest of the backup at ``source``; InvalidInput when it is none."""
    try:
        with zipfile.ZipFile(source) as archive:
            data = json.loads(archive.read(MANIFEST))
            tables = tuple(TableEntry(**entry) for entry in data.pop("tables"))
            manifest = Manifest(tables=tables, **data)
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{source} is not a backup of govern.", remedy="Name a file made by govern backup."
        ) from error
    if manifest.format != FORMAT:
        raise InvalidInput(
            f"{source} has format {manifest.format}, this version reads {FORMAT}.",
            remedy="Use the version of govern that wrote it.",
        )
    return manifest


def restore_backup(engine: sa.Engine, source: Path, report: Report = _silent) -> Manifest:
    """Fill an empty database with the backup at ``source`` and bring it to the newest schema.

    Mails that were waiting at the time become ``unclear``: they are not sent by themselves.
    Raises Conflict when the database holds anything, InvalidInput when the file is damaged; the
    database is then as empty as before.
    """
    manifest = read_manifest(source)
    _require_empty(engine)
    try:
        schema.upgrade(engine, manifest.revision)
    except CommandError as error:
        raise InvalidInput(
            f"{source} is of the schema {manifest.revision}, which this version does not know.",
            remedy="Use the version of govern that wrote it, or a newer one.",
        ) from error
    with zipfile.ZipFile(source) as archive, _writing(engine) as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        with _guards_down(connection):
            for entry in manifest.tables:
                _read_table(connection, metadata.tables[entry.name], archive, entry, report)
            _hold_mails(connection, metadata)
        _set_sequences(connection, metadata)
    schema.upgrade(engine)
    return manifest


def _hold_mails(connection: Connection, metadata: sa.MetaData) -> None:
    """Mails that were waiting may have left since the backup: somebody must say what to do.

    In the transaction of the restore, so that no process can begin to send them before.
    """
    mails = metadata.tables.get("outbox_mail")
    if mails is not None:
        connection.execute(
            mails.update()
            .where(mails.c.channel == "email", mails.c.state.in_(("queued", "sending")))
            .values(state="unclear", claim=None, last_error=HELD_BY_RESTORE)
        )


def _require_empty(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        for table in metadata.tables.values():
            if table.name in ("alembic_version", "audit_head"):
                continue
            if connection.execute(sa.select(table).limit(1)).first() is not None:
                raise Conflict(
                    f"The database is not empty: there are rows in {table.name}.",
                    remedy="Restore into a new database (DATABASE_URL or GOVERN_INSTANCE).",
                )


@contextmanager
def _writing(engine: sa.Engine) -> Iterator[Connection]:
    """One transaction; on SQLite with foreign keys checked at its end instead of row by row."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        if sqlite:
            cursor.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if sqlite:
                    _check_foreign_keys(connection)
        finally:
            if sqlite:
                cursor.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise InvalidInput(
            f"A row of {broken[0][0]} in the backup refers to a row that is not there.",
            remedy="Use another backup.",
        )


@contextmanager
def _guards_down(connection: Connection) -> Iterator[None]:
    """Without the triggers that refuse changes (a locked roll, say), and as they were afterwards.

    On PostgreSQL also without foreign keys: rows come table by table, and tables refer to each
    other. Putting them back checks them.
    """
    down, up = (_sqlite_guards if connection.dialect.name == "sqlite" else _postgresql_guards)(
        connection
    )
    for statement in down:
        connection.exec_driver_sql(statement)
    yield
    for statement in up:
        connection.exec_driver_sql(statement)


def _sqlite_guards(connection: Connection) -> tuple[list[str], list[str]]:
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    ).all()
    return [f'DROP TRIGGER "{name}"' for name, _sql in found], [sql for _name, sql in found]


def _postgresql_guards(connection: Connection) -> tuple[list[str], list[str]]:
    states = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}
    down, up = [], []
    for table, name, definition in connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
    ):
        down.append(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        up.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for table, name, state in connection.exec_driver_sql(
        "SELECT t.tgrelid::regclass::text, t.tgname, t.tgenabled FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal "
        "AND c.relnamespace = current_schema()::regnamespace AND t.tgenabled <> 'D'"
    ):
        down.append(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
        up.append(f'ALTER TABLE {table} {states[state]} TRIGGER "{name}"')
    return down, up


def _read_table(
    connection: Connection,
    table: sa.Table,
    archive: zipfile.ZipFile,
    entry: TableEntry,
    report: Report,
) -> None:
    # A migration may have put a first row here (the end of the audit chain).
    connection.execute(table.delete())
    digest, count, batch = hashlib.sha256(), 0, []
    insert = table.insert().values(
        {
            column.name: _bound(column, connection.dialect.name)
            for column in table.columns
            if not _is_computed(column)
        }
    )
    with archive.open(f"{entry.name}.jsonl") as file:
        for line in file:
            digest.update(line)
            batch.append(_decoded(table, json.loads(line)))
            count += 1
            if len(batch) == BATCH:
                connection.execute(insert, batch)
                batch = []
                report(entry.name, count, entry.rows)
    if batch:
        connection.execute(insert, batch)
    report(entry.name, count, entry.rows)
    if (count, digest.hexdigest()) != (entry.rows, entry.sha256):
        raise InvalidInput(
            f"The rows of {entry.name} in the backup are not those that were written.",
            remedy="The file is damaged: use another backup.",
        )


def _is_computed(column: sa.Column[Any]) -> bool:
    return column.computed is not None


def _bound(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[Any]:
    """The parameter for ``column``, in the form in which the backup keeps its values."""
    if isinstance(column.type, sa.JSON):
        text = sa.bindparam(column.name, type_=sa.Text)
        # SQLite keeps JSON as text, and its CAST would make a number of it.
        return text if dialect == "sqlite" else sa.cast(text, column.type)
    if isinstance(column.type, sa.DateTime):
        return sa.bindparam(column.name, type_=UtcDateTime)
    return sa.bindparam(column.name, type_=column.type)


def _decoded(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    return {
        column.name: _decode(column.type, row.get(column.name))
        for column in table.columns
        if not _is_computed(column)
    }


def _decode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode(value)
    return value


def _set_sequences(connection: Connection, metadata: sa.MetaData) -> None:
    """Let the numbers that PostgreSQL gives out go on after those that came with the backup."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.tables.values():
        for column in table.primary_key.columns:
            name = connection.scalar(
                sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
            )
            highest = connection.scalar(sa.select(sa.func.max(column))) if name else None
            if highest is not None:
                connection.execute(sa.select(sa.func.setval(name, highest)))
