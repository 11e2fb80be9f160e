"""The pages in a real browser, on a telephone and at a desk, in French and English."""

from __future__ import annotations

import re
from datetime import date

import pytest

from govern.access import SYSTEM, Role
from govern.accounts.services import grant_role
from govern.home import hooks
from govern.home.hooks import HomeItem
from govern.mail.queueing import read_content
from tests.browser import DESK, TELEPHONE, check_page, press

from .conftest import PASSWORD

pytestmark = pytest.mark.browser

WIDTHS_AND_LANGUAGES = [(TELEPHONE, "fr"), (DESK, "en")]


@pytest.fixture
def people(session, make_cooperative, make_account, register, monkeypatch):
    """Ada administers, is a member and has something to do; two others share an address."""
    be = make_cooperative(
        "smartcoop", "SmartCoop", legal_form="SC agréée comme entreprise sociale", accent="red"
    )
    make_cooperative("smartfr", "La Nouvelle Aventure", country="FR", legal_form="SCIC SA")
    make_cooperative("smartnl", "Smart Nederland", country="NL", status="on_hold")
    ada = make_account(
        "Ada Van den Bossche-Lambert",
        email="ada.vandenbossche-lambert@a-rather-long-domain.example.org",
        password=PASSWORD,
        roles=[(be, Role.ADMINISTRATOR), (be, Role.TRUSTEE)],
    )
    register.add("Ada", (be, "12345"), account=ada)
    register.add("Ben", (be, "7"), email="home@example.org")
    register.add("Cleo", (be, "8"), email="home@example.org")
    grant = grant_role(session, SYSTEM, make_account("Olga"), be.id, Role.AUDITOR)
    items = [
        HomeItem(
            "Vote in the general assembly of 19 June 2018",
            "Seven resolutions, four minutes.",
            due=date(2018, 6, 19),
            href="/smartcoop/",
            tone="warn",
        ),
        HomeItem("Read the minutes", href="/smartcoop/"),
    ]
    monkeypatch.setattr(
        hooks.home_items, "_functions", {"test": lambda session, actor, account_id: items}
    )
    made = grant.public_id
    # Nothing may stay open: the server could not write.
    session.commit()
    return {"grant": made}


@pytest.mark.parametrize(("width", "language"), WIDTHS_AND_LANGUAGES)
def test_the_pages_of_a_stranger(live_server, open_page, people, width, language):
    page = open_page(width=width, language=language)
    check_page(page, f"{live_server}/", name="home-stranger")
    check_page(page, f"{live_server}/smartcoop/")
    check_page(page, f"{live_server}/sign-in")
    page.fill("#identifier", "12345")
    page.fill("#password", "not the right one")
    press(page, "form[action='/sign-in'] .button.primary")
    check_page(page, name="sign-in-wrong")
    assert page.input_value("#identifier") == "12345"
    press(page, "[formaction]")
    page.wait_for_url(f"{live_server}/sign-in/link")
    check_page(page, name="link-sent")


@pytest.mark.parametrize(("width", "language"), WIDTHS_AND_LANGUAGES)
def test_a_link_leads_two_who_share_an_address_to_a_choice(
    live_server, open_page, session, people, width, language, mails
):
    page = open_page(width=width, language=language)
    page.goto(f"{live_server}/sign-in")
    page.fill("#identifier", "home@example.org")
    press(page, "[formaction]")
    page.wait_for_url(f"{live_server}/sign-in/link")
    link = re.search(r"http://localhost(/\S+)", read_content(mails()[0]).text).group(1)
    session.commit()
    check_page(page, f"{live_server}{link}", name="link-choice")
    page.check("input[value='person:2']")
    press(page, "main .button.primary")
    page.wait_for_url(f"{live_server}/")
    check_page(page, name="home-first-time")


@pytest.mark.parametrize(("width", "language"), WIDTHS_AND_LANGUAGES)
def test_the_pages_of_a_person(live_server, open_page, people, width, language):
    page = open_page(width=width, language=language)
    page.goto(f"{live_server}/profile")
    page.fill("#identifier", "12345")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server}/profile")
    page.select_option("#language", language)
    press(page, "form[action='/language'] .button.secondary")
    page.wait_for_url(f"{live_server}/profile")
    check_page(page)
    check_page(page, f"{live_server}/", name="home-person")
    check_page(page, f"{live_server}/profile/password")
    page.fill("#present", PASSWORD)
    page.fill("#password", "password1234")
    press(page, "main .button.primary")
    check_page(page, name="password-weak")
    check_page(page, f"{live_server}/smartcoop/roles")
    check_page(page, f"{live_server}/smartcoop/roles/{people['grant']}/end", name="end-role")
    page.goto(f"{live_server}/smartcoop/roles")
    page.fill("#identifier", "home@example.org")
    press(page, "main .button.primary")
    check_page(page, name="choose-appointee")
    page.goto(f"{live_server}/smartcoop/roles")
    page.fill("#identifier", "who@example.org")
    press(page, "main .button.primary")
    check_page(page, name="roles-unknown")


def test_the_address_of_somebody_outside_the_register_is_changed_on_a_telephone(
    live_server, open_page, session, people, make_account, mails
):
    make_account("Olga", email="olga@example.org", password=PASSWORD)
    page = open_page(width=TELEPHONE, language="en")
    page.goto(f"{live_server}/profile/email")
    page.fill("#identifier", "olga@example.org")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server}/profile/email")
    check_page(page, name="email")
    page.fill("#email", "new@example.org")
    page.fill("#present", PASSWORD)
    press(page, "main .button.primary")
    page.wait_for_url(f"{live_server}/profile")
    text = read_content(mails("account")[0]).text
    link = re.search(r"http://localhost(/profile/email/\S+)", text).group(1)
    session.commit()
    check_page(page, f"{live_server}{link}", name="email-confirm")
    press(page, "main .button.primary")
    page.wait_for_url(f"{live_server}/profile")
    assert "new@example.org" in page.inner_text("main")


def test_the_language_changes_on_every_page_and_keeps_the_place(live_server, open_page, people):
    page = open_page(width=TELEPHONE)
    page.goto(f"{live_server}/sign-in?next=/profile")
    page.click("details.language summary")
    page.click("details.language button[value='fr']")
    page.wait_for_url(f"{live_server}/sign-in?next=/profile")
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.fill("#identifier", "12345")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server}/profile")


def test_one_signs_out_from_any_page(live_server, open_page, people):
    page = open_page()
    page.goto(f"{live_server}/sign-in")
    page.fill("#identifier", "12345")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server}/")
    page.click("details.person summary")
    page.click("details.person button")
    page.wait_for_url(f"{live_server}/")
    assert "You are signed out." in page.inner_text("main")


def test_everything_works_without_scripts(live_server, open_page, people):
    page = open_page(width=TELEPHONE, java_script_enabled=False)
    page.goto(f"{live_server}/sign-in")
    page.fill("#identifier", "12345")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server}/")
    page.goto(f"{live_server}/smartcoop/roles")
    page.fill("#identifier", "7")
    page.select_option("#role", "registrar")
    press(page)
    page.wait_for_url(f"{live_server}/smartcoop/roles")
    assert "Ben" in page.inner_text("main")
