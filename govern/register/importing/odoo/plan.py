"""What an import of Odoo starts from, and what it would do: members, entries, oddities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from govern.register.importing.odoo.reading import (
    ERROR,
    OdooProblem,
    Partner,
)
from govern.register.rules.folding import fold

SOURCE = "odoo:"


@dataclass(frozen=True)
class Rules:
    """What the rule sets allow, and what the caller says about types of shares.

    ``categories`` and ``classes``: folded type → code; ``known_categories``, ``known_classes``:
    the codes of the rule set, for messages. ``other_names``: a number is the member's even where
    the name here is another one.
    """

    categories: Mapping[str, str]
    classes: Mapping[str, str]
    known_categories: tuple[str, ...]
    known_classes: tuple[str, ...]
    other_names: bool = False

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

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == ERROR for problem in self.problems)
