"""One person, one vote: nobody stands on a roll twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.cooperatives.models import Cooperative
from govern.errors import RuleViolation
from govern.register.models import Membership
from govern.register.services import freeze_roll, ledger, merging, rolls, take_roll
from govern.register.services.holdings import holding_of
from govern.register.services.verifying import verify_ledger
from tests.conftest import SettableClock
from tests.register.test_merging import TODAY, twice

Make = Callable[..., Membership]


@pytest.fixture(autouse=True)
def _on_that_day(clock: SettableClock) -> None:
    """Noon on 1 June 2018."""
    clock.set(datetime(2018, 6, 1, 10, 0, tzinfo=UTC))


def test_nobody_has_two_votes_on_a_roll(
    client: FlaskClient,
    sign_in: Callable[..., Any],
    make_account: Callable[..., Account],
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
) -> None:
    one, two = twice(make_member)
    make_member("3")
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    record_date = date(2018, 5, 15)
    roll = take_roll(session, SYSTEM, cooperative, record_date, "Spring")
    with pytest.raises(RuleViolation, match="as members 1, 2: one person has one vote") as refusal:
        freeze_roll(session, SYSTEM, roll)
    assert "15 May 2018" in refusal.value.remedy
    session.commit()
    assert not roll.is_frozen

    sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
    page = client.get(f"/smartcoop/rolls/{roll.public_id}").get_data(as_text=True)
    assert "members 1, 2." in page
    pair = f"/smartcoop/register/quality/duplicates/{one.public_id}/{two.public_id}"
    assert 'name="effective_on"' in client.get(pair).get_data(as_text=True)
    typed = {"act": "merge", "keep": one.public_id, "reason": "one vote per member"}
    for day, words in (("soon", "soon"), ("2018-06-02", "lies ahead"), ("2017-01-01", "joined")):
        answer = client.post(pair, data={**typed, "effective_on": day})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    answer = client.post(pair, data={**typed, "effective_on": "2018-05-15"})
    assert answer.status_code == 302
    session.rollback()
    assert session.get_one(Membership, two.id).ended_on == record_date

    taken_again = take_roll(session, SYSTEM, cooperative, record_date, "Spring")
    assert freeze_roll(session, SYSTEM, taken_again).heads == 2
    assert taken_again.shares_issued == roll.shares_issued


def test_who_turns_out_to_be_one_person_is_taken_off_a_frozen_roll(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    roll = freeze_roll(session, SYSTEM, take_roll(session, SYSTEM, cooperative, TODAY, "June"))
    assert rolls.held_twice(session, roll) == []
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    [entries] = rolls.held_twice(session, roll)
    assert [entry.member_number for entry in entries] == ["1", "2"]
    rolls.correct_roll(session, SYSTEM, roll, two, "one person, one vote", remove=True)
    assert rolls.held_twice(session, roll) == []


def test_memberships_brought_together_as_of_an_earlier_day_are_parted_again(
    both_databases: str, session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    one, two = twice(make_member)
    early, between = date(2018, 5, 15), date(2018, 5, 20)
    ledger.subscribe_shares(session, SYSTEM, one, 1, between)
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    merge = merging.merge_memberships(session, SYSTEM, one, two, "one vote", early)
    session.commit()
    days = (date(2018, 5, 14), early, between, TODAY)
    assert [holding_of(session, one.id, day).issued for day in days] == [2, 5, 6, 6]
    assert [holding_of(session, two.id, day).issued for day in days] == [3, 0, 0, 0]
    verify_ledger(session, cooperative)

    merging.undo_merge(session, SYSTEM, merge, "they are mother and daughter")
    session.commit()
    assert [holding_of(session, one.id, day).issued for day in days] == [2, 2, 3, 3]
    assert [holding_of(session, two.id, day).issued for day in days] == [3, 3, 3, 3]
    assert two.ended_on is None
    verify_ledger(session, cooperative)


def test_shares_that_came_later_forbid_an_earlier_day_and_nothing_changes(
    session: Session, make_member: Make
) -> None:
    one, two = twice(make_member)
    ledger.subscribe_shares(session, SYSTEM, two, 1, date(2018, 5, 20))
    merging.merge_holders(session, SYSTEM, one, two, "the same birth date")
    session.commit()
    with pytest.raises(RuleViolation, match="change after that day"):
        merging.merge_memberships(session, SYSTEM, one, two, "one vote", date(2018, 5, 15))
    session.rollback()
    assert (two.ended_on, holding_of(session, two.id).issued) == (None, 4)
