"""Writing tables out, as CSV and as XLSX: nothing in them is taken for a formula.

A workbook holds texts, whole numbers, amounts and dates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from govern.register.importing.rows import guard

Value = str | int | Decimal | date | None


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """A CSV file in UTF-8 with BOM and semicolons, in pieces. Dates are ISO, amounts 30.00."""
    yield b"\xef\xbb\xbf"
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([guard(header) for header in headers])
    for number, row in enumerate(rows, start=1):
        writer.writerow([guard(_as_text(value)) for value in row])
        if number % 1000 == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _as_text(value: Value) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


MAX_SHEET_ROWS = 1_048_576
"""What a spreadsheet program can open; further rows go to a further sheet."""
MAX_TEXT = 32_000
"""Characters; a cell holds 32,767."""
_MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""Official files carry no clock: the same rows give the same bytes."""
_FIRST_YEAR = 1900
"""Spreadsheets count days from here; earlier ones would be others, or none."""
_FORMATS = {date: "yyyy-mm-dd", Decimal: "0.00"}


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: its name, its heading, its rows."""

    title: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Value]]


def write_xlsx(title: str, headers: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """A workbook with one sheet: a bold heading that stays in view, then ``rows``.

    Texts stay texts, which no spreadsheet takes for formulas.
    """
    return write_workbook([Sheet(title, headers, rows)])


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """A workbook with several sheets, written one after the other, row by row."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _MADE})
        bold = workbook.add_format({"bold": True})
        formats = {kind: workbook.add_format({"num_format": f}) for kind, f in _FORMATS.items()}
        names: list[str] = []
        for sheet in sheets:
            rows = iter(sheet.rows)
            part, is_full = 1, True
            while is_full:
                names.append(_sheet_name(sheet.title, part, names))
                page = workbook.add_worksheet(names[-1])
                page.freeze_panes(1, 0)
                for column, header in enumerate(sheet.headers):
                    page.set_column(column, column, max(12, len(header) + 2))
                    page.write_string(0, column, header, bold)
                is_full = _fill(page, rows, formats)
                part += 1
    return buffer.getvalue()


def _sheet_name(title: str, part: int, taken: Sequence[str]) -> str:
    """A name that a workbook accepts and that no sheet has yet."""
    clean = "".join(c for c in title if c not in r"[]:*?/\'").strip() or "Sheet"
    name = clean[:31] if part == 1 else f"{clean[:27]} {part}"
    while name.casefold() in {other.casefold() for other in taken}:
        part += 1
        name = f"{clean[:27]} {part}"
    return name


def _fill(page: Worksheet, rows: Iterator[Sequence[Value]], formats: dict[type, Format]) -> bool:
    """Write rows under the heading; whether the sheet is full and there may be more."""
    number = 0
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, date) and value.year < _FIRST_YEAR:
                page.write_string(number, column, value.isoformat())
            elif isinstance(value, str):
                if value:
                    page.write_string(number, column, value[:MAX_TEXT])
            elif isinstance(value, date):
                page.write_datetime(number, column, value, formats[date])
            elif value is not None:
                page.write_number(number, column, value, formats.get(type(value)))
        if number == MAX_SHEET_ROWS - 1:
            return True
    return False
