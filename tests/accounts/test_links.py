"""Signing in by a link in a mail."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from govern.accounts.models import Account, SignInLink, SignInRequest
from govern.mail.queueing import read_content

from .conftest import PASSWORD
from .signing import is_signed_in


def ask(client, identifier, **extra):
    return client.post("/sign-in/link", data={"identifier": identifier, **extra})


def link_in(mail):
    return re.search(r"http://localhost(/sign-in/link/\S+)", read_content(mail).text).group(1)


@pytest.fixture
def ana(make_account):
    return make_account("Ana", email="ana@example.org", password=PASSWORD)


def test_a_link_by_mail_signs_in(client, ana, mails):
    answer = ask(client, "ana@example.org", next="/profile/password")
    assert answer.location == "/sign-in/link"
    (mail,) = mails()
    assert (mail.to_address, mail.to_name) == ("ana@example.org", "Ana")
    link = link_in(mail)
    page = client.get(link)
    assert "Sign in as Ana" in page.text
    assert client.post(link).location == "/profile/password"
    assert is_signed_in(client)


def test_looking_at_a_link_does_not_use_it_up(app, client, ana, mails):
    ask(client, "ana@example.org")
    link = link_in(mails()[0])
    for _ in range(3):
        # What programs do that inspect mails before people see them.
        app.test_client().get(link)
        app.test_client().head(link)
    client.post(link)
    assert is_signed_in(client)


def test_a_link_works_once(app, client, ana, mails):
    ask(client, "ana@example.org")
    link = link_in(mails()[0])
    client.post(link)
    other = app.test_client()
    answer = other.post(link, follow_redirects=True)
    assert "This link has been used or is too old." in answer.text
    assert not is_signed_in(other)


def test_a_link_works_for_twenty_minutes(client, clock, ana, mails):
    ask(client, "ana@example.org")
    link = link_in(mails()[0])
    clock.advance(minutes=20)
    assert client.get(link).location == "/sign-in"
    client.post(link)
    assert not is_signed_in(client)


def test_a_guessed_link_signs_nobody_in(client, ana):
    assert client.get("/sign-in/link/guess").location == "/sign-in"
    assert client.post("/sign-in/link/guess").location == "/sign-in"


def test_the_database_holds_no_link_that_could_be_used(client, session, ana, mails):
    ask(client, "ana@example.org")
    (mail,) = mails()
    token = link_in(mail).rsplit("/", 1)[1]
    row = session.scalars(select(SignInLink)).one()
    assert token not in repr(vars(row))
    assert token not in f"{mail.text_body}{mail.html_body}{mail.subject}{mail.sealed!r}"


def test_a_link_never_leads_to_another_site(client, ana, mails):
    ask(client, "ana@example.org", next="https://evil.example/")
    assert client.post(link_in(mails()[0])).location == "/"


# -- nobody learns who has an account ----------------------------------------------------------


def test_asking_for_a_link_answers_and_does_the_same_for_somebody_and_for_nobody(
    app, session, ana, mails
):
    answers = []
    for identifier in ("ana@example.org", "nobody@example.org", "4711"):
        client = app.test_client()
        answer = ask(client, identifier)
        answers.append((answer.status_code, answer.location, answer.text))
        assert session.scalar(select(func.count()).select_from(SignInRequest)) == len(answers)
        assert session.scalar(select(func.count()).select_from(SignInLink)) == 0
    assert answers[0] == answers[1] == answers[2]
    assert [mail.to_address for mail in mails()] == ["ana@example.org"]
    assert session.scalar(select(func.count()).select_from(SignInRequest)) == 0


def test_a_closed_account_gets_no_link(client, session, ana, mails):
    from govern.access import SYSTEM
    from govern.accounts.services import disable_account

    disable_account(session, SYSTEM, ana)
    ask(client, "ana@example.org")
    assert mails() == []


def test_an_account_closed_after_the_mail_cannot_use_it(client, session, ana, mails):
    from govern.access import SYSTEM
    from govern.accounts.services import disable_account

    ask(client, "ana@example.org")
    link = link_in(mails()[0])
    disable_account(session, SYSTEM, ana)
    client.post(link)
    assert not is_signed_in(client)


# -- nobody is shut out ------------------------------------------------------------------------


def test_asking_again_and_again_sends_one_mail_in_four_minutes(client, clock, ana, mails):
    for _ in range(30):
        ask(client, "ana@example.org")
    assert len(mails()) == 1
    clock.advance(minutes=4)
    ask(client, "ana@example.org")
    assert len(mails()) == 2


def test_whoever_floods_the_form_does_not_shut_the_member_out(app, client, clock, ana, mails):
    for _ in range(60):
        for _ in range(5):
            ask(app.test_client(), "ana@example.org")
        mails()
        clock.advance(minutes=1)
    newest = mails()[-1]
    client.post(link_in(newest))
    assert is_signed_in(client)


def test_a_password_that_is_shut_leaves_the_link_open(client, clock, ana, mails):
    for _ in range(12):
        answer = client.post(
            "/sign-in", data={"identifier": "ana@example.org", "password": "guess guess guess"}
        )
    assert answer.status_code == 429
    ask(client, "ana@example.org")
    client.post(link_in(mails()[0]))
    assert is_signed_in(client)


def test_after_using_a_link_one_may_have_another_at_once(client, ana, mails):
    ask(client, "ana@example.org")
    client.post(link_in(mails()[0]))
    client.post("/sign-out")
    ask(client, "ana@example.org")
    assert len(mails()) == 2


def test_a_request_that_waited_for_an_hour_is_dropped(client, clock, ana, mails):
    ask(client, "ana@example.org")
    clock.advance(hours=1)
    assert mails() == []


# -- several people ----------------------------------------------------------------------------


@pytest.fixture
def household(register, cooperative, make_cooperative):
    """Two members at one address; one of them is a member of two cooperatives."""
    other = make_cooperative("smartfr", "Smartfr")
    ana = register.add("Ana", (cooperative, "12"), (other, "3"), email="home@example.org")
    ben = register.add("Ben", (cooperative, "13"), email="Home@example.org")
    return ana, ben


def test_a_shared_address_gets_one_mail_and_the_page_asks_who_it_is(client, household, mails):
    ask(client, "home@example.org")
    (mail,) = mails()
    page = client.get(link_in(mail)).text
    assert "Ana (SmartCoop member 12, Smartfr member 3)" in page
    assert "Ben (SmartCoop member 13)" in page
    assert client.post(link_in(mail)).status_code == 422
    client.post(link_in(mail), data={"person": "person:2"})
    assert "Hello Ben" in client.get("/", headers={"Accept-Language": "en"}).text or (
        household[1].account_id is not None
    )
    assert household[1].account_id is not None
    assert household[0].account_id is None


def test_the_first_sign_in_opens_the_account_of_the_member(client, session, household, mails):
    ask(client, "13")
    client.post(link_in(mails()[0]))
    assert is_signed_in(client)
    account = session.get_one(Account, household[1].account_id)
    assert (account.name, account.language) == ("Ben", "fr")


def test_a_link_for_one_number_does_not_open_the_account_of_the_other(client, household, mails):
    ask(client, "13")
    link = link_in(mails()[0])
    assert "Ana" not in client.get(link).text
    client.post(link, data={"person": "person:1"})
    assert household[0].account_id is None


def test_a_number_of_two_cooperatives_sends_each_holder_their_own_link(
    client, register, cooperative, make_cooperative, mails
):
    other = make_cooperative("smartfr", "Smartfr")
    register.add("Ana", (cooperative, "12"), email="ana@example.org")
    register.add("Ben", (other, "12"), email="ben@example.org")
    ask(client, "12")
    sent = mails()
    assert [mail.to_address for mail in sent] == ["ana@example.org", "ben@example.org"]
    pages = [client.get(link_in(mail)).text for mail in sent]
    assert "Sign in as Ana" in pages[0]
    assert "Ben" not in pages[0]


def test_an_account_opened_by_the_other_link_is_recognised(client, household, clock, mails):
    ask(client, "13")
    first = link_in(mails()[0])
    clock.advance(minutes=5)
    ask(client, "13")
    second = link_in(mails()[1])
    client.post(first)
    client.post("/sign-out")
    # The person of the register has an account by now: the second link finds it.
    client.post(second)
    assert is_signed_in(client)


def test_an_address_that_changed_meanwhile_cannot_use_the_old_link(client, household, mails):
    ask(client, "13")
    link = link_in(mails()[0])
    household[1].email = "new@example.org"
    client.post(link)
    assert not is_signed_in(client)


def test_a_member_without_address_gets_no_mail_and_the_same_page(
    client, register, cooperative, mails
):
    register.add("Carl", (cooperative, "14"))
    assert ask(client, "14").location == "/sign-in/link"
    assert mails() == []


def test_an_impossible_address_in_the_register_stops_nobody_else(
    client, register, cooperative, make_cooperative, mails
):
    other = make_cooperative("smartfr", "Smartfr")
    register.add("Carl", (cooperative, "14"), email="carl at example")
    register.add("Dora", (other, "14"), email="dora@example.org")
    ask(client, "14")
    assert [mail.to_address for mail in mails()] == ["dora@example.org"]


def test_the_mail_speaks_the_language_of_the_account(client, make_account, mails):
    make_account("Eva", email="eva@example.org", language="de")
    ask(client, "eva@example.org")
    assert mails()[0].language == "de"


def test_the_mail_to_a_member_without_account_speaks_the_language_of_the_page(
    client, household, mails
):
    client.post("/sign-in/link", data={"identifier": "13"}, headers={"Accept-Language": "nl-BE,nl"})
    assert mails()[0].language == "nl"
