"""Whatever registrars record, in whatever order: no share appears, vanishes or is held twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import ShareClass, rules_from_json, rules_to_json
from govern.errors import GovernError
from govern.register.models import Membership, RegisterHead, ShareEntry, ShareNumbering
from govern.register.rules.ledger import holding_on
from govern.register.rules.numbers import (
    NONE,
    common,
    count,
    format_numbers,
    join,
    lowest,
    parse_numbers,
    without,
)
from govern.register.services import ledger
from govern.register.services.holdings import as_rule_entry, entries_of, numbers_of
from govern.register.services.verifying import verify_ledger

Make = Callable[..., Membership]
FIRST = date(2018, 1, 10)
SUPPORT = ShareClass("support", {"en": "Support share"}, 6000)
CLASSES = ("ordinary", "support")

ACTS = st.tuples(
    st.sampled_from(
        "subscribe pay transfer transfer transfer refund convert convert reverse overpaid".split()
    ),
    st.integers(0, 2),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(0, 12),
    st.sampled_from(CLASSES),
    st.sampled_from(("lowest", "lowest", "highest", "anyhow")),
)
"""(what, member, distance to the other member, shares, day, class, which numbers)."""


@pytest.fixture
def three(session: Session, cooperative: Cooperative, make_member: Make) -> list[Membership]:
    """Three members without shares, in a cooperative with two classes of them."""
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    cooperative.rule_sets[0].rules = rules_to_json(replace(rules, share_classes=(SUPPORT,)))
    return [make_member(shares=0, given_name=name) for name in ("An", "Bo", "Cy")]


def named(
    session: Session, member: Membership, share_class: str, shares: int, which: str
) -> str | None:
    """Numbers that the member holds in the end, or does not; None to leave the choice."""
    if which == "lowest":
        return None
    if which == "anyhow":
        return f"{shares}-{2 * shares - 1}"
    held = parse_numbers(numbers_of(session, member.id).get(share_class, ""))
    return format_numbers(without(held, lowest(held, max(0, count(held) - shares)))) or None


def begin(session: Session, members: list[Membership]) -> None:
    """Everybody has some shares of both classes from different days on, partly paid."""
    for place, member in enumerate(members):
        day = FIRST + timedelta(days=place)
        for share_class in CLASSES:
            ledger.subscribe_shares(session, SYSTEM, member, 4, day, share_class=share_class)
        ledger.record_payment(session, SYSTEM, member, 20000 + place * 8000, day)


def act(session: Session, members: list[Membership], drawn: Any) -> None:
    """Record one act; GovernError when it is refused."""
    what, who, distance, shares, days, share_class, which = drawn
    member, day = members[who], FIRST + timedelta(days=days)
    numbers = named(session, member, share_class, shares, which)
    choice = {"share_class": share_class, "numbers": numbers}
    if what == "subscribe":
        ledger.subscribe_shares(session, SYSTEM, member, shares, day, share_class=share_class)
    elif what == "pay":
        ledger.record_payment(
            session, SYSTEM, member, shares * 2500, day, accept_overpayment=shares == 4
        )
    elif what == "transfer":
        receiver = members[(who + distance) % 3]
        ledger.transfer_shares(session, SYSTEM, member, receiver, shares, day, **choice)
    elif what == "refund":
        ledger.refund_shares(session, SYSTEM, member, shares, day, **choice)
    elif what == "overpaid":
        ledger.refund_overpayment(session, SYSTEM, member, day)
    elif what == "convert":
        other = CLASSES[1 - CLASSES.index(share_class)]
        ledger.convert_shares(
            session, SYSTEM, member, shares, other, day, from_class=share_class, numbers=numbers
        )
    else:
        entries = entries_of(session, member.id)
        if entries:
            ledger.reverse_act(session, SYSTEM, entries[days % len(entries)], "it was wrong")


def state_of(session: Session, cooperative: Cooperative) -> Any:
    """Everything that a refused act must leave as it was."""
    head = session.get(RegisterHead, cooperative.id)
    return (
        session.scalar(select(func.count()).select_from(ShareEntry)),
        (head.sequence, head.hash) if head else None,
        sorted(session.execute(select(ShareNumbering.share_class, ShareNumbering.last_number))),
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(ACTS, min_size=6, max_size=16))
def test_shares_are_conserved_and_numbered_whatever_is_recorded(
    session: Session,
    cooperative: Cooperative,
    three: list[Membership],
    drawn: list[Any],
) -> None:
    begin(session, three)
    try:
        for one in drawn:
            before = state_of(session, cooperative)
            try:
                act(session, three, one)
            except GovernError:
                assert state_of(session, cooperative) == before
        check(session, cooperative, three)
    finally:
        session.rollback()


def check(session: Session, cooperative: Cooperative, members: list[Membership]) -> None:
    """The laws of the ledger, on every day that something counts from."""
    histories = {item.id: entries_of(session, item.id) for item in members}
    rows = [row for history in histories.values() for row in history]
    for day in sorted({row.effective_on for row in rows}):
        for share_class in CLASSES:
            of_class = [
                row for row in rows if row.share_class == share_class and row.effective_on <= day
            ]
            moved = [row.shares for row in of_class if row.kind.startswith("transfer")]
            assert sum(moved) == 0
            issued = sum(row.shares for row in of_class) - sum(moved)
            held = 0
            numbers = []
            for item in members:
                lots = holding_on([as_rule_entry(row) for row in histories[item.id]], day).lots
                for (lot_class, _nominal), balance in lots.items():
                    assert balance.issued >= 0
                    assert balance.paid_cents >= 0
                    held += balance.issued if lot_class == share_class else 0
                own = parse_numbers(numbers_of(session, item.id, day).get(share_class, ""))
                numbers.append(own)
            assert held == issued
            assert not any(common(one, other) for one, other in combinations(numbers, 2))
            assert sum(map(count, numbers)) == held
    check_numbers_given_once(rows)
    verify_ledger(session, cooperative)


def check_numbers_given_once(rows: list[ShareEntry]) -> None:
    """New shares carry the next numbers, each once, from 1 on."""
    for share_class in CLASSES:
        given_out = NONE
        for row in sorted(rows, key=lambda row: row.sequence):
            new = row.kind in ("subscription", "conversion_in") and row.reverses_id is None
            if row.share_class == share_class and new:
                first, last = parse_numbers(row.numbers)[0]
                assert first == count(given_out) + 1
                given_out = join(given_out, ((first, last),))


def test_a_number_that_was_refunded_is_not_given_again(
    session: Session, cooperative: Cooperative, three: list[Membership]
) -> None:
    member = three[0]
    ledger.subscribe_shares(session, SYSTEM, member, 2, FIRST)
    ledger.refund_shares(session, SYSTEM, member, 1, FIRST)
    ledger.subscribe_shares(session, SYSTEM, member, 1, FIRST)
    assert numbers_of(session, member.id) == {"ordinary": "2-3"}
    verify_ledger(session, cooperative)


def test_a_refund_that_is_taken_back_brings_the_same_numbers(
    session: Session, three: list[Membership]
) -> None:
    member = three[0]
    ledger.subscribe_shares(session, SYSTEM, member, 3, FIRST)
    entry = ledger.refund_shares(session, SYSTEM, member, 2, FIRST, numbers="1, 3")[0]
    assert numbers_of(session, member.id) == {"ordinary": "2"}
    ledger.reverse_act(session, SYSTEM, entry, "refunded in error")
    assert numbers_of(session, member.id) == {"ordinary": "1-3"}


def test_a_late_act_takes_only_shares_held_ever_since(
    session: Session, three: list[Membership]
) -> None:
    first, second, _third = three
    later = FIRST + timedelta(days=9)
    ledger.subscribe_shares(session, SYSTEM, first, 2, FIRST)
    ledger.transfer_shares(session, SYSTEM, first, second, 1, later, numbers="1")
    ledger.subscribe_shares(session, SYSTEM, first, 2, later)
    # On the first day there were two, but number 1 has gone since.
    with pytest.raises(GovernError, match="only 1 was held ever since"):
        ledger.refund_shares(session, SYSTEM, first, 2, FIRST)
    with pytest.raises(GovernError, match="has not held the shares 1 without a break"):
        ledger.refund_shares(session, SYSTEM, first, 1, FIRST, numbers="1")
    with pytest.raises(GovernError, match="has not held the shares 3 without a break"):
        ledger.refund_shares(session, SYSTEM, first, 1, FIRST, numbers="3")
    assert ledger.refund_shares(session, SYSTEM, first, 1, FIRST)[0].numbers == "2"


def test_a_conversion_carries_the_capital_and_gives_new_numbers(
    session: Session, cooperative: Cooperative, three: list[Membership]
) -> None:
    member = three[0]
    ledger.subscribe_shares(session, SYSTEM, member, 5, FIRST)
    ledger.record_payment(session, SYSTEM, member, 12000, FIRST)
    with pytest.raises(GovernError, match="do not make whole shares"):
        ledger.convert_shares(session, SYSTEM, member, 3, "support", FIRST)
    entries = ledger.convert_shares(session, SYSTEM, member, 4, "support", FIRST)
    assert [(row.kind, row.shares, row.amount_cents, row.numbers) for row in entries] == [
        ("conversion_out", -4, -12000, "1-4"),
        ("conversion_in", 2, 12000, "1-2"),
    ]
    assert numbers_of(session, member.id) == {"ordinary": "5", "support": "1-2"}
    ledger.reverse_act(session, SYSTEM, entries[0], "not what was asked for")
    assert numbers_of(session, member.id) == {"ordinary": "1-5"}
    verify_ledger(session, cooperative)


def test_a_class_kept_for_a_category_is_refused_to_others(
    session: Session, cooperative: Cooperative, three: list[Membership]
) -> None:
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    kept = replace(SUPPORT, categories=("B",))
    cooperative.rule_sets[0].rules = rules_to_json(replace(rules, share_classes=(kept,)))
    session.flush()
    with pytest.raises(GovernError, match="category that may not hold"):
        ledger.subscribe_shares(session, SYSTEM, three[0], 1, FIRST, share_class="support")
    with pytest.raises(GovernError, match="no class of shares"):
        ledger.subscribe_shares(session, SYSTEM, three[0], 1, FIRST, share_class="golden")


def test_a_transfer_says_why_on_both_sides(session: Session, three: list[Membership]) -> None:
    ledger.subscribe_shares(session, SYSTEM, three[0], 1, FIRST)
    rows = ledger.transfer_shares(session, SYSTEM, three[0], three[1], 1, FIRST, cause="sale")
    assert {row.cause for row in rows} == {"sale"}
    with pytest.raises(GovernError, match="not a cause"):
        ledger.transfer_shares(session, SYSTEM, three[1], three[0], 1, FIRST, cause="whim")
