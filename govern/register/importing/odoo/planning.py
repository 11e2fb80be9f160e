"""From partners and operations to members and ledger entries, in the order of the days.

The register of operations is what counts; the share lines are only compared with it. A member one
of whose operations cannot be taken over stays out with everybody who gave shares to them or
received shares from them: half a history would be worse than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from govern.register.importing.odoo.history import History, NotHeld
from govern.register.importing.odoo.people import People, same_name
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
    ShareLine,
)
from govern.register.rules.folding import fold
from govern.register.rules.ledger import Lot


def plan_import(
    partners: OdooReader,
    register: OdooReader,
    lines: OdooReader | None,
    known: Known,
    rules: Rules,
) -> OdooPlan:
    """Read the files and work out what is new. Nothing is written."""
    people = list(partners.partners())
    operations = list(register.operations())
    _refuse_repeated(partners, people, register, operations)
    return _Planner(partners, register, lines, known, rules, people, operations).plan()


def _refuse_repeated(
    partners: OdooReader,
    people: Sequence[Partner],
    register: OdooReader,
    operations: Sequence[Operation],
) -> None:
    seen: dict[str, int] = {}
    for partner in people:
        if partner.number and seen.setdefault(partner.number, partner.row) != partner.row:
            partners.note(
                partner, partner.row, "number", partner.number, ERROR, "number_twice",
                first=seen[partner.number],
            )  # fmt: skip
    numbers: dict[str, int] = {}
    for operation in operations:
        first = numbers.setdefault(operation.number, operation.row)
        if operation.number and first != operation.row:
            register.note(
                operation, operation.row, "operation", operation.number, ERROR, "operation_twice",
                first=first,
            )  # fmt: skip


@dataclass
class _Planner:
    partners: OdooReader
    register: OdooReader
    lines: OdooReader | None
    known: Known
    rules: Rules
    people: list[Partner]
    operations: list[Operation]

    def plan(self) -> OdooPlan:
        self.finder = People(self.people)
        self._refuse_other_names()
        self.sides: dict[int, tuple[Partner | None, Partner | None]] = {}
        for operation in self.operations:
            self.sides[operation.row] = self._sides(operation)
        self._require_partners()
        while True:
            # Every round leaves more members out, so this ends.
            plan, failed = self._replay()
            if not failed:
                break
            self._exclude(failed)
        self._compare_lines(plan)
        plan.problems = [
            *self.partners.problems,
            *self.register.problems,
            *(self.lines.problems if self.lines is not None else []),
        ]
        plan.left_out = sum(operation.is_bad for operation in self.operations)
        return plan

    # -- who is meant -------------------------------------------------------------------------

    def _refuse_other_names(self) -> None:
        """A number that is somebody else's here would give them a stranger's shares.

        A membership that has ended receives none, and may have been erased.
        """
        if self.rules.other_names:
            return
        for partner in self.people:
            name = self.known.members.get(partner.number)
            if name is None or partner.number in self.known.ended or same_name(partner, name):
                continue
            self.partners.note(
                partner, partner.row, "number", partner.number, ERROR, "other_name",
                name=name, theirs=partner.name,
            )  # fmt: skip

    def _sides(self, operation: Operation) -> tuple[Partner | None, Partner | None]:
        found: list[Partner | None] = []
        for name, reference in (("partner", operation.partner), ("receiver", operation.receiver)):
            if name == "receiver" and operation.kind != "transfer":
                found.append(None)
                continue
            partner, code = self.finder.find(reference) if reference else (None, "")
            shown = reference.removeprefix("number:")
            if code or (name == "partner" and not reference):
                self.register.note(
                    operation, operation.row, name, shown, ERROR, code or "partner_missing"
                )
            elif partner is not None and not partner.number:
                self.register.note(
                    operation, operation.row, name, shown, ERROR, "partner_without_number"
                )
            found.append(partner)
        if found[0] is not None and found[0] is found[1]:
            self.register.note(
                operation, operation.row, "receiver", operation.receiver, ERROR, "same_partner"
            )
        return found[0], found[1]

    def _require_partners(self) -> None:
        """An operation of a partner who cannot be read stays out, and its other side with it."""
        bad = {partner.row for partner in self.people if partner.is_bad}
        for operation in self.operations:
            for partner in self.sides[operation.row]:
                if partner is not None and operation.is_bad:
                    bad.add(partner.row)
        self._spread(bad)

    def _exclude(self, failed: Iterable[Partner]) -> None:
        self._spread({partner.row for partner in failed})

    def _spread(self, bad: set[int]) -> None:
        """Leave out everybody whose shares passed through somebody who is left out."""
        grown = True
        while grown:
            grown = False
            for operation in self.operations:
                rows = {partner.row for partner in self.sides[operation.row] if partner is not None}
                if rows & bad or operation.is_bad:
                    if not operation.is_bad or rows - bad:
                        grown = True
                    if not operation.is_bad:
                        self.register.note(
                            operation, operation.row, "operation", operation.number, ERROR,
                            "depends_on_bad",
                        )  # fmt: skip
                    bad |= rows
        for partner in self.people:
            if partner.row in bad:
                partner.is_bad = True

    # -- the history --------------------------------------------------------------------------

    def _replay(self) -> tuple[OdooPlan, list[Partner]]:
        plan = OdooPlan(operations=len(self.operations))
        state = History(self.known)
        done = {
            entry.source.removeprefix(SOURCE): entry
            for entry in self.known.entries
            if entry.source.startswith(SOURCE) and entry.shares
        }
        self.types: dict[str, str] = {}
        self.held: dict[tuple[str, str], int] = defaultdict(int)
        new: dict[str, PlannedMember] = {}
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
            plan.known_operations += is_known
            if earlier is not None and (
                earlier.effective_on != operation.day
                or (abs(earlier.shares) != operation.shares and operation.kind != "convert")
            ):
                self.register.note(
                    None, operation.row, "operation", operation.number, WARNING,
                    "operation_changed", sequence=earlier.sequence,
                )  # fmt: skip
            failed = self._one(plan, state, new, operation, giver, receiver, act, is_known)
            if failed:
                return plan, failed
        self._endings(plan, state, new)
        plan.members = sorted(new.values(), key=lambda item: (item.joined_on, item.partner.row))
        for member in plan.members:
            self._representative(member)
        numbered = sum(bool(partner.number) for partner in self.people)
        plan.ignored_partners = len(self.people) - numbered
        return plan, []

    def _one(
        self,
        plan: OdooPlan,
        state: History,
        new: dict[str, PlannedMember],
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
            if not is_known and not self._join(new, gains, day, operation.share_type):
                return self._fail(
                    operation, sides, "share_type", operation.share_type, "category_unknown",
                    known=", ".join(self.rules.known_categories),
                )  # fmt: skip
            self.types[gains.number] = operation.share_type
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
            self.types[giver.number] = operation.to_type
        if is_known:
            return []
        try:
            entries = self._entries(state, operation, giver, receiver, lot, act)
        except NotHeld as error:
            return self._fail(
                operation, sides, "shares", str(operation.shares), "not_held",
                held=error.held, number=giver.number,
            )  # fmt: skip
        if operation.kind == "convert":
            category = self.rules.category_of(operation.to_type)
            if not self._convert(plan, new, giver, day, category):
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
            state.add(entry)
            plan.entries.append(entry)
        if state.shortfall(entry.member_number for entry in entries or ()):
            return self._fail(operation, sides, "day", day.isoformat(), "later_shortfall")
        return []

    def _fail(
        self, operation: Operation, sides: list[Partner], name: str, value: str, code: str,
        **params: Any,
    ) -> list[Partner]:  # fmt: skip
        self.register.note(operation, operation.row, name, value, ERROR, code, **params)
        return sides

    def _entries(
        self,
        state: History,
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
            numbers, cents = state.leave(giver.number, lot, number, day)
            return [
                entry(giver, "conversion_out", lot, -number, -cents, numbers),
                entry(giver, "conversion_in", to_lot, operation.to_shares, cents),
            ]
        numbers, cents = state.leave(giver.number, lot, number, day)
        if operation.kind == "sell_back":
            return [entry(giver, "refund", lot, -number, -cents, numbers)]
        if receiver is None:
            return None
        return [
            entry(giver, "transfer_out", lot, -number, -cents, numbers),
            entry(receiver, "transfer_in", lot, number, cents, numbers),
        ]

    # -- members ------------------------------------------------------------------------------

    def _join(
        self, new: dict[str, PlannedMember], partner: Partner, day: date, share_type: str
    ) -> bool:
        """Admit the partner on their first day; whether a category is known for them."""
        if partner.number in self.known.members or partner.number in new:
            return True
        category = self.rules.category_of(share_type) or self.rules.category_of(partner.share_type)
        if not category:
            return False
        new[partner.number] = PlannedMember(partner, day, [(day, category)])
        return True

    def _convert(
        self,
        plan: OdooPlan,
        new: dict[str, PlannedMember],
        partner: Partner,
        day: date,
        category: str,
    ) -> bool:
        if not category:
            return False
        member = new.get(partner.number)
        if member is None:
            change = (partner.number, day, category)
            if change in self.known.categories:
                plan.known_operations += 1
            else:
                plan.category_changes.append(change)
        elif member.categories[-1][1] != category:
            if member.categories[-1][0] == day:
                member.categories[-1] = (day, category)
            else:
                member.categories.append((day, category))
        return True

    def _endings(self, plan: OdooPlan, state: History, new: dict[str, PlannedMember]) -> None:
        for number, (day, kind) in state.last_act.items():
            if state.shares_of(number):
                continue
            by_transfer = kind == "transfer_out"
            if number in new:
                new[number].ended_on, new[number].ended_by_transfer = day, by_transfer
            elif number not in self.known.ended:
                plan.endings[number] = (day, by_transfer)

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

    # -- the share lines ----------------------------------------------------------------------

    def _compare_lines(self, plan: OdooPlan) -> None:
        """Say where the share lines add up to something else than the operations."""
        per_type: dict[str, int] = defaultdict(int)
        held: dict[tuple[str, str], int] = defaultdict(int)
        for (number, share_type), shares in self.held.items():
            held[(number, fold(share_type))] += shares
            per_type[share_type] += shares
        if self.lines is None:
            plan.totals = [(name, shares, None) for name, shares in sorted(per_type.items())]
            return
        stated: dict[tuple[str, str], int] = defaultdict(int)
        stated_per_type: dict[str, int] = defaultdict(int)
        rows: dict[tuple[str, str], ShareLine] = {}
        for line in self.lines.lines():
            stated_per_type[line.share_type] += line.shares
            partner, code = self.finder.find(line.partner)
            if partner is None:
                self.lines.note(line, line.row, "partner", line.partner, WARNING, code)
                continue
            key = (partner.number, fold(line.share_type))
            stated[key] += line.shares
            rows[key] = line
        left_out = {partner.number for partner in self.people if partner.is_bad}
        for key in sorted(set(held) | set(stated)):
            if held[key] == stated[key] or key[0] in left_out:
                continue
            row = rows[key].row if key in rows else 0
            self.lines.note(
                None, row, "shares", str(stated[key]), WARNING, "lines_differ",
                number=key[0], register=held[key], lines=stated[key],
            )  # fmt: skip
        plan.totals = [
            (name, per_type.get(name, 0), stated_per_type.get(name, 0))
            for name in sorted(set(per_type) | set(stated_per_type))
        ]


def _as_number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() and len(text) < 18 else (10**18, text)
