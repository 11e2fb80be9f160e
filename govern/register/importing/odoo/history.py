"""Who held what on each day, while the operations are replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from govern.register.importing.odoo.plan import Known, PlannedEntry
from govern.register.rules.ledger import Entry, Lot, capital_of_shares, first_shortfall, holding_on
from govern.register.rules.numbers import (
    Move,
    NumberedRow,
    Numbering,
    Ranges,
    count,
    format_numbers,
    lowest,
    parse_numbers,
    unbroken_since,
)


class NotHeld(Exception):
    """Fewer such shares were held on that day and since: ``held`` of them."""

    def __init__(self, held: int) -> None:
        super().__init__(held)
        self.held = held


class History:
    """Who holds what while the operations are replayed on top of what the ledger holds."""

    def __init__(self, known: Known) -> None:
        self.numbering = Numbering(last=dict(known.last_numbers))
        self.history: dict[str, list[Entry]] = defaultdict(list)
        self.last_act: dict[str, tuple[date, str]] = {}
        self.holders: dict[str, int] = {}
        for entry in known.entries:
            self._record(
                entry.member_number, entry.kind,
                (entry.share_class, entry.nominal_cents), entry.shares, entry.amount_cents,
                entry.effective_on, parse_numbers(entry.numbers),
            )  # fmt: skip

    def _holder(self, number: str) -> int:
        return self.holders.setdefault(number, len(self.holders))

    def _record(
        self, number: str, kind: str, lot: Lot, shares: int, cents: int, day: date, numbers: Ranges
    ) -> None:
        self.history[number].append(
            Entry(kind, shares, cents, day, nominal_cents=lot[1], share_class=lot[0])
        )
        if shares:
            row = NumberedRow(0, self._holder(number), kind, lot, shares, day)
            self.numbering.record(row, numbers)

    def add(self, entry: PlannedEntry) -> None:
        """Let an entry count; new shares take the next numbers, as they will when written."""
        lot = (entry.share_class, entry.nominal_cents)
        numbers: Ranges = ()
        if entry.numbers is not None:
            numbers = parse_numbers(entry.numbers)
        elif entry.shares:
            numbers = self.numbering.issue(entry.share_class, entry.shares)
        self._record(
            entry.member_number, entry.kind, lot, entry.shares, entry.amount_cents,
            entry.effective_on, numbers,
        )  # fmt: skip
        if entry.shares:
            self.last_act[entry.member_number] = (entry.effective_on, entry.kind)

    def leave(self, number: str, lot: Lot, shares: int, day: date) -> tuple[str, int]:
        """The numbers and the capital that leave a holding; NotHeld when there are fewer."""
        moves: list[Move] = list(self.numbering.moves(lot, self._holder(number)))
        unbroken = unbroken_since(moves, day)
        if count(unbroken) < shares:
            raise NotHeld(count(unbroken))
        holding = holding_on(self.history[number], day)
        return format_numbers(lowest(unbroken, shares)), capital_of_shares(holding, lot, shares)

    def shares_of(self, number: str) -> int:
        return sum(entry.shares for entry in self.history[number])

    def shortfall(self, numbers: Iterable[str]) -> bool:
        """Whether a history would go below zero on any day."""
        return any(first_shortfall(self.history[number]) is not None for number in set(numbers))
