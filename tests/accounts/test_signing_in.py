"""Signing in with a password."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from govern.access import Role
from govern.accounts.models import Account, AccountSession
from govern.accounts.passwords import NOBODYS_HASH, needs_rehash, verify_password
from govern.accounts.services.sign_in import COMPARISONS
from govern.audit import AuditEntry
from tests.conftest import OwnContextClient

from .conftest import PASSWORD
from .signing import WRONG, audit_tags, is_signed_in, post_sign_in


def test_an_address_and_its_password_open_the_home_page(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    answer = post_sign_in(client, " ANA@example.org ")
    assert (answer.status_code, answer.location) == (302, "/")
    assert "Hello Ana" in client.get("/").text


def test_a_member_number_and_its_password_open_the_home_page(
    client, make_account, register, cooperative
):
    ana = make_account("Ana", password=PASSWORD)
    register.add("Ana", (cooperative, "1234"), account=ana)
    post_sign_in(client, "1 234")
    assert is_signed_in(client)


def test_a_wrong_password_keeps_what_was_typed_and_says_what_to_do(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    answer = post_sign_in(client, "ana@example.org", WRONG)
    assert answer.status_code == 422
    assert 'value="ana@example.org"' in answer.text
    assert "ask for a sign-in link by mail" in answer.text
    assert not is_signed_in(client)


def test_an_account_without_password_is_not_opened_by_any(client, make_account):
    make_account("Ana", email="ana@example.org")
    assert post_sign_in(client, "ana@example.org", "None").status_code == 422


def test_a_closed_account_cannot_sign_in(client, session, make_account):
    from govern.access import SYSTEM
    from govern.accounts.services import disable_account

    ana = make_account("Ana", email="ana@example.org", password=PASSWORD)
    disable_account(session, SYSTEM, ana)
    assert post_sign_in(client, "ana@example.org").status_code == 422


def test_closing_an_account_ends_its_sessions(client, session, make_account, sign_in):
    from govern.access import SYSTEM
    from govern.accounts.services import disable_account

    ana = make_account("Ana")
    sign_in(client, ana)
    disable_account(session, SYSTEM, ana)
    session.commit()
    assert not is_signed_in(client)


# -- which page next ---------------------------------------------------------------------------


def test_sign_in_leads_to_the_page_that_was_asked_for(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    turned_away = client.get("/profile/password?x=1")
    assert turned_away.location.startswith("/sign-in?next=")
    page = client.get(turned_away.location).text
    wanted = re.search(r'id="next" name="next"[^>]*value="([^"]*)"', page).group(1)
    assert post_sign_in(client, "ana@example.org", next=wanted).location == "/profile/password?x=1"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_sign_in_never_leads_to_another_site(client, make_account, path):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    assert 'value="https' not in client.get("/sign-in", query_string={"next": path}).text
    assert post_sign_in(client, "ana@example.org", next=path).location == "/"


# -- nobody learns who has an account ----------------------------------------------------------


def without_chance(page):
    """The page without what differs between any two answers."""
    page = re.sub(r'name="csrf_token" value="[^"]*"', "", page)
    return page.replace("somebody@example.org", "?").replace("nobody00@example.org", "?")


def test_the_answer_does_not_tell_whether_there_is_an_account(app, make_account):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    app.config["WTF_CSRF_ENABLED"] = False
    answers = []
    for identifier in ("somebody@example.org", "nobody00@example.org"):
        answer = post_sign_in(app.test_client(), identifier, WRONG)
        headers = {k: v for k, v in answer.headers if k not in ("X-Request-Id", "Set-Cookie")}
        answers.append((answer.status_code, headers, without_chance(answer.text)))
    assert answers[0] == answers[1]


def test_the_same_number_of_comparisons_is_made_for_somebody_and_for_nobody(
    app, make_account, register, cooperative, comparisons
):
    somebody = make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    make_account("Without password", email="without@example.org")
    register.add("Somebody", (cooperative, "7"), account=somebody)
    register.add("Never here", (cooperative, "8"), email="never@example.org")
    for identifier, password in (
        ("somebody@example.org", WRONG),
        ("somebody@example.org", PASSWORD),
        ("7", WRONG),
        ("without@example.org", WRONG),
        ("never@example.org", WRONG),
        ("8", WRONG),
        ("nobody00@example.org", WRONG),
        ("9999", WRONG),
    ):
        comparisons.clear()
        post_sign_in(app.test_client(), identifier, password)
        assert len(comparisons) == COMPARISONS, identifier


def test_the_comparison_for_nobody_costs_what_the_others_cost(real_hashing):
    assert not needs_rehash(NOBODYS_HASH)
    assert not verify_password(None, "anything")


# -- hashes and traces -------------------------------------------------------------------------


def test_a_hash_with_old_parameters_is_renewed_at_sign_in(
    client, session, make_account, real_hashing
):
    from argon2 import PasswordHasher

    ana = make_account("Ana", email="ana@example.org", password=PASSWORD)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    ana.password_hash = old
    session.commit()
    post_sign_in(client, "ana@example.org")
    renewed = session.get_one(Account, ana.id).password_hash
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password(renewed, PASSWORD)


def test_an_officer_leaves_an_audit_entry_without_address(
    client, session, make_account, cooperative
):
    ana = make_account(
        "Ana", email="ana@example.org", password=PASSWORD, roles=[(cooperative, Role.AUDITOR)]
    )
    post_sign_in(client, "ana@example.org")
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.tag == "accounts:sign_in:done")
    ).one()
    assert entry.account_id == ana.id
    assert "127.0.0.1" not in f"{entry.subject}{entry.data}"


def test_a_member_leaves_no_audit_entry_at_sign_in(
    client, session, make_account, register, cooperative
):
    ana = make_account("Ana", password=PASSWORD)
    register.add("Ana", (cooperative, "7"), account=ana)
    before = audit_tags(session)
    post_sign_in(client, "7")
    assert is_signed_in(client)
    assert audit_tags(session) == before


def test_a_sign_in_stores_no_time_finer_than_a_day(client, session, clock, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(client, "ana@example.org")
    row = session.scalars(select(AccountSession)).one()
    assert {name: value for name, value in vars(row).items() if hasattr(value, "hour")} == {}
    assert row.started_on == clock.now.date()


def test_forms_refuse_requests_from_elsewhere(config, make_account):
    from govern.app import create_app

    strict = create_app(config)
    strict.config["GOVERN_NO_REDIS"] = True
    strict.test_client_class = OwnContextClient
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    answer = post_sign_in(strict.test_client(), "ana@example.org")
    assert answer.status_code == 400
    assert "not sent from this site" in answer.text
