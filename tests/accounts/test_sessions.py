"""Sessions: what begins them, what ends them, what a thief could do with a cookie."""

from __future__ import annotations

from sqlalchemy import func, select

from govern.accounts.models import AccountSession

from .conftest import PASSWORD
from .signing import is_signed_in, post_sign_in


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
