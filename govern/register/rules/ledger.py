"""Holdings: what the ledger's entries add up to, on any day and as known at any moment.

Shares of one class and one nominal value form a *lot*. A share is paid when the capital paid into
its lot covers it whole; a part payment leaves it unpaid. A transfer carries shares together with
the capital paid on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from govern.cooperatives.rules import ORDINARY


@dataclass(frozen=True)
class Entry:
    """One ledger entry as the rules see it. ``shares`` and ``amount_cents`` are signed changes."""

    kind: str
    shares: int
    amount_cents: int
    effective_on: date
    recorded_at: datetime | None = None
    nominal_cents: int = 3000
    share_class: str = ORDINARY
    sequence: int = 0


Lot = tuple[str, int]
"""(share class, nominal value in cents)."""


@dataclass(frozen=True)
class LotBalance:
    """Shares issued in one lot, and the capital paid into it, in cents."""

    issued: int = 0
    paid_cents: int = 0

    def paid_shares(self, nominal_cents: int) -> int:
        """Whole shares that the capital covers, never more than were issued."""
        return max(0, min(self.issued, self.paid_cents // nominal_cents))


@dataclass(frozen=True)
class Holding:
    """What one member (or the whole register) holds, per lot and in all."""

    lots: Mapping[Lot, LotBalance] = field(default_factory=dict)

    @property
    def issued(self) -> int:
        return sum(lot.issued for lot in self.lots.values())

    @property
    def paid(self) -> int:
        return sum(lot.paid_shares(nominal) for (_class, nominal), lot in self.lots.items())

    @property
    def paid_cents(self) -> int:
        return sum(lot.paid_cents for lot in self.lots.values())

    @property
    def due_cents(self) -> int:
        """What is still to be paid on the shares issued; an over-payment does not lower it."""
        return sum(
            max(0, lot.issued * nominal - lot.paid_cents)
            for (_class, nominal), lot in self.lots.items()
        )

    @property
    def overpaid_cents(self) -> int:
        """What was paid beyond the nominal value of the shares issued."""
        return sum(
            max(0, lot.paid_cents - lot.issued * nominal)
            for (_class, nominal), lot in self.lots.items()
        )

    def per_class(self) -> dict[str, int]:
        """Shares issued per class."""
        totals: dict[str, int] = {}
        for (share_class, _nominal), lot in self.lots.items():
            totals[share_class] = totals.get(share_class, 0) + lot.issued
        return totals


def holding_on(
    entries: Iterable[Entry], day: date | None = None, known_at: datetime | None = None
) -> Holding:
    """What the entries add up to at the end of ``day`` (None: all), as known at ``known_at``."""
    issued: dict[Lot, int] = {}
    paid: dict[Lot, int] = {}
    for entry in entries:
        if day is not None and entry.effective_on > day:
            continue
        if known_at is not None and entry.recorded_at is not None and entry.recorded_at > known_at:
            continue
        lot = (entry.share_class, entry.nominal_cents)
        issued[lot] = issued.get(lot, 0) + entry.shares
        paid[lot] = paid.get(lot, 0) + entry.amount_cents
    return Holding({lot: LotBalance(issued[lot], paid[lot]) for lot in issued})


@dataclass(frozen=True)
class Shortfall:
    """The first day on which a history would go below zero: by so many shares, so many cents."""

    day: date
    share_class: str
    shares: int
    amount_cents: int


def first_shortfall(entries: Iterable[Entry]) -> Shortfall | None:
    """The first day at whose end any lot would be negative, None for a sound history.

    Entries may be recorded late, so a new one is checked against every later day, not only
    against the balance of today.
    """
    issued: dict[Lot, int] = {}
    paid: dict[Lot, int] = {}
    ordered = sorted(entries, key=lambda entry: entry.effective_on)
    for position, entry in enumerate(ordered):
        lot = (entry.share_class, entry.nominal_cents)
        issued[lot] = issued.get(lot, 0) + entry.shares
        paid[lot] = paid.get(lot, 0) + entry.amount_cents
        last_of_day = (
            position + 1 == len(ordered) or ordered[position + 1].effective_on > entry.effective_on
        )
        if last_of_day:
            for (share_class, nominal), shares in issued.items():
                cents = paid[(share_class, nominal)]
                if shares < 0 or cents < 0:
                    return Shortfall(entry.effective_on, share_class, min(shares, 0), min(cents, 0))
    return None


def paid_since(entries: Iterable[Entry]) -> date | None:
    """The first day at whose end one whole share was paid, None while there was none."""
    history = sorted(entries, key=lambda entry: entry.effective_on)
    for day in dict.fromkeys(entry.effective_on for entry in history):
        if holding_on(history, day).paid >= 1:
            return day
    return None


def emptied_on(moves: Iterable[tuple[date, int]]) -> date | None:
    """The day at whose end the last share was gone for good; None while any share is held.

    ``moves``: (day from which it counts, shares that came or went), in any order.
    """
    per_day: dict[date, int] = {}
    for day, shares in moves:
        per_day[day] = per_day.get(day, 0) + shares
    held, since = 0, None
    for day in sorted(day for day, shares in per_day.items() if shares):
        held += per_day[day]
        since = day
    return since if not held else None


def capital_of_shares(holding: Holding, lot: Lot, shares: int) -> int:
    """The capital (cents) that goes along when ``shares`` of a lot leave the holding.

    Paid shares leave before unpaid ones; capital beyond the nominal value of all shares stays,
    unless every share of the lot leaves and it is what remains of a part payment.
    """
    balance = holding.lots.get(lot, LotBalance())
    _share_class, nominal = lot
    if shares == balance.issued:
        return min(balance.paid_cents, shares * nominal)
    return min(balance.paid_shares(nominal), shares) * nominal


def split_over_lots(holding: Holding, shares: int) -> Sequence[tuple[Lot, int, int]]:
    """From which lots ``shares`` leave: (lot, shares, capital in cents), ordinary ones first.

    Raises ValueError when the holding has fewer shares.
    """
    parts: list[tuple[Lot, int, int]] = []
    missing = shares
    for lot in sorted(holding.lots, key=lambda lot: (lot[0] != ORDINARY, lot)):
        balance = holding.lots[lot]
        take = min(missing, balance.issued)
        if take > 0:
            parts.append((lot, take, capital_of_shares(holding, lot, take)))
            missing -= take
    if missing:
        raise ValueError(f"{missing} shares are missing")
    return parts
