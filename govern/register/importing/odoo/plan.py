"""What an import of Odoo starts from, and what it would do: members, entries, oddities."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from govern.register.importing.odoo.reading import (
    ERROR,
    NOTE,
    WARNING,
    OdooProblem,
    Partner,
)
from govern.register.rules.chain import canonical_json
from govern.register.rules.classes import Holders
from govern.register.rules.folding import fold

SOURCE = "odoo:"


@dataclass(frozen=True)
class Rules:
    """What the rule sets allow, and what the caller says about types of shares.

    ``categories`` and ``classes``: folded type → code; ``known_categories``, ``known_classes``:
    the codes of the rule set, for messages. ``other_names``: a number is the member's even where
    the name here is another one. ``holders``: which categories may hold a class, of each rule set.
    """

    categories: Mapping[str, str]
    classes: Mapping[str, str]
    known_categories: tuple[str, ...]
    known_classes: tuple[str, ...]
    other_names: bool = False
    holders: Holders = field(default_factory=dict)

    def category_of(self, share_type: str) -> str:
        return self.categories.get(fold(share_type), "")

    def class_of(self, share_type: str) -> str:
        found = self.classes.get(fold(share_type), "")
        return found or (self.known_classes[0] if len(self.known_classes) == 1 else "")


@dataclass(frozen=True)
class KnownEntry:
    """An entry that the ledger holds already."""

    sequence: int
    member_number: str
    kind: str
    share_class: str
    nominal_cents: int
    shares: int
    amount_cents: int
    effective_on: date
    numbers: str
    source: str


@dataclass(frozen=True)
class Known:
    """The register as it is: numbers of members, how far shares are numbered, the entries.

    ``members``: member number → the name it is kept under; ``categories``: (member number, first
    day, code) of every category ever given.
    """

    members: Mapping[str, str]
    ended: frozenset[str]
    categories: frozenset[tuple[str, date, str]]
    last_numbers: Mapping[str, int]
    entries: Sequence[KnownEntry]


@dataclass(frozen=True)
class PlannedEntry:
    """One ledger entry to come. ``numbers`` None: the next free ones. ``act`` joins entries."""

    member_number: str
    kind: str
    share_class: str
    nominal_cents: int
    shares: int
    amount_cents: int
    effective_on: date
    act: int
    source: str
    numbers: str | None = None


@dataclass
class PlannedMember:
    """One new member. ``categories``: (first day, code), at least one."""

    partner: Partner
    joined_on: date
    categories: list[tuple[date, str]]
    representative: str = ""
    ended_on: date | None = None
    ended_by_transfer: bool = False


@dataclass(frozen=True)
class ShareType:
    """A type of shares in Odoo: its class here and the category of its holders ("": unknown)."""

    name: str
    share_class: str
    category: str


@dataclass
class OdooPlan:
    """What an import would do, and what is odd."""

    members: list[PlannedMember] = field(default_factory=list)
    entries: list[PlannedEntry] = field(default_factory=list)
    endings: dict[str, tuple[date, bool]] = field(default_factory=dict)
    category_changes: list[tuple[str, date, str]] = field(default_factory=list)
    problems: list[OdooProblem] = field(default_factory=list)
    operations: int = 0
    known_operations: int = 0
    left_out: int = 0
    ignored_partners: int = 0
    totals: list[tuple[str, int, int | None]] = field(default_factory=list)
    types: list[ShareType] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == ERROR for problem in self.problems)

    @property
    def is_empty(self) -> bool:
        """Whether the register would stay as it is."""
        return not (self.members or self.entries or self.endings or self.category_changes)

    def counts(self) -> dict[str, int]:
        """The figures of the preview."""
        severities = Counter(problem.severity for problem in self.problems)
        return {
            "operations": self.operations,
            "known": self.known_operations,
            "left_out": self.left_out,
            "new": len(self.members),
            "entries": len(self.entries),
            "shares": sum(entry.shares for entry in self.entries),
            "paid_cents": sum(entry.amount_cents for entry in self.entries),
            "endings": sum(member.ended_on is not None for member in self.members)
            + len(self.endings),
            "category_changes": len(self.category_changes),
            "ignored_partners": self.ignored_partners,
            "errors": severities[ERROR],
            "warnings": severities[WARNING],
            "notes": severities[NOTE],
        }

    def digest(self) -> str:
        """A hash over everything that would be done, to notice a register that moved meanwhile."""
        digest = hashlib.sha256()
        parts: list[Any] = [
            [
                "member", item.partner.number, item.partner.name, item.joined_on.isoformat(),
                [[day.isoformat(), code] for day, code in item.categories], item.representative,
                item.ended_on.isoformat() if item.ended_on else "", item.ended_by_transfer,
            ]
            for item in self.members
        ]  # fmt: skip
        parts += [
            [
                "entry", item.member_number, item.kind, item.share_class, item.nominal_cents,
                item.shares, item.amount_cents, item.effective_on.isoformat(), item.source,
                item.numbers or "",
            ]
            for item in self.entries
        ]  # fmt: skip
        parts += [
            ["ending", number, day.isoformat(), by_transfer]
            for number, (day, by_transfer) in sorted(self.endings.items())
        ]
        parts += [
            ["category", number, day.isoformat(), code]
            for number, day, code in self.category_changes
        ]
        for part in parts:
            digest.update(canonical_json(part) + b"\n")
        return digest.hexdigest()
