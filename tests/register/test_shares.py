"""What registrars record about shares, what is refused, and two of them at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.audit import AuditEntry
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import Conflict, Forbidden, GovernError, InvalidInput, RuleViolation
from govern.extensions import db
from govern.register.models import Membership, ShareEntry
from govern.register.services import ledger
from govern.register.services.holdings import holding_of
from govern.register.services.verifying import verify_ledger

Make = Callable[..., Membership]
DAY = date(2018, 3, 1)


def test_shares_are_unpaid_until_a_payment_arrives(session: Session, make_member: Make) -> None:
    member = make_member(shares=0)
    ledger.subscribe_shares(session, SYSTEM, member, 2, DAY)
    assert (holding_of(session, member.id).issued, holding_of(session, member.id).paid) == (2, 0)
    ledger.record_payment(session, SYSTEM, member, 3000, DAY)
    ledger.record_payment(session, SYSTEM, member, 3000, date(2018, 4, 1))
    assert holding_of(session, member.id, DAY).paid == 1
    assert holding_of(session, member.id).paid == 2


def test_money_for_an_order_of_one_class_is_booked_there_first(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    support = ShareClass("support", {"en": "Support"}, 6000)
    cooperative.rule_sets[0].rules = rules_to_json(
        replace(rules, share_classes=(*rules.share_classes, support))
    )
    member = make_member(shares=1, paid_cents=0)
    ledger.subscribe_shares(session, SYSTEM, member, 1, DAY, share_class="support")

    def pay(cents: int, **more: Any) -> list[tuple[str, int]]:
        rows = ledger.record_payment(session, SYSTEM, member, cents, DAY, **more)
        return [(row.share_class, row.amount_cents) for row in rows]

    assert pay(7000, share_class="support") == [("support", 6000), ("ordinary", 1000)]
    assert pay(2500, share_class="support", accept_overpayment=True) == [
        ("ordinary", 2000),
        ("support", 500),
    ]


def test_an_overpayment_is_recorded_only_on_purpose(session: Session, make_member: Make) -> None:
    member = make_member(shares=1)
    with pytest.raises(RuleViolation, match="more than") as error:
        ledger.record_payment(session, SYSTEM, member, 1000, DAY)
    assert error.value.field == "amount"
    ledger.record_payment(session, SYSTEM, member, 1000, DAY, accept_overpayment=True)
    assert holding_of(session, member.id).overpaid_cents == 1000
    ledger.refund_overpayment(session, SYSTEM, member, date(2018, 4, 1))
    assert holding_of(session, member.id).overpaid_cents == 0
    with pytest.raises(RuleViolation, match="Nothing was paid"):
        ledger.refund_overpayment(session, SYSTEM, member, date(2018, 4, 1))


def test_a_transfer_moves_shares_with_their_capital(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    giver, receiver = make_member(shares=3), make_member(shares=1, given_name="Bo")
    entries = ledger.transfer_shares(session, SYSTEM, giver, receiver, 2, DAY, remark="a gift")
    assert [(e.kind, e.shares, e.amount_cents) for e in entries] == [
        ("transfer_out", -2, -6000),
        ("transfer_in", 2, 6000),
    ]
    assert len({e.act_id for e in entries}) == 1
    assert entries[0].remark is not None
    assert (holding_of(session, giver.id).paid, holding_of(session, receiver.id).paid) == (1, 3)
    assert holding_of(session, giver.id, date(2018, 2, 28)).paid == 3
    session.commit()
    verify_ledger(session, cooperative)


def test_nobody_gives_or_gets_back_more_than_is_held(session: Session, make_member: Make) -> None:
    giver, receiver = make_member(shares=1), make_member(given_name="Bo")
    with pytest.raises(RuleViolation, match="held 1 share"):
        ledger.transfer_shares(session, SYSTEM, giver, receiver, 2, DAY)
    with pytest.raises(RuleViolation, match="held 1 share"):
        ledger.refund_shares(session, SYSTEM, giver, 2, DAY)
    with pytest.raises(InvalidInput, match="another member"):
        ledger.transfer_shares(session, SYSTEM, giver, giver, 1, DAY)


def test_shares_given_away_since_cannot_be_given_again_earlier(
    session: Session, make_member: Make
) -> None:
    giver, receiver = make_member(shares=1), make_member(given_name="Bo")
    ledger.transfer_shares(session, SYSTEM, giver, receiver, 1, date(2018, 5, 1))
    with pytest.raises(RuleViolation, match="held ever since"):
        ledger.refund_shares(session, SYSTEM, giver, 1, DAY)


def test_a_refund_gives_back_the_nominal_value_at_most(session: Session, make_member: Make) -> None:
    member = make_member(shares=2)
    ledger.record_payment(session, SYSTEM, member, 500, DAY, accept_overpayment=True)
    entry = ledger.refund_shares(session, SYSTEM, member, 2, DAY)[0]
    assert (entry.shares, entry.amount_cents) == (-2, -6000)
    assert holding_of(session, member.id).overpaid_cents == 500


@pytest.mark.parametrize("shares", [0, -1, 1_000_001])
def test_the_number_of_shares_is_bounded(shares: int, session: Session, make_member: Make) -> None:
    member = make_member()
    with pytest.raises(InvalidInput):
        ledger.subscribe_shares(session, SYSTEM, member, shares, DAY)


@pytest.mark.parametrize("cents", [0, -1, 10**13])
def test_the_amount_is_bounded(cents: int, session: Session, make_member: Make) -> None:
    with pytest.raises(InvalidInput):
        ledger.record_payment(session, SYSTEM, make_member(), cents, DAY)


def test_nothing_is_recorded_ahead_or_before_the_membership_or_after_its_end(
    session: Session, clock: Any, make_member: Make
) -> None:
    member = make_member()
    with pytest.raises(RuleViolation, match="lies ahead"):
        ledger.subscribe_shares(session, SYSTEM, member, 1, date(2018, 6, 2))
    with pytest.raises(RuleViolation, match="joined only on"):
        ledger.subscribe_shares(session, SYSTEM, member, 1, date(2018, 1, 9))
    member.ended_on, member.end_reason = DAY, "resignation"
    session.commit()
    with pytest.raises(RuleViolation, match="ended on"):
        ledger.subscribe_shares(session, SYSTEM, member, 1, DAY)
    with pytest.raises(RuleViolation, match="ended on"):
        ledger.record_payment(session, SYSTEM, member, 3000, date(2018, 4, 1))
    # What a former member still holds is refunded after the end.
    ledger.refund_shares(session, SYSTEM, member, 1, date(2018, 4, 1))


def test_an_entry_is_taken_back_by_its_opposite(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    giver, receiver = make_member(shares=3), make_member(given_name="Bo")
    entry = ledger.transfer_shares(session, SYSTEM, giver, receiver, 2, DAY)[1]
    with pytest.raises(InvalidInput, match="reason"):
        ledger.reverse_act(session, SYSTEM, entry, " no ")
    back = ledger.reverse_act(session, SYSTEM, entry, "the wrong receiver")
    assert [(e.kind, e.shares) for e in back] == [("transfer_out", 2), ("transfer_in", -2)]
    assert {e.effective_on for e in back} == {DAY}
    assert holding_of(session, giver.id, DAY).issued == 3
    for row in (entry, back[0]):
        with pytest.raises(Conflict, match="taken back already"):
            ledger.reverse_act(session, SYSTEM, row, "once more")
    session.commit()
    verify_ledger(session, cooperative)


def test_what_was_given_on_cannot_be_taken_back(session: Session, make_member: Make) -> None:
    first, second, third = (make_member(given_name=name) for name in ("An", "Bo", "Cy"))
    entry = ledger.transfer_shares(session, SYSTEM, first, second, 1, DAY)[0]
    ledger.transfer_shares(session, SYSTEM, second, third, 2, date(2018, 4, 1))
    with pytest.raises(RuleViolation, match="no longer holds the shares 1"):
        ledger.reverse_act(session, SYSTEM, entry, "a mistake was made")


def test_only_the_registrar_of_the_cooperative_records_shares(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_account: Callable[..., Any],
    make_cooperative: Callable[..., Cooperative],
) -> None:
    member = make_member()
    other = make_cooperative("elsewhere", "Elsewhere")
    for account in (
        make_account("Sam", roles=[(cooperative, Role.SECRETARY)]),
        make_account("Rita", roles=[(other, Role.REGISTRAR)]),
    ):
        actor = actor_for(session, account)
        with pytest.raises(Forbidden):
            ledger.subscribe_shares(session, actor, member, 1, DAY)
        with pytest.raises(Forbidden):
            ledger.record_payment(session, actor, member, 1, DAY)
    registrar = make_account("Rik", roles=[(cooperative, Role.REGISTRAR)])
    entry = ledger.subscribe_shares(session, actor_for(session, registrar), member, 1, DAY)
    assert entry.recorded_by_id == registrar.id
    noted = session.scalars(select(AuditEntry).order_by(AuditEntry.position.desc())).first()
    assert noted is not None
    assert (noted.tag, noted.account_id) == ("register:shares:subscribed", registrar.id)
    assert "Peeters" not in noted.data


def test_two_registrars_at_once_keep_one_chain_and_no_share_twice(
    both_databases: str,
    app: Any,
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
) -> None:
    giver = make_member(shares=5)
    receivers = [make_member(given_name=f"R{n}", shares=0).id for n in range(4)]
    giver_id = giver.id
    # The session of the test must not hold the write lock while the threads work.
    session.commit()

    def give(receiver_id: int) -> bool:
        with app.app_context():
            here = db.session
            try:
                ledger.transfer_shares(
                    here,
                    SYSTEM,
                    here.get_one(Membership, giver_id),
                    here.get_one(Membership, receiver_id),
                    1,
                    DAY,
                )
                here.commit()
            except GovernError:
                here.rollback()
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(give, receivers * 3))
    session.expire_all()
    assert sum(done) == 5
    assert holding_of(session, giver_id).issued == 0
    assert sum(holding_of(session, number).issued for number in receivers) == 5
    assert verify_ledger(session, cooperative).entries == 2 + 2 * 5
    assert session.scalars(select(ShareEntry.sequence).order_by(ShareEntry.sequence)).all() == list(
        range(1, 13)
    )
