"""The pages behind the link of a transfer, and what giver and registrar read meanwhile."""

from __future__ import annotations

import re

from sqlalchemy import select

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.joining.models import Application
from govern.joining.services import deciding
from govern.joining.services.deciding import Verdict
from govern.joining.services.guards import state_token
from govern.register.services.accounts import open_person_account
from govern.register.services.members import Contact
from tests.joining.by_transfer import link_of, shares
from tests.joining.conftest import TODAY

FORM = {
    "given_name": "Dora",
    "family_name": "Novak",
    "birth_date": "1985-02-03",
    "language": "en",
    "street": "Rue Haute 1",
    "postal_code": "1000",
    "town": "Bruxelles",
    "country": "BE",
    "category": "A",
    "consents": "y",
}


def test_the_way_of_the_invited_in_pages(
    client, session, cooperative, promise, make_account, sign_in, set_joining
):
    set_joining(acceptance="board")
    request = promise(2)
    link = link_of(session, request)
    page = client.get(link).text
    for words in ("Gil Giver", "2 shares", "€60.00", "paid in full", "The board decides"):
        assert words in page
    form = client.get(f"{link}/form").text
    assert "dora@example.org" in form
    assert 'name="shares"' not in form
    assert 'name="email"' not in form
    digest = re.search(r'name="statutes_digest"[^>]*value="(\w+)"', form).group(1)
    wrong = client.post(f"{link}/form", data={**FORM, "town": ""})
    assert wrong.status_code == 422
    # Who sends other shares or another address with it gets those of the promise.
    sent = {**FORM, "statutes_digest": digest, "shares": "9", "email": "x@example.org"}
    own = client.post(f"{link}/form", data=sent, follow_redirects=True)
    assert "You have nothing to pay" in own.text
    made = session.scalars(select(Application)).one()
    assert (made.shares, made.email) == (2, "dora@example.org")
    assert "You have applied" in client.get(link).text
    assert client.post(f"{link}/form", data=sent).location.endswith(link)
    assert client.post(f"{link}/decline").location.endswith(link)
    registrar = make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    sign_in(client, registrar)
    assert "by transfer, nothing to pay" in client.get("/smartcoop/register/applications").text
    assert "Gil Giver" in client.get("/smartcoop/register/applications.csv").text
    assert "2 shares by transfer from Gil Giver" in client.get(
        "/smartcoop/register/applications/board"
    ).text  # fmt: skip
    assert client.get("/smartcoop/register/applications/board.pdf").data.startswith(b"%PDF")
    at = f"/smartcoop/register/transfers/{request.public_id}"
    assert f"applications/{made.public_id}" in client.get(at).text
    page = client.get(f"/smartcoop/register/applications/{made.public_id}").text
    assert "Shares given by" in page
    assert "Promised to" in page
    deciding.record_board_decision(
        session, SYSTEM, cooperative, decided_on=TODAY, reference="June",
        verdicts=[Verdict(made, accepted=True)],
    )  # fmt: skip
    session.commit()
    assert "Welcome!" in client.get(f"/smartcoop/join/application/{state_token(made)}").text
    assert "The shares are yours" in client.get(link).text


def test_the_page_speaks_the_language_of_the_mail_until_another_is_chosen(client, session, promise):
    link = link_of(session, promise(receiver_language="fr"))
    assert '<html lang="fr"' in client.get(link).text
    client.post("/language", data={"language": "en"})
    assert '<html lang="en"' in client.get(link).text


def test_declining_takes_a_button_and_not_only_the_link(client, session, promise):
    request = promise()
    link = link_of(session, request)
    client.get(f"{link}/decline")
    session.expire_all()
    assert request.state == "awaiting_admission"
    page = client.post(f"{link}/decline", follow_redirects=True).text
    assert "You do not take these shares" in page
    assert client.get("/smartcoop/join/transfer/guessed").status_code == 404


def test_a_member_who_was_invited_signs_in_and_confirms_instead(
    client, session, cooperative, giver, promise, make_member, sign_in
):
    contact = Contact(language="en", email="dora@example.org")
    known = make_member("Dora", "Novak", contact=contact)
    account = session.get_one(Account, open_person_account(session, known.person_id).id)
    session.commit()
    request = promise()
    link = link_of(session, request)
    assert client.post(f"{link}/member", data={"member": known.public_id}).status_code in (302, 401)
    # The way back after signing in does not hold the secret in the open.
    way = re.search(r'href="(/smartcoop/join/invited/[^"]+)"', client.get(link).text).group(1)
    assert link.rpartition("/")[2] not in way
    assert "/sign-in" in client.get(way).location
    sign_in(client, account)
    assert client.get(way).location.endswith(link)
    assert client.get(f"{way[:-8]}AAAAAAA=").status_code == 404
    assert client.get("/smartcoop/join/invited/x").status_code == 404
    assert "You are a member already" in client.get(link).text
    # Nobody receives for somebody else, nor gives to themself.
    assert client.post(f"{link}/member", data={"member": giver.public_id}).status_code == 404
    page = client.post(
        f"{link}/member", data={"member": known.public_id}, follow_redirects=True
    ).text
    assert "Confirm the transfer" in page
    session.expire_all()
    assert (request.state, request.receiver_id) == ("proposed", known.id)
    client.post(f"/smartcoop/me/transfers/{request.public_id}", data={"answer": "confirm"})
    assert shares(session, giver, known) == [2, 2]


def test_the_giver_and_the_registrar_read_where_it_stands(
    client, session, cooperative, giver, promise, apply_by, make_account, sign_in
):
    account = session.get_one(Account, open_person_account(session, giver.person_id).id)
    registrar = make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    request = promise()
    own = f"/smartcoop/me/transfers/{request.public_id}"
    officer = f"/smartcoop/register/transfers/{request.public_id}"

    def pages() -> list[str]:
        texts = []
        for who, address in ((account, own), (registrar, officer)):
            sign_in(client, who)
            texts.append(client.get(address).text)
            client.post("/sign-out")
        return texts

    mine, theirs = pages()
    assert "got a mail with a link" in mine
    assert "got a link to apply by themselves" in theirs
    application = apply_by(request)
    mine, theirs = pages()
    assert "has applied to become a member" in mine
    assert "To be answered before" not in mine
    assert "The receiver has applied" in theirs
    assert "Name the receiver" not in theirs
    deciding.refuse_application(session, SYSTEM, application, "No work in our field.")
    mine, theirs = pages()
    assert "did not admit the receiver" in mine
    assert "No work" not in mine
    assert "Look at the application" in theirs


def test_an_offer_to_somebody_else_is_not_read_in_another_cooperative(
    client, session, promise, make_cooperative
):
    make_cooperative("othercoop", "Other")
    link = link_of(session, promise())
    assert client.get(link.replace("/smartcoop/", "/othercoop/")).status_code == 404
