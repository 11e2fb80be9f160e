"""What each role sees of a member, who looked, and a person's own export."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.audit import AuditEntry
from govern.cooperatives.models import Cooperative
from govern.register.cli import register as commands
from govern.register.hooks import own_data
from govern.register.models import ContactChannel, Membership, Person, RegisterReading
from govern.register.rules.privacy import (
    COLUMN_GROUPS,
    PUBLIC,
    SELF,
    VISIBLE,
    FieldGroup,
    visible_to,
)
from govern.register.services import freeze_roll, ledger, members, take_roll
from govern.register.services.listing import EXPORT_COLUMNS
from govern.register.services.quality import addresses
from tests.conftest import SettableClock

Make = Callable[..., Membership]
Accounts = Callable[..., Account]
SignIn = Callable[[FlaskClient, Account], None]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _on_that_day(clock: SettableClock) -> None:
    """Noon on 1 June 2018."""


def test_the_page_of_the_documentation_is_what_the_code_says(app: Flask, session: Session) -> None:
    printed = CliRunner().invoke(commands, ["privacy-table"], obj=app)
    assert printed.exit_code == 0, printed.output
    assert printed.output == (REPOSITORY / "docs" / "privacy.md").read_text(encoding="utf-8"), (
        "run: govern register privacy-table > docs/privacy.md"
    )


def test_every_part_says_who_sees_it_and_every_column_belongs_to_a_part() -> None:
    viewers = {SELF, PUBLIC, *(role.value for role in Role)}
    assert set(VISIBLE) == set(FieldGroup)
    assert set().union(*VISIBLE.values()) <= viewers
    assert set(COLUMN_GROUPS) == set(EXPORT_COLUMNS)


def test_the_public_sees_nothing_and_a_fellow_member_what_the_law_opens() -> None:
    assert visible_to([]) == frozenset()
    assert visible_to([Role.MEMBER.value]) == {
        FieldGroup.NAME,
        FieldGroup.CATEGORY,
        FieldGroup.SHARES,
    }
    assert visible_to([SELF]) == frozenset(FieldGroup)
    both = visible_to([Role.MEMBER.value, Role.AUDITOR.value])
    assert both == visible_to([Role.AUDITOR.value])


MARKERS: dict[FieldGroup, tuple[str, ...]] = {
    FieldGroup.NAME: ("Zebulon Quartz",),
    FieldGroup.NUMBER: ("NR-7731",),
    FieldGroup.CATEGORY: ("Outside partners", '"Category">C<'),
    FieldGroup.SHARES: ("4,391",),
    FieldGroup.MEMBERSHIP: ("13 March 2017", "2017-03-13"),
    FieldGroup.LEDGER: ("131,730.00", "131730"),
    FieldGroup.REPRESENTATIVE: ("Rupertine Opal",),
    FieldGroup.ENTERPRISE_NUMBER: ("0871985062", "0871.985.062"),
    FieldGroup.REACHED_BY: (">by post<", "Reached by", "none: letters go by post"),
    FieldGroup.CONTACT: ("zeb@quartz.example", "Kerkstraat 1"),
    FieldGroup.BIRTH_DATE: ("7 July 1907", "1907-07-07"),
    FieldGroup.ADDRESS_PROBLEMS: ("nobody of that quartz",),
    FieldGroup.REMARKS: ("a remarkable quartz",),
    FieldGroup.HISTORY: ("Name or number corrected",),
    FieldGroup.READINGS: ("Who looked at this record", "Who looked at your record"),
    FieldGroup.ERASURE: ("Ask for erasure", "Requests to erase"),
}
"""What betrays each part of the record when it appears on a page."""


def test_no_page_shows_a_role_what_the_table_hides(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    """Every cell: what is hidden is on no page, and what is shown is on one."""
    zeb = make_member(
        "NR-7731", given_name="Zebulon", family_name="Quarz", birth_date=date(1907, 7, 7),
        email="zeb@quartz.example", category="C", joined_on=date(2017, 3, 13), shares=4391,
        paid_cents=0,
    )  # fmt: skip
    ledger.record_payment(
        session, SYSTEM, zeb, 4391 * 3000, date(2017, 3, 13), remark="a remarkable quartz"
    )
    members.change_identity(
        session, SYSTEM, zeb, given_name="Zebulon", family_name="Quartz",
        birth_date=date(1907, 7, 7),
    )  # fmt: skip
    addresses.flag_address(session, SYSTEM, zeb, ContactChannel.EMAIL, "nobody of that quartz")
    firm = make_member("8", organisation_name="Opal Works", joined_on=date(2017, 3, 13))
    opal = members.change_representative(
        session, SYSTEM, firm, date(2017, 3, 13), given_name="Rupertine", family_name="Opal"
    )
    fellow = make_member("9", given_name="Fellow", email="f@example.org")
    roll = take_roll(session, SYSTEM, cooperative, date(2018, 5, 1), "AG")
    freeze_roll(session, SYSTEM, roll)
    accounts: dict[str, list[Account | None]] = {
        role.value: [make_account(role.value, roles=[(cooperative, role)])]
        for role in Role
        if role is not Role.MEMBER
    }
    for membership_person, viewer in (
        (zeb.person, SELF), (opal.person, SELF), (fellow.person, Role.MEMBER.value),
    ):  # fmt: skip
        account = make_account("somebody")
        membership_person.account_id = account.id
        accounts.setdefault(viewer, []).append(account)
    accounts[PUBLIC] = [None, make_account("nobody")]
    session.commit()
    register = "/smartcoop/register"
    pages = [
        "/smartcoop/me", "/smartcoop/me/data", "/smartcoop/book", f"{register}/members",
        f"{register}/members.csv", f"{register}/members/{zeb.public_id}",
        f"{register}/members/{firm.public_id}", f"{register}/book", f"{register}/book/entries",
        f"{register}/book/members/{zeb.public_id}", f"/smartcoop/rolls/{roll.public_id}/entries",
        f"/smartcoop/rolls/{roll.public_id}/entries.csv", f"{register}/quality",
        f"{register}/quality.csv",
        f"{register}/quality/duplicates", f"{register}/erasures",
    ]  # fmt: skip
    wrong = []
    for viewer, asking in accounts.items():
        shown = ""
        for account in asking:
            client = client.application.test_client()
            if account is not None:
                sign_in(client, account)
            # One's own page tells a fellow member about themself.
            for page in pages[2 if viewer == Role.MEMBER.value else 0 :]:
                answer = client.get(page)
                if answer.status_code == 200:
                    shown += answer.get_data(as_text=True).replace("\xa0", " ")
        for group, markers in MARKERS.items():
            found = [marker for marker in markers if marker in shown]
            if viewer in VISIBLE[group] and not found:
                wrong.append(f"{viewer} does not see {group.value} anywhere")
            if viewer not in VISIBLE[group] and found:
                wrong.append(f"{viewer} sees {group.value}: {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", ["members", "book"])
def test_what_is_hidden_cannot_be_found_out_by_searching(
    page: str,
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    make_member("NR-7731", given_name="Zebulon", family_name="Quarz", email="some@where.example")
    for role, sees in ((Role.TREASURER, False), (Role.AUDITOR, False), (Role.REGISTRAR, True)):
        client = client.application.test_client()
        sign_in(client, make_account(role.value, roles=[(cooperative, role)]))
        for query, is_found in (
            ("zeb quarz", True), ("nr-7731", True), ("where", sees), ("gent", sees),
        ):  # fmt: skip
            answer = client.get(f"/smartcoop/register/{page}?q={query}")
            assert ("Zebulon" in answer.text) == is_found, (role, query)


# -- who looked -------------------------------------------------------------------------------


def readings(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(select(RegisterReading).order_by(RegisterReading.id)).all()
    return [(row.roles, row.day.isoformat()) for row in rows]


def test_looking_at_a_record_is_noted_once_a_day_and_shown_to_the_person(
    both_databases: str,
    session: Session,
    client: FlaskClient,
    clock: SettableClock,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    member = make_member("1")
    account = make_account("An")
    assert member.person is not None
    member.person.account_id = account.id
    session.commit()
    page = f"/smartcoop/register/members/{member.public_id}"
    officer = make_account("Olga Officer", roles=[(cooperative, Role.REGISTRAR)])
    sign_in(client, officer)
    for _turn in range(3):
        assert client.get(page).status_code == 200
    assert readings(session) == [("registrar", "2018-06-01")]
    clock.advance(days=1)
    sign_in(client, officer)
    client.get(page)
    client.get("/smartcoop/register/members.csv")
    client.get("/smartcoop/register/members.xlsx")
    assert readings(session) == [
        ("registrar", "2018-06-01"),
        ("registrar", "2018-06-02"),
        ("registrar", "2018-06-02"),
    ]
    tags = session.scalars(
        select(AuditEntry.tag).where(AuditEntry.tag.in_(
            ["register:member:read", "register:members:exported"]))
    ).all()  # fmt: skip
    assert sorted(tags) == ["register:member:read"] * 2 + ["register:members:exported"]

    sign_in(client, account)
    own = client.get("/smartcoop/me/data").text
    assert "1 June 2018: Registrar" in own
    assert "2 June 2018: Registrar" in own
    assert "took the whole register out" in own
    assert "Olga" not in own
    assert len(readings(session)) == 3


def test_a_refused_request_and_ones_own_record_leave_no_trace(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    member = make_member("1")
    registrar = make_account("Reg", roles=[(cooperative, Role.REGISTRAR)])
    assert member.person is not None
    member.person.account_id = registrar.id
    page = f"/smartcoop/register/members/{member.public_id}"
    sign_in(client, make_account("Sec", roles=[(cooperative, Role.SECRETARY)]))
    assert client.get(page).status_code == 403
    sign_in(client, registrar)
    assert client.get(page).status_code == 200
    assert readings(session) == []


# -- one's own data ---------------------------------------------------------------------------


def test_a_person_takes_out_everything_about_themself_and_nothing_about_others(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
    clock: SettableClock,
) -> None:
    from govern.mail import queue_mail
    from govern.mail.sending import deliver_to_mailbox

    clock.set(datetime(2018, 6, 1, 22, 30, tzinfo=UTC))
    member = make_member("1", email="shared@example.org", birth_date=date(1980, 2, 1), shares=2)
    other = make_member("2", given_name="Bo", email="shared@example.org")
    for row in (member, other):
        queue_mail(
            session,
            cooperative_id=cooperative.id,
            to_address="shared@example.org",
            to_name=row.display_name,
            language="en",
            template="password_changed",
            context={},
            dedupe_key=row.public_id,
            category="test",
        )
    session.commit()
    deliver_to_mailbox(session)
    take_roll(session, SYSTEM, cooperative, date(2018, 5, 1), "Roll of the year")
    account = make_account("An", language="en", password="seven green boats drift")
    assert member.person is not None
    member.person.account_id = account.id
    session.commit()
    sign_in(client, account)
    assert client.post("/smartcoop/me/data/export", data={"present": "wrong"}).status_code == 422
    answer = client.post("/smartcoop/me/data/export", data={"present": "seven green boats drift"})
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        data = json.loads(archive.read("data.json"))
        page = archive.read("data.html").decode()
    sections = {section["key"]: section["rows"] for section in data["sections"]}
    # Half past midnight in Brussels, still the day before in London.
    assert [row[0] for row in sections["mails"]] == ["2 Jun 2018"]
    assert set(sections) >= {
        "person", "memberships", "categories", "ledger", "representations", "rolls",
        "address_problems", "mails", "account", "roles", "readings", "erasures",
    }  # fmt: skip
    assert sections["person"] == [["An Peeters", "1 February 1980"]]
    assert len(sections["ledger"]) == 2
    assert [row[0] for row in sections["rolls"]] == ["Roll of the year"]
    assert len(sections["mails"]) == 1
    assert "Roll of the year" in page
    assert "Bo Peeters" not in json.dumps(data)
    tags = select(AuditEntry.tag).where(AuditEntry.tag == "register:person:own_data_exported")
    assert session.scalars(tags).all()


def test_without_a_password_a_fresh_link_is_asked_for_and_features_add_their_sections(
    session: Session,
    client: FlaskClient,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Accounts,
    sign_in: SignIn,
) -> None:
    member, account = make_member("1"), make_account("An")
    assert member.person is not None
    member.person.account_id = account.id
    session.commit()
    sign_in(client, account)
    answer: Any = client.post("/smartcoop/me/data/export")
    assert answer.status_code == 302
    assert "fresh link" in client.get("/smartcoop/me/data").text
    keys = [
        section.key
        for collect in own_data
        for section in collect(session, session.get_one(Person, member.person_id))
    ]
    assert len(keys) == len(set(keys))
