"""Documents: accepted for what they are, served so that they cannot run."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from govern.assemblies import services
from govern.assemblies.filetypes import MAX_BYTES, PDF, TEXT, detect_type, safe_filename
from govern.errors import InvalidInput, RuleViolation

A_PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def office(*names, mimetype=None):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (A_PDF, "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0....", "jpg"),
        ("Ordre du jour\nété".encode(), "txt"),
        (office("[Content_Types].xml", "word/document.xml"), "docx"),
        (office("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (office(mimetype="application/vnd.oasis.opendocument.text"), "odt"),
    ],
)
def test_a_file_is_known_by_its_content(content, ending):
    assert detect_type(content).ending == ending


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"  \n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\xef\xbb\xbf<html>",
        b"MZ\x90\x00\x03",
        b"\x7fELF",
        b"\xe9t\xe9 in Latin-1",
        b"PK\x03\x04 not really a zip",
        b"%PDF-1.4 cut off",
        office("evil.exe"),
        office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
        office(mimetype="text/html"),
    ],
)
def test_what_could_run_or_is_damaged_is_refused(session, secretary, draft, content):
    with pytest.raises(InvalidInput) as refused:
        services.add_document(
            session, secretary, draft, title="A", filename="a.pdf", content=content
        )
    assert refused.value.field == "file"


def test_an_empty_and_a_huge_file_are_refused(session, secretary, draft):
    for content in (b"", b"%PDF-" + b"0" * MAX_BYTES + b"%%EOF"):
        with pytest.raises(InvalidInput):
            services.add_document(
                session, secretary, draft, title="A", filename="a.pdf", content=content
            )


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\rapport été.docx", "rapport été.pdf"),
        ('a"; filename="b.html', "a_ filename_b.pdf"),
        ("", "document.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("x\r\nSet-Cookie: a.pdf", "x_Set-Cookie_ a.pdf"),
    ],
)
def test_a_file_name_is_made_safe_and_gets_the_ending_of_its_content(name, kept):
    assert safe_filename(name, PDF) == kept
    assert safe_filename("notes.html", TEXT) == "notes.txt"


def test_the_same_document_twice_is_one(session, secretary, draft):
    first = services.add_document(
        session, secretary, draft, title="Rapport", filename="r.pdf", content=A_PDF
    )
    again = services.add_document(
        session, secretary, draft, title="Rapport", filename="r.pdf", content=A_PDF
    )
    assert first.id == again.id
    assert first.digest == hashlib.sha256(A_PDF).hexdigest()


def test_a_document_in_a_language_that_the_assembly_does_not_have_is_refused(
    session, secretary, draft
):
    with pytest.raises(InvalidInput) as refused:
        services.add_document(
            session, secretary, draft, title="A", filename="a.pdf", content=A_PDF, language="it"
        )
    assert refused.value.field == "language"


@pytest.fixture
def report(session, secretary, draft):
    return services.add_document(
        session, secretary, draft, title="Rapport 2017", filename="r.pdf", content=A_PDF
    )


def address(document):
    return f"/documents/{document.public_id}/{document.filename}"


def test_a_document_of_a_draft_is_not_for_everyone(client, sign_in, officers, report):
    assert client.get(address(report)).status_code == 404
    sign_in(client, officers["secretary"])
    assert client.get(address(report)).status_code == 200


def test_a_document_is_served_as_a_file_that_cannot_run(client, session, secretary, draft, report):
    services.publish_assembly(session, secretary, draft)
    answer = client.get(address(report))
    assert answer.data == A_PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_a_document_comes_through_the_page(client, sign_in, officers, session, draft):
    sign_in(client, officers["secretary"])
    answer = client.post(
        "/smartcoop/assemblies/2018-06-19/documents",
        data={"title": "Comptes", "language": "fr", "item": "",
              "file": (io.BytesIO(A_PDF), "Comptes 2017.pdf")},
    )  # fmt: skip
    assert answer.status_code == 303
    session.expire_all()
    assert [(one.title, one.filename) for one in draft.documents] == [
        ("Comptes", "Comptes 2017.pdf")
    ]


def test_a_refused_file_keeps_what_was_typed(client, sign_in, officers, draft):
    sign_in(client, officers["secretary"])
    answer = client.post(
        "/smartcoop/assemblies/2018-06-19/documents",
        data={"title": "Mes comptes", "language": "", "item": "",
              "file": (io.BytesIO(b"<html>"), "c.pdf")},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Mes comptes" in answer.text
    assert "not accepted" in answer.text


def test_documents_are_added_until_the_assembly_is_closed(session, secretary, published, clock):
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    services.add_document(
        session, secretary, published, title="PV", filename="pv.pdf", content=A_PDF
    )
    services.close_assembly(session, secretary, published)
    with pytest.raises(RuleViolation):
        services.add_document(
            session, secretary, published, title="B", filename="b.txt", content=b"late"
        )
