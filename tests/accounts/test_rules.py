"""What is decided about signing in, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.accounts.rules import (
    MAX_IDENTIFIER,
    PasswordWeakness,
    SignInCandidate,
    describe_device,
    find_weakness,
    fold_identifier,
    people_among,
    safe_next,
)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\u2028/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        None,
        "/" + "a" * 500,
    ],
)
def test_a_page_of_another_site_is_no_place_to_go_on_to(path):
    assert safe_next(path, otherwise="/home") == "/home"


@pytest.mark.parametrize("path", ["/", "/smartcoop/assemblies/2018-06-19?page=2", "/élections"])
def test_a_page_of_this_site_is_kept(path):
    assert safe_next(path) == path


@given(st.text(max_size=60))
def test_whatever_is_accepted_stays_on_this_site(path):
    from urllib.parse import urljoin, urlsplit

    accepted = safe_next("/" + path, otherwise="/")
    # Browsers treat a backslash as a slash and drop tabs and line breaks.
    seen = accepted.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    assert urlsplit(urljoin("https://govern.example/x", seen)).netloc == "govern.example"


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("short pass", PasswordWeakness.TOO_SHORT),
        ("x" * 1001, PasswordWeakness.TOO_LONG),
        ("password1234", PasswordWeakness.COMMON),
        ("P@ssw0rd!2024", PasswordWeakness.COMMON),
        ("Motdepasse2024!", PasswordWeakness.COMMON),
        ("Wachtwoord123", PasswordWeakness.COMMON),
        ("Passwort-2018", PasswordWeakness.COMMON),
        ("AzertyAzerty1", PasswordWeakness.COMMON),
        ("123456789012", PasswordWeakness.PREDICTABLE),
        ("abcdefghijklm", PasswordWeakness.PREDICTABLE),
        ("qwertyuiop[]", PasswordWeakness.COMMON),
        ("asdfghjkl;zxcv", PasswordWeakness.PREDICTABLE),
        ("aaaaaaaaaaaaaaa", PasswordWeakness.PREDICTABLE),
        ("7xk7xk7xk7xk7xk", PasswordWeakness.PREDICTABLE),
        ("AnaLambert1985", PasswordWeakness.PERSONAL),
        ("ana.lambert.2024", PasswordWeakness.PERSONAL),
    ],
)
def test_a_password_that_is_tried_first_is_refused(password, weakness):
    assert find_weakness(password, ("Ana Lambert", "ana@example.org")) is weakness


@pytest.mark.parametrize(
    "password",
    [
        "four quiet herons walk",
        "Zes-Fietsen-Onder-Regen",
        "soleil dragon princesse singe",
        "j8#kQ2!vLp0z",
        "830275910462",
        "é" * 3 + "xyloglyphe rond",
        "correct " * 120,
    ],
)
def test_a_password_that_nobody_guesses_is_accepted(password):
    assert find_weakness(password, ("Ana Lambert", "ana@example.org")) is None


def test_an_identifier_is_compared_without_case_spaces_and_width():
    assert fold_identifier("  Ana@Example.ORG ") == "ana@example.org"
    assert fold_identifier("12 345") == "12345"
    assert fold_identifier("１２３") == "123"


@given(st.text(max_size=2000))
def test_an_identifier_is_never_longer_than_its_column(typed):
    folded = fold_identifier(typed)
    assert len(folded) <= MAX_IDENTIFIER
    assert not any(character.isspace() for character in folded)


def test_two_memberships_of_one_person_are_one_choice():
    people = people_among(
        [
            SignInCandidate(7, 3, "Ana", "SmartCoop", "12", "ana@example.org"),
            SignInCandidate(7, 3, "Ana", "Smartfr", "9", "ana@example.org"),
            SignInCandidate(None, 4, "Ben", "SmartCoop", "13", "ana@example.org"),
        ]
    )
    assert [person.key for person in people] == ["account:7", "person:4"]
    assert people[0].memberships == (("SmartCoop", "12"), ("Smartfr", "9"))


def test_a_device_is_named_by_browser_and_system_only():
    agent = "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0"
    assert describe_device(agent) == "Firefox, Android"
    assert describe_device("curl/8.0") == ""
