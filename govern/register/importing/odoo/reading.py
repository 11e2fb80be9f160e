"""The rows of the three files, each cell read, each oddity noted with row, column and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from govern.register.importing.odoo.headers import KINDS, LINES, NAMES, PARTNERS, REGISTER
from govern.register.importing.reading import Table
from govern.register.importing.rows import unguard
from govern.register.rules import values
from govern.register.rules.folding import fold
from govern.register.rules.values import Cell, Unreadable, cell_text, tidy, tidy_lines

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True)
class OdooProblem:
    """One oddity: in which file, row (as a spreadsheet counts), column; what the cell holds."""

    file: str
    row: int
    column: str
    value: str
    severity: str
    code: str
    params: Mapping[str, Any]


@dataclass
class Partner:
    """One partner who holds or held shares, or represents an organisation."""

    row: int
    key: str
    name: str
    number: str = ""
    given_name: str = ""
    family_name: str = ""
    is_organisation: bool = False
    share_type: str = ""
    email: str = ""
    street: str = ""
    postal_code: str = ""
    town: str = ""
    country: str = ""
    language: str = ""
    birth_date: date | None = None
    enterprise_number: str = ""
    is_representative: bool = False
    parent: str = ""
    is_bad: bool = False


@dataclass
class Operation:
    """One line of the subscription register. Prices in cents; ``kind`` None where unreadable."""

    row: int
    number: str
    kind: str
    day: date | None
    partner: str
    receiver: str
    shares: int
    price_cents: int
    share_type: str
    to_shares: int
    to_price_cents: int
    to_type: str
    is_bad: bool = False


@dataclass
class ShareLine:
    """One share line: what a partner holds of one type today."""

    row: int
    partner: str
    shares: int
    share_type: str
    is_bad: bool = False


@dataclass
class OdooReader:
    """Reads the rows of one file under one mapping, collecting problems as it goes."""

    file: str
    table: Table
    mapping: Mapping[str, int]
    country: str
    today: date
    problems: list[OdooProblem] = field(default_factory=list)

    # -- the three files ----------------------------------------------------------------------

    def partners(self) -> Iterator[Partner]:
        for row, cells in self.table.records():
            yield self._partner(row, cells)

    def _partner(self, row: int, cells: Sequence[Cell]) -> Partner:
        given, family = self.text(cells, "given_name"), self.text(cells, "family_name")
        name = self.text(cells, "name") or f"{given} {family}".strip()
        found = Partner(row=row, key=self.text(cells, "id"), name=name)
        number = self.text(cells, "number").replace("\u202f", "").replace("\xa0", "")
        found.number = "" if fold(number) in ("", "0", "false", "faux", "onwaar") else number
        found.share_type = self.text(cells, "share_type")
        found.is_organisation = fold(self.text(cells, "is_company")) in _TRUE_COMPANY
        found.is_representative = fold(self.text(cells, "representative")) in _TRUE
        found.parent = self.text(cells, "parent")
        if not found.is_organisation:
            found.given_name, found.family_name = (given, family) if family else _split_name(name)
        if not name:
            self.note(found, row, "name", "", ERROR, "name_missing")
        if found.number:
            found.number = self.value(
                found, row, cells, "number", values.read_member_number, found.number
            )
        found.email = self.value(found, row, cells, "email", values.read_email, "", soft=True)
        found.language = self.value(found, row, cells, "language", _read_language, "", soft=True)
        found.country = self.value(found, row, cells, "country", values.read_country, "", soft=True)
        found.birth_date = self.value(
            found, row, cells, "birth_date", values.read_date, None, soft=True
        )
        lines = [self.text(cells, "street"), self.text(cells, "street2")]
        found.street = tidy_lines("\n".join(line for line in lines if line))[:250]
        found.postal_code = self.text(cells, "postal_code")[:20]
        found.town = self.text(cells, "town")[:120]
        if found.is_organisation and found.number:
            self._enterprise_number(found, row, cells)
        return found

    def _enterprise_number(self, found: Partner, row: int, cells: Sequence[Cell]) -> None:
        country = found.country or self.country
        column = "enterprise_number" if self.text(cells, "enterprise_number") else "vat"
        text = self.text(cells, column)
        try:
            found.enterprise_number = values.read_enterprise_number(text, country)
        except Unreadable as error:
            self.note(
                found, row, column, text, ERROR, error.code,
                **{"country": country, **error.params},
            )  # fmt: skip

    def operations(self) -> Iterator[Operation]:
        for row, cells in self.table.records():
            found = Operation(
                row, "", "", None, self.text(cells, "partner"), self.text(cells, "receiver"),
                0, 0, self.text(cells, "share_type") or self.text(cells, "share_product"),
                0, 0, self.text(cells, "to_type") or self.text(cells, "to_product"),
            )  # fmt: skip
            if "partner_number" in self.mapping:
                found.partner = f"number:{self.text(cells, 'partner_number')}"
            if "receiver_number" in self.mapping and self.text(cells, "receiver_number"):
                found.receiver = f"number:{self.text(cells, 'receiver_number')}"
            self._read_operation(found, row, cells)
            yield found

    def _read_operation(self, found: Operation, row: int, cells: Sequence[Cell]) -> None:
        found.number = self.text(cells, "operation")[:30]
        if not found.number:
            self.note(found, row, "operation", "", ERROR, "operation_missing")
        kind = self.text(cells, "kind")
        found.kind = KINDS.get(fold(kind), "")
        if not found.kind:
            self.note(found, row, "kind", kind, ERROR, "operation_unknown")
        found.day = self.value(found, row, cells, "day", _read_day, None)
        if found.day is None and not self.text(cells, "day"):
            self.note(found, row, "day", "", ERROR, "day_missing")
        if found.day is not None and found.day > self.today:
            self.note(found, row, "day", self.text(cells, "day"), ERROR, "day_ahead")
        found.shares = self.value(found, row, cells, "shares", values.read_shares, 0)
        if not found.shares and not found.is_bad:
            self.note(found, row, "shares", self.text(cells, "shares"), ERROR, "shares_none")
        found.price_cents = self.value(found, row, cells, "price", values.read_amount, 0)
        if not found.price_cents and not found.is_bad:
            self.note(found, row, "price", self.text(cells, "price"), ERROR, "price_none")
        if found.kind == "transfer" and not found.receiver:
            self.note(found, row, "receiver", "", ERROR, "receiver_missing")
        if found.kind == "convert":
            self._read_conversion(found, row, cells)

    def _read_conversion(self, found: Operation, row: int, cells: Sequence[Cell]) -> None:
        found.to_shares = self.value(found, row, cells, "to_shares", values.read_shares, 0)
        found.to_price_cents = self.value(found, row, cells, "to_price", values.read_amount, 0)
        total = found.shares * found.price_cents
        if not found.to_price_cents and found.to_shares and total % found.to_shares == 0:
            # Odoo leaves the price empty: it follows, since the capital is the same.
            found.to_price_cents = total // found.to_shares
        if not found.to_type or not found.to_shares:
            self.note(found, row, "to_shares", "", ERROR, "conversion_incomplete")
        elif found.to_shares * found.to_price_cents != total:
            self.note(
                found, row, "to_shares", self.text(cells, "to_shares"), ERROR,
                "conversion_uneven", before=total, after=found.to_shares * found.to_price_cents,
            )  # fmt: skip

    def lines(self) -> Iterator[ShareLine]:
        for row, cells in self.table.records():
            found = ShareLine(
                row,
                self.text(cells, "partner"),
                0,
                self.text(cells, "share_type") or self.text(cells, "share_product"),
            )
            if "partner_number" in self.mapping:
                found.partner = f"number:{self.text(cells, 'partner_number')}"
            found.shares = self.value(found, row, cells, "shares", values.read_shares, 0)
            yield found

    # -- one cell -----------------------------------------------------------------------------

    def text(self, cells: Sequence[Cell], name: str) -> str:
        column = self.mapping.get(name, -1)
        if not 0 <= column < len(cells):
            return ""
        text = tidy(unguard(cell_text(cells[column]).strip()))
        # What is empty in Odoo is exported as False by some versions.
        return "" if text in ("False", "false") else text[:500]

    def value(
        self,
        record: Any,
        row: int,
        cells: Sequence[Cell],
        name: str,
        reader: Callable[[Any], Any],
        otherwise: Any,
        *,
        soft: bool = False,
    ) -> Any:
        """What ``reader`` makes of the cell; a ``soft`` field is left out when unreadable."""
        text = self.text(cells, name)
        if not text:
            return otherwise
        cell = cells[self.mapping[name]]
        try:
            return reader(text if isinstance(cell, str) else cell)
        except Unreadable as error:
            severity = WARNING if soft else ERROR
            code = "left_out" if soft else error.code
            self.note(record, row, name, text, severity, code, **error.params)
            return otherwise

    def note(
        self, record: Any, row: int, name: str, value: str, severity: str, code: str, /,
        **params: Any,
    ) -> None:  # fmt: skip
        """Note one oddity; an error keeps the row out."""
        if severity == ERROR and record is not None:
            record.is_bad = True
        column = self.mapping.get(name, -1)
        headers = self.table.layout.headers
        technical = NAMES[self.file].get(name, name).partition(";")[0]
        header = headers[column] if 0 <= column < len(headers) else technical
        self.problems.append(
            OdooProblem(
                self.file, row, header, value[:200], severity, code,
                {"value": value[:80], **params},
            )
        )  # fmt: skip


@dataclass
class OdooExport:
    """The files read row by row. ``rows`` are those of all files; ``lines`` None: not exported."""

    partners: OdooReader
    register: OdooReader
    lines: OdooReader | None
    people: list[Partner]
    operations: list[Operation]
    share_lines: list[ShareLine]

    @property
    def rows(self) -> int:
        return len(self.people) + len(self.operations) + len(self.share_lines)


_TRUE = frozenset(("true", "1", "yes", "oui", "ja", "vrai", "waar", "x", "wahr"))
_TRUE_COMPANY = _TRUE | {"company", "societe", "bedrijf", "unternehmen"}


def _split_name(name: str) -> tuple[str, str]:
    """Given and family name of a person whose name is in one piece: the first word is given."""
    if "," in name:
        family, _comma, given = name.partition(",")
        return given.strip(), family.strip()
    given, _blank, family = name.partition(" ")
    return (given, family) if family else ("", given)


def _read_language(cell: Any) -> str:
    return values.read_language(cell_text(cell).replace("_", " "))


def _read_day(cell: Any) -> date:
    """A day; Odoo's exports of moments have a time behind it."""
    if isinstance(cell, datetime):
        return values.read_date(cell.date())
    text = cell_text(cell)
    return values.read_date(text[:10] if len(text) > 10 and text[4:5] == "-" else cell)


FILES = (PARTNERS, REGISTER, LINES)
