"""Roles in a cooperative."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from govern.access import SYSTEM, Permission, Role
from govern.accounts.models import Account, RoleGrant
from govern.accounts.services import actor_for, end_role, grant_role, open_grants
from govern.audit import AuditEntry
from govern.errors import Conflict, Forbidden, InvalidInput, RuleViolation


@pytest.fixture
def admin(make_account, cooperative):
    return make_account("Ada", email="ada@example.org", roles=[(cooperative, Role.ADMINISTRATOR)])


def held_roles(session, cooperative):
    return [(grant.account.name, grant.role) for grant in open_grants(session, cooperative.id)]


def test_a_role_counts_from_now_until_it_ends(session, clock, make_account, cooperative, admin):
    ben = make_account("Ben")
    actor = actor_for(session, admin)
    grant = grant_role(session, actor, ben, cooperative.id, Role.SECRETARY)
    assert actor_for(session, ben).may(Permission.ASSEMBLY_EDIT, cooperative.id)
    clock.advance(days=3)
    end_role(session, actor, grant)
    assert not actor_for(session, ben).may(Permission.ASSEMBLY_EDIT, cooperative.id)
    assert (grant.granted_by_id, grant.ended_by_id) == (admin.id, admin.id)
    assert (grant.ends_at - grant.starts_at).days == 3


def test_a_role_in_one_cooperative_is_none_in_another(
    session, make_account, make_cooperative, cooperative
):
    other = make_cooperative("smartfr", "Smartfr")
    ben = make_account("Ben", roles=[(cooperative, Role.SECRETARY)])
    assert not actor_for(session, ben).may(Permission.ASSEMBLY_EDIT, other.id)


def test_giving_a_role_twice_gives_it_once(session, make_account, cooperative):
    ben = make_account("Ben")
    first = grant_role(session, SYSTEM, ben, cooperative.id, Role.AUDITOR)
    assert grant_role(session, SYSTEM, ben, cooperative.id, Role.AUDITOR) is first
    assert held_roles(session, cooperative) == [("Ben", "auditor")]


def test_only_an_administrator_gives_and_ends_roles(session, make_account, cooperative, admin):
    secretary = make_account("Sam", roles=[(cooperative, Role.SECRETARY)])
    actor = actor_for(session, secretary)
    with pytest.raises(Forbidden):
        grant_role(session, actor, secretary, cooperative.id, Role.ADMINISTRATOR)
    with pytest.raises(Forbidden):
        end_role(session, actor, open_grants(session, cooperative.id)[0])


def test_nobody_is_made_a_member_by_granting_a_role(session, make_account, cooperative):
    with pytest.raises(InvalidInput, match="member"):
        grant_role(session, SYSTEM, make_account("Ben"), cooperative.id, Role.MEMBER)


def test_membership_follows_from_the_register(session, make_account, cooperative, register):
    ben = make_account("Ben")
    register.add("Ben", (cooperative, "7"), account=ben)
    assert actor_for(session, ben).roles == {cooperative.id: frozenset({Role.MEMBER})}


def test_the_last_administrator_cannot_be_removed(session, make_account, cooperative, admin):
    (own,) = open_grants(session, cooperative.id)
    with pytest.raises(RuleViolation):
        end_role(session, actor_for(session, admin), own)
    second = grant_role(session, SYSTEM, make_account("Ben"), cooperative.id, Role.ADMINISTRATOR)
    end_role(session, actor_for(session, admin), own)
    with pytest.raises(RuleViolation):
        end_role(session, SYSTEM, second)


def test_an_administrator_whose_account_is_closed_does_not_count(
    session, make_account, cooperative, admin
):
    from govern.accounts.services import disable_account

    ben = make_account("Ben", roles=[(cooperative, Role.ADMINISTRATOR)])
    disable_account(session, SYSTEM, ben)
    own = session.scalars(select(RoleGrant).where(RoleGrant.account_id == admin.id)).one()
    with pytest.raises(RuleViolation):
        end_role(session, actor_for(session, admin), own)


def test_a_role_ends_once(session, make_account, cooperative):
    grant = grant_role(session, SYSTEM, make_account("Ben"), cooperative.id, Role.AUDITOR)
    end_role(session, SYSTEM, grant)
    with pytest.raises(Conflict):
        end_role(session, SYSTEM, grant)


def test_two_administrators_who_remove_each_other_at_once_leave_one(
    both_databases, app, session, make_account, cooperative
):
    from govern.errors import GovernError
    from govern.extensions import db

    grants = [
        grant_role(session, SYSTEM, make_account(name), cooperative.id, Role.ADMINISTRATOR)
        for name in ("Ada", "Ben")
    ]
    numbers = [grant.id for grant in grants]
    code = cooperative.id
    session.commit()
    ready, refused = threading.Barrier(2), []

    def remove(number):
        with app.app_context():
            ready.wait()
            try:
                end_role(db.session(), SYSTEM, db.session.get_one(RoleGrant, number))
                db.session.commit()
            except GovernError as error:
                refused.append(error)

    threads = [threading.Thread(target=remove, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.expire_all()
    assert len(open_grants(session, code)) == 1
    assert [type(error) for error in refused] == [RuleViolation]


def test_the_database_itself_refuses_a_role_twice(session, make_account, cooperative, clock):
    from sqlalchemy.exc import IntegrityError

    ben = make_account("Ben", roles=[(cooperative, Role.AUDITOR)])
    session.add(
        RoleGrant(
            account_id=ben.id,
            cooperative_id=cooperative.id,
            role="auditor",
            starts_at=clock.now,
        )
    )
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_roles_leave_a_trace(session, make_account, cooperative, admin):
    ben = make_account("Ben")
    grant = grant_role(session, actor_for(session, admin), ben, cooperative.id, Role.TRUSTEE)
    end_role(session, actor_for(session, admin), grant)
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == grant.public_id)
        .order_by(AuditEntry.position)
    ).all()
    assert [entry.tag for entry in entries] == ["accounts:role:granted", "accounts:role:ended"]
    assert {entry.account_id for entry in entries} == {admin.id}
    assert entries[0].details == {"account": ben.id, "role": "trustee"}
    assert "Ben" not in entries[0].data


# -- the page -----------------------------------------------------------------------------------


def give(client, **fields):
    return client.post("/smartcoop/roles", data=fields)


def test_an_administrator_gives_a_member_a_role_and_the_member_gets_a_mail(
    client, session, cooperative, admin, register, sign_in, mails
):
    register.add("Ben", (cooperative, "7"), email="ben@example.org")
    sign_in(client, admin)
    answer = give(client, identifier="7", role="registrar")
    assert answer.status_code == 302
    assert ("Ben", "registrar") in held_roles(session, cooperative)
    (mail,) = mails("role")
    assert mail.to_address == "ben@example.org"
    page = client.get("/smartcoop/roles").text
    assert "Ben is now: Registrar." in page


def test_a_number_of_another_cooperative_finds_nobody(
    client, session, cooperative, make_cooperative, admin, register, sign_in
):
    other = make_cooperative("smartfr", "Smartfr")
    register.add("Ben", (other, "7"), email="ben@example.org")
    sign_in(client, admin)
    for identifier in ("7", "smartfr/7"):
        answer = give(client, identifier=identifier, role="registrar")
        assert answer.status_code == 422
        assert "Ben" not in answer.text
    assert held_roles(session, cooperative) == [("Ada", "administrator")]


def test_somebody_from_outside_is_invited_with_name_and_address(
    client, session, cooperative, admin, sign_in, mails
):
    sign_in(client, admin)
    answer = give(client, identifier="audit@example.org", role="auditor")
    assert answer.status_code == 422
    assert 'value="audit@example.org"' in answer.text
    answer = give(client, identifier="audit@example.org", role="auditor", name="Olga Outside")
    assert answer.status_code == 302
    account = session.scalars(select(Account).where(Account.email_key == "audit@example.org")).one()
    assert account.name == "Olga Outside"
    assert [mail.to_address for mail in mails("role")] == ["audit@example.org"]


def test_a_shared_address_leads_to_a_choice(client, session, cooperative, admin, register, sign_in):
    register.add("Ben", (cooperative, "7"), email="home@example.org")
    register.add("Cleo", (cooperative, "8"), email="home@example.org")
    sign_in(client, admin)
    page = give(client, identifier="home@example.org", role="trustee")
    assert "Cleo (SmartCoop member 8)" in page.text
    give(client, identifier="home@example.org", role="trustee", person="person:2")
    assert ("Cleo", "trustee") in held_roles(session, cooperative)
    assert ("Ben", "trustee") not in held_roles(session, cooperative)


def test_an_unknown_role_is_refused(client, session, cooperative, admin, sign_in):
    sign_in(client, admin)
    for role in ("member", "emperor"):
        assert give(client, identifier="ada@example.org", role=role).status_code == 422


def test_ending_a_role_says_what_will_happen_first(
    client, session, cooperative, admin, make_account, sign_in
):
    grant = grant_role(session, SYSTEM, make_account("Ben"), cooperative.id, Role.AUDITOR)
    address = f"/smartcoop/roles/{grant.public_id}/end"
    sign_in(client, admin)
    assert "Ben no longer acts as: Auditor" in client.get(address).text
    assert client.post(address).status_code == 302
    assert held_roles(session, cooperative) == [("Ada", "administrator")]
    assert client.post(address).status_code == 409


def test_the_page_refuses_to_remove_the_last_administrator(
    client, session, cooperative, admin, sign_in
):
    (grant,) = open_grants(session, cooperative.id)
    address = f"/smartcoop/roles/{grant.public_id}/end"
    sign_in(client, admin)
    assert "last administrator" in client.get(address).text
    assert client.post(address).status_code == 422
    assert held_roles(session, cooperative) == [("Ada", "administrator")]


def test_a_grant_of_another_cooperative_is_not_found_here(
    client, session, cooperative, make_cooperative, make_account, admin, sign_in
):
    other = make_cooperative("smartfr", "Smartfr")
    grant = grant_role(session, SYSTEM, make_account("Ben"), other.id, Role.AUDITOR)
    sign_in(client, admin)
    assert client.post(f"/smartcoop/roles/{grant.public_id}/end").status_code == 404
    assert held_roles(session, other) == [("Ben", "auditor")]
