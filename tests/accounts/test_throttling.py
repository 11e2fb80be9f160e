"""Too many tries: an identifier that somebody guesses at, an address that floods the forms."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from govern.accounts.models import SignInThrottle
from govern.audit import AuditEntry

from .conftest import PASSWORD
from .signing import WRONG, post_sign_in


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
