"""The pages of the register to look at: the list of members, one's own, the roll."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pypdf
import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.mail import OutboxMail
from govern.register.models import EndReason, ImportBatch, Membership, RollEntry
from govern.register.services import freeze_roll, ledger, members, take_roll
from tests.register.conftest import csv_file, row

Make = Callable[..., Membership]
MEMBERS = "/smartcoop/register/members"

# A form that will not work with the next version of a library is a mistake today.
pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")


@pytest.fixture(autouse=True)
def _in_june_2018(clock: Any) -> None:
    """The clock stands still before anybody is given a role."""


# -- the list ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"An Peeters", "Zoé Vermeulen", "Atelier CV"}),
        ("?q=vermeulen+ZOE", {"Zoé Vermeulen"}),
        ("?q=8", {"Zoé Vermeulen", "Atelier CV"}),
        ("?q=0871.985", {"Atelier CV"}),
        ("?q=verelst", {"Atelier CV"}),
        ("?q=gent", {"An Peeters", "Zoé Vermeulen", "Atelier CV"}),
        ("?q=%25", {"An Peeters", "Zoé Vermeulen", "Atelier CV"}),
        ("?kind=legal", {"Atelier CV"}),
        ("?kind=natural", {"An Peeters", "Zoé Vermeulen"}),
        ("?category=B", {"Atelier CV"}),
        ("?email=none", {"An Peeters", "Atelier CV"}),
        ("?state=unpaid", {"Zoé Vermeulen"}),
        ("?state=ended", {"Gone Peeters"}),
        ("?state=all&q=peeters", {"An Peeters", "Gone Peeters"}),
        (
            "?state=nonsense&kind=nonsense&page=nonsense",
            {"An Peeters", "Zoé Vermeulen", "Atelier CV"},
        ),
        ("?q=nobody+at+all", set()),
    ],
)
def test_the_list_finds_who_is_looked_for(
    query: str,
    names: set[str],
    registrar: FlaskClient,
    session: Session,
    make_member: Make,
    clock: Any,
) -> None:
    make_member("7")
    zoe = make_member("8", given_name="Zoé", family_name="Vermeulen", email="z@example.org")
    ledger.subscribe_shares(session, SYSTEM, zoe, 1, date(2018, 5, 1))
    make_member("9", organisation_name="Atelier CV")
    gone = make_member("10", given_name="Gone")
    members.end_membership(session, SYSTEM, gone, date(2018, 5, 1), EndReason.RESIGNATION)
    page = registrar.get(MEMBERS + query).text
    everybody = {"An Peeters", "Zoé Vermeulen", "Atelier CV", "Gone Peeters"}
    assert {name for name in everybody if f">{name}</a>" in page} == names


def test_the_member_with_exactly_that_number_stands_first(
    registrar: FlaskClient, make_member: Make
) -> None:
    make_member("12", given_name="Abel", family_name="Aerts")
    make_member("2", given_name="Zoé", family_name="Vermeulen")
    page = registrar.get(f"{MEMBERS}?q=2").text
    assert page.index("Zoé Vermeulen") < page.index("Abel Aerts")


def test_an_empty_register_says_what_to_do_first(registrar: FlaskClient) -> None:
    page = registrar.get(MEMBERS).text
    assert "The register is empty" in page
    assert "/smartcoop/register/imports" in page


def test_the_list_is_in_pages(
    registrar: FlaskClient, session: Session, import_file: Callable[..., ImportBatch]
) -> None:
    import_file(csv_file(*(row(str(n), f"Name{n:03}", email="") for n in range(1, 121))))
    page = registrar.get(f"{MEMBERS}?page=3").text
    assert "An Name101" in page
    assert "An Name100" not in page
    assert "101 to 120 of 120" in page
    assert "An Name120" in registrar.get(f"{MEMBERS}?page=99").text


def test_an_export_can_be_imported_again_and_is_safe_to_open(
    registrar: FlaskClient, session: Session, import_file: Callable[..., ImportBatch]
) -> None:
    evil = "=HYPERLINK(1)"
    import_file(csv_file(row("7"), row("8", evil, "Bo", email="bo@example.org")))
    text = registrar.get("/smartcoop/register/members.csv").text
    assert "'=HYPERLINK(1)" in text
    again = import_file(text.encode())
    assert (again.counts["unchanged"], again.counts["bad"]) == (2, 0)

    content = registrar.get("/smartcoop/register/members.xlsx").data
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0][0] == "Member number"
    assert evil in [line[1] for line in cells]
    assert sheet["B2"].data_type in ("s", "inlineStr")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert date(2018, 3, 1) in rows[1]
    assert 30.0 in rows[1]
    again = import_file(content)
    assert (again.counts["unchanged"], again.counts["bad"]) == (2, 0)


def test_an_auditor_sees_the_book_without_contact_data(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
    make_member: Make,
) -> None:
    made = make_member("7", email="an@example.org", birth_date=date(1980, 2, 1))
    sign_in(client, make_account("Axel", roles=[(cooperative, Role.AUDITOR)]))
    page = client.get(f"{MEMBERS}/{made.public_id}").text
    assert "An Peeters" in page
    for secret in ("an@example.org", "Kerkstraat", "1980", "Record a payment"):
        assert secret not in page
    export = client.get("/smartcoop/register/members.csv").text
    assert "Peeters" in export
    assert "an@example.org" not in export
    assert client.get(f"{MEMBERS}/{made.public_id}/payment").status_code == 403


# -- one's own --------------------------------------------------------------------------------


def test_members_see_their_own_and_nobody_elses(
    member: tuple[FlaskClient, Membership], make_member: Make
) -> None:
    browser, own = member
    other = make_member("8", given_name="Bo")
    page = browser.get("/smartcoop/me").text
    assert "An Peeters" in page
    assert "an@example.org" in page
    assert "Bo Peeters" not in page
    assert browser.get(MEMBERS).status_code == 403
    assert browser.get(f"/smartcoop/me/{other.public_id}/certificate.pdf").status_code == 404
    assert browser.post(f"/smartcoop/me/{other.public_id}/certificate").status_code == 404
    answer = browser.post(f"/smartcoop/me/{own.public_id}/certificate", follow_redirects=True)
    text = " ".join(pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text().split())
    assert "An Peeters held 2 shares" in text
    assert "Certificate of shares" in text
    assert answer.headers["Content-Disposition"].endswith("smartcoop-certificate-7.pdf")


def test_a_member_who_moves_changes_the_address_of_the_register(
    member: tuple[FlaskClient, Membership], make_member: Make, session: Session
) -> None:
    browser, own = member
    other = make_member("8", given_name="Bo")
    session.commit()
    address = f"/smartcoop/me/{own.public_id}/address"
    typed = {"street": "Rue Neuve 1", "postal_code": "5000", "town": "Namur", "country": "Atlantis"}
    page = browser.post(address, data={**typed, "language": "fr"})
    assert page.status_code == 422
    assert 'value="Rue Neuve 1"' in page.text
    moved = {**typed, "country": "Belgique", "language": "fr", "email": "thief@example.org"}
    elsewhere = f"/smartcoop/me/{other.public_id}/address"
    assert browser.post(elsewhere, data=moved).status_code == 404
    for _sent_again in range(2):
        assert browser.post(address, data=moved).location == "/smartcoop/me"
    session.refresh(own)
    assert (own.street, own.postal_code, own.town, own.country) == (
        "Rue Neuve 1", "5000", "Namur", "BE",
    )  # fmt: skip
    assert (own.email, own.language) == ("an@example.org", "fr")
    [mail] = session.scalars(select(OutboxMail)).all()
    assert mail.to_address == "an@example.org"
    assert mail.language == "fr"
    session.refresh(other)
    assert other.street != "Rue Neuve 1"


def test_a_certificate_is_the_same_as_long_as_the_register_is(
    member: tuple[FlaskClient, Membership], session: Session, clock: Any
) -> None:
    browser, own = member
    address = f"/smartcoop/me/{own.public_id}/certificate"
    assert browser.get(f"{address}.pdf").status_code == 404
    first = browser.post(address, follow_redirects=True).data
    assert browser.post(address, follow_redirects=True).data == first
    ledger.subscribe_shares(session, SYSTEM, own, 1, date(2018, 5, 1))
    assert browser.get(f"{address}.pdf").data == first
    assert browser.post(address, follow_redirects=True).data != first


def test_somebody_without_a_membership_is_told_so(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
) -> None:
    sign_in(client, make_account("Nobody"))
    assert "You are not a member here" in client.get("/smartcoop/me").text
    client.post("/sign-out")


# -- rolls ------------------------------------------------------------------------------------


def test_a_member_sees_the_roll_and_the_own_standing(
    member: tuple[FlaskClient, Membership],
    registrar: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    clock: Any,
) -> None:
    browser, _own = member
    make_member("8", given_name="Bo")
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 5, 1), "Assembly of June")
    freeze_roll(session, SYSTEM, roll)
    session.commit()
    address = f"/smartcoop/rolls/{roll.public_id}"
    page = browser.get(address).text
    assert "You are on the roll, with 2 paid shares." in page
    assert roll.digest in page
    for hidden in ("entries", "correct", "canonical.jsonl"):
        assert f"{address}/{hidden}" not in page
        assert browser.get(f"{address}/{hidden}").status_code == 403

    form = {"member_number": "7", "action": "remove", "reason": "was on the list twice"}
    assert registrar.post(f"{address}/correct", data=form).location == address
    page = browser.get(address).text
    assert "You are not on the roll." in page
    assert "was on the list twice" in page
    assert "before the vote opens" in page
    entries = registrar.get(f"{address}/entries").text
    assert "Bo Peeters" in entries
    assert "An Peeters" not in entries
    assert "Nobody was found" in registrar.get(f"{address}/entries?q=xyzzy").text
    assert "Bo Peeters" in registrar.get(f"{address}/entries.csv").text
    lines = registrar.get(f"{address}/canonical.jsonl").data
    session.refresh(roll)
    assert hashlib.sha256(lines).hexdigest() == roll.digest
    assert "Assembly of June" in registrar.get("/smartcoop/rolls").text
    wrong = registrar.post(f"{address}/correct", data={**form, "member_number": "99"})
    assert "Nobody has the member number" in wrong.text
    again = registrar.post(f"{address}/correct", data=form)
    assert again.status_code == 409
    assert session.scalars(select(RollEntry.member_number)).all() == ["8"]
