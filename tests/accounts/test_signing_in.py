"""Signing in with a password."""

from __future__ import annotations

PASSWORD = "four quiet herons walk"


def post_sign_in(client, identifier, password=PASSWORD, **extra):
    return client.post("/sign-in", data={"identifier": identifier, "password": password, **extra})


def test_an_address_and_its_password_open_the_home_page(client, make_account):
    make_account("Ana", email="ana@example.org", password=PASSWORD)
    answer = post_sign_in(client, " ANA@example.org ")
    assert answer.status_code == 302
    assert "Hello Ana" in client.get("/").get_data(as_text=True)
