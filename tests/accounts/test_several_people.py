"""One number, one address or one password of several people."""

from __future__ import annotations

import pytest

from .conftest import PASSWORD
from .signing import is_signed_in, post_sign_in


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
