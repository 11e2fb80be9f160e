"""The operations taken over one by one, in the order of their days: entries, members, endings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from govern.register.importing.odoo.history import History, NotHeld
from govern.register.importing.odoo.plan import (
    SOURCE,
    Known,
    OdooPlan,
    PlannedEntry,
    PlannedMember,
    Rules,
)
from govern.register.importing.odoo.reading import (
    ERROR,
    WARNING,
    OdooReader,
    Operation,
    Partner,
)
from govern.register.rules.classes import refused_holders
from govern.register.rules.folding import fold
from govern.register.rules.ledger import Lot

Sides = dict[int, tuple[Partner | None, Partner | None]]
"""Row of an operation → who gives (or subscribes) and who receives."""


@dataclass
class Replay:
    """One round over the operations that are not left out.

    ``run`` fills ``plan`` and ``held`` (shares by member number and type of share). Whoever cannot
    be taken over ends the round: another one without them has to follow.
    """

    partners: OdooReader
    register: OdooReader
    known: Known
    rules: Rules
    people: Sequence[Partner]
    operations: Sequence[Operation]
    sides: Sides

    def __post_init__(self) -> None:
        self.plan = OdooPlan(operations=len(self.operations))
        self.state = History(self.known)
        self.held: dict[tuple[str, str], int] = defaultdict(int)
        self.new: dict[str, PlannedMember] = {}
        self.given: dict[str, list[tuple[date, str]]] = defaultdict(list)
        for number, first, code in self.known.categories:
            self.given[number].append((first, code))

    def run(self) -> list[Partner]:
        """Take over every operation; who cannot be taken over (nobody: the plan is whole)."""
        done = {
            entry.source.removeprefix(SOURCE): entry
            for entry in self.known.entries
            if entry.source.startswith(SOURCE) and entry.shares
        }
        in_order = sorted(
            (item for item in self.operations if not item.is_bad),
            key=lambda item: (item.day or date.min, _as_number(item.number), item.row),
        )
        for act, operation in enumerate(in_order):
            giver, receiver = self.sides[operation.row]
            if giver is None or operation.day is None:
                continue
            earlier = done.get(operation.number)
            is_known = earlier is not None
            self.plan.known_operations += is_known
            if earlier is not None and (
                earlier.effective_on != operation.day
                or (abs(earlier.shares) != operation.shares and operation.kind != "convert")
            ):
                self.register.note(
                    None, operation.row, "operation", operation.number, WARNING,
                    "operation_changed", sequence=earlier.sequence,
                )  # fmt: skip
            failed = self._one(operation, giver, receiver, act, is_known)
            if failed:
                return failed
        self._endings()
        self.plan.members = sorted(
            self.new.values(), key=lambda item: (item.joined_on, item.partner.row)
        )
        for member in self.plan.members:
            self._representative(member)
        numbered = sum(bool(partner.number) for partner in self.people)
        self.plan.ignored_partners = len(self.people) - numbered
        return []

    def _one(
        self,
        operation: Operation,
        giver: Partner,
        receiver: Partner | None,
        act: int,
        is_known: bool,
    ) -> list[Partner]:
        """Take one operation over; who cannot be taken over because of it."""
        day = operation.day or date.min
        sides = [giver] if receiver is None else [giver, receiver]
        share_class = self.rules.class_of(operation.share_type)
        if not share_class:
            return self._fail(operation, sides, "share_type", operation.share_type, "class_unknown",
                              known=", ".join(self.rules.known_classes))  # fmt: skip
        lot = (share_class, operation.price_cents)
        gains = receiver or (giver if operation.kind == "subscription" else None)
        if gains is not None:
            if not is_known and gains.number in self.known.ended:
                return self._fail(
                    operation, sides, "partner", gains.number, "member_ended", number=gains.number
                )
            if not is_known and not self._join(gains, day, operation.share_type):
                return self._fail(
                    operation, sides, "share_type", operation.share_type, "category_unknown",
                    known=", ".join(self.rules.known_categories),
                )  # fmt: skip
        key = operation.share_type
        if operation.kind == "subscription":
            self.held[(giver.number, key)] += operation.shares
        elif operation.kind == "transfer" and receiver is not None:
            self.held[(giver.number, key)] -= operation.shares
            self.held[(receiver.number, key)] += operation.shares
        elif operation.kind == "sell_back":
            self.held[(giver.number, key)] -= operation.shares
        else:
            self.held[(giver.number, key)] -= operation.shares
            self.held[(giver.number, operation.to_type)] += operation.to_shares
        if is_known:
            return []
        try:
            entries = self._entries(operation, giver, receiver, lot, act)
        except NotHeld as error:
            return self._fail(
                operation, sides, "shares", str(operation.shares), "not_held",
                held=error.held, number=giver.number,
            )  # fmt: skip
        if operation.kind == "convert":
            category = self.rules.category_of(operation.to_type)
            if not self._convert(giver, day, category):
                return self._fail(
                    operation, sides, "to_type", operation.to_type, "category_unknown",
                    known=", ".join(self.rules.known_categories),
                )  # fmt: skip
            if entries is None:
                return self._fail(
                    operation, sides, "to_type", operation.to_type, "class_unknown",
                    known=", ".join(self.rules.known_classes),
                )  # fmt: skip
        for entry in entries or ():
            if entry.shares > 0:
                self._check_class(operation, entry)
            self.state.add(entry)
            self.plan.entries.append(entry)
        if self.state.shortfall(entry.member_number for entry in entries or ()):
            return self._fail(operation, sides, "day", day.isoformat(), "later_shortfall")
        return []

    def _check_class(self, operation: Operation, entry: PlannedEntry) -> None:
        """Point out shares that the member's category might not hold then. They were held: the
        history of the register counts, and only people can say what is wrong with it."""
        category = self._category_on(entry.member_number, entry.effective_on)
        day = entry.effective_on
        allowed = refused_holders(self.rules.holders, entry.share_class, category, day, day)
        if category and allowed:
            is_target = operation.kind == "convert"
            name, value = ("to_type", operation.to_type) if is_target else (
                "share_type", operation.share_type
            )  # fmt: skip
            self.register.note(
                None, operation.row, name, value, WARNING, "class_not_for",
                number=entry.member_number, category=category, share_class=entry.share_class,
                known=", ".join(allowed),
            )  # fmt: skip

    def _category_on(self, number: str, day: date) -> str:
        """The category of a member on ``day``, "" for none."""
        new = self.new.get(number)
        given = new.categories if new is not None else self.given[number]
        return max(((first, code) for first, code in given if first <= day), default=(day, ""))[1]

    def _fail(
        self, operation: Operation, sides: list[Partner], name: str, value: str, code: str,
        **params: Any,
    ) -> list[Partner]:  # fmt: skip
        self.register.note(operation, operation.row, name, value, ERROR, code, **params)
        return sides

    def _entries(
        self,
        operation: Operation,
        giver: Partner,
        receiver: Partner | None,
        lot: Lot,
        act: int,
    ) -> list[PlannedEntry] | None:
        day, source = operation.day or date.min, f"{SOURCE}{operation.number}"

        def entry(
            who: Partner, kind: str, of: Lot, shares: int, cents: int, numbers: str | None = None
        ) -> PlannedEntry:
            return PlannedEntry(
                who.number, kind, of[0], of[1], shares, cents, day, act, source, numbers
            )

        number = operation.shares
        if operation.kind == "subscription":
            return [
                entry(giver, "subscription", lot, number, 0),
                entry(giver, "payment", lot, 0, number * lot[1]),
            ]
        if operation.kind == "convert":
            to_class = self.rules.class_of(operation.to_type)
            if not to_class:
                return None
            to_lot = (to_class, operation.to_price_cents)
            if to_lot == lot:
                # Another type of the same class: only the category of the member changes.
                return []
            numbers, cents = self.state.leave(giver.number, lot, number, day)
            return [
                entry(giver, "conversion_out", lot, -number, -cents, numbers),
                entry(giver, "conversion_in", to_lot, operation.to_shares, cents),
            ]
        numbers, cents = self.state.leave(giver.number, lot, number, day)
        if operation.kind == "sell_back":
            return [entry(giver, "refund", lot, -number, -cents, numbers)]
        if receiver is None:
            return None
        return [
            entry(giver, "transfer_out", lot, -number, -cents, numbers),
            entry(receiver, "transfer_in", lot, number, cents, numbers),
        ]

    # -- members ------------------------------------------------------------------------------

    def _join(self, partner: Partner, day: date, share_type: str) -> bool:
        """Admit the partner on their first day; whether a category is known for them."""
        if partner.number in self.known.members or partner.number in self.new:
            return True
        category = self.rules.category_of(share_type) or self.rules.category_of(partner.share_type)
        if not category:
            return False
        self.new[partner.number] = PlannedMember(partner, day, [(day, category)])
        return True

    def _convert(self, partner: Partner, day: date, category: str) -> bool:
        if not category:
            return False
        member = self.new.get(partner.number)
        if member is None:
            change = (partner.number, day, category)
            if change in self.known.categories:
                self.plan.known_operations += 1
            else:
                self.plan.category_changes.append(change)
                self.given[partner.number].append((day, category))
        elif member.categories[-1][1] != category:
            if member.categories[-1][0] == day:
                member.categories[-1] = (day, category)
            else:
                member.categories.append((day, category))
        return True

    def _endings(self) -> None:
        for number, (day, kind) in self.state.last_act.items():
            if self.state.shares_of(number):
                continue
            by_transfer = kind == "transfer_out"
            if number in self.new:
                member = self.new[number]
                member.ended_on, member.ended_by_transfer = day, by_transfer
            elif number not in self.known.ended:
                self.plan.endings[number] = (day, by_transfer)

    def _representative(self, member: PlannedMember) -> None:
        partner = member.partner
        if not partner.is_organisation:
            return
        names = {fold(partner.key), fold(partner.name)} - {""}
        for other in self.people:
            if (
                other.is_representative
                and not other.is_organisation
                and fold(other.parent) in names
            ):
                member.representative = other.name.split(", ")[-1]
                return
        self.partners.note(None, partner.row, "representative", "", WARNING, "nobody_represents")


def _as_number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() and len(text) < 18 else (10**18, text)
