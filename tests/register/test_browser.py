"""The pages of the register in a real browser, on a telephone and at a desk, in two languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.register.models import EndReason, Membership
from govern.register.services import correct_roll, freeze_roll, ledger, members, take_roll
from govern.register.services.accounts import open_person_account
from tests.browser import DESK, TELEPHONE, check_page, press
from tests.register.conftest import DATA, csv_file

pytestmark = pytest.mark.browser

PASSWORD = "four quiet herons walk"
SIZES = [(TELEPHONE, "fr"), (DESK, "en")]
LONG = "Coopérative européenne des métiers artistiques et techniques du spectacle vivant"


@pytest.fixture(autouse=True)
def _in_june_2018(clock: Any) -> None:
    """The clock stands still before anybody is given a role."""


@pytest.fixture
def officer(cooperative: Cooperative, make_account: Callable[..., Any]) -> Any:
    return make_account(
        "Rita Registrar",
        email="rita@example.org",
        password=PASSWORD,
        roles=[(cooperative, Role.REGISTRAR), (cooperative, Role.SECRETARY)],
    )


def enter(page: Any, server: str, identifier: str = "rita@example.org") -> None:
    page.goto(f"{server}/sign-in")
    page.fill("#identifier", identifier)
    page.fill("#password", PASSWORD)
    press(page, "form[action='/sign-in'] .button.primary")


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_registrar_imports_a_register(
    live_server: str,
    open_page: Callable[..., Any],
    officer: Any,
    session: Session,
    run_jobs: Callable[[], int],
    width: int,
    language: str,
    tmp_path: Path,
) -> None:
    officer.language = language
    session.commit()
    page = open_page(width=width, language=language)
    enter(page, live_server)
    base = f"{live_server}/smartcoop/register"
    check_page(page, f"{base}/members", name="members-empty")
    check_page(page, f"{base}/imports", name="imports-empty")
    page.set_input_files("#file", DATA / "register-fr.xlsx")
    press(page, "main .button.primary")
    check_page(page, name="import-working")
    address = page.url
    run_jobs()
    # The page follows the work by itself.
    page.wait_for_selector("#problems", timeout=30_000)
    check_page(page, name="import-preview")
    check_page(page, f"{address}/columns", name="import-columns")
    page.goto(address)
    with page.expect_navigation():
        page.click("form[action$='/confirm'] .button.primary")
    run_jobs()
    page.wait_for_selector("a[href$='mend.csv']", timeout=30_000)
    check_page(page, name="import-done")
    check_page(page, f"{base}/imports", name="imports")
    check_page(page, f"{base}/members?page=3", name="members")
    check_page(page, f"{base}/members?q=nobody+here", name="members-nobody")

    later = tmp_path / "later.csv"
    later.write_bytes(csv_file("x;y", header="Kolom;Andere"))
    page.goto(f"{base}/imports")
    page.set_input_files("#file", later)
    press(page, "main .button.primary")
    check_page(page, name="import-columns-unknown")
    press(page, "main .button.primary")
    check_page(page, name="import-columns-refused")


@pytest.fixture
def furnished(
    session: Session, make_member: Callable[..., Membership], cooperative: Cooperative
) -> dict[str, Membership]:
    cooperative.email = "register@smartcoop.example.org"
    made = make_member("7", shares=3, email="an@example.org", birth_date=date(1980, 2, 1))
    other = make_member("8", given_name="Bo", shares=0)
    entries = ledger.transfer_shares(session, SYSTEM, made, other, 1, date(2018, 5, 1))
    ledger.reverse_act(session, SYSTEM, entries[0], "entered for the wrong member")
    ledger.subscribe_shares(session, SYSTEM, made, 1, date(2018, 5, 2))
    members.change_category(session, SYSTEM, made, "B", date(2018, 5, 3))
    firm = make_member("9", organisation_name=LONG, email="firm@example.org")
    members.change_representative(session, SYSTEM, firm, date(2018, 5, 1), member_number="7")
    gone = make_member("10", given_name="Gone")
    members.end_membership(
        session, SYSTEM, gone, date(2018, 5, 1), EndReason.DEATH, "told by the family"
    )
    session.commit()
    return {"made": made, "firm": firm, "gone": gone, "other": other}


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_registrar_keeps_the_register(
    live_server: str,
    open_page: Callable[..., Any],
    officer: Any,
    session: Session,
    furnished: dict[str, Membership],
    width: int,
    language: str,
) -> None:
    officer.language = language
    session.commit()
    page = open_page(width=width, language=language)
    enter(page, live_server)
    base = f"{live_server}/smartcoop/register/members"
    ids = {name: member.public_id for name, member in furnished.items()}
    session.commit()
    check_page(page, f"{base}?state=all", name="list")
    for name in ("made", "firm", "gone"):
        check_page(page, f"{base}/{ids[name]}", name=f"member-{name}")
    for path in (
        "payment",
        "subscription",
        "transfer",
        "refund",
        "contact",
        "identity",
        "category",
        "leaving/past",
        "entries/1/reverse",
    ):
        check_page(page, f"{base}/{ids['made']}/{path}", name=path.replace("/", "-"))
    check_page(page, f"{base}/{ids['firm']}/representative", name="representative")
    check_page(page, f"{base}/new/organisation", name="new-organisation")
    press(page, "main .button.primary")
    check_page(page, name="new-organisation-refused")

    # By keyboard: a person is admitted, and what was refused keeps what was typed.
    check_page(page, f"{base}/new/person", name="new-person")
    page.focus("#given_name")
    page.keyboard.type("Zoé")
    page.keyboard.press("Tab")
    page.keyboard.type("Vermeulen")
    page.fill("#shares", "deux")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    check_page(page, name="new-person-refused")
    assert page.input_value("#given_name") == "Zoé"
    assert page.input_value("#shares") == "deux"
    page.fill("#shares", "2")
    page.fill("#joined_on", "2018-05-30")
    press(page, "main .button.primary")
    assert "Zoé Vermeulen" in page.inner_text("h1")


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_member_looks_at_the_own_membership_the_rules_and_the_roll(
    live_server: str,
    open_page: Callable[..., Any],
    officer: Any,
    session: Session,
    cooperative: Cooperative,
    furnished: dict[str, Membership],
    clock: Any,
    width: int,
    language: str,
) -> None:
    from govern.accounts.services import set_password

    account = open_person_account(session, furnished["made"].person_id or 0)
    assert account is not None
    account.language = language
    set_password(session, SYSTEM, account, PASSWORD)
    roll = take_roll(
        session,
        SYSTEM,
        cooperative,
        date(2018, 5, 31),
        "Assemblée générale du 19 juin 2018",
        objections_until=clock.now + timedelta(days=9),
    )
    freeze_roll(session, SYSTEM, roll)
    correct_roll(
        session, SYSTEM, roll, furnished["firm"], "the firm had resigned by letter", remove=True
    )
    address = f"{live_server}/smartcoop/rolls/{roll.public_id}"
    session.commit()
    page = open_page(width=width, language=language)
    enter(page, live_server, "7")
    check_page(page, f"{live_server}/smartcoop/me", name="me")
    check_page(page, f"{live_server}/smartcoop/rules", name="rules")
    check_page(page, address, name="roll-member")
    check_page(page, f"{live_server}/", name="home")

    page = open_page(width=width, language=language)
    enter(page, live_server)
    check_page(page, f"{live_server}/smartcoop/rolls", name="rolls")
    check_page(page, address, name="roll-officer")
    check_page(page, f"{address}/entries", name="roll-entries")
    check_page(page, f"{address}/correct", name="roll-correct")
