"""One row by itself: each cell read, each oddity noted with its row, column, value and severity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from govern.register.importing.reading import Table
from govern.register.rules import values
from govern.register.rules.classes import Holders
from govern.register.rules.folding import email_key, fold, name_key
from govern.register.rules.ledger import ORDINARY
from govern.register.rules.values import Cell, Unreadable, cell_text

Value = TypeVar("Value")

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One oddity. ``column`` is the header of the column, ``value`` what the cell holds."""

    row: int
    column: str
    value: str
    severity: str
    code: str
    params: Mapping[str, Any]


@dataclass(slots=True)
class RegisterRow:
    """One row, read. ``is_bad`` keeps it out; the values of a bad row may be incomplete.

    An empty cell gives an empty value (``paid_cents`` None): defaults are filled in for new
    members only, since an empty cell changes nothing about a known one.
    """

    row: int
    member_number: str = ""
    is_organisation: bool = False
    family_name: str = ""
    given_name: str = ""
    organisation_name: str = ""
    birth_date: date | None = None
    email: str = ""
    language: str = ""
    street: str = ""
    postal_code: str = ""
    town: str = ""
    country: str = ""
    category: str = ""
    joined_on: date | None = None
    ended_on: date | None = None
    shares: int = 0
    paid_cents: int | None = None
    share_class: str = ORDINARY
    enterprise_number: str = ""
    representative: str = ""
    is_bad: bool = False

    @property
    def name(self) -> str:
        """The holder's name as the register shows it."""
        if self.is_organisation:
            return self.organisation_name
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def same_person_key(self) -> tuple[str, date] | None:
        """What two rows of one person have in common; None where it cannot be told."""
        if self.is_organisation or self.birth_date is None:
            return None
        return name_key(self.given_name, self.family_name), self.birth_date

    @property
    def same_email_key(self) -> str:
        return email_key(self.email)

    def representative_names(self) -> tuple[str, str]:
        """Given name and family name: the first word, and the rest ("Jan De Smet")."""
        if "," in self.representative:
            family, _comma, given = self.representative.partition(",")
            return given.strip(), family.strip()
        given, _blank, family = self.representative.partition(" ")
        return (given, family) if family else ("", given)


@dataclass(frozen=True)
class Context:
    """What the cooperative allows and assumes.

    ``categories``: folded code or name → code, as in force today; ``former_categories`` has those
    of earlier rule sets too, for members who have left. ``share_classes``: folded code or name →
    code; ``class_holders``: who may hold them, of each rule set. ``nominals``:
    class → (first day, cents per share) of each rule set that has it, in order.
    """

    categories: Mapping[str, str]
    former_categories: Mapping[str, str]
    category_codes: tuple[str, ...]
    share_classes: Mapping[str, str]
    class_holders: Holders
    nominals: Mapping[str, tuple[tuple[date, int], ...]]
    language: str
    country: str
    today: date

    @property
    def known_categories(self) -> str:
        return ", ".join(self.category_codes)

    @property
    def known_classes(self) -> str:
        return ", ".join(self.nominals)

    def nominal_on(self, day: date, share_class: str = ORDINARY) -> int:
        """The value of a share of that class on ``day``; before its first rule set, that one's."""
        nominals = self.nominals[share_class]
        begun = [cents for starts_on, cents in nominals if starts_on <= day]
        return begun[-1] if begun else nominals[0][1]


@dataclass
class RowReader:
    """Reads the rows of one table under one mapping, collecting problems as it goes."""

    table: Table
    mapping: Mapping[str, int]
    context: Context
    problems: list[Problem] = field(default_factory=list)

    def rows(self) -> Iterator[RegisterRow]:
        """Every row with content, in order. ``problems`` grows meanwhile."""
        for number, cells in self.table.records():
            yield self._read(number, cells)

    # -- one row ------------------------------------------------------------------------------

    def _read(self, number: int, cells: Sequence[Cell]) -> RegisterRow:
        row = RegisterRow(row=number)
        width = len(self.table.layout.headers)
        extra = [cell_text(cell) for cell in cells[width:]]
        if any(text.strip() for text in extra):
            self.note(row, None, " ".join(extra), ERROR, "too_many_cells")
        row.member_number = self._value(row, cells, "member_number", values.read_member_number, "")
        if not self._text(cells, "member_number"):
            self.note(row, "member_number", "", ERROR, "number_missing")
        self._read_holder(row, cells)
        self._read_contact(row, cells)
        self._read_membership(row, cells)
        self._read_shares(row, cells)
        return row

    def _read_holder(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        family = self._line(row, cells, "family_name", 120)
        given = self._line(row, cells, "given_name", 120)
        organisation = self._line(row, cells, "organisation_name", 250)
        number = self._text(cells, "enterprise_number")
        if given and (number or organisation):
            self.note(row, "given_name", given, ERROR, "holder_both")
            return
        row.is_organisation = bool(number or organisation)
        if not (family or organisation):
            self.note(row, "family_name", "", ERROR, "name_missing")
        if not row.is_organisation:
            if not given:
                self.note(row, "given_name", "", ERROR, "holder_unclear")
            row.family_name, row.given_name = family, given
            row.birth_date = self._date(row, cells, "birth_date")
            if row.birth_date is not None and row.birth_date > self.context.today:
                self.note(
                    row, "birth_date", self._text(cells, "birth_date"), ERROR, "birth_in_future"
                )
            return
        row.organisation_name = organisation or family
        row.representative = self._line(row, cells, "representative", 200)
        if not row.representative and not self._text(cells, "ended_on"):
            self.note(row, "representative", "", ERROR, "representative_missing")

    def _read_contact(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        row.email = self._value(row, cells, "email", values.read_email, "")
        row.street = self._lines(row, cells, "street", 250)
        row.postal_code = self._line(row, cells, "postal_code", 20)
        row.town = self._line(row, cells, "town", 120)
        row.language = self._value(row, cells, "language", values.read_language, "")
        row.country = self._value(row, cells, "country", values.read_country, "")
        if row.is_organisation:
            self._read_enterprise_number(row, cells)

    def _read_enterprise_number(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        country = row.country or self.context.country
        row.enterprise_number = self._value(
            row,
            cells,
            "enterprise_number",
            lambda cell: values.read_enterprise_number(cell_text(cell), country),
            "",
        )
        if not self._text(cells, "enterprise_number"):
            self.note(
                row,
                "enterprise_number",
                "",
                ERROR,
                "enterprise_number_invalid",
                country=country,
            )

    def _read_membership(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        row.joined_on = self._date(row, cells, "joined_on")
        if not self._text(cells, "joined_on"):
            self.note(row, "joined_on", "", ERROR, "joined_missing")
        row.ended_on = self._date(row, cells, "ended_on")
        left = self._text(cells, "ended_on")
        if row.joined_on and row.ended_on and row.ended_on < row.joined_on:
            self.note(row, "ended_on", left, ERROR, "left_before_joined")
        text = self._text(cells, "category")
        allowed = self.context.former_categories if left else self.context.categories
        row.category = allowed.get(fold(text), "")
        if not row.category:
            code = "category_unknown" if text else "category_missing"
            self.note(row, "category", text, ERROR, code, known=self.context.known_categories)

    def _read_class(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        """The class of the shares: the ordinary one where nothing is said."""
        text = self._text(cells, "share_class")
        if not text:
            return
        found = self.context.share_classes.get(fold(text), "")
        if not found:
            known = self.context.known_classes
            self.note(row, "share_class", text, ERROR, "share_class_unknown", known=known)
            return
        row.share_class = found

    def _read_shares(self, row: RegisterRow, cells: Sequence[Cell]) -> None:
        self._read_class(row, cells)
        shares = self._value(row, cells, "shares", values.read_shares, None)
        paid = self._value(row, cells, "paid", values.read_amount, None)
        if not self._text(cells, "shares"):
            self.note(row, "shares", "", ERROR, "shares_missing")
        if shares is None or (paid is None and self._text(cells, "paid")):
            return
        row.shares, row.paid_cents = shares, paid
        if not shares and paid:
            self.note(row, "paid", self._text(cells, "paid"), ERROR, "paid_without_shares")

    # -- one cell -----------------------------------------------------------------------------

    def _cell(self, cells: Sequence[Cell], name: str) -> Cell:
        column = self.mapping.get(name, -1)
        return cells[column] if 0 <= column < len(cells) else None

    def _text(self, cells: Sequence[Cell], name: str) -> str:
        cell = self._cell(cells, name)
        return unguard(cell_text(cell).strip()) if cell not in (None, "") else ""

    def _value(
        self,
        row: RegisterRow,
        cells: Sequence[Cell],
        name: str,
        reader: Callable[[Cell], Value],
        otherwise: Any,
    ) -> Any:
        """What ``reader`` makes of a cell with content; ``otherwise`` if empty or unreadable."""
        cell = self._cell(cells, name)
        if cell in (None, ""):
            return otherwise
        if isinstance(cell, str):
            cell = unguard(cell.strip())
            if not cell:
                return otherwise
        try:
            return reader(cell)
        except Unreadable as error:
            text = cell_text(cell)
            params = {**error.params, "value": text[:80]}
            self.note(row, name, text, ERROR, error.code, **params)
            return otherwise

    def _date(self, row: RegisterRow, cells: Sequence[Cell], name: str) -> date | None:
        found: date | None = self._value(row, cells, name, values.read_date, None)
        return found

    def _line(self, row: RegisterRow, cells: Sequence[Cell], name: str, limit: int) -> str:
        """A text of one line: blanks around it are removed, line breaks become blanks."""
        return self._any_text(row, cells, name, limit, values.tidy, "lines_joined")

    def _lines(self, row: RegisterRow, cells: Sequence[Cell], name: str, limit: int) -> str:
        """A text that may have several lines."""
        return self._any_text(row, cells, name, limit, values.tidy_lines, "lines_kept")

    def _any_text(
        self,
        row: RegisterRow,
        cells: Sequence[Cell],
        name: str,
        limit: int,
        tidy: Callable[[str], str],
        lines_code: str,
    ) -> str:
        cell = self._cell(cells, name)
        if cell in (None, ""):
            return ""
        raw = cell_text(cell)
        text = tidy(unguard(raw.strip()))
        if text and (raw[0].isspace() or raw[-1].isspace()):
            self.note(row, name, raw, NOTE, "blanks_trimmed")
        if "\n" in raw.strip() or "\r" in raw.strip():
            self.note(row, name, raw, NOTE, lines_code)
        if len(text) > limit:
            self.note(row, name, raw, ERROR, "too_long", limit=limit)
            return text[:limit]
        return text

    def note(
        self,
        row: RegisterRow,
        name: str | None,
        value: str,
        severity: str,
        code: str,
        /,
        **params: Any,
    ) -> None:
        """Note one oddity; an error keeps the row out."""
        if severity == ERROR:
            row.is_bad = True
        self.problems.append(
            Problem(
                row=row.row,
                column=self.header(name),
                value=value[:200],
                severity=severity,
                code=code,
                params={"value": value[:80], **params},
            )
        )

    def text_at(self, row: int, name: str) -> str:
        """What the cell of a field holds in that row of the spreadsheet, as text."""
        return cell_text(self._cell(self.table.rows[row - 1], name))

    def header(self, name: str | None) -> str:
        """What stands above the column of a field; the field's name where no column holds it."""
        column = self.mapping.get(name or "", -1)
        headers = self.table.layout.headers
        if 0 <= column < len(headers):
            return headers[column]
        return name or ""


_RISKY = "=+-@\t\r"


def guard(text: str) -> str:
    """The text for a CSV cell, so that no spreadsheet takes it for a formula.

    An apostrophe goes before = + - @ and tabs; plain numbers stay as they are. ``unguard`` takes
    it away again.
    """
    if text and text[0] in _RISKY and not _is_number(text):
        return f"'{text}"
    return text


def unguard(text: str) -> str:
    """The text of a cell that ``guard`` (or a careful person) has written."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _RISKY else text


def _is_number(text: str) -> bool:
    digits = text[1:].replace(".", "").replace(",", "")
    return text[0] in "+-" and digits.isdecimal() and digits.isascii() and len(text) < 20
