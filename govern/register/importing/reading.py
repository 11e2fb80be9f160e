"""From bytes to cells: encodings, separators, quoted line breaks, workbooks, and files that lie.

Every refusal is an ``UnreadableFile`` that names what was found and what to do.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from govern.register.importing.headers import count_known
from govern.register.importing.workbook import WorkbookRefused, read_sheets
from govern.register.rules.values import Cell, cell_text

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 32_767
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
MAX_UNPACKED_RATIO = 200
HEADER_SEARCH_ROWS = 20
DELIMITERS = (";", ",", "\t", "|")
ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
}

csv.field_size_limit(MAX_CELL * 4)


class UnreadableFile(ValueError):
    """The file cannot be read at all. ``code`` and ``params`` become a sentence and a remedy."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Layout:
    """How the file is written. ``header_row`` counts from 1, as a spreadsheet does.

    ``kind`` is "csv" (with ``encoding`` and ``delimiter``) or "xlsx" (with ``sheet``).
    """

    kind: str
    header_row: int
    headers: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Table:
    """A file as rows of cells. ``rows`` holds all of them; row 1 of the spreadsheet is rows[0]."""

    layout: Layout
    rows: Sequence[Sequence[Cell]]

    def records(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Each row with content below the header: its number in the spreadsheet, its cells."""
        for index in range(self.layout.header_row, len(self.rows)):
            cells = self.rows[index]
            if any(cell not in (None, "") and cell_text(cell).strip() for cell in cells):
                yield index + 1, cells


def read_table(content: bytes) -> Table:
    """Read a CSV file or an XLSX workbook, whatever it is called. Raises UnreadableFile."""
    if not content.strip():
        raise UnreadableFile("file_empty")
    if content[:4] == b"PK\x03\x04":
        return _read_workbook(content)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise UnreadableFile("file_old_excel")
    if content[:5] == b"%PDF-":
        raise UnreadableFile("file_kind_unknown")
    return _read_csv(content)


# -- CSV --------------------------------------------------------------------------------------


def _read_csv(content: bytes) -> Table:
    encoding, text = _decode(content)
    delimiter = _find_delimiter(text)
    try:
        rows = _bounded(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile("file_quotes_open") from error
    header_row = _find_header(rows)
    return Table(
        Layout(
            kind="csv",
            header_row=header_row,
            headers=_headers(rows[header_row - 1]),
            encoding=encoding,
            delimiter=delimiter,
        ),
        rows,
    )


def _decode(content: bytes) -> tuple[str, str]:
    """The encoding and the text. UTF-8 cannot be mistaken; what is left is Windows-1252."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates = ["utf-16"]
    elif content[:3] == b"\xef\xbb\xbf":
        candidates = ["utf-8-sig"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return encoding, text
    raise UnreadableFile("file_encoding_unknown")


def _find_delimiter(text: str) -> str:
    """The separator under which the first rows have the most known headers and equal widths."""
    sample = text[:100_000]

    def score(delimiter: str) -> tuple[int, int, int]:
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            rows = [row for row in islice(reader, HEADER_SEARCH_ROWS) if row]
        except csv.Error:
            return (0, 0, 0)
        if not rows:
            return (0, 0, 0)
        known = max(count_known(row) for row in rows)
        width = max(len(row) for row in rows)
        return (known, sum(len(row) == width for row in rows) if width > 1 else 0, width)

    return max(DELIMITERS, key=score)


# -- XLSX -------------------------------------------------------------------------------------


def _read_workbook(content: bytes) -> Table:
    _refuse_bombs(content)
    try:
        sheets = read_sheets(content, MAX_ROWS + HEADER_SEARCH_ROWS)
    except WorkbookRefused as error:
        code = "file_too_large_unpacked" if error.too_large else "file_workbook_damaged"
        raise UnreadableFile(code) from error
    best: tuple[int, Table] | None = None
    for name, cells in sheets:
        if not any(cell not in (None, "") for row in cells[:HEADER_SEARCH_ROWS] for cell in row):
            continue
        rows = _bounded(cells)
        header_row = _find_header(rows)
        headers = _headers(rows[header_row - 1])
        known = count_known(headers)
        if best is None or known > best[0]:
            layout = Layout(kind="xlsx", header_row=header_row, headers=headers, sheet=name)
            best = (known, Table(layout, rows))
    if best is None:
        raise UnreadableFile("file_empty")
    return best[1]


_CELL_ADDRESS = re.compile(rb'<(?:\w+:)?c\b[^>]{0,200}?\br=["\x27]([A-Z]{1,4})([0-9]{1,8})["\x27]')


def _refuse_bombs(content: bytes) -> None:
    """Refuse archives that unpack to far more than they are, and sheets far larger than filled.

    The reader lays a sheet out as a full rectangle, so one cell at XFD1048576 would cost
    gigabytes. A look at the addresses gives a clear message for honest files; what slips past it
    dies in the reader's own process (``workbook``).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            total = sum(part.file_size for part in parts)
            if len(parts) > 5000 or total > MAX_UNPACKED_BYTES:
                raise UnreadableFile("file_too_large_unpacked")
            if total > 10 * 1024 * 1024 and total > MAX_UNPACKED_RATIO * len(content):
                raise UnreadableFile("file_too_large_unpacked")
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise UnreadableFile("file_kind_unknown")
            for part in parts:
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename):
                    _check_extent(archive, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # RuntimeError: the archive is encrypted.
        raise UnreadableFile("file_workbook_damaged") from error


def _check_extent(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    seen = 0
    tail = b""
    with archive.open(part) as stream:
        while piece := stream.read(1 << 20):
            seen += len(piece)
            if seen > part.file_size:
                raise UnreadableFile("file_too_large_unpacked")
            for column, row in _CELL_ADDRESS.findall(tail + piece):
                if int(row) > MAX_ROWS + HEADER_SEARCH_ROWS:
                    raise UnreadableFile("file_too_many_rows", limit=MAX_ROWS)
                if len(column) > 2 or (len(column) == 2 and column > b"GR"):
                    raise UnreadableFile("file_too_many_columns", limit=MAX_COLUMNS)
            tail = piece[-300:]


# -- both -------------------------------------------------------------------------------------


def _bounded(rows: Iterable[Sequence[Any]]) -> list[Sequence[Cell]]:
    taken = list(islice(rows, MAX_ROWS + HEADER_SEARCH_ROWS + 1))
    if len(taken) > MAX_ROWS + HEADER_SEARCH_ROWS:
        raise UnreadableFile("file_too_many_rows", limit=MAX_ROWS)
    if taken and max(map(len, taken)) > MAX_COLUMNS:
        raise UnreadableFile("file_too_many_columns", limit=MAX_COLUMNS)
    return taken


def _find_header(rows: Sequence[Sequence[Cell]]) -> int:
    """The row (from 1) with the most known headers; where none is known, the first with content."""
    best, most = 0, 0
    first = 0
    for number, row in enumerate(rows[:HEADER_SEARCH_ROWS], start=1):
        cells = [cell_text(cell) for cell in row]
        if not first and any(cell.strip() for cell in cells):
            first = number
        known = count_known(cells)
        if known > most:
            best, most = number, known
    if not first:
        raise UnreadableFile("file_empty")
    return best if most >= 2 else first


def _headers(row: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(" ".join(cell_text(cell).split())[:200] for cell in row)
