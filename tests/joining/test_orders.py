"""More shares for a member: ordered, paid, in the register, within the maximum."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from govern import jobs
from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.errors import NotFound, RuleViolation
from govern.joining.services import orders
from govern.joining.services.personal import open_orders_hold
from govern.mail.models import OutboxMail
from govern.payments.services import matching
from govern.register.models import Person, ShareEntry
from govern.register.services.holdings import holding_of
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
    clock.advance(days=3)
    pay(order.request, 6000, date(2018, 6, 2))
    holding = holding_of(session, member.id, date(2018, 6, 2))
    assert (holding.issued, holding.paid, holding.due_cents) == (3, 3, 0)
    assert holding_of(session, member.id, TODAY).issued == 1
    assert order.state == "done"
    run_jobs()
    keys = session.scalars(select(OutboxMail.dedupe_key)).all()
    assert any(key.startswith("certificate:") for key in keys)


def test_a_part_of_the_price_leaves_shares_unpaid_and_the_rest_pays_them(
    session, member, actor, pay
):
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    pay(order.request, 3000)
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid, holding.due_cents) == (3, 2, 3000)
    pay(order.request, 3000)
    assert holding_of(session, member.id).paid == 3
    subscriptions = select(ShareEntry).where(ShareEntry.source == f"order:{order.public_id}")
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


def test_money_for_an_order_that_goes_back_leaves_the_shares_unpaid_and_is_told(
    session, cooperative, member, actor, pay, make_account
):
    make_account("Rita", "rita@example.org", roles=[(cooperative, Role.REGISTRAR)])
    order = orders.order_shares(session, actor, member, 2)
    session.commit()
    entry = pay(order.request, 6000)
    matching.undo_match(session, SYSTEM, entry.matches[0], "the bank recalled it")
    session.commit()
    holding = holding_of(session, member.id)
    assert (holding.issued, holding.paid) == (3, 1)
    assert "Bo Peeters" in text_of(session, "order-returned")
    pay(order.request, 6000)
    assert holding_of(session, member.id).paid == 3
