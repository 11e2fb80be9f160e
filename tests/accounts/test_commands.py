"""``govern accounts``."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from govern.accounts.cli import accounts
from govern.accounts.models import Account
from govern.accounts.passwords import verify_password
from govern.accounts.services import open_grants
from govern.audit import AuditEntry


@pytest.fixture
def run(app, session):
    def invoke(*arguments, stdin=None):
        session.commit()
        answer = CliRunner().invoke(accounts, arguments, obj=app, input=stdin)
        session.expire_all()
        return answer

    return invoke


def test_the_first_administrator_is_made_on_the_command_line(run, session, cooperative):
    created = run("create", "--name", "Ada", "--email", "ada@example.org", "--language", "nl")
    assert created.exit_code == 0, created.output
    given = run("grant", "ada@example.org", "administrator", "--cooperative", "smartcoop")
    assert given.exit_code == 0, given.output
    held = [(grant.account.name, grant.role) for grant in open_grants(session, cooperative.id)]
    assert held == [("Ada", "administrator")]
    listed = run("list").output
    assert "smartcoop\tadministrator\tAda\tada@example.org\t" in listed
    tags = session.scalars(select(AuditEntry.tag)).all()
    assert tags == ["accounts:account:opened", "accounts:role:granted"]


def test_a_password_is_read_from_standard_input_and_never_from_the_arguments(run, session):
    created = run(
        "create",
        "--name=Ada",
        "--email=ada@example.org",
        "--password-stdin",
        stdin="four quiet herons walk\n",
    )
    assert created.exit_code == 0, created.output
    stored = session.scalars(select(Account.password_hash)).one()
    assert verify_password(stored, "four quiet herons walk")


def test_a_weak_password_is_refused_in_plain_words(run, session):
    refused = run(
        "create", "--name=Ada", "--email=a@example.org", "--password-stdin", stdin="short\n"
    )
    assert refused.exit_code == 1
    assert "shorter than 12 characters" in refused.output
    assert session.scalars(select(Account)).all() == []


def test_an_address_in_use_is_not_taken_twice_by_accident(run, session, make_account):
    make_account("Ana", email="home@example.org")
    refused = run("create", "--name=Ben", "--email=HOME@example.org")
    assert refused.exit_code == 1
    assert "already goes by" in refused.output
    assert (
        run("create", "--name=Ben", "--email=home@example.org", "--shared-address").exit_code == 0
    )
    refused = run("grant", "home@example.org", "auditor", "--cooperative", "smartcoop")
    assert refused.exit_code == 1
    assert "Several people go by" in refused.output


def test_a_role_is_ended_but_never_the_last_administrators(run, make_account, cooperative):
    from govern.access import Role

    make_account("Ada", email="ada@example.org", roles=[(cooperative, Role.ADMINISTRATOR)])
    make_account("Ben", email="ben@example.org", roles=[(cooperative, Role.AUDITOR)])
    assert run("revoke", "ben@example.org", "auditor", "--cooperative", "smartcoop").exit_code == 0
    refused = run("revoke", "ada@example.org", "administrator", "--cooperative", "smartcoop")
    assert refused.exit_code == 1
    assert "last administrator" in refused.output
    again = run("revoke", "ben@example.org", "auditor", "--cooperative", "smartcoop")
    assert again.exit_code == 1


def test_somebody_of_the_register_is_found_by_number(run, session, register, cooperative):
    register.add("Ben", (cooperative, "7"), email="ben@example.org")
    given = run("grant", "smartcoop/7", "registrar", "--cooperative", "smartcoop")
    assert given.exit_code == 0, given.output
    assert [grant.account.name for grant in open_grants(session, cooperative.id)] == ["Ben"]


def test_an_account_is_closed(run, session, make_account):
    make_account("Ben", email="ben@example.org")
    assert run("close", "ben@example.org").exit_code == 0
    assert session.scalars(select(Account.disabled_at)).one() is not None
    assert run("close", "ben@example.org").exit_code == 1


def test_unknown_people_and_cooperatives_are_named(run, make_account):
    assert "Nobody goes by who@example.org" in (
        run("grant", "who@example.org", "auditor", "--cooperative", "nowhere").output
    )
    make_account("Ben", email="ben@example.org")
    assert "no cooperative 'nowhere'" in (
        run("grant", "ben@example.org", "auditor", "--cooperative", "nowhere").output
    )
