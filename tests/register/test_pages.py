"""The pages of the register, as a registrar and as a member meet them."""

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
from govern.register.models import EndReason, ImportBatch, Membership, RollEntry, ShareEntry
from govern.register.services import freeze_roll, ledger, members, take_roll
from govern.register.services.accounts import open_person_account
from govern.register.services.members import membership_by_number
from tests.register.conftest import DATA, csv_file, row

Make = Callable[..., Membership]
MEMBERS = "/smartcoop/register/members"
IMPORTS = "/smartcoop/register/imports"

# A form that will not work with the next version of a library is a mistake today.
pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")


@pytest.fixture(autouse=True)
def _in_june_2018(clock: Any) -> None:
    """The clock stands still before anybody is given a role."""


@pytest.fixture
def registrar(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
) -> FlaskClient:
    sign_in(client, make_account("Rita Registrar", roles=[(cooperative, Role.REGISTRAR)]))
    return client


@pytest.fixture
def member(
    app: Any, session: Session, make_member: Make, sign_in: Callable[..., None]
) -> tuple[FlaskClient, Membership]:
    """A signed-in member, number 7."""
    made = make_member("7", shares=2, email="an@example.org")
    account = open_person_account(session, made.person_id or 0)
    session.commit()
    browser = app.test_client()
    sign_in(browser, account)
    return browser, made


def upload(client: FlaskClient, content: bytes, name: str = "register.csv") -> Any:
    return client.post(
        IMPORTS, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data"
    )


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
    assert IMPORTS in page


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


# -- what a registrar does --------------------------------------------------------------------

ADMISSION = {
    "given_name": "Zoé",
    "family_name": "Vermeulen",
    "birth_date": "1980-02-01",
    "language": "fr",
    "email": "z@example.org",
    "street": "Rue 1",
    "postal_code": "4000",
    "town": "Liège",
    "country": "Belgique",
    "category": "A",
    "joined_on": "2018-05-02",
    "shares": "2",
    "paid": "60,00",
}


def test_a_person_is_admitted_by_the_form(
    registrar: FlaskClient, session: Session, cooperative: Cooperative, clock: Any
) -> None:
    assert registrar.get(f"{MEMBERS}/new/person").status_code == 200
    answer = registrar.post(f"{MEMBERS}/new/person", data=ADMISSION)
    made = membership_by_number(session, cooperative.id, "1")
    assert made is not None
    assert answer.location == f"{MEMBERS}/{made.public_id}"
    page = registrar.get(answer.location).text
    assert "Zoé Vermeulen" in page
    assert "The member was admitted." in page
    # The same again: asked whether it is somebody else; nothing that was typed is lost.
    again = registrar.post(f"{MEMBERS}/new/person", data=ADMISSION)
    assert again.status_code == 409
    assert "Member 1, Zoé Vermeulen" in again.text
    assert 'value="Rue 1"' in again.text
    assert "accept_duplicate" in again.text
    done = registrar.post(f"{MEMBERS}/new/person", data={**ADMISSION, "accept_duplicate": "y"})
    assert done.status_code == 302


def test_a_form_keeps_what_was_typed_and_names_the_field(
    registrar: FlaskClient, clock: Any
) -> None:
    wrong = {**ADMISSION, "shares": "two", "paid": "-5", "email": "geen", "given_name": ""}
    answer = registrar.post(f"{MEMBERS}/new/person", data=wrong)
    assert answer.status_code == 422
    for words in (
        "“two” is not a number of shares",
        "is negative",
        "This is needed",
        'value="two"',
    ):
        assert words in answer.text


def test_an_organisation_is_admitted_by_the_form(registrar: FlaskClient, clock: Any) -> None:
    form = {
        **ADMISSION,
        "organisation_name": "Atelier CV",
        "enterprise_number": "0871985063",
        "representative_given_name": "Victor",
        "representative_family_name": "Verelst",
    }
    answer = registrar.post(f"{MEMBERS}/new/organisation", data=form)
    assert answer.status_code == 422
    assert "check digits do not fit" in answer.text
    form["enterprise_number"] = "BE 0871.985.062"
    answer = registrar.post(f"{MEMBERS}/new/organisation", data=form)
    page = registrar.get(answer.location).text
    assert "Victor Verelst" in page
    assert "0871985062" in page


def test_the_life_of_a_membership_by_forms(
    registrar: FlaskClient, session: Session, make_member: Make, clock: Any
) -> None:
    made = make_member("7", shares=1)
    other = make_member("8", given_name="Bo")
    home = f"{MEMBERS}/{made.public_id}"
    steps = [
        ("subscription", {"shares": "2", "effective_on": "2018-05-01"}),
        ("payment", {"amount": "€ 60.00", "effective_on": "2018-05-02", "remark": "bank 17"}),
        ("transfer", {"shares": "1", "receiver": "8", "effective_on": "2018-05-03"}),
        ("refund", {"shares": "1", "effective_on": "2018-05-04"}),
        ("contact", {"language": "de", "email": "new@example.org", "town": "Eupen"}),
        ("identity", {"given_name": "Anna", "family_name": "Peeters"}),
        ("category", {"category": "C", "starts_on": "2018-05-05"}),
        ("end", {"ended_on": "2018-05-06", "reason": "resignation", "note": "by letter"}),
    ]
    for name, form in steps:
        assert registrar.get(f"{home}/{name}").status_code == 200, name
        answer = registrar.post(f"{home}/{name}", data=form)
        assert (answer.status_code, answer.location) == (302, home), name
    page = registrar.get(home).text
    for words in ("Anna Peeters", "new@example.org", "bank 17", "former member", "by letter"):
        assert words in page
    kinds = session.scalars(
        select(ShareEntry.kind)
        .where(ShareEntry.membership_id == made.id)
        .order_by(ShareEntry.sequence)
    ).all()
    assert kinds[2:] == ["subscription", "payment", "transfer_out", "refund"]
    assert registrar.get(f"{MEMBERS}/{other.public_id}").status_code == 200


def test_a_wrong_entry_is_taken_back_by_the_form(
    registrar: FlaskClient, session: Session, make_member: Make, clock: Any
) -> None:
    made = make_member("7")
    address = f"{MEMBERS}/{made.public_id}/entries/2/reverse"
    assert "opposite sign" in registrar.get(address).text
    assert registrar.post(address, data={"reason": "no"}).status_code == 422
    assert registrar.post(address, data={"reason": "entered for the wrong member"}).location
    assert "taken back" in registrar.get(f"{MEMBERS}/{made.public_id}").text
    assert registrar.get(f"{MEMBERS}/{made.public_id}/entries/99/reverse").status_code == 404


def test_a_representative_is_named_by_the_form(
    registrar: FlaskClient, make_member: Make, clock: Any
) -> None:
    firm = make_member("9", organisation_name="Atelier CV")
    make_member("7")
    home = f"{MEMBERS}/{firm.public_id}"
    answer = registrar.post(
        f"{home}/representative", data={"member_number": "7", "starts_on": "2018-05-01"}
    )
    assert answer.location == home
    assert "An Peeters: since 1 May 2018" in registrar.get(home).text
    assert registrar.post(
        f"{home}/identity",
        data={"organisation_name": "Atelier BV", "enterprise_number": "0871985062"},
    ).location


def test_what_is_refused_stands_beside_its_field(
    registrar: FlaskClient, make_member: Make, clock: Any
) -> None:
    made = make_member("7")
    home = f"{MEMBERS}/{made.public_id}"
    too_much = registrar.post(
        f"{home}/payment", data={"amount": "1000", "effective_on": "2018-05-01"}
    )
    assert too_much.status_code == 422
    assert "is more than the €0.00 still to be paid" in too_much.text
    nobody = registrar.post(
        f"{home}/transfer", data={"shares": "1", "receiver": "99", "effective_on": "2018-05-01"}
    )
    assert "Nobody has the member number “99”" in nobody.text
    assert registrar.get(f"{MEMBERS}/unknown").status_code == 404


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


# -- an import --------------------------------------------------------------------------------


def test_an_import_from_upload_to_the_rows_to_mend(
    registrar: FlaskClient, session: Session, run_jobs: Callable[[], int]
) -> None:
    answer = upload(registrar, (DATA / "register-fr.xlsx").read_bytes(), "C:\\register-fr.xlsx")
    page = registrar.get(answer.location).text
    assert "being read and compared" in page
    assert registrar.get(f"{answer.location}/progress").json["finished"] is False
    run_jobs()
    state = registrar.get(f"{answer.location}/progress").json
    assert (state["finished"], state["href"]) == (True, answer.location)
    page = registrar.get(answer.location).text
    for words in ("392", "register-fr.xlsx", "Hold possible duplicates back"):
        assert words in page
    errors = registrar.get(f"{answer.location}?show=error").text
    assert "not a category" in errors
    assert "There is no e-mail address" not in errors
    batch = session.scalars(select(ImportBatch)).one()
    assert session.scalars(select(Membership)).all() == []
    registrar.post(f"{answer.location}/confirm", data={"plan_digest": batch.plan_digest})
    assert "being written" in registrar.get(answer.location).text
    run_jobs()
    page = registrar.get(answer.location).text
    assert "392 members were imported" in page
    mend = registrar.get(f"{answer.location}/mend.csv")
    assert "What to mend" in mend.text
    assert "register-fr-mend.csv" in mend.headers["Content-Disposition"]
    assert "Imported" in registrar.get(IMPORTS).text


def test_columns_are_named_on_the_page(
    registrar: FlaskClient, session: Session, run_jobs: Callable[[], int]
) -> None:
    header = "Kolom A;Kolom B;Kolom C;Kolom D;Kolom E;Kolom F"
    answer = upload(registrar, csv_file("7;Peeters;An;A;01/03/2018;1", header=header))
    page = registrar.get(answer.location).text
    assert "Which column holds what?" in page
    assert "Peeters" in page
    names = ("member_number", "family_name", "given_name", "category", "joined_on", "shares")
    form = {f"column-{column}": name for column, name in enumerate(names)}
    twice = registrar.post(f"{answer.location}/columns", data={**form, "column-5": "category"})
    assert twice.status_code == 422
    assert "chosen for two columns" in twice.text
    assert '<option value="given_name" selected>' in twice.text
    assert registrar.post(f"{answer.location}/columns", data=form).location == answer.location
    run_jobs()
    assert "1 new member is written" in registrar.get(answer.location).text
    # From the preview one may come back to the columns.
    assert "Which column" in registrar.get(f"{answer.location}/columns").text


def test_what_is_no_register_is_refused_at_once(registrar: FlaskClient) -> None:
    answer = upload(registrar, b"%PDF-1.7")
    assert answer.status_code == 422
    assert "neither a CSV file nor an XLSX workbook" in answer.text
    empty = registrar.post(IMPORTS, data={}, content_type="multipart/form-data")
    assert "Choose a file." in empty.text


def test_the_preview_shows_what_would_change_and_possible_duplicates(
    registrar: FlaskClient,
    session: Session,
    run_jobs: Callable[[], int],
    import_file: Callable[..., ImportBatch],
) -> None:
    import_file(csv_file(row("7")))
    answer = upload(
        registrar,
        csv_file(row("7", street="Nieuwstraat 2"), row("8", email="other@example.org")),
    )
    run_jobs()
    page = registrar.get(answer.location).text
    assert "Nieuwstraat 2" in page
    assert "Hold possible duplicates back" in page
    registrar.post(f"{answer.location}/check", data={"duplicates": "hold_back"})
    run_jobs()
    assert "Let possible duplicates in" in registrar.get(answer.location).text
    stale = registrar.post(f"{answer.location}/confirm", data={"plan_digest": "0" * 64})
    assert stale.status_code == 409
    registrar.post(f"{answer.location}/cancel")
    assert "was dropped" in registrar.get(answer.location).text
    assert registrar.get(f"{answer.location}/mend.csv").status_code == 404


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
