"""One's own account: password, sessions, language."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from govern.access import Role
from govern.accounts.models import Account, AccountSession
from govern.accounts.services import start_session
from govern.audit import AuditEntry
from govern.mail.queueing import read_content

from .conftest import PASSWORD

NEW = "seven calm badgers dig"


@pytest.fixture
def ana(make_account):
    return make_account("Ana", email="ana@example.org", password=PASSWORD)


def change(client, password=NEW, present=PASSWORD):
    return client.post("/profile/password", data={"present": present, "password": password})


def enter(client, password):
    return client.post("/sign-in", data={"identifier": "ana@example.org", "password": password})


def test_the_profile_shows_what_the_house_knows(client, ana, register, cooperative, sign_in):
    register.add("Ana", (cooperative, "7"), account=ana)
    sign_in(client, ana)
    page = client.get("/profile").text
    for known in ("Ana", "ana@example.org", "SmartCoop no. 7", "Member", "this device"):
        assert known in page


def test_a_new_password_counts_and_the_old_one_does_not(app, client, ana, sign_in):
    sign_in(client, ana)
    assert change(client).location == "/profile"
    assert enter(app.test_client(), PASSWORD).status_code == 422
    assert enter(app.test_client(), NEW).status_code == 302


def test_a_new_password_signs_out_everywhere_else(app, client, ana, sign_in):
    other = app.test_client()
    sign_in(client, ana)
    sign_in(other, ana)
    change(client)
    assert client.get("/profile").status_code == 200
    assert other.get("/profile").status_code == 302


def test_a_new_password_is_told_by_mail_and_recorded(client, session, ana, sign_in, mails):
    sign_in(client, ana)
    change(client)
    (mail,) = mails("account")
    assert mail.to_address == "ana@example.org"
    assert NEW not in read_content(mail).text
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.tag == "accounts:password:changed")
    ).one()
    assert (entry.account_id, entry.subject) == (ana.id, ana.public_id)


def test_the_present_password_is_asked_for(client, session, ana, sign_in):
    sign_in(client, ana)
    before = ana.password_hash
    answer = change(client, present="not the right one")
    assert answer.status_code == 422
    assert "This is not your present password." in answer.text
    assert session.get_one(Account, ana.id).password_hash == before


def test_the_present_password_cannot_be_guessed_at_leisure(client, clock, ana, sign_in):
    sign_in(client, ana)
    for _ in range(10):
        assert change(client, present="not the right one").status_code == 422
    assert change(client).status_code == 429


def test_a_weak_password_is_refused_with_a_remedy(client, ana, sign_in):
    sign_in(client, ana)
    answer = change(client, password="password1234")
    assert answer.status_code == 422
    assert "among the first that are tried" in answer.text
    assert "a few words that do not belong together" in answer.text


@pytest.mark.parametrize("length", [12, 1000])
def test_long_passwords_are_welcome(app, client, ana, sign_in, length):
    password = "".join(chr(97 + (7 * i * i + 3 * i) % 26) for i in range(length))
    sign_in(client, ana)
    assert change(client, password=password).status_code == 302
    assert enter(app.test_client(), password).status_code == 302
    assert enter(app.test_client(), password + "x").status_code == 422


def test_shortly_after_a_link_the_forgotten_password_is_not_asked_for(
    app, client, clock, ana, mails
):
    client.post("/sign-in/link", data={"identifier": "ana@example.org"})
    link = re.search(r"http://localhost(/\S+)", read_content(mails()[0]).text).group(1)
    client.post(link)
    assert "Present password" not in client.get("/profile/password").text
    clock.advance(minutes=19)
    assert change(client, present="").status_code == 302
    assert enter(app.test_client(), NEW).status_code == 302


def test_long_after_a_link_the_present_password_is_asked_for_again(client, clock, ana, mails):
    client.post("/sign-in/link", data={"identifier": "ana@example.org"})
    link = re.search(r"http://localhost(/\S+)", read_content(mails()[0]).text).group(1)
    client.post(link)
    clock.advance(minutes=21)
    assert "Present password" in client.get("/profile/password").text
    assert change(client, present="").status_code == 422


def test_one_signs_out_on_another_device_from_here(app, client, session, ana, sign_in):
    other = app.test_client()
    sign_in(other, ana)
    there = session.scalars(select(AccountSession)).one().public_id
    sign_in(client, ana)
    assert client.post(f"/profile/sessions/{there}/end").location == "/profile"
    assert other.get("/profile").status_code == 302
    assert client.get("/profile").status_code == 200
    assert client.post(f"/profile/sessions/{there}/end").status_code == 404


def test_nobody_ends_the_session_of_somebody_else(app, client, session, ana, make_account, sign_in):
    start_session(session, ana)
    there = session.scalars(select(AccountSession)).one().public_id
    sign_in(client, make_account("Ben"))
    assert client.post(f"/profile/sessions/{there}/end").status_code == 404
    assert session.get(AccountSession, there) is not None


def test_signing_out_everywhere_ends_every_session(app, client, ana, sign_in):
    other = app.test_client()
    sign_in(client, ana)
    sign_in(other, ana)
    assert client.post("/profile/sessions/end").location == "/sign-in"
    assert client.get("/profile").status_code == 302
    assert other.get("/profile").status_code == 302


def test_signing_out_everywhere_counts_even_for_a_session_begun_meanwhile(session, ana):
    """The version decides, not only the rows that were there to delete."""
    from govern.accounts.services import end_all_sessions, find_session

    token = start_session(session, ana)
    row = session.scalars(select(AccountSession)).one()
    values = {c.name: getattr(row, c.name) for c in AccountSession.__table__.columns}
    end_all_sessions(session, ana)
    session.add(AccountSession(**values))
    session.flush()
    assert find_session(session, token) is None


# -- the language ------------------------------------------------------------------------------


def language_of(client, path="/", **headers):
    return re.search(r'<html lang="(\w+)"', client.get(path, headers=headers).text).group(1)


def test_a_stranger_reads_in_the_language_of_the_browser_until_they_choose(client):
    assert language_of(client, **{"Accept-Language": "nl-BE,nl;q=0.9"}) == "nl"
    answer = client.post("/language", data={"language": "de", "next": "/sign-in?next=/profile"})
    assert answer.location == "/sign-in?next=/profile"
    assert language_of(client, **{"Accept-Language": "nl-BE,nl;q=0.9"}) == "de"


def test_the_language_follows_the_account_to_every_device(app, client, session, ana, sign_in):
    sign_in(client, ana)
    client.post("/language", data={"language": "fr", "next": "/profile"})
    assert session.get_one(Account, ana.id).language == "fr"
    other = app.test_client()
    other.post("/language", data={"language": "de"})
    enter(other, PASSWORD)
    assert language_of(other) == "fr"


def test_the_language_stays_after_sign_out(client, ana, sign_in):
    sign_in(client, ana)
    client.post("/language", data={"language": "nl"})
    client.post("/sign-out")
    assert language_of(client) == "nl"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/\t/evil.example"])
def test_changing_the_language_never_leads_to_another_site(client, path):
    assert client.post("/language", data={"language": "fr", "next": path}).location == "/"


def test_a_language_that_we_do_not_speak_is_refused(client):
    assert client.post("/language", data={"language": "tlh"}).status_code == 422


def test_a_role_shows_the_page_of_roles_in_the_navigation_to_whoever_may_open_it(
    client, make_account, cooperative, sign_in
):
    sign_in(client, make_account("Sam", roles=[(cooperative, Role.SECRETARY)]))
    assert "/smartcoop/roles" not in client.get("/smartcoop/").text
    sign_in(client, make_account("Ada", roles=[(cooperative, Role.ADMINISTRATOR)]))
    assert "/smartcoop/roles" in client.get("/smartcoop/").text


# -- the address -------------------------------------------------------------------------------


def ask_for_address(client, email="new@example.org", present=PASSWORD):
    return client.post("/profile/email", data={"email": email, "present": present})


def link_to_confirm(mails):
    text = read_content(mails("account")[-1]).text
    return re.search(r"http://localhost(/profile/email/\S+)", text).group(1)


def test_a_new_address_counts_once_its_mail_was_answered(client, session, ana, sign_in, mails):
    sign_in(client, ana)
    assert ask_for_address(client).location == "/profile"
    assert session.get_one(Account, ana.id).email == "ana@example.org"
    link = link_to_confirm(mails)
    assert "new@example.org" in client.get(link).text
    assert session.get_one(Account, ana.id).email == "ana@example.org"
    client.post(link)
    assert session.get_one(Account, ana.id).email_key == "new@example.org"
    told = [mail.to_address for mail in mails("account")]
    assert told == ["new@example.org", "ana@example.org"]
    tags = session.scalars(select(AuditEntry.tag)).all()
    assert tags == ["accounts:email:changed"]


def test_the_link_to_a_new_address_works_once_and_for_its_owner_only(
    app, client, session, clock, ana, make_account, sign_in, mails
):
    ben = make_account("Ben", email="ben@example.org")
    sign_in(client, ana)
    ask_for_address(client)
    link = link_to_confirm(mails)
    other = app.test_client()
    sign_in(other, ben)
    other.post(link)
    assert session.get_one(Account, ben.id).email == "ben@example.org"
    client.post(link)
    ask_for_address(client, "third@example.org")
    client.post(link_to_confirm(mails))
    client.post(link)
    assert session.get_one(Account, ana.id).email == "third@example.org"


def test_the_link_to_a_new_address_lapses(client, session, clock, ana, sign_in, mails):
    sign_in(client, ana)
    ask_for_address(client)
    link = link_to_confirm(mails)
    clock.advance(minutes=20)
    client.post(link)
    client.post("/profile/email/forged.token")
    assert session.get_one(Account, ana.id).email == "ana@example.org"


@pytest.mark.parametrize(
    ("email", "present", "said"),
    [
        ("new@example.org", "not the right one", "This is not your present password."),
        ("no address", PASSWORD, "is not an e-mail address"),
        ("ANA@example.org", PASSWORD, "This is your address already."),
    ],
)
def test_a_new_address_is_refused_with_the_reason(
    client, ana, sign_in, mails, email, present, said
):
    sign_in(client, ana)
    answer = ask_for_address(client, email, present)
    assert answer.status_code == 422
    assert said in answer.text
    assert mails("account") == []


def test_the_address_of_a_member_is_the_registers(
    client, ana, register, cooperative, sign_in, mails
):
    register.add("Ana", (cooperative, "7"), account=ana)
    sign_in(client, ana)
    assert "/profile/email" not in client.get("/profile").text
    assert ask_for_address(client).status_code == 422
    assert mails("account") == []


def test_nobody_sends_mails_to_strangers_by_the_dozen(client, ana, sign_in):
    from govern.extensions import limiter

    sign_in(client, ana)
    limiter.enabled = True
    limiter.reset()
    try:
        answers = [ask_for_address(client, f"a{n}@example.org").status_code for n in range(11)]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert answers == [302] * 10 + [429]
