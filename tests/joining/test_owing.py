"""Shares that are held and not paid: asked for, paid in the ledger, and unpaid again."""

from __future__ import annotations

from datetime import date

import pytest

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.errors import NotFound, RuleViolation
from govern.joining.services import owing
from govern.payments.services import matching
from govern.register.models import EndReason, Person
from govern.register.services import ledger, members
from govern.register.services.holdings import holding_of

TODAY = date(2018, 6, 1)


@pytest.fixture
def member(session, make_member, make_account, account):
    """A member of an imported register: three shares, one of them paid."""
    made = make_member("Bo", "Peeters", email="bo@example.org", shares=3)
    session.get_one(Person, made.person_id).account_id = make_account("Bo Peeters").id
    session.commit()
    return made


@pytest.fixture
def actor(session, member):
    return actor_for(session, member.person.account)


def test_each_payment_counts_on_its_day_and_is_taken_back_with_its_money(
    session, member, actor, pay, both_databases
):
    request = owing.ask_to_pay(session, actor, member)
    assert request.due_cents == 6000
    assert owing.ask_to_pay(session, actor, member) is request
    session.commit()
    first = pay(request, 1000, date(2018, 5, 30))
    assert holding_of(session, member.id).due_cents == 5000
    pay(request, 5000, TODAY)
    assert holding_of(session, member.id).paid == 3
    assert owing.request_due(session, member) is None
    (match,) = first.matches
    matching.undo_match(session, SYSTEM, match, "it was for somebody else")
    assert holding_of(session, member.id).due_cents == 1000
    assert owing.request_due(session, member) is request


def test_another_amount_is_asked_for_once_it_is_another(session, member, actor, pay):
    old = owing.ask_to_pay(session, actor, member)
    ledger.record_payment(session, SYSTEM, member, 3000, TODAY)
    new = owing.ask_to_pay(session, actor, member)
    assert (old.state, new.due_cents) == ("cancelled", 3000)
    entry = pay(old, 6000)
    assert entry.state != "matched"
    assert holding_of(session, member.id).due_cents == 3000


def test_nothing_is_asked_where_nothing_is_due_or_of_somebody_else(
    session, member, actor, make_account
):
    with pytest.raises(NotFound):
        owing.ask_to_pay(session, actor_for(session, make_account("Cy Other")), member)
    ledger.record_payment(session, SYSTEM, member, 6000, TODAY)
    with pytest.raises(RuleViolation, match="Nothing is due"):
        owing.ask_to_pay(session, actor, member)


def test_money_that_comes_after_the_membership_ended_waits_for_a_person(
    session, member, actor, pay
):
    request = owing.ask_to_pay(session, actor, member)
    members.end_membership(session, SYSTEM, member, TODAY, EndReason.RESIGNATION)
    session.commit()
    assert pay(request, 6000).state == "doubtful"
    assert holding_of(session, member.id).paid == 1


def test_the_page_leads_from_ones_membership_to_account_and_reference(
    session, client, sign_in, member, cooperative
):
    sign_in(client, member.person.account)
    own = client.get(f"/{cooperative.code}/me").text
    address = f"/{cooperative.code}/me/{member.public_id}/pay"
    assert address in own
    assert "not paid yet" in client.get(address).text
    assert client.post(address).status_code == 302
    page = client.get(address).text
    assert "BE" in page
    assert owing.request_due(session, member).reference[:3] in page


def test_money_of_shares_that_were_given_on_meanwhile_is_not_taken_out_of_the_ledger(
    session, member, actor, pay, make_member
):
    request = owing.ask_to_pay(session, actor, member)
    session.commit()
    entry = pay(request, 6000)
    heir = make_member("Cy", "Other")
    ledger.transfer_shares(session, SYSTEM, member, heir, 3, TODAY)
    session.commit()
    (match,) = entry.matches
    with pytest.raises(RuleViolation):
        matching.undo_match(session, SYSTEM, match, "it was for somebody else")
    session.rollback()
    assert (holding_of(session, member.id).paid_cents, match.undone_at) == (0, None)
    assert holding_of(session, heir.id).paid == 4
