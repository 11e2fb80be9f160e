"""Addresses that do not work, what blocks voting, and who represents an organisation when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.config import Config
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.mail import queue_mail, send_queued
from govern.mail.smtp import is_about_address
from govern.register.models import (
    ContactChannel,
    EndReason,
    Membership,
    MembershipCategory,
    Representative,
    RollEntry,
)
from govern.register.rules.quality import Blocker
from govern.register.services import members, merging, take_roll
from govern.register.services.members import Contact
from govern.register.services.quality import addresses, blockers
from tests.conftest import SettableClock
from tests.house.smtp_server import Postman, SmtpServer

Make = Callable[..., Membership]
TODAY = date(2018, 6, 1)


@pytest.fixture(autouse=True)
def _on_that_day(clock: SettableClock) -> None:
    """Noon on 1 June 2018."""


# -- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "at", "expected"),
    [
        (550, "no such user", "recipient", True),
        (550, "5.1.1 unknown", "recipient", True),
        (550, "5.1.1 unknown", "text", True),
        (550, "5.2.1 mailbox disabled", "recipient", True),
        (552, "5.2.2 mailbox full", "recipient", False),
        (550, "5.7.1 you are on a list", "recipient", False),
        (550, "5.1.8 bad sender", "recipient", False),
        (554, "spam", "text", False),
        (550, "no such sender", "sender", False),
        (554, "try elsewhere", "recipient", False),
        (450, "mailbox busy", "recipient", False),
    ],
)
def test_only_a_refusal_of_the_address_itself_is_about_the_address(
    code: int, reason: str, at: str, expected: bool
) -> None:
    assert is_about_address(code, reason, at) is expected


class TestRefusedByAServer:
    @pytest.fixture
    def shares_app(self) -> bool:
        """It has a mail server of its own."""
        return False

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[SmtpServer]:
        running = SmtpServer(Postman(), tmp_path)
        running.start()
        yield running
        running.stop()

    @pytest.fixture
    def config(self, tmp_path: Any, sqlite_url: str, server: SmtpServer) -> Config:
        return Config(
            environment="testing",
            instance_dir=tmp_path,
            secret_key="a secret of the tests, long enough to be one",
            database_url=sqlite_url,
            public_url="http://localhost",
            mail_url=server.url,
        )

    def test_a_refused_address_is_flagged_until_it_is_changed(
        self,
        app: Flask,
        session: Session,
        client: FlaskClient,
        cooperative: Cooperative,
        make_member: Make,
        make_account: Callable[..., Account],
        sign_in: Callable[..., None],
        server: SmtpServer,
    ) -> None:
        gone, full = make_member("1", email="Gone@example.org"), make_member("2", email="b@b.be")
        server.postman.answers_to_rcpt = {
            "gone@example.org": "550 5.1.1 nobody of that name",
            "b@b.be": "552 5.2.2 mailbox full",
        }
        for membership in (gone, full):
            queue_mail(
                session,
                cooperative_id=cooperative.id,
                to_address=(membership.email or "").lower(),
                to_name=membership.display_name,
                language="en",
                template="password_changed",
                context={},
                dedupe_key=membership.public_id,
                category="test",
            )
        session.commit()
        send_queued(session)
        session.commit()
        [problem] = addresses.problems_of(session, [gone.id, full.id])[gone.id]
        assert (problem.noted_on, problem.reason) == (TODAY, "550 5.1.1 nobody of that name")
        assert full.id not in addresses.problems_of(session, [full.id])

        assert gone.person is not None
        account = make_account("An")
        gone.person.account_id = account.id
        sign_in(client, account)
        assert "give the cooperative another address" in client.get("/smartcoop/me").text
        assert "Give another address to SmartCoop" in client.get("/").text
        sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
        listed = client.get("/smartcoop/register/members?email=problem").text
        assert gone.public_id in listed
        assert full.public_id not in listed
        members.change_contact(session, SYSTEM, gone, Contact("en", "new@example.org"))
        session.commit()
        assert not addresses.problems_of(session, [gone.id])
        sign_in(client, account)
        assert "give the cooperative another address" not in client.get("/smartcoop/me").text


def test_a_returned_letter_is_flagged_by_hand_and_cleared(
    session: Session, make_member: Make
) -> None:
    member = make_member("1")
    with pytest.raises(InvalidInput):
        addresses.flag_address(session, SYSTEM, member, ContactChannel.POST, " ")
    with pytest.raises(RuleViolation, match="no such address"):
        addresses.flag_address(session, SYSTEM, member, ContactChannel.EMAIL, "came back")
    first = addresses.flag_address(session, SYSTEM, member, ContactChannel.POST, "moved away")
    again = addresses.flag_address(session, SYSTEM, member, ContactChannel.POST, "unknown there")
    assert (again.id, again.reason) == (first.id, "unknown there")
    addresses.clear_address(session, SYSTEM, member, ContactChannel.POST)
    with pytest.raises(Conflict):
        addresses.clear_address(session, SYSTEM, member, ContactChannel.POST)
    addresses.flag_address(session, SYSTEM, member, ContactChannel.POST, "moved away")
    assert addresses.problems_of(session, [member.id])
    members.change_contact(
        session, SYSTEM, member, Contact("en", "", "Elsewhere 2", "9000", "Gent", "BE")
    )
    assert not addresses.problems_of(session, [member.id])


# -- what blocks ------------------------------------------------------------------------------


def test_each_reason_is_found_and_only_where_it_holds(
    both_databases: str,
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Account],
    sign_in: Callable[..., None],
) -> None:
    make_member("fine", email="fine@example.org")
    make_member("fine-firm", organisation_name="Fine")
    unpaid = make_member("unpaid", paid_cents=2900)
    part = make_member("one-of-two", shares=2, paid_cents=3000)
    bare = make_member("bare", shares=0)
    without = make_member("no-category")
    session.execute(
        delete(MembershipCategory).where(MembershipCategory.membership_id == without.id)
    )
    firm = make_member("no-representative", organisation_name="Atelier")
    session.execute(
        delete(Representative).where(Representative.organisation_id == firm.organisation_id)
    )
    soon = make_member("soon")
    soon.joined_on = date(2018, 7, 1)
    ended = make_member("ended")
    members.end_membership(session, SYSTEM, ended, date(2018, 5, 1), EndReason.RESIGNATION)
    one, two = make_member("twice-1"), make_member("twice-2")
    merging.merge_holders(session, SYSTEM, one, two, "one person indeed")
    nowhere = make_member("nowhere")
    nowhere.street = nowhere.town = ""
    flagged = make_member("flagged", email="x@example.org")
    addresses.flag_address(session, SYSTEM, flagged, ContactChannel.EMAIL, "came back")
    addresses.flag_address(session, SYSTEM, flagged, ContactChannel.POST, "came back")
    session.commit()

    findings = blockers.find_blockers(session, SYSTEM, cooperative.id, TODAY)
    expected = {
        Blocker.NO_SHARE: {bare},
        Blocker.NO_PAID_SHARE: {unpaid},
        Blocker.NO_CATEGORY: {without},
        Blocker.NO_REPRESENTATIVE: {firm},
        Blocker.TWICE: {one, two},
        Blocker.UNREACHABLE: {nowhere},
        Blocker.EMAIL_REFUSED: {flagged},
        Blocker.LETTER_RETURNED: {flagged},
    }
    assert {key: set(ids) for key, ids in findings.by_blocker.items()} == {
        key: {row.id for row in rows} for key, rows in expected.items()
    }
    assert blockers.blockers_of(session, flagged, TODAY) == (
        Blocker.EMAIL_REFUSED,
        Blocker.LETTER_RETURNED,
    )
    assert blockers.blockers_of(session, part, TODAY) == ()

    sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
    page = client.get("/smartcoop/register/quality").text
    assert f"/smartcoop/register/members/{unpaid.public_id}/payment" in page
    assert f"/smartcoop/register/members/{bare.public_id}/leaving" in page
    # Who has left and who is still to come is no fault of the register.
    for path in ("", "?blocker=voting", "?blocker=ended", "?blocker=no_share"):
        shown = client.get(f"/smartcoop/register/quality{path}").text
        assert ended.public_id not in shown
        assert soon.public_id not in shown
    assert "every member can vote" not in page
    rows = client.get("/smartcoop/register/quality.csv?blocker=convening").text.splitlines()
    assert len(rows) == 4
    sign_in(client, make_account("Aud", roles=[(cooperative, Role.AUDITOR)]))
    page = client.get("/smartcoop/register/quality").text
    assert "E-mail comes back" not in page
    assert flagged.public_id not in page


def test_a_register_in_order_says_so_and_names_no_reason(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Account],
    sign_in: Callable[..., None],
) -> None:
    make_member("1", email="an@example.org")
    ended = make_member("2")
    members.end_membership(session, SYSTEM, ended, date(2018, 5, 1), EndReason.RESIGNATION)
    session.commit()
    sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
    page = client.get("/smartcoop/register/quality").text
    assert "Nothing: every member can vote today." in page
    assert "Nothing: a notice would reach every member." in page
    for words in ("Reason", "two votes", "Members concerned"):
        assert words not in page
    sign_in(client, make_account("Aud", roles=[(cooperative, Role.AUDITOR)]))
    # An auditor is not told which addresses fail, so nothing is said about all of them.
    assert "a notice would reach" not in client.get("/smartcoop/register/quality").text


def test_a_member_without_a_category_is_given_one(session: Session, make_member: Make) -> None:
    member = make_member("1")
    session.execute(delete(MembershipCategory))
    session.expire_all()
    members.change_category(session, SYSTEM, member, "B", date(2018, 2, 1))
    assert Blocker.NO_CATEGORY not in blockers.blockers_of(session, member, TODAY)


# -- representatives --------------------------------------------------------------------------


def name_on(session: Session, firm: Membership, day: date) -> str:
    person = members.representative_on(session, firm.organisation_id or 0, day)
    return person.name if person else ""


def test_a_change_may_be_recorded_late_or_in_advance_and_rolls_follow_the_day(
    both_databases: str, session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    firm = make_member("1", organisation_name="Atelier")

    def change(name: str, day: date) -> Representative:
        return members.change_representative(
            session, SYSTEM, firm, day, given_name=name, family_name="V"
        )

    change("March", date(2018, 3, 1))
    session.commit()
    early = take_roll(session, SYSTEM, cooperative, date(2018, 2, 20), "before it was told")
    change("February", date(2018, 2, 15))
    ahead = change("August", date(2018, 8, 1))
    session.commit()

    history = members.representatives_of(session, firm.organisation_id or 0)
    assert [(row.person.given_name, row.starts_on, row.ends_on) for row in history] == [
        ("Victor", date(2018, 1, 10), date(2018, 2, 15)),
        ("February", date(2018, 2, 15), date(2018, 3, 1)),
        ("March", date(2018, 3, 1), date(2018, 8, 1)),
        ("August", date(2018, 8, 1), None),
    ]
    assert name_on(session, firm, date(2018, 2, 14)) == "Victor Verelst"
    assert name_on(session, firm, date(2018, 2, 15)) == "February V"
    assert name_on(session, firm, date(2018, 7, 31)) == "March V"
    assert name_on(session, firm, date(2018, 8, 1)) == "August V"
    assert name_on(session, firm, date(2018, 1, 9)) == ""

    def on_roll(record_date: date) -> str:
        roll = take_roll(session, SYSTEM, cooperative, record_date, "AG")
        return session.scalars(
            select(RollEntry.representative).where(RollEntry.roll_id == roll.id)
        ).one()

    assert on_roll(date(2018, 2, 20)) == "February V"
    assert on_roll(TODAY) == "March V"
    taken = select(RollEntry.representative).where(RollEntry.roll_id == early.id)
    assert session.scalars(taken).one() == "Victor Verelst"
    assert "august" in firm.search_text
    assert "march" in firm.search_text

    members.withdraw_representative(session, SYSTEM, firm, ahead.id)
    assert name_on(session, firm, date(2018, 9, 1)) == "March V"
    with pytest.raises(Conflict):
        members.withdraw_representative(session, SYSTEM, firm, history[2].id)


def test_a_representative_is_not_named_before_the_organisation_joined_nor_twice(
    session: Session, make_member: Make
) -> None:
    firm, own = make_member("1", organisation_name="Atelier"), make_member("2")
    with pytest.raises(RuleViolation, match="joined only"):
        members.change_representative(
            session, SYSTEM, firm, date(2017, 1, 1), given_name="A", family_name="B"
        )
    members.change_representative(session, SYSTEM, firm, date(2018, 2, 1), member_number="2")
    with pytest.raises(Conflict, match="already"):
        members.change_representative(session, SYSTEM, firm, date(2018, 3, 1), member_number="2")
    assert own.person_id is not None
