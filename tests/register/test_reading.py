"""Files as they come: encodings, separators, workbooks, and files that lie."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from govern.register.importing import reading
from govern.register.importing.headers import (
    FIELDS,
    missing_columns,
    recognise,
    recognise_columns,
)
from govern.register.importing.reading import Table, UnreadableFile, read_table

HEADERS = {
    "fr": ["N° sociétaire", "Nom", "Prénom", "Catégorie", "Date d'adhésion", "Nombre de parts"],
    "nl": ["Lidnummer", "Naam", "Voornaam", "Categorie", "Datum toetreding", "Aantal aandelen"],
    "de": ["Mitgliedsnummer", "Name", "Vorname", "Kategorie", "Beitrittsdatum", "Anteile"],
    "en": ["Member number", "Name", "Given name", "Category", "Joined on", "Number of shares"],
}
CELLS = ["7", "Crème", "Zoë", "A", "31/12/2017", "2"]


def rows_of(table: Table) -> list[list[object]]:
    return [list(cells) for _number, cells in table.records()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_every_encoding_and_separator_gives_the_same_rows(encoding: str, delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(cells) for cells in (HEADERS["fr"], CELLS))
    table = read_table(text.encode(encoding))
    assert rows_of(table) == [CELLS]
    assert table.layout.headers == tuple(HEADERS["fr"])
    assert table.layout.delimiter == delimiter


@pytest.mark.parametrize("language", sorted(HEADERS))
def test_headers_are_recognised_in_each_language(language: str) -> None:
    found = recognise_columns(HEADERS[language])
    assert list(found) == [
        "member_number",
        "family_name",
        "given_name",
        "category",
        "joined_on",
        "shares",
    ]
    assert missing_columns(found) == []


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("NOM", "family_name"),
        ("  prenom ", "given_name"),
        ("Courriel :", "email"),
        ("e_mail", "email"),
        ("Datum  Toetreding", "joined_on"),
        ("Lidnumer", "member_number"),
        ("Number of shars", "shares"),
        ("Bemerkungen", None),
        ("", None),
    ],
)
def test_a_header_is_recognised_in_spite_of_case_accents_and_slips(
    header: str, field: str | None
) -> None:
    assert recognise(header) == field


def test_an_exact_header_wins_over_a_similar_one_to_its_left() -> None:
    assert recognise_columns(["Namen", "Name"])["family_name"] == 1


def test_what_is_needed_and_missing_is_named() -> None:
    assert missing_columns({"member_number": 0, "organisation_name": 1, "shares": 2}) == [
        "category",
        "joined_on",
    ]
    assert set(recognise_columns(["Foo", "Bar"])) == set()
    assert len(FIELDS) == 19


def test_a_quoted_line_break_does_not_end_the_row_and_rows_are_counted_as_in_a_spreadsheet() -> (
    None
):
    content = b'Lidnummer;Naam;Categorie\r\n1;"Rue ""x""\r\nbte 3";A\r\n\r\n3;An;A\r\n'
    table = read_table(content)
    assert [(number, cells[1]) for number, cells in table.records()] == [
        (2, 'Rue "x"\r\nbte 3'),
        (4, "An"),
    ]


def test_a_title_above_the_heading_is_skipped() -> None:
    table = read_table(b"Register 2018;;\n;;\nLidnummer;Naam;Categorie\n1;An;A\n")
    assert table.layout.header_row == 3
    assert [number for number, _cells in table.records()] == [4]


def workbook(rows: list[list[object]], title: str = "Leden", first: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if first is not None:
        sheet.title = first
        sheet.append(["nothing here"])
        sheet = book.create_sheet(title)
    sheet.title = title
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbook_keeps_its_dates_and_numbers() -> None:
    born = datetime(1980, 2, 1)  # noqa: DTZ001 (a spreadsheet knows no time zones)
    content = workbook([[*HEADERS["nl"], "Geboortedatum"], [7, "Crème", "Zoë", "A", born, 2, born]])
    cells = rows_of(read_table(content))[0]
    assert cells[0] == 7
    assert cells[5] == 2
    assert reading.cell_text(cells[4]) == "1980-02-01"  # type: ignore[arg-type]
    assert isinstance(cells[6], date)


def test_the_sheet_with_the_register_is_found() -> None:
    table = read_table(workbook([HEADERS["nl"], CELLS], first="Uitleg"))
    assert table.layout.sheet == "Leden"


def test_empty_rows_of_a_workbook_count() -> None:
    table = read_table(workbook([HEADERS["nl"], [], CELLS]))
    assert [number for number, _cells in table.records()] == [3]


def code_of(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as error:
        read_table(content)
    return error.value.code


def test_what_is_no_register_is_refused_with_its_reason() -> None:
    assert code_of(b"") == "file_empty"
    assert code_of(b" \r\n ") == "file_empty"
    assert code_of(b";;;\n;;;\n") == "file_empty"
    assert code_of(b"%PDF-1.7 ...") == "file_kind_unknown"
    assert code_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100) == "file_old_excel"
    assert code_of(b"Naam;\x00\x01\x02") == "file_encoding_unknown"
    assert code_of(b"Naam;\x81\x8d\x90") == "file_encoding_unknown"
    assert code_of(b"PK\x03\x04 not really") == "file_workbook_damaged"


def test_a_quotation_mark_that_is_never_closed_is_named() -> None:
    rows = "".join(f'{n};"open {n};A\n' for n in range(1, 2)) + "x" * 200_000
    assert code_of(f"Lidnummer;Naam;Categorie\n{rows}".encode()) == "file_quotes_open"


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 50)
    content = "Lidnummer;Naam\n" + "1;An\n" * 100
    assert code_of(content.encode()) == "file_too_many_rows"


def test_too_many_columns_are_refused() -> None:
    assert code_of((";".join(["Naam"] * 300) + "\n1\n").encode()) == "file_too_many_columns"


def archive(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    assert code_of(archive(hello=b"x")) == "file_kind_unknown"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    content = archive(xl__workbook_xml=b"<x/>", xl__worksheets__s_xml=b" " * 60_000_000)
    assert len(content) < 200_000
    assert code_of(content) == "file_too_large_unpacked"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (b'r="XFD1048576"', "file_too_many_rows"),
        (b'r="XFD5"', "file_too_many_columns"),
        (b's="1" r="B900000"', "file_too_many_rows"),
        # Written so that a look at the text does not find them: the reader's process dies.
        (b'r="XFD&#49;048576"', "file_workbook_damaged"),
        (b'r = "XFD9"', "file_too_large_unpacked"),
        (b'r = "XFD1048576"', "file_too_large_unpacked"),
    ],
)
def test_one_cell_in_the_far_corner_costs_no_memory(address: bytes, code: str) -> None:
    """The reader would lay out the whole rectangle up to that cell."""
    original = workbook([["Lidnummer", "Naam"], ["1", "An"]])
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(original)) as source, zipfile.ZipFile(buffer, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                cell = b"<row><c " + address + b"><v>1</v></c></row></sheetData>"
                content = content.replace(b"</sheetData>", cell)
            target.writestr(item, content)
    assert code_of(buffer.getvalue()) == code
