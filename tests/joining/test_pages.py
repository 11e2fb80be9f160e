"""The pages of joining as a browser without scripts meets them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from govern.access import SYSTEM, Role
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.extensions import limiter
from govern.joining.models import Application, Statutes
from govern.joining.services import deciding
from govern.joining.services.guards import state_token
from govern.payments.models import OutgoingPayment
from govern.register.models import Membership

FORM = {
    "given_name": "Ana",
    "family_name": "Sample",
    "birth_date": "1980-05-04",
    "email": "ana@example.org",
    "language": "en",
    "street": "Rue Haute 1",
    "postal_code": "1000",
    "town": "Bruxelles",
    "country": "BE",
    "category": "A",
    "shares": "2",
    "consents": "y",
}


@pytest.fixture
def registrar(cooperative, make_account):
    return make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])


def filled(client, **others):
    page = client.get("/smartcoop/join").text
    digest = re.search(r'name="statutes_digest"[^>]*value="(\w+)"', page)
    assert digest is not None
    return {**FORM, "statutes_digest": digest.group(1), **others}


def test_without_statutes_the_form_is_closed(client, cooperative):
    assert "You cannot apply here yet" in client.get("/smartcoop/join").text


def test_the_whole_way_in_pages(
    client, session, account, statutes, token_of, pay, registrar, sign_in
):
    sent = client.post("/smartcoop/join", data=filled(client), follow_redirects=True)
    assert "Look in your mailbox" in sent.text
    assert "ana@example.org" in sent.text
    application = session.scalars(select(Application)).one()
    address = f"/smartcoop/join/confirm/{token_of(application)}"
    # A program that opens links in mails to inspect them confirms nothing.
    assert "Press the button" in client.get(address).text
    session.expire_all()
    assert application.state == "unconfirmed"
    own = client.post(address, follow_redirects=True).text
    assert "+++" in own
    assert "<svg" in own
    assert client.get(address).status_code == 404
    sign_in(client, registrar)
    listed = client.get("/smartcoop/register/applications").text
    assert "Ana Sample" in listed
    page = f"/smartcoop/register/applications/{application.public_id}"
    assert "To be decided" in client.get(page).text
    assert "accepted" in client.post(f"{page}/accept", follow_redirects=True).text
    assert client.post(f"{page}/accept").status_code == 409
    pay(application.request, 6000)
    link = f"/smartcoop/join/application/{state_token(application)}"
    number = session.scalars(select(Membership.member_number)).one()
    assert f"under the number {number}" in client.get(link).text


def test_the_answer_is_the_same_for_a_member_and_a_stranger(
    client, session, account, statutes, make_member
):
    make_member("Ana", "Sample", email="ana@example.org")
    pages = []
    for email in ("ana@example.org", "stranger@example.org"):
        answer = client.post("/smartcoop/join", data=filled(client, email=email))
        # The token against forged requests holds the second in which it was made.
        page = re.sub(r'(name="csrf_token" value=)"[^"]*"', r"\1", client.get(answer.location).text)
        # What was typed is shown to whoever typed it.
        assert email in page
        pages.append((answer.status_code, answer.location, page.replace(email, "")))
    assert pages[0] == pages[1]


def test_a_wrong_form_keeps_what_was_typed_and_names_the_fields(client, statutes):
    answer = client.post(
        "/smartcoop/join", data=filled(client, email="nobody", shares="many", consents="")
    )
    assert answer.status_code == 422
    assert 'value="Ana"' in answer.text
    assert 'value="many"' in answer.text
    assert answer.text.count('class="error"') >= 2


def test_what_is_missing_and_what_is_wrong_are_said_at_once(client, statutes):
    page = client.post(
        "/smartcoop/join",
        data={
            "kind": "legal",
            "enterprise_number": "0403170702",
            "email": "ana@",
            "country": "BE",
            "language": "en",
        },
    )
    assert page.status_code == 422
    for field in ("organisation_name", "street", "enterprise_number", "email"):
        assert f'href="#{field}"' in page.text
    assert 'href="#country"' not in page.text


def test_everything_that_is_wrong_is_said_at_once_and_stays_as_it_was_typed(client, statutes):
    wrong = {
        "given_name": "-",
        "birth_date": "1780-05-04",
        "email": "ana@",
        "country": "Nowhere",
        "shares": "999999",
    }
    for missing in ({}, {"town": ""}):
        page = client.post("/smartcoop/join", data=filled(client, **wrong, **missing))
        assert page.status_code == 422
        said = re.findall(r'<li><a href="#(\w+)"', page.text)
        assert sorted(said) == sorted([*wrong, *missing])
        for value in wrong.values():
            assert f'value="{value}"' in page.text


def test_a_category_that_can_hold_no_shares_is_said_where_there_is_no_class_to_choose(
    client, session, cooperative, statutes
):
    row = cooperative.rule_sets[0]
    rules = rules_from_json(row.rules)
    only = (replace(rules.share_classes[0], categories=("B",)),)
    row.rules = rules_to_json(replace(rules, share_classes=only))
    session.commit()
    answer = client.post("/smartcoop/join", data=filled(client, email="ana@"))
    assert answer.status_code == 422
    assert "cannot hold shares of that class" in answer.text
    assert 'href="#email"' in answer.text


def test_the_total_is_shown_without_a_script(client, statutes):
    answer = client.post(
        "/smartcoop/join", data=filled(client, shares="7", email="", show_total="1")
    )
    assert answer.status_code == 200
    assert "€210.00" in answer.text
    assert 'class="error"' not in answer.text


def test_floods_from_one_address_are_stopped(client, app, statutes):
    limiter.enabled = True
    try:
        answers = [
            client.post("/smartcoop/join", data={"kind": "natural"}).status_code for _ in range(32)
        ]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert answers[0] == 422
    assert answers[-1] == 429


def test_a_wrong_secret_in_the_applicants_link_is_not_found(client, session, apply_for):
    application = apply_for()
    wrong = state_token(application)[:-1] + "!"
    assert client.get(f"/smartcoop/join/application/{wrong}").status_code == 404


def test_an_applicant_withdraws(client, session, apply_for, pay):
    application = apply_for()
    pay(application.request, 3000)
    link = f"/smartcoop/join/application/{state_token(application)}"
    assert "€30.00" in client.get(f"{link}/withdraw").text
    assert "withdrawn" in client.post(f"{link}/withdraw", follow_redirects=True).text
    assert session.scalar(select(OutgoingPayment.amount_cents)) == 3000


def test_the_applicant_reads_what_happens_to_money_that_is_too_much_or_for_nothing(
    client, session, apply_for, pay
):
    admitted = apply_for()
    deciding.accept_application(session, SYSTEM, admitted)
    pay(admitted.request, 5000)
    own = "/smartcoop/join/application/"
    assert "You paid €20.00 more" in client.get(f"{own}{state_token(admitted)}").text
    gone = apply_for(given_name="Bo", email="bo@example.org")
    pay(gone.request, 1000)
    deciding.withdraw_application(session, gone)
    session.commit()
    assert "The €10.00 that we received go back" in client.get(f"{own}{state_token(gone)}").text


def test_statutes_are_recorded_and_served_byte_for_byte(
    client, session, cooperative, make_account, sign_in
):
    administrator = make_account("Ad", "ad@example.org", roles=[(cooperative, Role.ADMINISTRATOR)])
    sign_in(client, administrator)
    pdf = b"%PDF-1.7 the statutes %%EOF"
    import io

    answer = client.post(
        "/smartcoop/statutes/add",
        data={
            "version": "2018",
            "adopted_on": "2018-05-30",
            "file_fr": (io.BytesIO(pdf), "statuts.pdf"),
            "text_en": "# Statutes\n\nArticle 1 <script>alert(1)</script>",
        },
        follow_redirects=True,
    )
    assert "<script>alert" not in answer.text
    row = session.scalars(select(Statutes)).one()
    served = client.get(f"/smartcoop/statutes/{row.public_id}/fr/file")
    assert (served.data, served.mimetype) == (pdf, "application/pdf")
    assert "attachment" in served.headers["Content-Disposition"]
    broken = client.post(
        "/smartcoop/statutes/add",
        data={
            "version": "2019",
            "adopted_on": "2018-05-30",
            "file_fr": (io.BytesIO(b"MZ\x00\x01"), "x.pdf"),
        },
    )
    assert broken.status_code == 422


def test_the_board_list_is_a_document(client, session, apply_for, set_joining, registrar, sign_in):
    set_joining(acceptance="board")
    application = apply_for()
    sign_in(client, registrar)
    assert client.get("/smartcoop/register/applications/board.pdf").data.startswith(b"%PDF")
    page = client.get("/smartcoop/register/applications/board").text
    assert f"verdict-{application.public_id}" in page
    refused = client.post(
        "/smartcoop/register/applications/board",
        data={
            "decided_on": "2018-06-01",
            "reference": "Board",
            f"verdict-{application.public_id}": "refuse",
        },
    )
    assert refused.status_code == 422
    assert "A refusal needs a reason" in refused.text


def test_an_auditor_sees_neither_addresses_nor_likenesses(
    client, session, cooperative, apply_for, make_member, make_account, sign_in
):
    make_member("Ana", "Sample", email="ana@example.org", joined_on=date(2018, 3, 2))
    session.execute(update(Membership).values(email_key="other@example.org"))
    application = apply_for()
    page = f"/smartcoop/register/applications/{application.public_id}"
    for role, seen in ((Role.AUDITOR, False), (Role.REGISTRAR, True)):
        sign_in(client, make_account(str(role), f"{role}@example.org", roles=[(cooperative, role)]))
        shown = client.get(page).text
        listed = client.get("/smartcoop/register/applications.csv").text
        found = client.get("/smartcoop/register/applications?q=ana@example.org").text
        assert ("Rue Haute 1" in shown) is seen
        assert ("Alike in the register" in shown) is seen
        assert ("ana@example.org" in listed) is seen
        assert ("Ana Sample" in found) is seen
