"""Forms that are sent twice: a double click, or two people with the same paper in hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import Role
from govern.cooperatives.models import Cooperative
from govern.register.models import Membership, ShareEntry
from tests.conftest import SettableClock

MEMBERS = "/smartcoop/register/members"
DAY = "2018-05-02"
ACTS = {
    "subscription": {"shares": "2", "effective_on": DAY},
    "payment": {"amount": "30", "effective_on": DAY, "accept_overpayment": "y"},
    "transfer": {"shares": "1", "receiver": "8", "effective_on": DAY},
    "refund": {"shares": "1", "effective_on": DAY, "remark": "paid in cash"},
}


@pytest.fixture
def registrars(
    client: FlaskClient,
    cooperative: Cooperative,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
    clock: SettableClock,
) -> Callable[[str], FlaskClient]:
    """The browser of one of two registrars."""
    accounts = {
        name: make_account(
            name, f"{name}@example.org".lower(), roles=[(cooperative, Role.REGISTRAR)]
        )
        for name in ("Rita", "Rob")
    }

    def browser_of(name: str) -> FlaskClient:
        sign_in(client, accounts[name])
        return client

    return browser_of


def entries(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ShareEntry)) or 0


def test_an_act_that_is_sent_twice_is_recorded_once_by_whomever(
    registrars: Callable[[str], FlaskClient],
    session: Session,
    make_member: Callable[..., Membership],
    clock: SettableClock,
    both_databases: str,
) -> None:
    home = f"{MEMBERS}/{make_member('7', shares=9).public_id}"
    make_member("8", given_name="Bo")
    session.commit()
    for name, form in ACTS.items():
        assert registrars("Rita").post(f"{home}/{name}", data=form).status_code == 302, name
        recorded = entries(session)
        for who in ("Rita", "Rob"):
            again = registrars(who).post(f"{home}/{name}", data=form)
            assert again.status_code == 409, name
            assert "recorded a moment ago" in again.text
        assert entries(session) == recorded, name
    # Another one like it is recorded a minute later; at once, if the first was taken back.
    clock.advance(seconds=61)
    form = ACTS["subscription"]
    browser = registrars("Rob")
    assert browser.post(f"{home}/subscription", data=form).status_code == 302
    last = session.scalar(select(func.max(ShareEntry.sequence)))
    reason = {"reason": "entered for the wrong member"}
    assert browser.post(f"{home}/entries/{last}/reverse", data=reason).status_code == 302
    assert browser.post(f"{home}/subscription", data=form).status_code == 302


def test_a_member_is_admitted_once_even_where_the_form_says_that_it_is_somebody_else(
    registrars: Callable[[str], FlaskClient], session: Session, clock: SettableClock
) -> None:
    form = {
        "given_name": "An", "family_name": "Peeters", "birth_date": "", "language": "fr",
        "category": "A", "joined_on": DAY, "shares": "1", "paid": "30", "accept_duplicate": "y",
    }  # fmt: skip
    address = f"{MEMBERS}/new/person"
    assert registrars("Rita").post(address, data=form).status_code == 302
    again = registrars("Rob").post(address, data=form)
    assert again.status_code == 409
    assert "member 1" in again.text
    assert session.scalar(select(func.count()).select_from(Membership)) == 1
    namesake = {**form, "birth_date": "1980-02-01"}
    assert registrars("Rob").post(address, data=namesake).status_code == 302
