"""Official documents: deterministic, in the reader's language, immune to what people type."""

from __future__ import annotations

import io
import shutil
import threading

import pypdf
import pytest

from govern import pdf, typesetting

DOCUMENT = """\
#import "base.typ": *
#show: official
== #data.section
#paragraphs(data.text)
#listing(data.headings, data.rows)
"""

DATA = {
    "cooperative": "SmartCoop *#let x* $y$",
    "title": "Procès-verbal",
    "digest": "ab" * 32,
    "verification_code": "XK-12",
    "verify_at": "https://example.org/v/XK-12",
    "facts": [["Lieu", "Bruxelles"]],
    "section": "Résolutions",
    "text": "Première.\n\n#panic(1) *deux*",
    "headings": ["a", "b"],
    "rows": [["1", "2"]] * 60,
}


@pytest.fixture
def documents(tmp_path, monkeypatch):
    shutil.copy(typesetting._FOLDER / "base.typ", tmp_path)
    (tmp_path / "sample.typ").write_text(DOCUMENT)
    (tmp_path / "broken.typ").write_text('#import "base.typ": *\n#data.nothing_like_it')
    monkeypatch.setattr(typesetting, "_FOLDER", tmp_path)
    monkeypatch.setattr(typesetting, "_compilers", threading.local())
    return tmp_path


def _text(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages)


def test_the_same_data_give_the_same_bytes(session, documents):
    first = pdf.render_pdf("sample", DATA, "fr")
    pdf.render_pdf("sample", {**DATA, "title": "Autre"}, "fr")
    typesetting._compilers.__dict__.clear()
    assert pdf.render_pdf("sample", DATA, "fr") == first


def test_a_document_says_whose_it_is_and_how_to_check_it(session, documents):
    text = _text(pdf.render_pdf("sample", DATA, "en"))
    assert "SmartCoop *#let x* $y$" in text
    assert "Page 1 of 2" in text
    assert "Page 2 of 2" in text
    assert "abababab abababab" in text
    assert "XK-12" in text


def test_what_somebody_typed_is_never_markup(session, documents):
    assert "#panic(1) *deux*" in _text(pdf.render_pdf("sample", DATA, "fr"))


def test_the_language_is_declared_for_screen_readers(session, documents):
    reader = pypdf.PdfReader(io.BytesIO(pdf.render_pdf("sample", DATA, "de")))
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_fonts_come_with_the_document(session, documents):
    reader = pypdf.PdfReader(io.BytesIO(pdf.render_pdf("sample", DATA, "nl")))
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert any("SourceSansPro" in name for name in fonts)


def test_a_template_that_does_not_compile_is_named(session, documents):
    with pytest.raises(ValueError, match=r"pdf/broken\.typ.*nothing_like_it"):
        pdf.render_pdf("broken", DATA, "en")
