"""Writing tens of thousands of rows: numbers reserved beforehand, plain executemany, quick ids."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, func, insert, select, text
from sqlalchemy.orm import Session

from govern.database import BASE58

CHUNK = 5000


def reserve_ids(session: Session, model: Any, count: int) -> list[int]:
    """``count`` primary keys that nobody else will get.

    PostgreSQL hands them out of the table's sequence. SQLite's writer is alone: it counts on from
    the highest. Returning generated keys from many-row inserts takes several times as long.
    """
    if not count:
        return []
    if session.get_bind().dialect.name == "postgresql":
        table = model.__tablename__
        statement = text(
            "SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)"
        )
        return list(session.scalars(statement, {"table": table, "count": count}))
    highest = session.scalar(select(func.max(model.id))) or 0
    return list(range(highest + 1, highest + 1 + count))


def insert_rows(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert ``rows``, all with the same keys, without going through objects."""
    connection = session.connection()
    for start in range(0, len(rows), CHUNK):
        connection.execute(insert(model.__table__), rows[start : start + CHUNK])


def copy_rows(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    """``insert_rows`` for very many rows of texts, numbers and JSON, all with the same keys.

    PostgreSQL takes them by COPY in a fraction of the time, within the same transaction.
    """
    if session.get_bind().dialect.name != "postgresql" or not rows:
        insert_rows(session, model, rows)
        return
    table = model.__table__
    names = list(rows[0])
    is_json = [isinstance(table.c[name].type, JSON) for name in names]
    driver = session.connection().connection.driver_connection
    columns = ", ".join(names)
    with (
        driver.cursor() as cursor,  # type: ignore[union-attr]
        cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as target,
    ):
        for row in rows:
            target.write_row(
                [
                    json.dumps(value, ensure_ascii=False) if as_json else value
                    for value, as_json in zip(row.values(), is_json, strict=True)
                ]
            )


def by_bytes(session: Session, column: Any) -> Any:
    """``column`` in the order of its UTF-8 bytes, which is the same on every database."""
    return column.collate("C") if session.get_bind().dialect.name == "postgresql" else column


def make_public_ids(count: int) -> list[str]:
    """As many identifiers as ``count``, each like ``make_public_id``: 128 random bits in Base58."""
    noise = secrets.token_bytes(16 * count)
    return [_base58(noise[start : start + 16]) for start in range(0, 16 * count, 16)]


def _base58(sixteen: bytes) -> str:
    number = int.from_bytes(sixteen, "big")
    digits = []
    for _place in range(22):
        number, digit = divmod(number, 58)
        digits.append(BASE58[digit])
    return "".join(digits)
