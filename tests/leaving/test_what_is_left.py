"""Capital and shares that are not what they were when somebody asked to leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.errors import Conflict
from govern.leaving.models import Departure, Refund
from govern.leaving.services import effect, personal, recording, resigning
from govern.register.models import Membership, ShareEntry
from govern.register.services import ledger
from govern.register.services.holdings import holding_of
from tests.conftest import SettableClock
from tests.leaving.conftest import IBAN

Make = Callable[..., Any]
ENDED, PAID = date(2018, 4, 1), date(2018, 4, 5)


@pytest.fixture
def paid_late(session: Session, make_member: Callable[..., Membership]) -> Membership:
    """Two shares, paid four days after the day as of which the membership will end."""
    membership = make_member(shares=2, paid_cents=0, joined_on=date(2018, 3, 1))
    ledger.record_payment(session, SYSTEM, membership, 6000, PAID)
    return membership


def owed(session: Session) -> int:
    return int(session.scalar(select(func.sum(Refund.amount_cents))) or 0)


def test_capital_paid_after_the_day_of_the_ending_is_owed_too(
    session: Session, paid_late: Membership
) -> None:
    lost = recording.record_loss_of_status(
        session, SYSTEM, paid_late, lost_on=ENDED, reason="closed down", holder="An", iban=IBAN
    )
    assert (lost.amount_cents, owed(session)) == (6000, 6000)
    holding = holding_of(session, paid_late.id)
    assert (holding.issued, holding.paid_cents) == (0, 0)
    last = session.scalars(select(ShareEntry).order_by(ShareEntry.sequence.desc())).first()
    assert last is not None
    assert (last.effective_on, last.amount_cents) == (PAID, -6000)
    assert last.source == f"departure:{lost.public_id}"


def test_the_estate_gets_it_as_well(session: Session, paid_late: Membership) -> None:
    death = recording.record_death(session, SYSTEM, paid_late, died_on=ENDED)
    refunds = recording.settle_estate(session, SYSTEM, death)
    assert [refund.amount_cents for refund in refunds] == [6000]


def test_capital_left_on_no_shares_holds_an_erasure_until_it_is_owed(
    session: Session, paid_late: Membership
) -> None:
    """As in a ledger that was written before the refund looked at what came later."""
    recording.record_death(session, SYSTEM, paid_late, died_on=ENDED)
    ledger.refund_shares(session, SYSTEM, paid_late, 2, ENDED)
    assert holding_of(session, paid_late.id).paid_cents == 6000
    reasons = personal.why_not_erased(session, paid_late)
    assert reasons == ["€60.00 of capital belongs to no share any more."]
    former = recording.owe_former_member(session, SYSTEM, paid_late, owed_since=ENDED)
    assert (former.shares_left, former.amount_cents, owed(session)) == (0, 6000, 6000)
    reasons = personal.why_not_erased(session, paid_late)
    assert reasons == ["€60.00 is still to be paid back for the shares."]
    with pytest.raises(Conflict, match="No share"):
        recording.owe_former_member(session, SYSTEM, paid_late, owed_since=ENDED)


@pytest.fixture
def part(
    session: Session,
    set_rules: Make,
    make_resigned: Make,
    make_member: Callable[..., Membership],
    clock: SettableClock,
) -> Departure:
    """Three of five shares given back, then three others transferred, and the day has come."""
    set_rules(whole_only=False)
    departure: Departure = make_resigned(shares=3, held=5)
    other = make_member(number="88", given_name="Bo")
    ledger.transfer_shares(session, SYSTEM, departure.membership, other, 3, date(2018, 4, 10))
    clock.set(datetime(2018, 7, 2, 8, 0, tzinfo=UTC))
    session.commit()
    return departure


def test_a_part_never_takes_the_whole_membership(session: Session, part: Departure) -> None:
    effect.take_effect_job(session, part.id)
    assert (part.state, part.membership.ended_on) == ("pending", None)
    assert "Only 2 shares are left" in part.problem
    assert (holding_of(session, part.membership_id).issued, owed(session)) == (2, 0)


def test_a_part_that_is_no_longer_there_can_be_withdrawn_after_its_day(
    session: Session, part: Departure
) -> None:
    effect.take_effect_job(session, part.id)
    resigning.withdraw_resignation(session, SYSTEM, part)
    assert part.state == "withdrawn"
