"""An ending that was recorded wrongly is taken back; what stands in the way is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.register.models import EndReason, Membership, ShareEntry
from govern.register.services import ledger, members, take_roll, transfers
from govern.register.services.holdings import holding_of
from govern.register.services.verifying import verify_ledger
from tests.conftest import SettableClock

Make = Callable[..., Membership]
DAY, NEXT = date(2018, 5, 2), date(2018, 5, 3)
WHY = "Another person of that name has died."


def test_whoever_was_taken_for_dead_votes_again_with_the_same_shares(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    clock: SettableClock,
    both_databases: None,
) -> None:
    ann = make_member("1", shares=2)
    make_member("2")
    members.end_membership(session, SYSTEM, ann, DAY, EndReason.DEATH, "Notice in the paper.")
    entries = ledger.refund_shares(session, SYSTEM, ann, 2, DAY)
    assert take_roll(session, SYSTEM, cooperative, NEXT, "Before").heads == 1
    members.take_back_ending(session, SYSTEM, ann, WHY)
    assert (ann.ended_on, ann.end_reason) == (None, None)
    assert ann.end_note == f"Notice in the paper.\n{WHY}"
    assert holding_of(session, ann.id).issued == 0
    ledger.reverse_act(session, SYSTEM, entries[0], WHY)
    assert holding_of(session, ann.id).paid == 2
    assert take_roll(session, SYSTEM, cooperative, NEXT, "After").heads == 2
    verify_ledger(session, cooperative)
    with pytest.raises(Conflict, match="has not ended"):
        members.take_back_ending(session, SYSTEM, ann, WHY)


def test_an_ending_that_follows_from_a_transfer_is_taken_back_with_the_transfer(
    session: Session, make_member: Make, clock: SettableClock
) -> None:
    ann, bo = make_member("1"), make_member("2", given_name="Bo")
    transfers.complete_transfer(session, SYSTEM, ann, bo, 1, DAY, cause="gift")
    assert ann.end_reason == EndReason.TRANSFER.value
    with pytest.raises(RuleViolation, match="were transferred"):
        members.take_back_ending(session, SYSTEM, ann, WHY)


def test_whoever_came_back_under_a_new_number_keeps_that_one(
    session: Session, cooperative: Cooperative, make_member: Make, clock: SettableClock
) -> None:
    ann = make_member("1")
    members.end_membership(session, SYSTEM, ann, DAY, EndReason.RESIGNATION)
    again = make_member("2")
    again.person_id = ann.person_id
    session.flush()
    with pytest.raises(Conflict, match="under the number 2"):
        members.take_back_ending(session, SYSTEM, ann, WHY)


def test_nobody_has_two_memberships_because_a_transfer_was_taken_back(
    session: Session, cooperative: Cooperative, make_member: Make, clock: SettableClock
) -> None:
    ann, bo = make_member("1"), make_member("2", given_name="Bo")
    transfers.complete_transfer(session, SYSTEM, ann, bo, 1, DAY, cause="gift")
    assert ann.ended_on == DAY
    again = make_member("3", joined_on=NEXT)
    again.person_id = ann.person_id
    session.commit()
    entry = session.scalars(select(ShareEntry).where(ShareEntry.kind == "transfer_out")).one()
    with pytest.raises(Conflict, match="under the number 3"):
        ledger.reverse_act(session, SYSTEM, entry, WHY)
    session.rollback()
    assert ann.ended_on == DAY
    assert holding_of(session, bo.id).issued == 2


def test_taking_an_ending_back_needs_a_reason(
    session: Session, make_member: Make, clock: SettableClock
) -> None:
    ann = make_member("1")
    members.end_membership(session, SYSTEM, ann, DAY, EndReason.RESIGNATION)
    with pytest.raises(InvalidInput):
        members.take_back_ending(session, SYSTEM, ann, " no ")
    assert ann.ended_on == DAY
