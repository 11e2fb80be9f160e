"""The style guide shows every component, so what holds here holds for what pages are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from govern.app import create_app
from govern.config import Config
from govern.cooperatives.models import ACCENTS
from tests.browser import DESK, TELEPHONE, check_page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [TELEPHONE, DESK])
def test_every_component_is_accessible_and_fits(
    live_server: str, open_page: Callable[..., Any], width: int, scheme: str, language: str
) -> None:
    page = open_page(width=width, scheme=scheme, language=language)
    check_page(page, f"{live_server}/styleguide?flash=1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_every_accent_keeps_its_contrast(
    live_server: str, open_page: Callable[..., Any], accent: str, scheme: str
) -> None:
    check_page(open_page(scheme=scheme), f"{live_server}/styleguide?accent={accent}")


def test_an_error_page_is_a_page_like_any_other(
    live_server: str, open_page: Callable[..., Any]
) -> None:
    check_page(open_page(width=TELEPHONE), f"{live_server}/there-is-no-such-page", status=404)


def test_the_text_can_be_four_times_as_large(
    live_server: str, open_page: Callable[..., Any]
) -> None:
    """A desk of 1280 px at 400 % has the room of 320 px (WCAG 1.4.10)."""
    check_page(open_page(width=320), f"{live_server}/styleguide")


def test_the_page_works_without_javascript(live_server: str, open_page: Callable[..., Any]) -> None:
    page = open_page(width=TELEPHONE, java_script_enabled=False)
    page.goto(f"{live_server}/styleguide")
    summary = page.locator("main summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("main details").first.get_attribute("open") is not None


def test_the_first_stop_of_the_keyboard_leads_to_the_content(
    live_server: str, open_page: Callable[..., Any]
) -> None:
    page = open_page()
    page.goto(f"{live_server}/styleguide")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_production_has_no_style_guide(config: Config) -> None:
    app: Flask = create_app(
        config.with_changes(environment="production", public_url="https://example.org")
    )
    assert "styleguide.show" not in app.view_functions


@pytest.mark.parametrize("width", [TELEPHONE, DESK])
def test_the_language_can_be_changed_on_every_page_and_the_page_stays(
    live_server: str, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(width=width)
    page.goto(f"{live_server}/styleguide?accent=blue")
    page.locator("details.language summary").click()
    page.get_by_role("button", name="Nederlands").click()
    page.wait_for_url("**/styleguide?accent=blue")
    assert page.evaluate("document.documentElement.lang") == "nl"
    assert page.get_by_role("link", name="Aanmelden").is_visible()
