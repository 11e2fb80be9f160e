"""Texts that people write: shown with their marks, without their tricks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.markdown import TAGS, plain_text, render_markdown


def test_paragraphs_lists_and_tables_are_shown():
    html = render_markdown("## Comptes\n\n**gras**\n\n- un\n- deux\n\n|a|b|\n|-|-|\n|1|2|")
    for expected in ("<h4>Comptes</h4>", "<strong>gras</strong>", "<li>un</li>", "<td>1</td>"):
        assert expected in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/pixel.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '<a href="https://x" onclick="alert(1)">x</a>',
        "<style>body{display:none}</style>",
        '<div style="position:fixed">x</div>',
    ],
)
def test_nothing_that_runs_or_loads_comes_through(text):
    html = str(render_markdown(text))
    assert not re.search(r"<(script|img|style|div)", html)
    assert not re.search(r"<[^>]*(javascript:|data:|onclick|onerror|style=)", html)


@given(st.text(alphabet="<>a\"'=/ !()[]:scriptjvhef*_`#-\n&;", max_size=80))
def test_whatever_is_typed_no_unknown_tag_comes_out(text):
    tags = re.findall(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)", str(render_markdown(text)))
    assert set(tags) <= TAGS


def test_on_paper_a_link_shows_where_it_leads():
    assert plain_text("Voir [les statuts](https://example.org/s).") == (
        "Voir les statuts (https://example.org/s)."
    )


def test_on_paper_lists_keep_their_numbers():
    assert plain_text("3. trois\n4. quatre\n   - a") == "3. trois\n\n4. quatre\n\n  – a"
