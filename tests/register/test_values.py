"""Dates, amounts, numbers and names as people really write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.register.importing.rows import guard, unguard
from govern.register.rules import values
from govern.register.rules.folding import fold, name_key, number_key, search_words
from govern.register.rules.values import Unreadable
from tests.register.conftest import PATIENT


@pytest.mark.parametrize(
    "cell",
    [
        "31/12/2017",
        "31.12.2017",
        "31-12-2017",
        "2017-12-31",
        "2017/12/31",
        " 31/12/2017 ",
        "2017-12-31 00:00:00",
        date(2017, 12, 31),
        datetime(2017, 12, 31, 14, 30),  # noqa: DTZ001 (as a spreadsheet gives it)
    ],
)
def test_a_date_is_read_however_it_is_written(cell: object) -> None:
    assert values.read_date(cell) == date(2017, 12, 31)  # type: ignore[arg-type]


def test_the_day_comes_before_the_month() -> None:
    assert values.read_date("3/4/2018") == date(2018, 4, 3)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("31/02/2019", "date_impossible"),
        ("29/02/2019", "date_impossible"),
        ("12/31/2017", "date_impossible"),
        ("31/12/17", "date_unknown"),
        ("31/12-2017", "date_unknown"),
        ("yesterday", "date_unknown"),
        ("01/01/0018", "date_implausible"),
        ("01/01/9999", "date_implausible"),
    ],
)
def test_a_date_that_cannot_be_is_refused(cell: str, code: str) -> None:
    with pytest.raises(Unreadable) as error:
        values.read_date(cell)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("30", 3000),
        ("30,00", 3000),
        ("30.00", 3000),
        ("€ 30.00", 3000),
        ("30 €", 3000),
        ("30,00 EUR", 3000),
        ("€30", 3000),
        ("30,5", 3050),
        ("1.030,00", 103_000),
        ("1,030.00", 103_000),
        ("1 030,00", 103_000),
        ("1\u00a0030,00", 103_000),
        ("1'030.00", 103_000),
        ("1.030", 103_000),
        ("1.234.567,89", 123_456_789),
        ("0", 0),
        ("0,30", 30),
        (30, 3000),
        (30.0, 3000),
        (30.1, 3010),
        (1030.29, 103_029),
    ],
)
def test_an_amount_is_read_however_it_is_written(cell: str | float, cents: int) -> None:
    assert values.read_amount(cell) == cents


@pytest.mark.parametrize(
    "cell",
    ["", "thirty", "3.0.0", "30,000.0.0", "1.03,000", "30,001.5,0", "--3", "3O", 30.001, "1e3"],
)
def test_what_is_no_amount_is_refused(cell: str | float) -> None:
    with pytest.raises(Unreadable) as error:
        values.read_amount(cell)
    assert error.value.code == "amount_unknown"


def test_a_negative_amount_is_called_negative() -> None:
    for cell in ("-30", "−30,00", "€ -30", -30):
        with pytest.raises(Unreadable) as error:
            values.read_amount(cell)  # type: ignore[arg-type]
        assert error.value.code == "amount_negative"


@PATIENT
@given(st.integers(0, values.MAX_CENTS))
def test_every_amount_comes_back_from_each_way_of_writing_it(cents: int) -> None:
    english = f"{cents / 100:,.2f}" if cents < 10**12 else f"{cents // 100}.{cents % 100:02d}"
    swapped = english.replace(",", " ").replace(".", ",")
    german = english.replace(",", "#").replace(".", ",").replace("#", ".")
    for text in (english, swapped, german, f"€ {english}"):
        assert values.read_amount(text) == cents


@pytest.mark.parametrize(
    ("cell", "shares"), [("1", 1), (" 17 ", 17), (3, 3), (3.0, 3), ("0", 0), ("2,00", 2)]
)
def test_shares_are_whole(cell: object, shares: int) -> None:
    assert values.read_shares(cell) == shares  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("drie", "shares_unknown"),
        ("1,5", "shares_unknown"),
        (2.5, "shares_unknown"),
        ("-3", "shares_negative"),
        (-3, "shares_negative"),
        ("10000000", "shares_too_many"),
        ("99999999999999999999", "shares_unknown"),
    ],
)
def test_what_is_no_number_of_shares_is_refused(cell: object, code: str) -> None:
    with pytest.raises(Unreadable) as error:
        values.read_shares(cell)  # type: ignore[arg-type]
    assert error.value.code == code


@pytest.mark.parametrize(
    ("text", "country", "compact"),
    [
        ("0871985062", "BE", "0871985062"),
        ("BE 0871.985.062", "BE", "0871985062"),
        ("871985062", "BE", "0871985062"),
        ("732 829 320", "FR", "732829320"),
        ("732 829 320 00074", "FR", "732829320"),
        ("FR44732829320", "FR", "732829320"),
        ("ATU13585627", "AT", "ATU13585627"),
        ("U13585627", "AT", "ATU13585627"),
        ("CHE-116.281.710", "CH", "CHE116281710"),
    ],
)
def test_enterprise_numbers_are_checked_by_their_country(
    text: str, country: str, compact: str
) -> None:
    assert values.read_enterprise_number(text, country) == compact


@pytest.mark.parametrize(
    ("text", "country"),
    [("0871985063", "BE"), ("732829321", "FR"), ("0871985062", "FR"), ("", "BE"), ("x" * 60, "CH")],
)
def test_wrong_check_digits_are_noticed(text: str, country: str) -> None:
    with pytest.raises(Unreadable):
        values.read_enterprise_number(text, country)


@pytest.mark.parametrize(
    ("cell", "code"),
    [("BE", "BE"), ("be", "BE"), ("België", "BE"), ("Belgique", "BE"), ("Deutschland", "DE")],
)
def test_a_country_is_a_code_or_a_name(cell: str, code: str) -> None:
    assert values.read_country(cell) == code
    with pytest.raises(Unreadable):
        values.read_country("Atlantis")


@pytest.mark.parametrize(
    ("cell", "code"),
    [("FR", "fr"), ("fr-BE", "fr"), ("Français", "fr"), ("Nederlands", "nl"), ("Duits", "de")],
)
def test_a_language_is_a_code_or_a_name(cell: str, code: str) -> None:
    assert values.read_language(cell) == code
    with pytest.raises(Unreadable):
        values.read_language("Klingon")


@pytest.mark.parametrize("cell", ["an@example.org", "Zoë.O'Neil+x@sub.example.org", "é@exämple.be"])
def test_an_address_is_accepted_by_its_form(cell: str) -> None:
    assert "@" in values.read_email(cell)


@pytest.mark.parametrize(
    "cell", ["geen", "an@", "@example.org", "an@example", "a b@example.org", "an@@example.org"]
)
def test_what_is_no_address_is_refused(cell: str) -> None:
    with pytest.raises(Unreadable):
        values.read_email(cell)


def test_a_member_number_is_text_even_when_the_spreadsheet_thinks_otherwise() -> None:
    assert values.read_member_number(50001.0) == "50001"
    assert values.read_member_number("A-12/3") == "A-12/3"
    for bad in ("", "=1+1", "a" * 41, "né"):
        with pytest.raises(Unreadable):
            values.read_member_number(bad)


@PATIENT
@given(st.text(max_size=60))
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    guarded = guard(text)
    assert guarded[:1] not in ("=", "@", "\t", "\r")
    if not (len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t\r"):
        assert unguard(guarded) == text


def test_negative_numbers_need_no_guard() -> None:
    assert guard("-3") == "-3"
    assert guard("-3+cmd") == "'-3+cmd"


def test_folding_forgives_accents_case_and_punctuation() -> None:
    assert fold("  De Crayencoür-Müller,  ZOÉ ") == "de crayencour muller zoe"
    assert fold("Straße Œuvre Ångström Łódź") == "strasse oeuvre angstrom lodz"
    assert name_key("Zoé", "D'Hondt") == name_key("ZOE", "d hondt")
    assert number_key("A 12") == number_key("a12")
    assert search_words("Vermeulen, Zoé!") == ["vermeulen", "zoe"]


@PATIENT
@given(st.text(max_size=80))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
