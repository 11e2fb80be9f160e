"""Long work is followed without a reload, and found again after one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, jsonify, render_template_string

from govern.access import public
from tests.browser import check_page

pytestmark = pytest.mark.browser

PAGE = """{% extends "base.html" %}{% from "components/ui.html" import progress %}
{% block title %}Import{% endblock %}
{% block content %}<h1>Import</h1>
{{ progress(1000, 30000, "Importing", next="Then you get a list.", url="/work.json") }}
{% endblock %}"""


class Work:
    """What the server would answer next; the last answer stays."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def state(self) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return ("", answer) if isinstance(answer, int) else jsonify(answer)


@pytest.fixture
def work(app: Flask) -> Work:
    made = Work()
    app.add_url_rule("/work", "work", public(lambda: render_template_string(PAGE)))
    app.add_url_rule("/work.json", "work_json", public(lambda: made.state()))
    app.add_url_rule("/finished", "finished", public(lambda: "<title>Finished</title>"))
    return made


def test_the_bar_moves_and_the_page_goes_on_at_the_end(
    work: Work, live_server: str, open_page: Callable[..., Any]
) -> None:
    work.answers = [
        {"done": 12000, "total": 30000, "label": "Writing members"},
        {"done": 30000, "total": 30000, "finished": True, "href": "/finished"},
    ]
    page = open_page()
    page.goto(f"{live_server}/work")
    assert page.locator("progress").get_attribute("value") == "1000"
    page.get_by_text("12,000 of 30,000").wait_for()
    assert page.locator("progress").evaluate("bar => bar.value") == 12000
    page.wait_for_url("**/finished")


def test_a_failed_question_is_asked_again(
    work: Work, live_server: str, open_page: Callable[..., Any]
) -> None:
    work.answers = [503, {"done": 5, "total": 10}]
    page = open_page()
    page.goto(f"{live_server}/work")
    page.get_by_text("5 of 10").wait_for()


def test_counts_are_written_in_the_language_of_the_page(
    work: Work, live_server: str, open_page: Callable[..., Any]
) -> None:
    work.answers = [{"done": 12000, "total": 30000}]
    page = open_page(language="de")
    page.goto(f"{live_server}/work")
    page.get_by_text("12.000 von 30.000").wait_for()


def test_a_page_with_work_in_progress_is_accessible(
    work: Work, live_server: str, open_page: Callable[..., Any]
) -> None:
    work.answers = [{"done": 12000, "total": 30000, "label": "Writing members"}]
    check_page(open_page(width=360), f"{live_server}/work")


def test_a_menu_closes_with_escape_and_gives_the_focus_back(
    work: Work, live_server: str, open_page: Callable[..., Any]
) -> None:
    work.answers = [{"done": 0, "total": 0}]
    page = open_page()
    page.goto(f"{live_server}/work")
    menu = page.locator("details.language")
    menu.locator("summary").click()
    assert menu.get_attribute("open") is not None
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
