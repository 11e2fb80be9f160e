"""Writing tens of thousands of rows: numbers reserved beforehand, plain executemany, quick ids."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select, text
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
