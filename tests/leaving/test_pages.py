"""The pages of leaving: a member resigns, a registrar excludes, a treasurer pays."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.extensions import db
from govern.leaving.models import Departure, Refund
from govern.leaving.rules.exclusion import Step
from govern.leaving.services import effect, excluding, recording
from govern.leaving.views.officers import STEP_PAGES
from govern.mail.queueing import read_content
from govern.payments.models import OutgoingPayment
from govern.register.models import ShareEntry
from tests.conftest import SettableClock
from tests.leaving.conftest import IBAN, OTHER_IBAN, PDF, mails

Make = Callable[..., Any]
SignIn = Callable[[FlaskClient, Any], None]
PASSWORD = "four quiet herons walk"


def words_of(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_member_resigns_with_the_password_and_withdraws(
    client: FlaskClient,
    session: Session,
    make_member: Make,
    make_account: Make,
    sign_in: SignIn,
) -> None:
    membership = make_member(shares=2, email="an@example.org")
    account = make_account("An Peeters", password=PASSWORD)
    membership.person.account_id = account.id
    sign_in(client, account)
    base = f"/smartcoop/me/{membership.public_id}/leaving"

    page = words_of(client.get(base).text)
    assert "30 June 2018 It takes effect" in page
    assert "30 June 2021 Paid back by then: €60.00" in page
    assert "net assets and its liquidity" in page
    wrong = client.post(base, data={"holder": "An Peeters", "iban": "BE71096123456768"})
    assert wrong.status_code == 422
    assert "check digits" in wrong.text
    assert "BE71096123456768" in wrong.text

    done = client.post(base, data={"holder": "An Peeters", "iban": IBAN})
    assert done.status_code == 302
    departure = session.scalars(select(Departure)).one()
    assert departure.state == "unconfirmed"
    refused = client.post(f"{done.location}/sign", data={"present": "not my password"})
    assert refused.status_code == 422
    assert "not your present password" in refused.text
    client.post(f"{done.location}/sign", data={"present": PASSWORD})
    session.refresh(departure)
    assert (departure.state, departure.signature) == ("pending", "password")
    assert "with the password of the account" in client.get(done.location).text
    assert "under way" in client.get(base).text

    client.post(f"{done.location}/withdraw")
    session.refresh(departure)
    assert departure.state == "withdrawn"


def test_without_a_password_the_mailed_link_signs_and_no_stranger_sees_it(
    client: FlaskClient,
    session: Session,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    sign_in(client, account)
    base = f"/smartcoop/me/{membership.public_id}/leaving"
    place = client.post(base, data={"holder": "An Peeters", "iban": IBAN}).location
    assert "Your password" not in client.get(place).text
    client.post(f"{place}/link")
    content = read_content(mails(session)[0])
    assert content is not None
    link = re.findall(r"http://localhost(/smartcoop/\S+)", content.text)[0]
    opened = client.get(link)
    assert "Sign and leave" in opened.text
    assert session.scalars(select(Departure.state)).one() == "unconfirmed"

    stranger = make_account("Somebody else")
    sign_in(client, stranger)
    assert client.get(link).status_code == 404
    assert client.post(link).status_code == 404
    sign_in(client, account)
    assert client.post(link).status_code == 302
    assert session.scalars(select(Departure.state)).one() == "pending"
    assert client.post(link).status_code == 404


def test_a_request_that_waits_for_a_signature_stands_before_another_one(
    client: FlaskClient,
    clock: SettableClock,
    make_owner: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    sign_in(client, account)
    base = f"/smartcoop/me/{membership.public_id}/leaving"
    assert "<details>" not in client.get(base).text
    place = client.post(base, data={"holder": "An Peeters", "iban": IBAN}).location
    page = client.get(base).text
    assert "not signed yet" in page
    for href in (f'href="{place}"', f'action="{place}/link"', f'href="{place}/withdraw"'):
        assert page.index(href) < page.index("<details>") < page.index("Go on to sign")
    assert "Sign by the link" not in page
    client.post(f"{place}/link")
    assert "Sign by the link that we mailed to an@example.org" in client.get(base).text
    wrong = client.post(base, data={"holder": "An Peeters", "iban": "BE71096123456768"}).text
    assert "<details open>" in wrong
    clock.set(datetime(2018, 7, 1, 8, 0, tzinfo=UTC))
    sign_in(client, account)
    too_late = client.get(base).text
    assert "<details>" not in too_late
    assert "Not possible today" in too_late
    assert f'action="{place}/link"' not in too_late
    client.post(f"{place}/withdraw")
    assert "not signed yet" not in client.get(base).text


def test_outside_the_period_the_page_says_so_and_offers_no_form(
    client: FlaskClient,
    clock: SettableClock,
    make_owner: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    clock.set(datetime(2018, 8, 1, 8, 0, tzinfo=UTC))
    sign_in(client, account)
    page = client.get(f"/smartcoop/me/{membership.public_id}/leaving").text
    assert "first 6 months of the financial year only" in page
    assert "Go on to sign" not in page


def test_an_exclusion_on_the_pages_of_both_sides(
    client: FlaskClient,
    session: Session,
    clock: SettableClock,
    cooperative: Cooperative,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    registrar = make_account("Rita", roles=[(cooperative, Role.REGISTRAR)])
    sign_in(client, registrar)
    # From the member's page, giving shares back leads to what also schedules the money.
    member_page = f"/smartcoop/register/members/{membership.public_id}"
    asked = client.get(member_page).text
    assert f"{member_page}/leaving" in asked
    assert f"{member_page}/refund" not in asked
    assert f"{member_page}/refund" in client.get(f"{member_page}/leaving").text
    begun = client.post(
        f"/smartcoop/register/members/{membership.public_id}/leaving/exclusion",
        data={
            "done_on": "2018-04-10",
            "text": "Three invoices were forged.",
            "document": (BytesIO(PDF), "minutes.pdf"),
        },
    )
    place = begun.location
    own = place.replace("/register/departures/", f"/me/{membership.public_id}/leaving/")
    page = client.get(place).text
    assert "Send the proposal" in page
    assert "Record the decision to exclude" not in page
    # The member knows nothing before the proposal is sent.
    sign_in(client, account)
    assert client.get(own).status_code == 404
    assert "proposal to exclude you" not in client.get("/").text

    sign_in(client, registrar)
    no_day = client.post(f"{place}/send-proposal", data={"how": "post"})
    assert "The day of posting is missing" in no_day.text
    client.post(f"{place}/send-proposal", data={"how": "mail"})
    sign_in(client, account)
    page = words_of(client.get(own).text)
    assert "until the end of 10 May 2018" in page
    assert "Three invoices were forged." in page
    home = words_of(client.get("/").text)
    assert "Answer the proposal to exclude you from SmartCoop" in home
    assert "10 May 2018" in home
    client.post(f"{own}/observations", data={"text": "They were not mine."})
    client.post(f"{own}/hearing", data={})
    paper = re.findall(r'href="([^"]+/papers/[^"]+)"', client.get(own).text)[0]
    answer = client.get(paper)
    assert answer.headers["Content-Disposition"].startswith("attachment")

    clock.set(datetime(2018, 5, 15, 8, 0, tzinfo=UTC))
    sign_in(client, registrar)
    title = f"Hear member {membership.member_number} before the decision"
    assert title in client.get("/").text
    refused = client.post(
        f"{place}/decide", data={"done_on": "2018-05-15", "text": "Reasons of the board."}
    )
    assert refused.status_code == 422
    assert "has asked to be heard" in refused.text
    client.post(f"{place}/hearing", data={"done_on": "2018-05-15", "text": "She came."})
    may_decide = f"The board may decide on excluding member {membership.member_number}"
    assert may_decide in client.get("/").text
    client.post(f"{place}/decide", data={"done_on": "2018-05-15", "text": "Reasons of the board."})
    assert membership.end_reason == "exclusion"
    clock.set(datetime(2018, 6, 15, 8, 0, tzinfo=UTC))
    sign_in(client, registrar)
    late = client.post(f"{place}/send-decision", data={"how": "mail"})
    assert late.status_code == 422
    assert "this is late" in late.text
    client.post(
        f"{place}/send-decision", data={"how": "mail", "late_reason": "The file was mislaid."}
    )
    assert "The file was mislaid." in client.get(place).text


def test_every_step_has_its_page() -> None:
    assert set(STEP_PAGES) == set(Step) - {Step.PROPOSAL}


def test_a_treasurer_releases_the_ticked_refunds(
    client: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
    pass_tests: Make,
) -> None:
    membership, _account = make_owner()
    recording.record_loss_of_status(
        session,
        SYSTEM,
        membership,
        lost_on=date(2018, 4, 1),
        reason="Has moved away.",
        holder="An Peeters",
        iban=IBAN,
    )
    refund = session.scalars(select(Refund)).one()
    treasurer = make_account("Tom", roles=[(cooperative, Role.TREASURER)])
    sign_in(client, treasurer)
    place = "/smartcoop/register/refunds"
    assert "Net-asset test: none is recorded." in client.get(place).text
    query = {"refund": refund.public_id}
    assert "Release the payments" not in client.get(f"{place}/release", query_string=query).text
    refused = client.post(f"{place}/release", data=query)
    assert refused.status_code == 422
    assert "Nothing was released" in refused.text
    pass_tests()
    assert "Release the payments" in client.get(f"{place}/release", query_string=query).text
    released = client.post(f"{place}/release", data=query)
    assert released.location.endswith("/payments/outgoing?list=released")
    assert client.post(f"{place}/release", data=query).status_code == 409
    assert session.scalars(select(OutgoingPayment.amount_cents)).all() == [6000]
    assert client.post(f"{place}/release", data={}).status_code == 404
    assert "It waits for the next file." in client.get(place).text
    account = client.post(
        f"{place}/{refund.public_id}/account", data={"holder": "An", "iban": OTHER_IBAN}
    )
    assert account.status_code == 422
    assert "Nothing waits to be paid" in account.text


def test_what_a_member_is_accused_of_is_for_the_registrar(
    client: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
) -> None:
    membership, _account = make_owner()
    excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    for role, sees in ((Role.REGISTRAR, True), (Role.AUDITOR, False)):
        sign_in(client, make_account(str(role), roles=[(cooperative, role)]))
        page = client.get("/smartcoop/register/departures").text
        assert (membership.display_name in page) is sees


@pytest.mark.usefixtures("both_databases")
def test_two_workers_at_once_let_a_departure_take_effect_once(
    app: Any, session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    number = departure.id
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    session.commit()

    def work(_worker: int) -> None:
        with app.app_context():
            effect.take_effect_job(db.session(), number)
            db.session.commit()
            db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    session.expire_all()
    assert departure.state == "effective"
    assert session.scalar(select(func.count(Refund.id))) == 1
    left = select(func.count(ShareEntry.id)).where(ShareEntry.kind == "refund")
    assert session.scalar(left) == 1
