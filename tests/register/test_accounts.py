"""The register and the accounts: whom a number means, first sign-ins, roles, what is expected."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for, candidates_for, forget_sign_in_order
from govern.cooperatives.models import Cooperative
from govern.extensions import db
from govern.register.models import EndReason, Membership, Person
from govern.register.services import accounts, members

Make = Callable[..., Membership]


def found(session: Session, identifier: str) -> set[tuple[str, str]]:
    return {(c.name, c.member_number) for c in candidates_for(session, identifier)}


@pytest.mark.parametrize(
    "identifier", ["A-7", "a-7", " A - 7 ", "smartcoop/A-7", "SMARTCOOP/a-7", "An@Example.org"]
)
def test_a_member_is_found_by_number_or_address(
    identifier: str, session: Session, make_member: Make
) -> None:
    make_member("A-7", email="an@example.org")
    make_member("8", given_name="Bo", email="bo@example.org")
    assert found(session, identifier) == {("An Peeters", "A-7")}


def test_a_number_may_hold_a_slash(session: Session, make_member: Make) -> None:
    make_member("2018/7")
    make_member("7", given_name="Bo")
    assert found(session, "2018/7") == {("An Peeters", "2018/7")}
    assert found(session, "elsewhere/7") == set()
    assert found(session, "nobody") == set()


def test_two_who_share_an_address_are_both_found(session: Session, make_member: Make) -> None:
    make_member("7", email="us@example.org")
    make_member("8", given_name="Bo", email="US@example.org")
    assert found(session, "us@example.org") == {("An Peeters", "7"), ("Bo Peeters", "8")}


def test_an_organisation_is_its_representative_of_today(
    session: Session, make_member: Make, clock: Any
) -> None:
    firm = make_member("9", organisation_name="Atelier", email="firm@example.org")
    assert found(session, "9") == {("Victor Verelst", "9")}
    members.change_representative(
        session, SYSTEM, firm, date(2018, 5, 1), given_name="Eva", family_name="Maes"
    )
    candidate = candidates_for(session, "firm@example.org")[0]
    assert (candidate.name, candidate.email) == ("Eva Maes", "firm@example.org")


def test_whoever_has_left_is_not_invited_to_open_an_account(
    session: Session, make_member: Make, clock: Any
) -> None:
    member = make_member("7")
    known = make_member("8", given_name="Bo")
    accounts.open_person_account(session, known.person_id or 0)
    for each in (member, known):
        members.end_membership(session, SYSTEM, each, date(2018, 5, 1), EndReason.RESIGNATION)
    assert found(session, "7") == set()
    assert found(session, "8") == {("Bo Peeters", "8")}


def test_the_account_is_opened_at_the_first_sign_in_and_kept(
    session: Session, make_member: Make
) -> None:
    member = make_member("7", language="nl", email="an@example.org")
    account = accounts.open_person_account(session, member.person_id or 0)
    assert account is not None
    # The address stays with the membership, where the registrar changes it.
    assert (account.name, account.language, account.email) == ("An Peeters", "nl", None)
    assert accounts.open_person_account(session, member.person_id or 0) is account
    assert accounts.open_person_account(session, 99_999) is None
    candidate = candidates_for(session, "7")[0]
    assert (candidate.account_id, candidate.email) == (account.id, "an@example.org")


def test_two_first_sign_ins_at_once_open_one_account(
    both_databases: str, app: Any, session: Session, make_member: Make
) -> None:
    person_id = make_member("7").person_id or 0
    session.commit()

    def sign_in(_number: int) -> int:
        with app.app_context():
            account = accounts.open_person_account(db.session, person_id)
            assert account is not None
            number = account.id
            db.session.commit()
            return number

    with ThreadPoolExecutor(4) as pool:
        opened = set(pool.map(sign_in, range(8)))
    assert len(opened) == 1
    assert session.scalar(select(func.count()).select_from(Account)) == 1


def test_membership_gives_the_role_of_a_member_while_it_lasts(
    session: Session, cooperative: Cooperative, make_member: Make, clock: Any
) -> None:
    member = make_member("7")
    account = accounts.open_person_account(session, member.person_id or 0)
    assert account is not None
    assert actor_for(session, account).roles == {cooperative.id: frozenset({Role.MEMBER})}
    members.end_membership(session, SYSTEM, member, date(2018, 6, 1), EndReason.RESIGNATION)
    assert actor_for(session, account).roles == {}


def test_a_representative_has_the_role_of_a_member(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    firm = make_member("9", organisation_name="Atelier")
    person = session.scalars(select(Person).where(Person.family_name == "Verelst")).one()
    account = accounts.open_person_account(session, person.id)
    assert account is not None
    assert accounts.member_roles(session, account.id) == {cooperative.id: {Role.MEMBER}}
    members.change_representative(
        session, SYSTEM, firm, date(2018, 6, 1), given_name="Eva", family_name="Maes"
    )
    assert accounts.member_roles(session, account.id) == {}


def test_the_home_page_asks_for_what_is_unpaid_and_shows_memberships(
    client: Any, session: Session, sign_in: Callable[..., None], make_member: Make
) -> None:
    member = make_member("7", shares=2, paid_cents=3000)
    account = accounts.open_person_account(session, member.person_id or 0)
    session.commit()
    sign_in(client, account)
    page = client.get("/").text
    assert "Pay for your shares: €30.00" in page
    assert "SmartCoop" in page
    assert "Member 7" in client.get("/profile").text


def test_closing_an_election_rewrites_who_signed_in_first(
    both_databases: str, session: Session, make_member: Make
) -> None:
    people = [make_member(str(n), given_name=f"N{n}").person_id or 0 for n in range(1, 9)]
    for number in (5, 2, 8, 1):
        accounts.open_person_account(session, people[number - 1])
        session.commit()
    forget_sign_in_order(session)
    session.commit()
    if session.get_bind().dialect.name == "postgresql":
        rows = (
            session.connection()
            .exec_driver_sql(
                "SELECT id, xmin::text FROM person WHERE account_id IS NOT NULL ORDER BY ctid"
            )
            .all()
        )
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert len({row[1] for row in rows}) == 1
    assert (
        session.scalar(
            select(func.count()).select_from(Person).where(Person.account_id.is_not(None))
        )
        == 4
    )
