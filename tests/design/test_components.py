"""The components that pages are made of, as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, ListWidget

from govern.components import OneNeeded, file_size, number, percent
from govern.navigation import NavItem, has_endpoint, here, navigation, register
from tests.browser import ROOT

Render = Callable[..., str]


@pytest.fixture
def render(app: Flask) -> Iterator[Render]:
    """``render("button('Save')")`` in a request."""

    def make(call: str, **context: Any) -> str:
        name = call.split("(", 1)[0]
        source = f'{{% from "components/ui.html" import {name} %}}{{{{ {call} }}}}'
        return render_template_string(source, **context)

    with app.test_request_context("/"):
        yield make


class PlainForm(FlaskForm):
    name = StringField("Name", [DataRequired()], description="As in the register.")
    answer = RadioField("Answer", choices=[("a", "A"), ("b", "B")])
    agreed = BooleanField("Agreed")
    remark = StringField("Remark")
    days = SelectMultipleField(
        "Days",
        choices=[("sat", "Saturday"), ("sun", "Sunday")],
        validators=[OneNeeded("Tick a day.")],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


def test_a_field_ties_label_help_and_error_together(render: Render) -> None:
    form = PlainForm(formdata=None)
    form.name.errors = ["Give a name."]
    html = render("field(form.name)", form=form)
    assert '<label for="name">' in html
    assert 'aria-describedby="name-help name-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="name-help"' in html
    assert 'id="name-error"' in html


def test_only_what_may_be_left_out_is_marked_optional(render: Render) -> None:
    form = PlainForm(formdata=None)
    assert "optional" not in render("field(form.name)", form=form)
    assert "optional" not in render("field(form.answer)", form=form)
    assert "optional" not in render("field(form.days, as_boxes=True)", form=form)
    assert "optional" in render("field(form.remark)", form=form)


def test_where_one_of_several_boxes_is_needed_the_browser_does_not_ask_for_all(
    app: Flask,
) -> None:
    with app.test_request_context("/", method="POST", data={"days": ["sat"]}):
        form = PlainForm()
        assert all("required" not in str(option()) for option in form.days)
        form.validate()
        assert not form.days.errors
    with app.test_request_context("/", method="POST", data={}):
        form = PlainForm()
        form.validate()
        assert form.days.errors == ["Tick a day."]


def test_choices_are_one_group_with_a_legend(render: Render) -> None:
    html = render("field(form.answer)", form=PlainForm(formdata=None))
    assert html.count("<fieldset") == 1
    assert "<legend>Answer" in html
    assert html.count('type="radio"') == 2


def test_the_summary_of_errors_leads_to_each_field(render: Render) -> None:
    form = PlainForm(formdata=None)
    form.name.errors = ["Give a name."]
    assert 'href="#name"' in render("form_errors(form)", form=form)
    assert render("form_errors(form)", form=PlainForm(formdata=None)).strip() == ""


def test_what_people_wrote_cannot_become_markup(render: Render) -> None:
    evil = "<script>alert(1)</script>"
    for call in (
        "button(x)",
        "pill(x)",
        "notice(x)",
        "page_header(x, x)",
        "fact_list([(x, x)])",
        "data_table([x], [[x]])",
        "document_link(x, '#')",
        "timeline([{'title': x, 'text': x}])",
        "result_bar([(x, 1, 'for')], 0.5, x, x, x)",
        "choice_bars([(x, 1)], x)",
    ):
        assert "<script>" not in render(call, x=evil), call


def test_a_table_names_each_cell_for_the_telephone(render: Render) -> None:
    html = render("data_table(['Member', ('Shares', 'number')], [['Ana', 3]])")
    assert '<th scope="row" data-label="Member">Ana</th>' in html
    assert '<td data-label="Shares" class="number">3</td>' in html


def test_a_result_shows_both_percentages_labelled(render: Render) -> None:
    """68 / 26 / 6 with abstentions as the report shows them; 72.3 without, as the law counts."""
    html = render(
        "result_bar(answers, half)",
        answers=[("For", 434, "for"), ("Against", 166, "against"), ("-", 38, "abstain")],
        half=Fraction(1, 2),
    )
    assert re.findall(r'number">([\d.]+%)', html)[:2] == ["68%", "72.3%"]
    assert "without abstentions" in html


def test_numbers_follow_the_language(app: Flask) -> None:
    with app.test_request_context("/"):
        with force_locale("fr"):
            assert number(27158) == "27\u202f158"
            assert percent(1, 3) == "33,3\xa0%"
        with force_locale("de"):
            assert number(27158) == "27.158"
        with force_locale("en_GB"):
            assert percent(1, 3) == "33.3%"
            assert percent(Fraction(3, 4)) == "75%"
            assert percent(0, 0) == "0%"


def test_a_size_is_written_in_the_largest_fitting_unit(app: Flask) -> None:
    with app.test_request_context("/"), force_locale("en_GB"):
        assert [file_size(n) for n in (999, 1500, 1_482_113)] == ["999 bytes", "2 kB", "1.5 MB"]


def test_the_navigation_asks_each_feature_once(app: Flask) -> None:
    def offer(actor: object, cooperative: object) -> list[NavItem]:
        return [NavItem("Only here", "/only-here", order=1)]

    register(offer)
    register(offer)
    try:
        with app.test_request_context("/only-here/below"):
            (item,) = [each for each in navigation() if each.label == "Only here"]
            assert item.is_current
        with app.test_request_context("/only-here-not"):
            (item,) = [each for each in navigation() if each.label == "Only here"]
            assert not item.is_current
    finally:
        from govern import navigation as module

        module._sources.pop(f"{offer.__module__}.{offer.__qualname__}")


def test_one_comes_back_to_the_same_page_after_changing_the_language(app: Flask) -> None:
    with app.test_request_context("/members?q=a&page=2"):
        assert here() == "/members?q=a&page=2"
    with app.test_request_context("/members/new", method="POST"):
        assert here() == "/members/new"


def test_the_layout_offers_no_link_that_leads_nowhere(app: Flask) -> None:
    with app.test_request_context("/"):
        assert has_endpoint("static")
        assert not has_endpoint("there.is_none")


# -- what the Content-Security-Policy would refuse, in any template ------------------------------

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "email" not in path.parts]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_carries_style_or_script_of_its_own(path: Any) -> None:
    source = path.read_text()
    assert not re.search(r"<[^>]*\sstyle\s*=", source), "a style attribute"
    assert "<style" not in source
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", source), "an event handler"
    assert not re.search(r"hx-on|hx-vals=.js:|javascript:", source)
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in tag or 'type="application/json"' in tag, tag


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_posts_carries_a_token(path: Any) -> None:
    source = path.read_text()
    for form in re.findall(r"<form\b.*?</form>", source, re.DOTALL):
        if re.search(r'method="post"', form, re.IGNORECASE):
            assert re.search(r"csrf|hidden_tag", form), form[:200]
