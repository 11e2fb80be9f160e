"""What signing in leaves behind must not help to guess who cast which ballot."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest
from sqlalchemy import select, text

from govern.accounts.hooks import sign_in_traces
from govern.accounts.models import Account, AccountSession, SignInLink
from govern.accounts.services import create_account, forget_sign_in_order, start_session
from govern.mail import OutboxMail


@pytest.fixture
def signed_in_one_after_the_other(session):
    """Sixty people who open their account and sign in, each in a transaction of their own."""
    order = []
    for number in range(60):
        account = create_account(session, name=f"Member {number}", email=None, language="fr")
        start_session(session, account)
        session.commit()
        order.append(account.id)
    return order


def agreement(order, guess):
    """How many neighbours in ``guess`` follow one another as in ``order``: half by chance."""
    place = {number: index for index, number in enumerate(order)}
    steps = [place[a] < place[b] for a, b in pairwise(guess)]
    return sum(steps) / len(steps)


def test_numbers_and_keys_are_in_no_order(session, signed_in_one_after_the_other):
    order = signed_in_one_after_the_other
    by_number = sorted(order)
    by_key = session.scalars(
        select(AccountSession.account_id).order_by(AccountSession.public_id)
    ).all()
    for guess in (by_number, by_key):
        assert 0.2 < agreement(order, guess) < 0.8


def test_sqlite_reads_the_rows_in_no_order(session, signed_in_one_after_the_other):
    stored = [row[0] for row in session.execute(text("SELECT account_id FROM account_session"))]
    assert 0.2 < agreement(signed_in_one_after_the_other, stored) < 0.8


@pytest.mark.postgresql
@pytest.mark.parametrize("both_databases", ["postgresql"], indirect=True)
def test_closing_an_election_removes_the_order_from_postgresql_too(
    both_databases, session, signed_in_one_after_the_other
):
    order = signed_in_one_after_the_other
    guesses = {}
    for when in ("before", "after"):
        for table, column in (("account", "id"), ("account_session", "account_id")):
            rows = session.execute(text(f"SELECT {column} FROM {table} ORDER BY ctid")).all()
            guesses[when, table] = agreement(order, [row[0] for row in rows])
        xmins = session.execute(
            text("SELECT count(DISTINCT xmin::text), count(*) FROM account_session")
        ).one()
        guesses[when, "xmin"] = xmins[0]
        forget_sign_in_order(session)
        session.commit()
    assert guesses["before", "account_session"] == 1.0
    assert guesses["before", "xmin"] == 60
    assert 0.2 < guesses["after", "account"] < 0.8
    assert 0.2 < guesses["after", "account_session"] < 0.8
    assert guesses["after", "xmin"] == 1


def test_forgetting_the_order_signs_nobody_out(
    both_databases, client, session, make_account, sign_in
):
    sign_in(client, make_account("Ana"))
    forget_sign_in_order(session)
    assert client.get("/profile").status_code == 200


def test_the_traces_of_links_go_too(client, session, clock, make_account, mails):
    make_account("Ana", email="ana@example.org")
    client.post("/sign-in/link", data={"identifier": "ana@example.org"})
    mails()
    clock.advance(minutes=20)
    forget_sign_in_order(session)
    session.commit()
    assert session.scalars(select(SignInLink)).all() == []
    assert session.scalars(select(OutboxMail)).all() == []


def test_features_rewrite_their_own_traces(session, monkeypatch):
    called = []
    monkeypatch.setattr(sign_in_traces, "_functions", {"mine": called.append})
    forget_sign_in_order(session)
    assert called == [session]


def test_no_table_of_accounts_holds_a_time_of_signing_in():
    """A new column with a time would have to be thought about here."""
    times = {
        f"{model.__tablename__}.{column.name}"
        for model in (Account, AccountSession)
        for column in model.__table__.columns
        if re.search("datetime", str(column.type), re.IGNORECASE)
    }
    assert times == {"account.disabled_at"}


def test_account_numbers_do_not_tell_how_many_there_are(session):
    random.seed(1)
    numbers = [
        create_account(session, name=str(i), email=None, language="en").id for i in range(20)
    ]
    assert len(set(numbers)) == 20
    assert max(numbers) > 2**40
    assert max(numbers) < 2**53
