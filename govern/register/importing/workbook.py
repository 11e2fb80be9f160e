"""Reading a workbook in a process of its own, with a limit on memory and time.

The reader (calamine) lays every sheet out as a full rectangle: one cell in the far corner of a
hostile file would make it allocate gigabytes and abort the process that it runs in. Here that is a
child, which hands the cells back as lines of JSON; if it dies, the file is refused.

``python -m govern.register.importing.workbook`` is that child: workbook in, lines out.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

MEMORY_BYTES = 1024 * 1024 * 1024
SECONDS = 60
MAX_SHEETS = 20
MAX_WIDTH = 1000
NEW_SHEET = "sheet"


class WorkbookRefused(ValueError):
    """The workbook is damaged (``too_large`` False) or asks for more than is reasonable."""

    def __init__(self, *, too_large: bool) -> None:
        super().__init__("too large" if too_large else "damaged")
        self.too_large = too_large


def read_sheets(content: bytes, max_rows: int) -> list[tuple[str, list[list[Any]]]]:
    """The sheets of a workbook, each with at most ``max_rows`` + 1 rows of cells.

    Cells are texts, numbers, dates or None. Raises WorkbookRefused.
    """
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module, no shell)
            [sys.executable, "-I", "-m", __name__, str(max_rows)],
            input=content,
            capture_output=True,
            timeout=SECONDS * 2,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbookRefused(too_large=True) from error
    if done.returncode:
        # A signal means that the child ran into its limits; 3 is what it says of a damaged file.
        raise WorkbookRefused(too_large=done.returncode != 3)
    sheets: list[tuple[str, list[list[Any]]]] = []
    for line in done.stdout.splitlines():
        item = json.loads(line)
        if isinstance(item, dict):
            sheets.append((item[NEW_SHEET], []))
        else:
            sheets[-1][1].append([_cell(cell) for cell in item])
    return sheets


def _cell(cell: Any) -> Any:
    if isinstance(cell, list):
        kind, text = cell
        return date.fromisoformat(text) if kind == "day" else datetime.fromisoformat(text)
    return cell


# -- in the child -----------------------------------------------------------------------------


def _limit() -> None:
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, SECONDS)):
        _soft, hard = resource.getrlimit(what)
        resource.setrlimit(
            what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lines(content: bytes, max_rows: int) -> Iterator[str]:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names[:MAX_SHEETS]:
        sheet = book.get_sheet_by_name(name)
        if sheet.width > MAX_WIDTH:
            raise MemoryError
        yield json.dumps({NEW_SHEET: name})
        for row in islice(sheet.to_python(skip_empty_area=False), max_rows + 1):
            yield json.dumps([_plain(cell) for cell in row])


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return ["moment", cell.isoformat()]
    if isinstance(cell, date):
        return ["day", cell.isoformat()]
    if cell == "":
        return None
    return cell if isinstance(cell, (str, int, float)) else str(cell)


def main() -> None:
    """Read a workbook from standard input; status 3 when it cannot be read."""
    _limit()
    content = sys.stdin.buffer.read()
    try:
        for line in _lines(content, int(sys.argv[1])):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except MemoryError:
        sys.exit(4)
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the answer is the same)
        sys.exit(3)


if __name__ == "__main__":
    main()
