"""From partners and operations to members and ledger entries, in the order of the days.

The register of operations is what counts; the share lines are only compared with it. A member one
of whose operations cannot be taken over stays out with everybody who gave shares to them or
received shares from them: half a history would be worse than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from govern.register.importing.odoo.people import People, same_name
from govern.register.importing.odoo.plan import SOURCE, Known, OdooPlan, Rules, ShareType
from govern.register.importing.odoo.reading import (
    ERROR,
    WARNING,
    OdooExport,
    Operation,
    Partner,
    ShareLine,
)
from govern.register.importing.odoo.replaying import Replay, Sides
from govern.register.rules.folding import fold


def plan_import(export: OdooExport, known: Known, rules: Rules) -> OdooPlan:
    """Work out what of ``export`` is new. Nothing is written; an export is planned once only,
    since what is found to be wrong with its rows is noted in it."""
    _refuse_repeated(export)
    return _Planner(export, known, rules).plan()


def _refuse_repeated(export: OdooExport) -> None:
    partners, register = export.partners, export.register
    seen: dict[str, int] = {}
    for partner in export.people:
        if partner.number and seen.setdefault(partner.number, partner.row) != partner.row:
            partners.note(
                partner, partner.row, "number", partner.number, ERROR, "number_twice",
                first=seen[partner.number],
            )  # fmt: skip
    numbers: dict[str, int] = {}
    for operation in export.operations:
        first = numbers.setdefault(operation.number, operation.row)
        if operation.number and first != operation.row:
            register.note(
                operation, operation.row, "operation", operation.number, ERROR, "operation_twice",
                first=first,
            )  # fmt: skip


@dataclass
class _Planner:
    export: OdooExport
    known: Known
    rules: Rules

    def plan(self) -> OdooPlan:
        export = self.export
        self.partners, self.register = export.partners, export.register
        self.people, self.operations = export.people, export.operations
        self.finder = People(self.people)
        self._refuse_other_names()
        self.sides: Sides = {}
        for operation in self.operations:
            self.sides[operation.row] = self._sides(operation)
        self._require_partners()
        while True:
            # Every round leaves more members out, so this ends.
            replay = Replay(
                self.partners, self.register, self.known, self.rules, self.people,
                self.operations, self.sides,
            )  # fmt: skip
            failed = replay.run()
            if not failed:
                break
            self._exclude(failed)
        self._warn_of_shares_from_elsewhere()
        plan = replay.plan
        plan.types = self._types()
        self._compare_lines(plan, replay.held)
        plan.problems = [
            *self.partners.problems,
            *self.register.problems,
            *(export.lines.problems if export.lines is not None else []),
        ]
        plan.left_out = sum(operation.is_bad for operation in self.operations)
        return plan

    def _types(self) -> list[ShareType]:
        """The types of shares that the operations name, with what the rules make of each."""
        found: dict[str, str] = {}
        for operation in self.operations:
            for name in (operation.share_type, operation.to_type):
                if name:
                    found.setdefault(fold(name), name)
        return [
            ShareType(name, self.rules.class_of(name), self.rules.category_of(name))
            for name in sorted(found.values())
        ]

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

    def _warn_of_shares_from_elsewhere(self) -> None:
        """What a member holds without any operation of Odoo may be the shares of the export."""
        held: dict[str, int] = defaultdict(int)
        from_odoo = set()
        for entry in self.known.entries:
            held[entry.member_number] += entry.shares
            if entry.source.startswith(SOURCE):
                from_odoo.add(entry.member_number)
        concerned = {
            partner.row: partner
            for operation in self.operations
            for partner in self.sides[operation.row]
            if partner is not None and not operation.is_bad
        }
        for row, partner in sorted(concerned.items()):
            if held[partner.number] > 0 and partner.number not in from_odoo:
                self.partners.note(
                    None, row, "number", partner.number, WARNING, "shares_here",
                    number=partner.number, held=held[partner.number],
                )  # fmt: skip

    # -- the share lines ----------------------------------------------------------------------

    def _compare_lines(self, plan: OdooPlan, by_type: Mapping[tuple[str, str], int]) -> None:
        """Say where the share lines add up to something else than the operations."""
        per_type: dict[str, int] = defaultdict(int)
        held: dict[tuple[str, str], int] = defaultdict(int)
        for (number, share_type), shares in by_type.items():
            held[(number, fold(share_type))] += shares
            per_type[share_type] += shares
        if self.export.lines is None:
            plan.totals = [(name, shares, None) for name, shares in sorted(per_type.items())]
            return
        stated: dict[tuple[str, str], int] = defaultdict(int)
        stated_per_type: dict[str, int] = defaultdict(int)
        rows: dict[tuple[str, str], ShareLine] = {}
        for line in self.export.share_lines:
            stated_per_type[line.share_type] += line.shares
            partner, code = self.finder.find(line.partner)
            if partner is None:
                self.export.lines.note(line, line.row, "partner", line.partner, WARNING, code)
                continue
            key = (partner.number, fold(line.share_type))
            stated[key] += line.shares
            rows[key] = line
        left_out = {partner.number for partner in self.people if partner.is_bad}
        for key in sorted(set(held) | set(stated)):
            if held[key] == stated[key] or key[0] in left_out:
                continue
            row = rows[key].row if key in rows else 0
            self.export.lines.note(
                None, row, "shares", str(stated[key]), WARNING, "lines_differ",
                number=key[0], register=held[key], lines=stated[key],
            )  # fmt: skip
        plan.totals = [
            (name, per_type.get(name, 0), stated_per_type.get(name, 0))
            for name in sorted(set(per_type) | set(stated_per_type))
        ]
