"""What a registrar does by forms: admit, record, correct, name, end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import Membership, ShareEntry
from govern.register.services.members import membership_by_number

Make = Callable[..., Membership]
MEMBERS = "/smartcoop/register/members"

# A form that will not work with the next version of a library is a mistake today.
pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")


@pytest.fixture(autouse=True)
def _in_june_2018(clock: Any) -> None:
    """The clock stands still before anybody is given a role."""


ADMISSION = {
    "given_name": "Zoé",
    "family_name": "Vermeulen",
    "birth_date": "1980-02-01",
    "language": "fr",
    "email": "z@example.org",
    "street": "Rue 1",
    "postal_code": "4000",
    "town": "Liège",
    "country": "Belgique",
    "category": "A",
    "joined_on": "2018-05-02",
    "shares": "2",
    "paid": "60,00",
}


def test_a_person_is_admitted_by_the_form(
    registrar: FlaskClient, session: Session, cooperative: Cooperative, clock: Any
) -> None:
    assert registrar.get(f"{MEMBERS}/new/person").status_code == 200
    answer = registrar.post(f"{MEMBERS}/new/person", data=ADMISSION)
    made = membership_by_number(session, cooperative.id, "1")
    assert made is not None
    assert answer.location == f"{MEMBERS}/{made.public_id}"
    page = registrar.get(answer.location).text
    assert "Zoé Vermeulen" in page
    assert "The member was admitted." in page
    # The same again: asked whether it is somebody else; nothing that was typed is lost.
    again = registrar.post(f"{MEMBERS}/new/person", data=ADMISSION)
    assert again.status_code == 409
    assert "Member 1, Zoé Vermeulen" in again.text
    assert 'value="Rue 1"' in again.text
    assert "accept_duplicate" in again.text
    clock.advance(minutes=2)
    done = registrar.post(f"{MEMBERS}/new/person", data={**ADMISSION, "accept_duplicate": "y"})
    assert done.status_code == 302


def test_a_form_keeps_what_was_typed_and_names_the_field(
    registrar: FlaskClient, clock: Any
) -> None:
    wrong = {**ADMISSION, "shares": "two", "paid": "-5", "email": "geen", "given_name": ""}
    answer = registrar.post(f"{MEMBERS}/new/person", data=wrong)
    assert answer.status_code == 422
    for words in (
        "“two” is not a number of shares",
        "is negative",
        "This is needed",
        'value="two"',
    ):
        assert words in answer.text
    for name, value, words in (
        ("birth_date", "2030-01-01", "lies ahead"),
        ("birth_date", "31/31/1980", "a day that does not exist"),
        ("given_name", "\u202e", "A name is missing"),
        ("paid", "1000", "more than the €60.00 still to be paid"),
    ):
        answer = registrar.post(f"{MEMBERS}/new/person", data={**ADMISSION, name: value})
        assert answer.status_code == 422
        said = re.search(f'id="{name}-error">(.*?)</p>', answer.text)
        assert said, name
        assert words in said.group(1)


def test_an_organisation_is_admitted_by_the_form(registrar: FlaskClient, clock: Any) -> None:
    form = {
        **ADMISSION,
        "organisation_name": "Atelier CV",
        "enterprise_number": "0871985063",
        "representative_given_name": "Victor",
        "representative_family_name": "Verelst",
    }
    answer = registrar.post(f"{MEMBERS}/new/organisation", data=form)
    assert answer.status_code == 422
    assert "check digits do not fit" in answer.text
    form["enterprise_number"] = "BE 0871.985.062"
    answer = registrar.post(f"{MEMBERS}/new/organisation", data=form)
    page = registrar.get(answer.location).text
    assert "Victor Verelst" in page
    assert "0871985062" in page


def test_the_life_of_a_membership_by_forms(
    registrar: FlaskClient, session: Session, make_member: Make, clock: Any
) -> None:
    made = make_member("7", shares=1)
    other = make_member("8", given_name="Bo")
    home = f"{MEMBERS}/{made.public_id}"
    steps = [
        ("subscription", {"shares": "2", "effective_on": "2018-05-01"}),
        ("payment", {"amount": "€ 60.00", "effective_on": "2018-05-02", "remark": "bank 17"}),
        ("transfer", {"shares": "1", "receiver": "8", "effective_on": "2018-05-03"}),
        ("refund", {"shares": "1", "effective_on": "2018-05-04", "remark": "paid in cash"}),
        ("contact", {"language": "de", "email": "new@example.org", "town": "Eupen"}),
        ("identity", {"given_name": "Anna", "family_name": "Peeters"}),
        ("category", {"category": "C", "starts_on": "2018-05-05"}),
    ]
    for name, form in steps:
        assert registrar.get(f"{home}/{name}").status_code == 200, name
        answer = registrar.post(f"{home}/{name}", data=form)
        assert (answer.status_code, answer.location) == (302, home), name
    # An ending has a procedure, with what becomes of the shares.
    assert registrar.get(f"{home}/end").status_code == 404
    page = registrar.get(home).text
    for words in ("Anna Peeters", "new@example.org", "bank 17"):
        assert words in page
    kinds = session.scalars(
        select(ShareEntry.kind)
        .where(ShareEntry.membership_id == made.id)
        .order_by(ShareEntry.sequence)
    ).all()
    assert kinds[2:] == ["subscription", "payment", "transfer_out", "refund"]
    assert registrar.get(f"{MEMBERS}/{other.public_id}").status_code == 200


def test_a_wrong_entry_is_taken_back_by_the_form(
    registrar: FlaskClient, session: Session, make_member: Make, clock: Any
) -> None:
    made = make_member("7")
    address = f"{MEMBERS}/{made.public_id}/entries/2/reverse"
    assert "opposite sign" in registrar.get(address).text
    assert registrar.post(address, data={"reason": "no"}).status_code == 422
    assert registrar.post(address, data={"reason": "entered for the wrong member"}).location
    assert "taken back" in registrar.get(f"{MEMBERS}/{made.public_id}").text
    assert registrar.get(f"{MEMBERS}/{made.public_id}/entries/99/reverse").status_code == 404


def test_a_representative_is_named_by_the_form(
    registrar: FlaskClient, make_member: Make, clock: Any
) -> None:
    firm = make_member("9", organisation_name="Atelier CV")
    make_member("7")
    home = f"{MEMBERS}/{firm.public_id}"
    answer = registrar.post(
        f"{home}/representative", data={"member_number": "7", "starts_on": "2018-05-01"}
    )
    assert answer.location == home
    assert "An Peeters: since 1 May 2018" in registrar.get(home).text
    assert registrar.post(
        f"{home}/identity",
        data={"organisation_name": "Atelier BV", "enterprise_number": "0871985062"},
    ).location


def test_what_is_refused_stands_beside_its_field(
    registrar: FlaskClient, make_member: Make, clock: Any
) -> None:
    made = make_member("7")
    home = f"{MEMBERS}/{made.public_id}"
    too_much = registrar.post(
        f"{home}/payment", data={"amount": "1000", "effective_on": "2018-05-01"}
    )
    assert too_much.status_code == 422
    assert "is more than the €0.00 still to be paid" in too_much.text
    nobody = registrar.post(
        f"{home}/transfer", data={"shares": "1", "receiver": "99", "effective_on": "2018-05-01"}
    )
    assert "Nobody has the member number “99”" in nobody.text
    assert registrar.get(f"{MEMBERS}/unknown").status_code == 404
