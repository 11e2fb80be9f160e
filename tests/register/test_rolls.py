"""Taking a roll: who is on it, and that it depends on the register alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput, RuleViolation
from govern.register.models import Membership, Roll, RollEntry
from govern.register.services import (
    ledger,
    members,
    roll_canonical_lines,
    take_roll,
    why_not_on_roll,
)
from tests.register.conftest import RECORD_DATE

Make = Callable[..., Membership]


def numbers(session: Session, roll: Roll) -> set[str]:
    return set(session.scalars(select(RollEntry.member_number).where(RollEntry.roll_id == roll.id)))


def test_each_member_with_a_paid_share_is_on_it_once(
    both_databases: str,
    session: Session,
    cooperative: Cooperative,
    everybody: dict[str, Membership],
) -> None:
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert numbers(session, roll) == {"plain", "firm", "partly", "leaving"}
    assert (roll.heads, roll.shares_issued, roll.shares_paid) == (4, 2 + 1 + 3 + 1, 2 + 1 + 2 + 1)
    assert roll.totals["by_category"]["B"] == {"heads": 1, "shares_issued": 1, "shares_paid": 1}
    assert roll.totals["by_kind"]["natural"]["heads"] == 3
    entry = session.scalars(
        select(RollEntry).where(RollEntry.roll_id == roll.id, RollEntry.member_number == "firm")
    ).one()
    assert (entry.display_name, entry.representative) == ("Atelier CV", "Victor Verelst")
    assert entry.address == {
        "street": "Kerkstraat 1",
        "postal_code": "9000",
        "town": "Gent",
        "country": "BE",
    }
    # Every member's own standing says the same as the roll.
    for number, membership in everybody.items():
        standing = why_not_on_roll(session, roll, membership)
        assert standing.on_roll == (number in numbers(session, roll)), number
        assert bool(standing.obstacles) != standing.on_roll


def test_taking_it_twice_gives_the_same_digest(
    session: Session, cooperative: Cooperative, everybody: dict[str, Membership], clock: Any
) -> None:
    first = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "First")
    clock.advance(days=3)
    # Contact data and later events are not in it.
    members.change_contact(
        session, SYSTEM, everybody["plain"], members.Contact(language="fr", email="g@example.org")
    )
    ledger.subscribe_shares(session, SYSTEM, everybody["plain"], 5, date(2018, 5, 1))
    second = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "Second")
    assert first.digest == second.digest
    assert take_roll(session, SYSTEM, cooperative, date(2018, 5, 1), "May").digest != first.digest
    lines = b"".join(roll_canonical_lines(session, first))
    assert hashlib.sha256(lines).hexdigest() == first.digest
    assert json.loads(lines.splitlines()[0])["record_date"] == "2018-04-01"


def test_the_end_of_the_ledger_is_kept_with_the_roll(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    make_member()
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert roll.register_sequence == 2
    assert len(roll.register_hash) == 64


def test_no_roll_of_a_day_that_is_not_over_or_without_rules_or_name(
    session: Session, cooperative: Cooperative, clock: Any
) -> None:
    with pytest.raises(RuleViolation, match="lies ahead"):
        take_roll(session, SYSTEM, cooperative, date(2018, 6, 2), "June")
    with pytest.raises(RuleViolation, match="No rule set"):
        take_roll(session, SYSTEM, cooperative, date(2016, 12, 31), "Before")
    with pytest.raises(InvalidInput):
        take_roll(session, SYSTEM, cooperative, RECORD_DATE, " ")


def test_a_category_counts_as_of_the_record_date(
    session: Session, cooperative: Cooperative, make_member: Make
) -> None:
    member = make_member("7")
    members.change_category(session, SYSTEM, member, "B", date(2018, 4, 2))
    roll = take_roll(session, SYSTEM, cooperative, RECORD_DATE, "April")
    assert set(roll.totals["by_category"]) == {"A"}
    later = take_roll(session, SYSTEM, cooperative, date(2018, 4, 2), "Later")
    assert set(later.totals["by_category"]) == {"B"}


def test_members_of_another_cooperative_are_not_on_it(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_cooperative: Callable[..., Cooperative],
) -> None:
    make_member()
    other = make_cooperative("elsewhere", "Elsewhere")
    assert take_roll(session, SYSTEM, other, RECORD_DATE, "April").heads == 0
