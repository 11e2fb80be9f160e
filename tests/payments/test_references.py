"""References, bank identifiers, and the characters that banks take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.payments.rules import references
from govern.payments.rules.bank import WrongBic, WrongIban, read_bic, read_iban
from govern.payments.rules.epc import qr_payload
from govern.payments.rules.latin import sepa_text
from govern.payments.rules.matching import Candidate, Hint, find_match, payer_key


def test_the_check_digits_of_a_structured_communication():
    """1234567890 modulo 97 is 2."""
    assert references.make_belgian(1234567890) == "123456789002"
    assert references.show_reference("123456789002") == "+++123/4567/89002+++"


def test_where_nothing_is_left_over_the_check_digits_are_97():
    assert references.make_belgian(97) == "000000009797"


def test_the_check_digits_of_a_creditor_reference():
    """The example of ISO 11649."""
    assert references.make_rf("539007547034") == "RF18539007547034"
    assert references.show_reference("RF18539007547034") == "RF18 5390 0754 7034"


@given(st.integers(0, 10**10 - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_never_fits_the_check_digits(number, place, more):
    right = references.make_belgian(number)
    wrong = right[:place] + str((int(right[place]) + more) % 10) + right[place + 1 :]
    assert references.is_belgian(right)
    assert not references.is_belgian(wrong)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21))
def test_every_creditor_reference_is_read_back_as_it_is_shown(body):
    reference = references.make_rf(body)
    assert references.read_reference(references.show_reference(reference)) == reference
    assert references.references_in(f"merci {references.show_reference(reference)}") == [reference]


@pytest.mark.parametrize(
    "text",
    [
        "+++123/4567/89002+++",
        "***123/4567/89002***",
        "123456789002",
        "parts sociales 123/4567/89002 An",
        "+++ 123 / 4567 / 89002 +++",
    ],
)
def test_a_structured_communication_is_found_in_a_message(text):
    assert references.references_in(text) == ["123456789002"]


@pytest.mark.parametrize(
    "text", ["123456789003", "0123456789002", "1234567890021", "tel 02 123 45 67", ""]
)
def test_other_numbers_are_no_reference(text):
    assert references.references_in(text) == []


def test_a_wrong_reference_is_refused_when_it_is_typed():
    with pytest.raises(references.WrongReference):
        references.read_reference("+++123/4567/89003+++")


@pytest.mark.parametrize(
    "text", ["BE68 5390 0754 7034", "be68539007547034", "DE89370400440532013000"]
)
def test_an_iban_is_read(text):
    assert read_iban(text) == text.replace(" ", "").upper()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BE68 5390 0754 7035", "check_digits"),
        ("BE68 5390", "form"),
        ("68539007547034", "form"),
        ("", "form"),
        ("BE30539007547136", "check_digits"),  # ISO's digits fit, Belgium's own do not
        ("BR1500000000000010932840814P2", "not_sepa"),
    ],
)
def test_a_wrong_iban_says_what_is_wrong(text, code):
    with pytest.raises(WrongIban) as wrong:
        read_iban(text)
    assert wrong.value.code == code


def test_a_bic_may_be_missing_but_not_wrong():
    assert read_bic("gkcc be bb") == "GKCCBEBB"
    assert read_bic("") == ""
    with pytest.raises(WrongBic):
        read_bic("GKCCBE")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Zoé Müller & Co", "Zoe Mueller + Co"),
        ("Straße Œuvre Łódź", "Strasse OEuvre Lodz"),
        ("Αθήνα", "-"),
        ("//a//b/", "a/b"),
        ("line\nbreak\t😀", "line break"),
    ],
)
def test_names_are_put_into_the_characters_that_banks_take(text, plain):
    assert sepa_text(text, 70) == plain


@given(st.text(max_size=200), st.integers(1, 70))
def test_nothing_else_is_left_and_nothing_is_too_long(text, limit):
    plain = sepa_text(text, limit)
    assert 1 <= len(plain) <= max(limit, 1)
    assert set(plain) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "
    )


def test_the_payload_of_the_code_with_a_structured_communication():
    payload = qr_payload(
        holder="SmartCoop SC", iban="BE68539007547034", bic="GKCCBEBB", amount_cents=6005,
        reference="123456789002", message="+++123/4567/89002+++",
    )  # fmt: skip
    assert payload.split("\n") == [
        "BCD", "002", "1", "SCT", "GKCCBEBB", "SmartCoop SC", "BE68539007547034", "EUR60.05",
        "", "", "+++123/4567/89002+++",
    ]  # fmt: skip


def test_the_payload_of_the_code_with_a_creditor_reference():
    payload = qr_payload(
        holder="SmartCoop SC", iban="BE68539007547034", bic="", amount_cents=1,
        reference="RF18539007547034", message="shown",
    )  # fmt: skip
    assert payload.split("\n")[7:] == ["EUR0.01", "", "RF18539007547034"]


def test_the_reference_decides_whatever_the_amount():
    due = Candidate(7, 6000)
    assert find_match(6000, by_reference=due).matched_cents == 6000
    part = find_match(2000, by_reference=due)
    assert (part.matched_cents, part.rest_cents) == (2000, 0)
    over = find_match(9000, by_reference=due)
    assert (over.matched_cents, over.rest_cents) == (6000, 3000)


def test_without_a_reference_there_are_only_hints():
    assert find_match(6000, by_reference=None, by_payer=[Candidate(1, 6000)]).hint is (
        Hint.KNOWN_PAYER
    )
    assert find_match(5000, by_reference=None, by_payer=[Candidate(1, 6000)]).hint is Hint.NOTHING
    named = find_match(6000, by_reference=None, by_name=[Candidate(1, 3000), Candidate(2, 6000)])
    assert (named.hint, named.request_id, named.matched_cents) == (Hint.KNOWN_NAME, 2, 0)


def test_a_reference_under_which_nothing_is_expected_is_doubtful():
    closed = find_match(6000, by_reference=Candidate(7, 0, is_open=False))
    assert (closed.hint, closed.rest_cents) == (Hint.CLOSED, 6000)


def test_names_are_the_same_in_any_order_without_accents_and_titles():
    assert payer_key("Zoé De Crayencoür") == payer_key("MME DE CRAYENCOUR ZOE") != ""
    assert payer_key("An Peeters") != payer_key("An Peeters-Maes")
    assert payer_key("Peeters") == ""
    assert len(payer_key(" ".join(f"ﷺ{n}" for n in range(99)))) == 250


def test_a_long_name_in_wide_letters_still_fits_into_the_code():
    payload = qr_payload(
        holder="Συνεταιρισμός " * 9, iban="BE68539007547034", bic="GKCCBEBB", amount_cents=1,
        reference="123456789002", message="+++123/4567/89002+++" * 5,
    )  # fmt: skip
    assert len(payload.encode()) <= 331
