"""Where the rules of leaving end: the last minute of a day, a hearing in vain, half a share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, RuleViolation
from govern.leaving.models import Departure, Refund
from govern.leaving.services import (
    effect,
    excluding,
    founders,
    recording,
    refunds,
    resigning,
)
from govern.payments.models import BankAccount
from govern.register.models import Membership, RollEntry
from govern.register.services import freeze_roll, ledger, members, take_roll
from tests.conftest import SettableClock
from tests.leaving.conftest import IBAN, mails
from tests.leaving.test_pages import words_of

Make = Callable[..., Any]
SignIn = Callable[[FlaskClient, Any], None]
ASK = {"holder": "An Peeters", "iban": IBAN}
HALF_PAST_MIDNIGHT = datetime(2018, 6, 30, 22, 30, tzinfo=UTC)
"""In Brussels it is 1 July."""


# -- days -----------------------------------------------------------------------------------------


def test_the_period_ends_at_midnight_where_the_cooperative_is(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    actor = actor_for(session, account)
    clock.set(datetime(2018, 6, 30, 21, 30, tzinfo=UTC))
    departure = resigning.request_resignation(session, actor, membership, **ASK)
    clock.set(HALF_PAST_MIDNIGHT)
    with pytest.raises(RuleViolation, match="first 6 months"):
        resigning.sign_with_password(session, actor, departure)
    clock.set(datetime(2018, 6, 30, 21, 59, tzinfo=UTC))
    resigning.sign_with_password(session, actor, departure)
    assert (departure.requested_on, departure.effective_on) == (date(2018, 6, 30),) * 2


def test_it_takes_effect_when_its_day_begins_where_the_cooperative_is(
    session: Session, clock: SettableClock, make_resigned: Make
) -> None:
    departure = make_resigned()
    clock.set(datetime(2018, 6, 29, 21, 59, tzinfo=UTC))
    effect.take_effect_job(session, departure.id)
    assert departure.state == "pending"
    clock.set(datetime(2018, 6, 29, 22, 0, tzinfo=UTC))
    effect.take_effect_job(session, departure.id)
    assert departure.state == "effective"


def test_the_member_answers_until_the_end_of_the_last_local_day(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    procedure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    excluding.send_proposal(session, SYSTEM, procedure)
    actor = actor_for(session, account)
    clock.set(datetime(2018, 5, 10, 21, 59, tzinfo=UTC))
    assert not excluding.add_observations(session, actor, procedure, text="It was not me.").is_late
    clock.set(datetime(2018, 5, 10, 22, 1, tzinfo=UTC))
    assert excluding.add_observations(session, actor, procedure, text="Once more.").is_late


def test_who_has_left_is_on_no_roll_of_that_day_and_stays_on_the_frozen_one_before(
    session: Session, clock: SettableClock, cooperative: Cooperative, make_resigned: Make
) -> None:
    departure = make_resigned()
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    before = take_roll(session, SYSTEM, cooperative, date(2018, 6, 29), "before")
    freeze_roll(session, SYSTEM, before)
    effect.take_effect_job(session, departure.id)
    rolls = [before, take_roll(session, SYSTEM, cooperative, date(2018, 6, 30), "that day")]

    def stands_on() -> list[int]:
        return [
            len(
                session.scalars(
                    select(RollEntry).where(
                        RollEntry.roll_id == roll.id,
                        RollEntry.membership_id == departure.membership_id,
                    )
                ).all()
            )
            for roll in rolls
        ]

    assert stands_on() == [1, 0]


def test_a_founder_cannot_leave_on_paper_either(session: Session, make_owner: Make) -> None:
    membership, _account = make_owner()
    founders.set_founder(session, SYSTEM, membership, True)
    with pytest.raises(RuleViolation, match="Founders may not leave"):
        resigning.record_paper_request(session, SYSTEM, membership, received_on=date(2018, 4, 10))


def test_a_kept_request_of_a_founder_says_that_this_is_why(
    session: Session, make_owner: Make, set_rules: Make
) -> None:
    membership, _account = make_owner()
    set_rules(outside_window="keep")
    founders.set_founder(session, SYSTEM, membership, True)
    prospect = resigning.foresee_resignation(session, membership, date(2018, 4, 10))
    assert prospect.refusal is None
    assert prospect.plan.counts_from == date(2020, 1, 1)
    assert "Founders may not leave before 1 January 2020" in prospect.why_kept


# -- hearings -------------------------------------------------------------------------------------


def test_a_hearing_that_nobody_asked_for_does_not_stand_for_the_one_owed(
    session: Session, clock: SettableClock, make_owner: Make
) -> None:
    membership, account = make_owner()
    procedure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    excluding.send_proposal(session, SYSTEM, procedure)
    said = {"held_on": date(2018, 4, 12), "text": "Called; did not come."}
    clock.set(datetime(2018, 4, 12, 8, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="may still do so until 10 May 2018"):
        excluding.record_hearing(session, SYSTEM, procedure, **said)
    clock.set(datetime(2018, 5, 9, 8, 0, tzinfo=UTC))
    excluding.ask_for_hearing(session, actor_for(session, account), procedure)
    with pytest.raises(RuleViolation, match="cannot be before 9 May 2018"):
        excluding.record_hearing(session, SYSTEM, procedure, **said)
    clock.set(datetime(2018, 5, 20, 8, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="asked to be heard"):
        excluding.decide_exclusion(
            session, SYSTEM, procedure, decided_on=date(2018, 5, 20), reasons="Forged invoices."
        )


def test_a_letter_that_asked_in_time_counts_though_a_late_request_was_recorded_first(
    session: Session, clock: SettableClock, make_owner: Make, both_databases: None
) -> None:
    membership, account = make_owner()
    procedure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    excluding.send_proposal(session, SYSTEM, procedure)
    clock.set(datetime(2018, 5, 20, 8, 0, tzinfo=UTC))
    member = actor_for(session, account)
    assert excluding.ask_for_hearing(session, member, procedure).is_late
    with pytest.raises(RuleViolation, match="recorded already"):
        excluding.ask_for_hearing(session, member, procedure)
    assert not excluding.Procedure(session, procedure).hearing_is_owed
    excluding.ask_for_hearing(session, SYSTEM, procedure, received_on=date(2018, 5, 10))
    assert excluding.Procedure(session, procedure).hearing_is_owed
    with pytest.raises(RuleViolation, match="recorded already"):
        excluding.ask_for_hearing(session, SYSTEM, procedure, received_on=date(2018, 5, 9))
    decided = {"decided_on": date(2018, 5, 20), "reasons": "Forged invoices."}
    with pytest.raises(RuleViolation, match="asked to be heard"):
        excluding.decide_exclusion(session, SYSTEM, procedure, **decided)
    excluding.record_hearing(
        session, SYSTEM, procedure, held_on=date(2018, 5, 20), text="Called; did not come."
    )
    excluding.decide_exclusion(session, SYSTEM, procedure, **decided)


def test_observations_on_paper_may_be_a_scan_alone(session: Session, make_owner: Make) -> None:
    membership, _account = make_owner()
    procedure = excluding.propose_exclusion(
        session, SYSTEM, membership, proposed_on=date(2018, 4, 10), reasons="Forged invoices."
    )
    excluding.send_proposal(session, SYSTEM, procedure)
    scan = excluding.Upload("answer.pdf", b"%PDF-1.7\nscan\n%%EOF\n")
    step = excluding.add_observations(
        session, SYSTEM, procedure, text="", received_on=date(2018, 4, 10), document=scan
    )
    assert step.document is not None


# -- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paid_cents", "owed"), [(4500, [4500]), (6000, [6000]), (0, [])])
def test_what_was_paid_in_is_owed_and_not_the_nominal_value(
    session: Session, make_member: Make, paid_cents: int, owed: list[int]
) -> None:
    membership = make_member(shares=2, paid_cents=paid_cents)
    recording.record_loss_of_status(
        session, SYSTEM, membership, lost_on=date(2018, 4, 10), reason="Has closed down."
    )
    assert list(session.scalars(select(Refund.amount_cents))) == owed


def test_the_page_of_a_refund_tells_the_registrar_what_stands_in_the_way(
    client: FlaskClient,
    session: Session,
    clock: SettableClock,
    cooperative: Cooperative,
    make_cooperative: Make,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
    pass_tests: Make,
) -> None:
    membership, _account = make_owner()
    lost = recording.record_loss_of_status(
        session, SYSTEM, membership, lost_on=date(2018, 4, 1), reason="Has moved away."
    )
    refund = session.scalars(select(Refund)).one()
    other = make_cooperative("other", "Other")
    registrar = make_account("Rita", roles=[(cooperative, Role.REGISTRAR), (other, Role.TREASURER)])
    sign_in(client, registrar)
    place = f"/smartcoop/register/refunds/{refund.public_id}"
    page = words_of(client.get(place).text)
    for words in (
        "Nobody holds the role of treasurer",
        "You are treasurer of another cooperative",
        "Nobody has said yet to which account",
        "Net-asset test: none is recorded.",
        "Liquidity test: none is recorded.",
        "has named no bank account to pay from",
    ):
        assert words in page, words
    make_account("Tom", roles=[(cooperative, Role.TREASURER)])
    pass_tests()
    refund.iban = "BE71096123456769"
    session.add(
        BankAccount(
            cooperative_id=cooperative.id,
            iban="BE68539007547034",
            holder="SmartCoop",
            is_default=True,
            opened_at=clock(),
        )
    )
    page = words_of(client.get(place).text)
    assert "The treasurer releases payments: Tom." in page
    assert "Nothing stands in the way of its release. It is not due yet." in page
    of_departure = f"/smartcoop/register/departures/{lost.public_id}"
    assert "The treasurer releases payments: Tom." in words_of(client.get(of_departure).text)
    refunds.release_refunds(session, SYSTEM, cooperative, [refund])
    assert "stands in the way" not in client.get(place).text
    pass_tests(passed=False, up_to_cents=0)
    assert "Net-asset test of 10 Apr 2018: it was not passed." in words_of(client.get(place).text)


def test_nobody_writes_to_the_dead_about_what_is_owed_to_their_estate(
    session: Session, make_owner: Make
) -> None:
    membership, _account = make_owner()
    death = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 2))
    refund = recording.settle_estate(session, SYSTEM, death)[0]
    refunds.postpone_refund(session, SYSTEM, refund, reason="Liquidity is short.")
    assert refund.state == "postponed"
    assert mails(session) == []


# -- pages ----------------------------------------------------------------------------------------


def test_outside_the_period_the_page_offers_the_next_one_a_transfer_and_an_address(
    client: FlaskClient,
    session: Session,
    clock: SettableClock,
    cooperative: Cooperative,
    make_owner: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    cooperative.email = "office@example.org"
    clock.set(datetime(2018, 8, 1, 8, 0, tzinfo=UTC))
    sign_in(client, account)
    base = f"/smartcoop/me/{membership.public_id}"
    page = client.get(f"{base}/leaving").text
    assert "Hand it in from 1 January 2019 to 30 June 2019" in words_of(page)
    assert f'href="{base}/transfers/new"' in page
    assert 'href="mailto:office@example.org"' in page
    assert "to be confirmed" not in page
    calendar = client.get(f"{base}/leaving/period.ics")
    assert calendar.mimetype == "text/calendar"
    assert "DTSTART;VALUE=DATE:20190101" in calendar.text


def test_on_the_last_day_the_page_says_that_it_cannot_be_withdrawn(
    client: FlaskClient,
    session: Session,
    clock: SettableClock,
    make_owner: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    sign_in(client, account)
    place = f"/smartcoop/me/{membership.public_id}/leaving"
    assert "withdraw your request until 29 June 2018" in words_of(client.get(place).text)
    clock.set(datetime(2018, 6, 30, 8, 0, tzinfo=UTC))
    sign_in(client, account)
    assert "Once you have signed, it cannot be withdrawn." in words_of(client.get(place).text)
    actor = actor_for(session, account)
    departure = resigning.request_resignation(session, actor, membership, **ASK)
    resigning.sign_with_password(session, actor, departure)
    assert "can no longer be withdrawn" in mails(session)[0].text_body


def test_a_part_that_is_all_that_is_left_is_not_signed(
    client: FlaskClient,
    session: Session,
    make_owner: Make,
    make_member: Callable[..., Membership],
    set_rules: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner(shares=3)
    set_rules(whole_only=False)
    actor = actor_for(session, account)
    departure = resigning.request_resignation(session, actor, membership, shares=2, **ASK)
    other = make_member(number="88", given_name="Bo")
    sign_in(client, account)
    place = f"/smartcoop/me/{membership.public_id}/leaving/{departure.public_id}"
    for _held in (2, 1):
        ledger.transfer_shares(session, SYSTEM, membership, other, 1, date(2018, 4, 10))
        with pytest.raises(RuleViolation, match="no longer hold more shares"):
            resigning.sign_with_password(session, actor, departure)
        assert "no longer hold more shares" in client.get(place).text


def test_an_ending_from_before_the_first_rules_has_its_pages(
    client: FlaskClient,
    session: Session,
    cooperative: Cooperative,
    make_owner: Make,
    make_account: Make,
    sign_in: SignIn,
) -> None:
    membership, account = make_owner()
    cooperative.rule_sets[0].starts_on = date(2018, 4, 5)
    recording.record_loss_of_status(
        session, SYSTEM, membership, lost_on=date(2018, 4, 1), reason="Has closed down."
    )
    departure = session.scalars(select(Departure)).one()
    sign_in(client, account)
    own = f"/smartcoop/me/{membership.public_id}/leaving/{departure.public_id}"
    assert client.get(own).status_code == 200
    sign_in(client, make_account("Rita", roles=[(cooperative, Role.REGISTRAR)]))
    page = client.get(f"/smartcoop/register/departures/{departure.public_id}")
    assert page.status_code == 200


# -- endings that were wrong ----------------------------------------------------------------------


def test_after_a_wrong_death_nothing_more_goes_to_an_estate(
    session: Session, client: FlaskClient, make_owner: Make
) -> None:
    membership, _account = make_owner()
    departure = recording.record_death(session, SYSTEM, membership, died_on=date(2018, 4, 9))
    assert not departure.was_taken_back
    members.take_back_ending(session, SYSTEM, membership, "Another person has died.")
    assert departure.was_taken_back
    with pytest.raises(Conflict, match="was taken back"):
        recording.settle_estate(session, SYSTEM, departure)
    assert resigning.foresee_resignation(session, membership, date(2018, 4, 10)).refusal is None
