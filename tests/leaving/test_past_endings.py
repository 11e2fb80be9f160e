"""Endings that came about before the register or outside of it: nobody's money is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError
from govern.leaving.models import Departure, Refund
from govern.leaving.services import excluding, left_over, recording, resigning
from govern.leaving.services.common import departures_of
from govern.register.models import EndReason, Membership
from govern.register.services import ledger, members
from govern.register.services.holdings import holding_of
from tests.leaving.conftest import IBAN, mails

Make = Callable[..., Membership]
THEN = date(2018, 3, 15)
NOTE = "list of the former secretary, page 4"


def end(session: Session, membership: Membership, **fields: Any) -> Departure | None:
    given = {"ended_on": THEN, "reason": EndReason.RESIGNATION.value, "note": NOTE, **fields}
    return recording.record_past_ending(session, SYSTEM, membership, **given)


def test_the_shares_of_an_ending_of_the_past_are_owed_from_its_day(
    session: Session, make_member: Make
) -> None:
    membership = make_member(shares=2)
    departure = end(session, membership, holder="An", iban=IBAN)
    assert departure is not None
    assert (membership.ended_on, membership.end_reason) == (THEN, "resignation")
    assert membership.end_note == NOTE
    assert holding_of(session, membership.id).issued == 0
    refund = session.scalars(select(Refund)).one()
    assert (refund.amount_cents, refund.owed_since, refund.iban) == (6000, THEN, departure.iban)


def test_what_was_paid_back_already_leaves_the_book_and_is_not_owed_again(
    session: Session, make_member: Make
) -> None:
    membership = make_member(shares=2)
    ledger.record_payment(
        session, SYSTEM, membership, 1000, date(2018, 4, 2), accept_overpayment=True
    )
    assert end(session, membership, is_paid_back=True) is None
    holding = holding_of(session, membership.id)
    assert (holding.issued, holding.paid_cents) == (0, 0)
    assert session.scalars(select(Refund)).all() == []
    assert mails(session) == []


def test_whoever_held_nothing_only_ends(session: Session, make_member: Make) -> None:
    membership = make_member(shares=0)
    assert end(session, membership, reason=EndReason.TRANSFER.value) is None
    assert membership.ended_on == THEN
    assert session.scalars(select(Departure)).all() == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": "exclusion"}, "needs a reason"),
        ({"reason": "unstated"}, "needs a reason"),
        ({"reason": "transfer"}, "still holds 2 shares"),
        ({"note": " "}, "characters"),
        ({"ended_on": date(2017, 1, 1)}, "joined only on"),
        ({"ended_on": date(2018, 4, 11)}, "lies ahead"),
        ({"iban": "BE00 0000 0000 0000"}, "IBAN"),
    ],
)
def test_a_past_ending_is_refused_without_a_word_of_its_origin_or_against_the_book(
    session: Session, make_member: Make, fields: dict[str, Any], said: str
) -> None:
    membership = make_member(shares=2)
    session.commit()
    with pytest.raises(GovernError, match=said):
        end(session, membership, **fields)
    session.rollback()
    assert membership.ended_on is None
    assert holding_of(session, membership.id).issued == 2


def test_an_exclusion_is_not_gone_round_and_a_request_gives_way(
    session: Session, make_member: Make
) -> None:
    accused, asking = make_member("1", shares=2), make_member("2", shares=1)
    excluding.propose_exclusion(
        session, SYSTEM, accused, proposed_on=THEN, reasons="Three invoices were forged."
    )
    with pytest.raises(GovernError, match="exclusion of this member is under way"):
        end(session, accused)
    asked = resigning.record_paper_request(session, SYSTEM, asking, received_on=THEN)
    end(session, asking)
    assert asked.state == "superseded"


def test_the_page_says_what_is_owed_and_the_register_has_no_way_round_it(
    client: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
) -> None:
    membership = make_member(shares=2)
    sign_in(client, make_account("Rita", roles=[(cooperative, Role.REGISTRAR)]))
    home = f"/smartcoop/register/members/{membership.public_id}"
    assert f"{home}/leaving" in client.get(home).text
    assert client.get(f"{home}/end").status_code == 404
    assert f"{home}/leaving/past" in client.get(f"{home}/leaving").text
    assert "2 shares leave the ledger" in client.get(f"{home}/leaving/past").text
    form = {"ended_on": "2018-03-15", "reason": "resignation", "note": ""}
    refused = client.post(f"{home}/leaving/past", data=form)
    assert refused.status_code == 422
    assert 'id="note-error"' in refused.text
    done = client.post(f"{home}/leaving/past", data={**form, "note": NOTE})
    assert "/register/departures/" in done.location
    again = client.post(f"{home}/leaving/past", data={**form, "note": NOTE})
    assert again.status_code == 409
    assert len(session.scalars(select(Refund)).all()) == 1


def test_shares_that_nobody_is_owed_for_are_listed_until_somebody_is(
    client: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Any],
    sign_in: Callable[..., None],
    both_databases: str,
) -> None:
    made = {number: make_member(number, family_name=f"Family{number}") for number in "123456"}
    # As an import writes it down; a death whose estate waits; an ending with its repayment.
    members.end_membership(session, SYSTEM, made["1"], THEN, EndReason.UNSTATED)
    recording.record_death(session, SYSTEM, made["2"], died_on=THEN)
    end(session, made["3"])
    end(session, made["4"], is_paid_back=True)
    left = list(session.execute(left_over.left_over(cooperative)))
    assert [(row[0].member_number, row[1], row[2]) for row in left] == [
        ("1", 1, 3000),
        ("2", 1, 3000),
    ]
    rita = make_account("Rita", roles=[(cooperative, Role.REGISTRAR)])
    sign_in(client, rita)
    assert "2 former members of SmartCoop still have shares" in client.get("/").text
    assert "left-shares" in client.get("/smartcoop/register/departures").text
    page = client.get("/smartcoop/register/left-shares").text
    assert "Family1" in page
    assert "Family2" in page
    for number in "3456":
        assert f"Family{number}" not in page
    recording.owe_former_member(session, SYSTEM, made["1"], owed_since=THEN)
    recording.settle_estate(session, SYSTEM, departures_of(session, made["2"].id)[0])
    assert left_over.count_left_over(session, cooperative) == 0
    session.commit()
    assert "Nothing was forgotten" in client.get("/smartcoop/register/left-shares").text
