"""More shares for a member: ordered, paid, in the register, within the maximum."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from govern import jobs
from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.clock import now
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import NotFound, RuleViolation
from govern.joining.services import orders
from govern.joining.services.deadlines import keep_deadlines
from govern.joining.services.personal import open_orders_hold
from govern.mail.models import OutboxMail
from govern.payments.rules.references import show_reference
from govern.payments.services import matching
from govern.register.models import Person, ShareEntry
from govern.register.services import ledger
from govern.register.services.holdings import holding_of
from govern.register.services.verifying import verify_ledger
from tests.joining.conftest import TODAY, text_of


@pytest.fixture
def member(session, make_member, make_account, account):
    """A member with one paid share who can sign in."""
    made = make_member("Bo", "Peeters", email="bo@example.org")
    session.get_one(Person, made.person_id).account_id = make_account("Bo Peeters").id
    session.commit()
    return made


@pytest.fixture
def actor(session, member):
    return actor_for(session, member.person.account)


def test_shares_ordered_are_issued_and_paid_on_the_day_the_money_arrives(
    session, member, actor, pay, clock, run_jobs
):
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    assert holding_of(session, member.id).issued == 1
    assert orders.open_orders(session, actor.account_id) == [order]
    clock.advance(days=3)
    pay(order.request, 6000, date(2018, 6, 2))
    assert not orders.open_orders(session, actor.account_id)
    holding = holding_of(session, member.id, date(2018, 6, 2))
    assert (holding.issued, holding.paid, holding.due_cents) == (3, 3, 0)
    assert holding_of(session, member.id, TODAY).issued == 1
    assert order.state == "done"
    run_jobs()
    keys = session.scalars(select(OutboxMail.dedupe_key)).all()
    assert any(key.startswith("certificate:") for key in keys)


def test_an_order_stands_on_the_members_page_until_it_is_paid(
    session, cooperative, member, actor, pay, client, sign_in
):
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    sign_in(client, member.person.account)
    page = f"/{cooperative.code}/me"
    href = f'href="{page}/{member.public_id}/orders/{order.public_id}"'
    assert href in client.get(page).text
    pay(order.request, 6000)
    assert href not in client.get(page).text


def test_a_part_of_the_price_waits_and_the_rest_issues_the_shares(
    session, member, actor, pay, clock
):
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    clock.advance(days=2)
    first = pay(order.request, 1)
    assert (first.state, order.state, order.request.paid_cents) == ("matched", "open", 1)
    assert holding_of(session, member.id).issued == 1
    matching.undo_match(session, SYSTEM, first.matches[0], "matched to the wrong person")
    session.commit()
    assert holding_of(session, member.id).issued == 1
    pay(order.request, 2000)
    pay(order.request, 4000, date(2018, 6, 3))
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid, holding.due_cents) == (3, 3, 0)
    assert order.paid_on == date(2018, 6, 3)
    subscriptions = select(ShareEntry).where(
        ShareEntry.source == f"order:{order.public_id}", ShareEntry.shares > 0
    )
    assert len(session.scalars(subscriptions).all()) == 1


def test_nobody_orders_beyond_the_maximum_even_in_two_orders(session, member, actor, set_joining):
    set_joining(maximum_shares=4)
    orders.order_shares(session, actor, member, 2)
    with pytest.raises(RuleViolation) as caught:
        orders.order_shares(session, actor, member, 2)
    assert caught.value.field == "shares"
    assert open_orders_hold(session, member)
    first = orders.orders_of(session, member.id)[0]
    orders.cancel_order(session, actor, first)
    assert not open_orders_hold(session, member)
    assert orders.order_shares(session, actor, member, 3).shares == 3


def test_only_the_member_orders(session, member, make_account):
    stranger = make_account("Somebody Else")
    with pytest.raises(NotFound):
        orders.order_shares(session, actor_for(session, stranger), member, 1)


def test_an_order_that_is_not_paid_ends(session, member, actor, clock, pay):
    order = orders.order_shares(session, actor, member, 1)
    session.commit()
    clock.advance(days=32)
    jobs.tick()
    session.expire_all()
    assert (order.state, order.request.state) == ("expired", "cancelled")
    entry = pay(order.request, 3000, date(2018, 7, 1))
    assert entry.state == "doubtful"
    assert holding_of(session, member.id).issued == 1


def test_money_for_an_order_that_goes_back_takes_the_shares_along_and_is_told(
    session, cooperative, member, actor, pay, make_account, clock
):
    make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    pay(order.request, 2000)
    entry = pay(order.request, 4000)
    clock.advance(days=40)
    matching.undo_match(session, SYSTEM, entry.matches[0], "the bank recalled it")
    session.commit()
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid, holding.due_cents) == (1, 1, 0)
    assert (order.state, order.paid_on, order.request.paid_cents) == ("open", None, 2000)
    assert order.payment_due_on > date(2018, 7, 11)
    assert "no longer in the register" in text_of(session, "order-returned")
    pay(order.request, 4000)
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid, order.state) == (3, 3, "done")
    verify_ledger(session, cooperative)


def test_shares_given_on_before_their_price_went_back_are_not_taken_from_who_has_them(
    session, member, actor, pay, make_member
):
    friend = make_member("Cy", "Other")
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    entry = pay(order.request, 6000)
    ledger.transfer_shares(session, SYSTEM, member, friend, 3, TODAY)
    session.commit()
    with pytest.raises(RuleViolation):
        matching.undo_match(session, SYSTEM, entry.matches[0], "the bank recalled it")
    session.rollback()
    assert holding_of(session, friend.id).paid == 4
    assert order.state == "done"


def offer_classes(session, cooperative, *classes):
    row = cooperative.rule_sets[0]
    rules = rules_from_json(row.rules)
    row.rules = rules_to_json(replace(rules, share_classes=(rules.share_classes[0], *classes)))
    session.commit()


SUPPORT = ShareClass("support", {"en": "Supporter’s share"}, 5000)


def test_money_for_shares_of_a_class_pays_those_and_not_older_ones(
    session, cooperative, member, actor, pay
):
    offer_classes(session, cooperative, SUPPORT)
    ledger.subscribe_shares(session, SYSTEM, member, 2, TODAY)
    order = orders.order_shares(session, actor, member, 1, "support")
    session.commit()
    pay(order.request, 5000)
    lots = holding_of(session, member.id).lots
    assert lots[("support", 5000)].paid_cents == 5000
    assert lots[("ordinary", 3000)].paid_cents == 3000


def test_money_for_a_class_that_the_rules_forgot_waits_for_a_person(
    session, cooperative, member, actor, pay
):
    offer_classes(session, cooperative, SUPPORT)
    order = orders.order_shares(session, actor, member, 1, "support")
    offer_classes(session, cooperative)
    entry = pay(order.request, 5000)
    assert entry.state == "doubtful"
    assert "support" in entry.note
    assert order.state == "open"


def test_orders_paid_in_part_do_not_stand_before_those_that_are_to_end(
    session, member, actor, clock, pay, monkeypatch
):
    monkeypatch.setattr("govern.joining.services.deadlines.AT_ONCE", 1)
    first = orders.order_shares(session, actor, member, 1)
    second = orders.order_shares(session, actor, member, 2)
    session.commit()
    pay(first.request, 100)
    clock.advance(days=32)
    keep_deadlines(session, now())
    assert (first.state, second.state) == ("open", "expired")


def test_the_page_of_an_order_says_what_is_missing_and_what_happens_next(
    session, member, actor, pay, client, sign_in
):
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    sign_in(client, member.person.account)
    address = f"/smartcoop/me/{member.public_id}/orders/{order.public_id}"
    assert f"{address}/cancel" in client.get(address).text
    pay(order.request, 2500)
    page = client.get(address).text
    assert "We have received €25.00; €35.00 are missing." in page
    assert "How to pay the rest" in page
    assert show_reference(order.request.reference) in page
    assert f"{address}/cancel" not in page
    assert "Write to the cooperative if you no longer want the shares." in page
    pay(order.request, 4000)
    page = client.get(address).text
    assert "The shares are paid and in the register." in page
    assert "You paid €5.00 more than was asked for." in page
    assert "How to pay" not in page
