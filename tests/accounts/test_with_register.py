"""Signing in as a member of a real register."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for, complete_sign_in, open_account, set_password
from govern.mail.queueing import read_content
from govern.register.models import Person
from govern.register.services.members import Contact, NewMember, add_member

NEW = "seven calm badgers dig"


@pytest.fixture
def admit(session, cooperative):
    """A factory of members with one paid share."""

    def make(number, given_name, email, of=cooperative, **more):
        names = {"given_name": given_name, "family_name": "Sample"}
        return add_member(
            session,
            SYSTEM,
            of,
            NewMember(
                member_number=number,
                joined_on=date(2018, 1, 1),
                category="A",
                contact=Contact(language="en", email=email, country="BE"),
                shares=1,
                paid_cents=3000,
                accept_duplicate=True,
                **{**names, **more},
            ),
        )

    return make


def links_in(mails):
    return [
        re.search(r"http://localhost(/sign-in/link/\S+)", read_content(mail).text).group(1)
        for mail in mails()
    ]


@pytest.mark.parametrize("identifier", ["00012", "smartcoop/00012", "ana@example.org"])
def test_a_member_signs_in_for_the_first_time_by_number_or_address(
    clock, client, session, admit, mails, identifier
):
    admit("00012", "Ana", "Ana@example.org")
    client.post("/sign-in/link", data={"identifier": identifier})
    (link,) = links_in(mails)
    client.post(link)
    page = client.get("/profile").text
    for known in ("Ana Sample", "Ana@example.org", "Member 00012"):
        assert known in page
    account = session.scalars(select(Account)).one()
    assert [role for held in actor_for(session, account).roles.values() for role in held] == [
        Role.MEMBER
    ]


def test_a_member_sets_a_password_and_signs_in_with_number_and_address(
    clock, app, client, admit, mails
):
    admit("00012", "Ana", "ana@example.org")
    client.post("/sign-in/link", data={"identifier": "00012"})
    client.post(links_in(mails)[0])
    client.post("/profile/password", data={"password": NEW})
    assert [mail.to_address for mail in mails("account")] == ["ana@example.org"]
    for identifier in ("00012", "smartcoop/00012", "ANA@example.org"):
        other = app.test_client()
        other.post("/sign-in", data={"identifier": identifier, "password": NEW})
        assert other.get("/profile").status_code == 200, identifier


def test_a_couple_with_one_address_has_two_accounts_and_one_mail(
    clock, app, client, session, admit, mails
):
    admit("1", "Ana", "home@example.org")
    admit("2", "Ben", "home@example.org")
    client.post("/sign-in/link", data={"identifier": "home@example.org"})
    (link,) = links_in(mails)
    person = session.scalars(select(Person).where(Person.given_name == "Ben")).one()
    client.post(link, data={"person": f"person:{person.id}"})
    assert "Hello Ben Sample" in client.get("/").text
    clock.advance(minutes=5)
    other = app.test_client()
    other.post("/sign-in/link", data={"identifier": "home@example.org"})
    other.post(links_in(mails)[-1], data={"person": "person:999"})
    assert other.get("/profile").status_code == 302
    ana = session.scalars(select(Person).where(Person.given_name == "Ana")).one()
    other.post(links_in(mails)[-1], data={"person": f"person:{ana.id}"})
    assert "Hello Ana Sample" in other.get("/").text
    assert session.scalar(select(func.count()).select_from(Account)) == 2


def test_two_first_sign_ins_of_one_person_open_one_account(
    both_databases, clock, app, session, admit
):
    import threading

    from govern.extensions import db

    admit("1", "Ana", "ana@example.org")
    person_id = session.scalars(select(Person.id)).one()
    session.commit()
    ready, opened = threading.Barrier(2), []

    def enter():
        with app.app_context():
            ready.wait()
            account = open_account(db.session(), f"person:{person_id}")
            complete_sign_in(db.session(), account, method="link")
            opened.append(account.id)
            db.session.commit()

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 2
    assert session.scalar(select(func.count()).select_from(Account)) == 1


def test_whoever_has_left_has_no_role_but_may_still_read_their_own(
    clock, client, session, admit, sign_in
):
    from govern.register.models import EndReason
    from govern.register.services.members import end_membership

    membership = admit("1", "Ana", "ana@example.org")
    account = open_account(session, f"person:{membership.person_id}")
    set_password(session, actor_for(session, account), account, NEW)
    end_membership(session, SYSTEM, membership, date(2018, 5, 31), EndReason.RESIGNATION)
    session.commit()
    assert actor_for(session, account).roles == {}
    client.post("/sign-in", data={"identifier": "1", "password": NEW})
    assert client.get("/smartcoop/me").status_code == 200


def test_a_member_is_given_a_role_by_number_and_told_at_the_registers_address(
    clock, client, admit, cooperative, make_account, sign_in, mails
):
    admit("00012", "Ana", "ana@example.org")
    sign_in(client, make_account("Ada", roles=[(cooperative, Role.ADMINISTRATOR)]))
    client.post("/smartcoop/roles", data={"identifier": "00012", "role": "trustee"})
    assert [mail.to_address for mail in mails("role")] == ["ana@example.org"]
