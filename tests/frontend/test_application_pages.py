"""The booth's and the trustee's pages as the application renders them, used by a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govern.access import SYSTEM
from govern.voting.services import elections
from tests.browser import check_page, record_of
from tests.voting.holding import Held, Holding

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PHRASE = "quatre mots sans lien"


@pytest.fixture
def enter(client: Any, sign_in: Callable[..., None]) -> Callable[[Page, str, Any], None]:
    """``enter(page, server, account)``: the browser page is signed in as that account."""

    def sign_page_in(page: Page, server: str, account: Any) -> None:
        sign_in(client, account)
        name = client.application.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": server}])

    return sign_page_in


def address(server: str, held: Held, path: str) -> str:
    """Where one of the election's pages is. Ends the test's transaction: the server must write."""
    found = f"{server}/elections/{held.election.public_id}/{path}"
    held.session.commit()
    return found


def press(page: Page, action: str) -> None:
    """Press the button of a step; its name does not change with the language."""
    page.locator(f"[data-action={action}]:visible").click()


@pytest.mark.parametrize(("width", "language"), [(360, "fr"), (1280, "en")])
def test_a_member_votes_on_the_application_s_own_page(
    width: int,
    language: str,
    holding: Holding,
    live_server: str,
    open_page: Callable[..., Page],
    enter: Callable[[Page, str, Any], None],
) -> None:
    held = holding.opened()
    voter = held.voters[0]
    account = holding.account_of(voter)
    account.language = language
    held.session.commit()
    page = open_page(width=width, language=language)
    enter(page, live_server, account)
    page.goto(address(live_server, held, "booth"))
    page.locator("[data-action=to_review]").wait_for()
    check_page(page, name="booth-choose")
    page.locator("input[name=q0][value='1']").check()
    page.locator("input[name=q1][value='0']").check()
    page.locator("input[name=q1][value='2']").check()
    press(page, "to_review")
    check_page(page, name="booth-review")
    press(page, "to_code")
    page.locator("#booth-code").fill(voter.code)
    check_page(page, name="booth-code")
    press(page, "to_seal")
    page.locator("[data-action=cast]").wait_for()
    check_page(page, name="booth-sealed")
    with page.expect_request("**/cast*") as sent:
        press(page, "cast")
    page.locator("[data-receipt=tracker]").wait_for()
    check_page(page, name="booth-receipt")
    tracker = page.locator("[data-receipt=tracker]").inner_text()
    body = sent.value.post_data or ""
    assert list(json.loads(body)) == ["ballot"]
    assert voter.code not in body
    page.locator("a[href*='/board?tracker=']").click()
    page.wait_for_url("**/board?tracker=*")
    assert tracker in page.locator("main").inner_text()


def test_a_trustee_makes_a_key_on_the_application_s_own_page_and_later_opens_the_count(
    holding: Holding,
    live_server: str,
    open_page: Callable[..., Page],
    enter: Callable[[Page, str, Any], None],
    tmp_path: Path,
) -> None:
    held = holding.draft()
    elections.start_keys(held.session, SYSTEM, held.election)
    held.session.commit()
    account = held.trustee_accounts[0]
    page = open_page(width=360)
    enter(page, live_server, account)
    page.goto(address(live_server, held, "trustee"))
    page.locator("[data-action=generate]").wait_for()
    page.locator("#trustee-passphrase").fill(PHRASE)
    check_page(page, name="trustee-generate")
    page.locator("#trustee-again").fill(PHRASE)
    with page.expect_download() as download:
        press(page, "generate")
    file = tmp_path / "key.age"
    download.value.save_as(file)
    page.locator("#trustee-file").set_input_files(file)
    page.locator("#trustee-passphrase").fill(PHRASE)
    check_page(page, name="trustee-read-back")
    press(page, "read_back")
    page.locator("#trustee[data-step=key_sent]").wait_for()

    held.session.expire_all()
    elections.fix_election(held.session, SYSTEM, held.election)
    held.session.commit()
    vote_and_close(holding, held)
    enter(page, live_server, account)  # days have passed: the first sign-in has ended
    page.goto(address(live_server, held, "trustee"))
    page.locator("#trustee-file").set_input_files(file)
    page.locator("#trustee-passphrase").fill(PHRASE)
    check_page(page, name="trustee-decrypt")
    press(page, "decrypt")
    page.locator("#trustee[data-step=sent]").wait_for()
    check_page(page, name="trustee-sent")
    holding.run_jobs()
    held.session.refresh(held.election)
    assert held.election.state == "published"
    assert record_of(page).problems == []


def vote_and_close(holding: Holding, held: Held) -> None:
    """Six members vote, one of them twice where that is allowed; the box is closed."""
    holding.opened(holding.with_credentials(held))
    for voter in held.voters:
        held.cast(voter)
    holding.tallied(held)
