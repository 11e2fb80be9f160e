"""The files of a full export and their columns (``docs/exchange.md``): one place for both ways.

Every cell is text. An apostrophe goes before a text that begins with = + - @, a tab, a carriage
return or an apostrophe, so that no spreadsheet takes it for a formula; reading takes it away
again. Nothing that stands alone gives nothing: an empty cell of a column that may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

FORMAT = "govern-register"
VERSION = 1
MANIFEST, COOPERATIVE, RULE_SETS = "manifest.json", "cooperative.json", "rule_sets.json"
README = "README.txt"

_RISKY = "=+-@\t\r'"


def write_text(value: str) -> str:
    """A text for a cell; ``read_text`` gives it back exactly."""
    return f"'{value}" if value and value[0] in _RISKY else value


def read_text(cell: str) -> str:
    """The inverse of ``write_text``."""
    return cell[1:] if cell.startswith("'") else cell


def _write_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _read_instant(cell: str) -> datetime:
    found = datetime.fromisoformat(cell)
    if found.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return found.astimezone(UTC)


def _read_flag(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError("yes or no")
    return cell == "yes"


def _read_number(cell: str) -> int:
    if not cell.lstrip("-").isascii() or not cell.lstrip("-").isdecimal() or len(cell) > 18:
        raise ValueError("a whole number")
    return int(cell)


Writer = Callable[[Any], str]
Reader = Callable[[str], Any]
_KINDS: Mapping[str, tuple[Writer, Reader]] = {
    "text": (write_text, read_text),
    "number": (str, _read_number),
    "day": (date.isoformat, date.fromisoformat),
    "moment": (_write_instant, _read_instant),
    "flag": (lambda value: "yes" if value else "no", _read_flag),
}


@dataclass(frozen=True)
class Column:
    """One column: its name, the kind of its cells, whether a cell may be empty (None)."""

    name: str
    kind: str = "text"
    may_miss: bool = False

    def write(self, value: Any) -> str:
        return "" if value is None else _KINDS[self.kind][0](value)

    def read(self, cell: str) -> Any:
        """The value; ValueError when the cell cannot be read."""
        if cell == "":
            if self.may_miss:
                return None
            if self.kind != "text":
                raise ValueError("empty")
        return _KINDS[self.kind][1](cell)


def _columns(*specs: str) -> tuple[Column, ...]:
    """``name``, ``name:kind``, ``name:kind?`` for one that may be empty."""
    made = []
    for spec in specs:
        name, _colon, kind = spec.partition(":")
        made.append(Column(name, kind.rstrip("?") or "text", kind.endswith("?")))
    return tuple(made)


TABLES: Mapping[str, tuple[Column, ...]] = {
    "people.csv": _columns(
        "person:number", "given_name", "family_name", "birth_date:day?", "created_at:moment"
    ),
    "organisations.csv": _columns(
        "organisation:number", "name", "enterprise_number", "country", "created_at:moment"
    ),
    "memberships.csv": _columns(
        "membership", "member_number", "person:number?", "organisation:number?", "joined_on:day",
        "ended_on:day?", "end_reason:text?", "end_note", "language", "email:text?", "street",
        "postal_code", "town", "country", "created_at:moment", "changed_at:moment",
    ),
    "categories.csv": _columns(
        "membership", "code", "starts_on:day", "ends_on:day?", "recorded_at:moment"
    ),
    "representatives.csv": _columns(
        "organisation:number", "person:number", "starts_on:day", "ends_on:day?",
        "recorded_at:moment",
    ),
    "holders.csv": _columns(
        "commitment", "membership", "salt", "statement", "is_current:flag", "recorded_at:moment"
    ),
    "entries.csv": _columns(
        "sequence:number", "version:number", "membership", "kind", "share_class",
        "nominal_cents:number", "shares:number", "numbers", "amount_cents:number", "cause",
        "effective_on:day", "recorded_at:moment", "act", "source", "reverses:number?",
        "commitment", "previous_hash", "hash",
    ),
    "remarks.csv": _columns("sequence:number", "text"),
    "numbering.csv": _columns("share_class", "last_number:number"),
}  # fmt: skip
"""File → columns. Persons and organisations are numbered from 1 within the export."""
