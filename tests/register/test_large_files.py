"""Very large files and registers, hostile names: a clear word, and no more than is reasonable."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import date

import openpyxl
import pytest

from govern.access import Role
from govern.errors import InvalidInput
from govern.register.importing.reading import MAX_ROWS
from govern.register.services import book, imports, searching
from govern.register.services.listing import MemberFilter, find_members
from tests.register.conftest import HEADER


@pytest.fixture
def registrar(client, cooperative, make_account, sign_in, clock):
    sign_in(client, make_account("Rita Registrar", roles=[(cooperative, Role.REGISTRAR)]))
    return client


def million_rows():
    return HEADER.encode() + b"\n" + b"1;a\n" * 1_000_000


def test_a_million_rows_are_refused_with_the_limit_and_a_remedy_in_bounded_memory(app):
    content = million_rows()
    tracemalloc.start()
    with pytest.raises(InvalidInput) as refused:
        imports.read_file(content)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"{MAX_ROWS:,}"[:3] in refused.value.message
    assert refused.value.remedy
    assert peak < 200 * 1024 * 1024


def test_the_page_says_how_many_rows_a_file_may_have(registrar, cooperative):
    answer = registrar.post(
        f"/{cooperative.code}/register/imports",
        data={"file": (io.BytesIO(million_rows()), "register.csv")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 422
    assert "200" in answer.text
    assert "000" in answer.text


def test_a_very_large_register_is_searched_by_the_beginnings_of_words(
    session, cooperative, make_member, clock, monkeypatch, both_databases
):
    monkeypatch.setattr(searching, "LARGE", 0)
    make_member("12", given_name="Abel", family_name="Aerts")
    make_member("1", given_name="Zoé", family_name="De Crayencour")
    make_member("30", organisation_name="Atelier CV")

    def found(query, **more):
        wanted = MemberFilter(query, **more)
        page = find_members(session, cooperative.id, wanted, date(2018, 6, 1), 1)
        return [item.member_number for item in page]

    assert found("ZOE cray") == ["1"]
    # Elsewhere than in that index the 1 within an enterprise number counts too.
    assert found("1")[:2] == ["1", "12"]
    assert found("0871.985") == ["30"]
    assert found("gent") == ["12", "30", "1"]
    assert found("'); DROP TABLE membership; --") == []
    assert found("nobody") == []
    assert found("ZOE cray", names_only=True) == ["1"]
    assert found("gent", names_only=True) == []
    moment = book.book_at(session, cooperative)
    assert book.count_holders(session, moment, "aerts") == 1
    assert [line.name for line in book.find_public_lines(session, moment, "zoe", limit=5)] == [
        "Zoé De Crayencour"
    ]


def test_exports_hold_no_formula_and_only_what_the_filters_leave(
    registrar, cooperative, make_member
):
    make_member("1", given_name="=cmd|' /C calc'!A0", family_name="@SUM(A1)")
    make_member("2", given_name="+1+2", family_name="Claes", category="B")
    make_member("3", organisation_name="-2+3 firm")
    base = f"/{cooperative.code}/register/members"
    rows = list(
        csv.reader(
            io.StringIO(registrar.get(f"{base}.csv").data.decode("utf-8-sig")), delimiter=";"
        )
    )
    assert len(rows) == 4
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r") and cell]
    book = openpyxl.load_workbook(io.BytesIO(registrar.get(f"{base}.xlsx").data))
    cells = [cell for row in book.worksheets[0].rows for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    for query, numbers in (
        ("category=B&kind=natural", ["2"]),
        ("q=claes", ["2"]),
        ("kind=legal", ["3"]),
    ):
        for kind in ("csv", "xlsx"):
            data = registrar.get(f"{base}.{kind}?{query}").data
            if kind == "csv":
                found = [
                    row[0]
                    for row in csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")
                ]
            else:
                sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
                found = [row[0].value for row in sheet.rows]
            assert found[1:] == numbers, (query, kind)
