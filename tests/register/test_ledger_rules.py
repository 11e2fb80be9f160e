"""Holdings are sums: nothing appears, nothing vanishes, nothing is ever less than nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.register.rules.ledger import (
    Entry,
    Holding,
    LotBalance,
    capital_of_shares,
    first_shortfall,
    holding_on,
    paid_since,
    split_over_lots,
)
from tests.register.conftest import PATIENT

FIRST = date(2018, 1, 1)
DAYS = st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days))


def entry(kind: str, shares: int, cents: int, day: date = FIRST, **others: object) -> Entry:
    return Entry(kind, shares, cents, day, **others)  # type: ignore[arg-type]


@st.composite
def histories(draw: st.DrawFn) -> dict[int, list[Entry]]:
    """Histories of three members as the services would write them, day after day."""
    held: dict[int, list[Entry]] = {0: [], 1: [], 2: []}
    day = FIRST
    for _step in range(draw(st.integers(0, 25))):
        day += timedelta(days=draw(st.integers(0, 3)))
        member = draw(st.integers(0, 2))
        share_class, nominal = draw(st.sampled_from([("ordinary", 3000), ("support", 50000)]))
        now = holding_on(held[member], day)
        balance = now.lots.get((share_class, nominal), LotBalance())
        lot = {"share_class": share_class, "nominal_cents": nominal}
        kind = draw(st.sampled_from(["subscription", "payment", "transfer", "refund"]))
        if kind == "subscription":
            held[member].append(entry(kind, draw(st.integers(1, 20)), 0, day, **lot))
        elif kind == "payment" and balance.issued:
            held[member].append(entry(kind, 0, draw(st.integers(1, 200_000)), day, **lot))
        elif balance.issued and kind in ("transfer", "refund"):
            count = draw(st.integers(1, balance.issued))
            cents = capital_of_shares(now, (share_class, nominal), count)
            if kind == "refund":
                held[member].append(entry(kind, -count, -cents, day, **lot))
            else:
                receiver = (member + 1) % 3
                held[member].append(entry("transfer_out", -count, -cents, day, **lot))
                held[receiver].append(entry("transfer_in", count, cents, day, **lot))
    return held


@PATIENT
@given(histories(), DAYS)
def test_the_sum_per_class_is_issued_minus_refunded(
    held: dict[int, list[Entry]], day: date
) -> None:
    everything = [item for entries in held.values() for item in entries]
    total: dict[str, int] = {}
    for entries in held.values():
        for share_class, shares in holding_on(entries, day).per_class().items():
            total[share_class] = total.get(share_class, 0) + shares
    for share_class, shares in total.items():
        of_class = [e for e in everything if e.share_class == share_class and e.effective_on <= day]
        issued = sum(e.shares for e in of_class if e.kind == "subscription")
        refunded = -sum(e.shares for e in of_class if e.kind == "refund")
        assert shares == issued - refunded


@PATIENT
@given(histories(), DAYS)
def test_capital_is_what_was_paid_minus_what_was_refunded(
    held: dict[int, list[Entry]], day: date
) -> None:
    capital = sum(holding_on(entries, day).paid_cents for entries in held.values())
    everything = [e for entries in held.values() for e in entries if e.effective_on <= day]
    paid = sum(e.amount_cents for e in everything if e.kind == "payment")
    refunded = -sum(e.amount_cents for e in everything if e.kind == "refund")
    assert capital == paid - refunded


@PATIENT
@given(histories(), DAYS)
def test_a_holding_is_never_negative_on_any_day(held: dict[int, list[Entry]], day: date) -> None:
    for entries in held.values():
        assert first_shortfall(entries) is None
        holding = holding_on(entries, day)
        assert holding.issued >= holding.paid >= 0
        assert holding.paid_cents >= 0
        assert holding.due_cents >= 0


@PATIENT
@given(histories())
def test_one_refund_too_many_is_noticed_on_its_day(held: dict[int, list[Entry]]) -> None:
    for entries in held.values():
        issued = holding_on(entries).lots.get(("ordinary", 3000), LotBalance()).issued
        day = FIRST + timedelta(days=200)
        found = first_shortfall([*entries, entry("refund", -(issued + 1), 0, day)])
        assert found is not None
        assert found.day == day
        assert found.shares == -1


def test_an_entry_recorded_late_is_checked_against_every_later_day() -> None:
    history = [
        entry("subscription", 2, 0, date(2018, 1, 1)),
        entry("refund", -2, 0, date(2018, 6, 1)),
    ]
    late = entry("refund", -1, 0, date(2018, 3, 1))
    found = first_shortfall([*history, late])
    assert found is not None
    assert found.day == date(2018, 6, 1)


def test_the_order_within_a_day_does_not_matter() -> None:
    day = date(2018, 1, 1)
    assert first_shortfall([entry("refund", -1, 0, day), entry("subscription", 1, 0, day)]) is None


def test_a_partly_paid_share_stays_unpaid() -> None:
    holding = holding_on([entry("subscription", 2, 0), entry("payment", 0, 4500)])
    assert (holding.issued, holding.paid, holding.due_cents) == (2, 1, 1500)


def test_an_overpayment_pays_no_share_that_was_not_subscribed() -> None:
    holding = holding_on([entry("subscription", 1, 0), entry("payment", 0, 4500)])
    assert (holding.paid, holding.due_cents, holding.overpaid_cents) == (1, 0, 1500)


def test_a_surplus_in_one_class_pays_nothing_in_another() -> None:
    holding = holding_on(
        [
            entry("subscription", 1, 0),
            entry("payment", 0, 60_000),
            entry("subscription", 1, 0, share_class="support", nominal_cents=50_000),
        ]
    )
    assert holding.paid == 1
    assert holding.due_cents == 50_000


def test_a_holding_is_taken_at_the_end_of_the_day() -> None:
    history = [entry("subscription", 1, 0, date(2018, 6, 4))]
    assert holding_on(history, date(2018, 6, 3)).issued == 0
    assert holding_on(history, date(2018, 6, 4)).issued == 1


def test_what_the_book_showed_on_a_day_can_be_told_later() -> None:
    morning = datetime(2018, 6, 1, tzinfo=UTC)
    history = [
        entry("subscription", 3, 0, recorded_at=morning),
        entry("subscription", -3, 0, recorded_at=morning + timedelta(days=10)),
        entry("subscription", 1, 0, recorded_at=morning + timedelta(days=10)),
    ]
    assert holding_on(history, FIRST, known_at=morning + timedelta(days=1)).issued == 3
    assert holding_on(history, FIRST).issued == 1


def test_membership_counts_from_the_first_paid_share() -> None:
    history = [
        entry("payment", 0, 1000, date(2018, 2, 1)),
        entry("subscription", 1, 0, date(2018, 1, 1)),
        entry("payment", 0, 2000, date(2018, 3, 1)),
    ]
    assert paid_since(history) == date(2018, 3, 1)
    assert paid_since(history[:2]) is None


def test_paid_shares_leave_before_unpaid_ones() -> None:
    holding = holding_on([entry("subscription", 3, 0), entry("payment", 0, 4000)])
    assert list(split_over_lots(holding, 2)) == [(("ordinary", 3000), 2, 3000)]
    assert list(split_over_lots(holding, 3)) == [(("ordinary", 3000), 3, 4000)]


def test_nobody_gives_away_more_than_is_held() -> None:
    with pytest.raises(ValueError, match="1 shares are missing"):
        split_over_lots(holding_on([entry("subscription", 1, 0)]), 2)
    assert Holding().issued == 0
