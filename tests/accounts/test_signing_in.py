"""Signing in with a password."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import func, select

from govern.access import Role
from govern.accounts.models import Account, AccountSession, SignInThrottle
from govern.accounts.passwords import NOBODYS_HASH, needs_rehash, verify_password
from govern.accounts.services.sign_in import COMPARISONS
from govern.audit import AuditEntry
from tests.conftest import OwnContextClient

from .conftest import PASSWORD

WRONG = "three loud herons run"


def post_sign_in(client, identifier, password=PASSWORD, **extra):
    return client.post("/sign-in", data={"identifier": identifier, "password": password, **extra})


def is_signed_in(client):
    return client.get("/profile").status_code == 200


def audit_tags(session):
    return list(session.scalars(select(AuditEntry.tag)))


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


# -- too many tries ----------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["somebody@example.org", "nobody00@example.org", "4711"])
def test_the_eleventh_wrong_password_in_a_quarter_of_an_hour_is_not_even_compared(
    app, clock, make_account, comparisons, identifier
):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    for _ in range(10):
        assert post_sign_in(app.test_client(), identifier, WRONG).status_code == 422
    comparisons.clear()
    answer = post_sign_in(app.test_client(), identifier)
    assert answer.status_code == 429
    assert "Ask for a sign-in link by mail instead" in answer.text
    assert comparisons == []


def test_after_a_quarter_of_an_hour_one_may_try_again(app, clock, make_account):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    for _ in range(11):
        post_sign_in(app.test_client(), "somebody@example.org", WRONG)
    clock.advance(minutes=15)
    assert post_sign_in(app.test_client(), "somebody@example.org").status_code == 302


def test_sixty_wrong_passwords_in_a_day_close_the_password_for_that_day(
    app, clock, session, make_account
):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    for round_ in range(7):
        for _ in range(10):
            answer = post_sign_in(app.test_client(), "somebody@example.org", WRONG)
            assert answer.status_code == (422 if round_ < 6 else 429)
        clock.advance(minutes=16)
    clock.advance(hours=23)
    assert post_sign_in(app.test_client(), "somebody@example.org").status_code == 302


def test_spelling_an_identifier_otherwise_does_not_start_the_count_again(app, clock, make_account):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    for number in range(11):
        spelling = "somebody@example.org".upper() if number % 2 else " somebody @example.org"
        answer = post_sign_in(app.test_client(), spelling, WRONG)
    assert answer.status_code == 429


def test_the_right_password_forgives_the_wrong_ones(app, clock, session, make_account):
    make_account("Somebody", email="somebody@example.org", password=PASSWORD)
    for _ in range(9):
        post_sign_in(app.test_client(), "somebody@example.org", WRONG)
    post_sign_in(app.test_client(), "somebody@example.org")
    assert session.scalar(select(func.count()).select_from(SignInThrottle)) == 0


def test_tries_at_the_same_moment_are_all_counted(both_databases, app, session):
    from govern.accounts.services import begin_attempt
    from govern.errors import TooManyRequests
    from govern.extensions import db

    session.rollback()
    ready, allowed, refused = threading.Barrier(14), [], []

    def attempt():
        with app.app_context():
            ready.wait()
            try:
                begin_attempt(db.session(), "nobody00@example.org")
                db.session.commit()
                allowed.append(1)
            except TooManyRequests:
                db.session.rollback()
                refused.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), len(refused)) == (10, 4)


def test_counters_of_windows_that_are_over_go_when_anybody_signs_in(
    app, clock, session, make_account
):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(app.test_client(), "nobody00@example.org", WRONG)
    clock.advance(hours=24)
    post_sign_in(app.test_client(), "ana@example.org")
    assert session.scalar(select(func.count()).select_from(SignInThrottle)) == 0


def test_ones_own_password_does_not_forgive_guesses_at_somebody_else_s(
    app, clock, session, make_account
):
    """One address, two people: signing in as one must not make room to guess at the other."""
    mine = "nine brisk otters sit"
    make_account("Ana", email="home@example.org", password=PASSWORD)
    make_account("Ben", email="home@example.org", password=mine)
    for _ in range(9):
        post_sign_in(app.test_client(), "home@example.org", WRONG)
    assert post_sign_in(app.test_client(), "home@example.org", mine).status_code == 302
    post_sign_in(app.test_client(), "home@example.org", WRONG)
    assert post_sign_in(app.test_client(), "home@example.org", WRONG).status_code == 429


def test_signing_in_with_a_shared_address_leaves_no_time_behind(app, session, make_account):
    make_account("Ana", email="home@example.org", password=PASSWORD)
    make_account("Ben", email="home@example.org", password="nine brisk otters sit")
    post_sign_in(app.test_client(), "home@example.org")
    assert session.scalar(select(func.count()).select_from(SignInThrottle)) == 0


def test_a_throttled_identifier_is_recorded_once_without_naming_anybody(
    app, clock, session, make_account
):
    ana = make_account("Ana", email="ana@example.org", password=PASSWORD)
    for _ in range(13):
        post_sign_in(app.test_client(), "ana@example.org", WRONG)
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.tag == "accounts:sign_in:throttled")
    ).all()
    assert [entry.details["accounts"] for entry in entries] == [[ana.id]]
    assert "ana@" not in entries[0].data


def test_no_identifier_is_stored_where_tries_are_counted(app, session):
    post_sign_in(app.test_client(), "nobody00@example.org", WRONG)
    rows = session.scalars(select(SignInThrottle)).all()
    assert {row.window_name for row in rows} == {"short", "long"}
    assert all("nobody" not in row.identifier_tag for row in rows)


def test_a_flood_from_one_address_is_slowed_down_for_everybody_there(app):
    from govern.extensions import limiter

    limiter.enabled = True
    try:
        limiter.reset()
        client = app.test_client()
        answers = {
            client.post("/sign-in/link", data={"identifier": ""}).status_code for _ in range(201)
        }
        assert answers == {422, 429}
        page = client.post("/sign-in/link", data={"identifier": ""})
        assert "Too many attempts" in page.text
    finally:
        limiter.reset()
        limiter.enabled = False


# -- several people ----------------------------------------------------------------------------


def test_a_number_of_two_cooperatives_is_told_apart_by_the_password(
    client, make_account, make_cooperative, register
):
    be, fr = make_cooperative("smartcoop", "SmartCoop"), make_cooperative("smartfr", "Smartfr")
    register.add("Ana", (be, "12"), account=make_account("Ana", password=PASSWORD))
    register.add("Ben", (fr, "12"), account=make_account("Ben", password="nine brisk otters sit"))
    post_sign_in(client, "12", "nine brisk otters sit")
    assert "Hello Ben" in client.get("/").text


def test_a_number_may_be_written_with_its_cooperative(
    client, make_account, make_cooperative, register
):
    be, fr = make_cooperative("smartcoop", "SmartCoop"), make_cooperative("smartfr", "Smartfr")
    register.add("Ana", (be, "12"), account=make_account("Ana", password=PASSWORD))
    register.add("Ben", (fr, "12"), account=make_account("Ben", password=PASSWORD))
    post_sign_in(client, "SmartFR / 12")
    assert "Hello Ben" in client.get("/").text


@pytest.fixture
def two_who_share(make_account):
    """Two people of one household with one address and, unwisely, one password."""
    return [
        make_account(name, email="home@example.org", password=PASSWORD) for name in ("Ana", "Ben")
    ]


def test_two_people_with_one_address_and_password_choose_who_they_are(client, two_who_share):
    answer = post_sign_in(client, "home@example.org", next="/profile/password")
    assert answer.location == "/sign-in/choose"
    assert not is_signed_in(client)
    page = client.get("/sign-in/choose").text
    assert "Ana" in page
    assert "Ben" in page
    answer = client.post("/sign-in/choose", data={"person": f"account:{two_who_share[1].id}"})
    assert answer.location == "/profile/password"
    assert "Hello Ben" in client.get("/").text


def test_nobody_chooses_a_person_whom_the_password_did_not_open(
    client, two_who_share, make_account
):
    carl = make_account("Carl", email="home@example.org", password="nine brisk otters sit")
    post_sign_in(client, "home@example.org")
    assert "Carl" not in client.get("/sign-in/choose").text
    answer = client.post("/sign-in/choose", data={"person": f"account:{carl.id}"})
    assert answer.status_code == 422
    assert not is_signed_in(client)


def test_the_choice_cannot_be_made_without_the_password(client, two_who_share):
    answer = client.post("/sign-in/choose", data={"person": f"account:{two_who_share[0].id}"})
    assert answer.location == "/sign-in"
    assert not is_signed_in(client)


def test_the_choice_lapses(client, clock, two_who_share):
    post_sign_in(client, "home@example.org")
    clock.advance(minutes=21)
    client.post("/sign-in/choose", data={"person": f"account:{two_who_share[0].id}"})
    assert not is_signed_in(client)


# -- sessions ----------------------------------------------------------------------------------


def cookie_value(client):
    return client.get_cookie("govern").value


def test_the_session_changes_at_sign_in(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    post_sign_in(client, "ana@example.org")
    with client.session_transaction() as cookie:
        first = cookie["_user_id"]
        assert "planted" not in cookie
    post_sign_in(client, "ana@example.org")
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != first


def test_signing_in_again_on_one_device_ends_the_session_before(client, session, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(client, "ana@example.org")
    post_sign_in(client, "ana@example.org")
    assert session.scalar(select(func.count()).select_from(AccountSession)) == 1


def test_a_copied_cookie_is_worthless_after_sign_out(app, client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(client, "ana@example.org")
    thief = app.test_client()
    thief.set_cookie("govern", cookie_value(client))
    assert is_signed_in(thief)
    client.post("/sign-out")
    assert not is_signed_in(client)
    assert not is_signed_in(thief)


def test_a_session_ends_after_twelve_hours(client, clock, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(client, "ana@example.org")
    clock.advance(hours=11, minutes=59)
    assert is_signed_in(client)
    clock.advance(minutes=1)
    assert not is_signed_in(client)


def test_the_database_holds_no_token_that_could_be_used(client, session, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    post_sign_in(client, "ana@example.org")
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    row = session.scalars(select(AccountSession)).one()
    assert token not in (row.public_id, row.token_hash)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    header = post_sign_in(client, "ana@example.org").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header


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
