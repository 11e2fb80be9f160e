"""Rows against each other and against the register: what is new, what would change, what is twice.

A later file changes contact data only (and notes an ending that the register lacks). An empty
cell changes nothing. The ledger is never rewritten: other numbers of shares are pointed out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from govern.register.importing.rows import (
    ERROR,
    NOTE,
    WARNING,
    Context,
    Problem,
    RegisterRow,
    RowReader,
)
from govern.register.rules.chain import canonical_json
from govern.register.rules.classes import refused_holders
from govern.register.rules.folding import email_key, fold

CONTACT_FIELDS = ("email", "language", "street", "postal_code", "town", "country")


@dataclass(frozen=True, slots=True)
class KnownMember:
    """What the register says now about a member whom a file may name."""

    membership_id: int
    member_number: str
    is_organisation: bool
    name: str
    name_key: str
    birth_date: date | None
    enterprise_number: str
    representative: str
    category: str
    joined_on: date
    ended_on: date | None
    email: str
    language: str
    street: str
    postal_code: str
    town: str
    country: str
    shares: int
    paid_cents: int
    is_erased: bool = False


@dataclass(frozen=True)
class Register:
    """The register as far as an import needs it, by number and by what tells duplicates."""

    members: Mapping[str, KnownMember]
    by_email: Mapping[str, str]
    by_person: Mapping[tuple[str, date], str]
    by_enterprise: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One datum of a known member that the file would change."""

    row: int
    membership_id: int
    field: str
    before: str
    after: str


@dataclass
class Plan:
    """What an import would do, and everything that is odd about it."""

    new: list[RegisterRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)
    rows: int = 0
    changed_members: int = 0
    unchanged: int = 0
    likely_twice: int = 0

    def counts(self) -> dict[str, int]:
        """The figures of the preview."""
        by_severity: dict[str, int] = defaultdict(int)
        for problem in self.problems:
            by_severity[problem.severity] += 1
        return {
            "rows": self.rows,
            "new": len(self.new),
            "changed": self.changed_members,
            "changes": len(self.changes),
            "unchanged": self.unchanged,
            "likely_twice": self.likely_twice,
            "bad": len(self.bad_rows),
            "errors": by_severity[ERROR],
            "warnings": by_severity[WARNING],
            "notes": by_severity[NOTE],
            "organisations": sum(row.is_organisation for row in self.new),
            "shares": sum(row.shares for row in self.new),
            "paid_cents": sum(row.paid_cents or 0 for row in self.new),
        }

    def digest(self) -> str:
        """A hash over everything that would be done, to notice a register that moved meanwhile."""
        digest = hashlib.sha256()
        for row in self.new:
            digest.update(canonical_json(["new", row.row, row.member_number]) + b"\n")
        for change in self.changes:
            digest.update(
                canonical_json(
                    [change.row, change.membership_id, change.field, change.before, change.after]
                )
                + b"\n"
            )
        return digest.hexdigest()


def make_plan(
    reader: RowReader,
    rows: Sequence[RegisterRow],
    register: Register,
    *,
    hold_back_duplicates: bool = False,
) -> Plan:
    """Set ``rows`` (as read by ``reader``) against each other and against ``register``."""
    checker = _Checker(reader, register, reader.context)
    checker.find_repeated_numbers(rows)
    alike = checker.find_duplicates(rows)
    plan = Plan(problems=reader.problems, rows=len(rows))
    for row in rows:
        if row.is_bad:
            plan.bad_rows.add(row.row)
            continue
        known = register.members.get(row.member_number)
        if known is not None:
            changes = checker.compare(row, known)
            if row.is_bad:
                plan.bad_rows.add(row.row)
            elif changes:
                plan.changes += changes
                plan.changed_members += 1
            else:
                plan.unchanged += 1
            continue
        is_likely_twice = checker.find_in_register(row) or row.row in alike
        plan.likely_twice += is_likely_twice
        if is_likely_twice and hold_back_duplicates:
            checker.add(row, "member_number", ERROR, "held_back")
            plan.bad_rows.add(row.row)
            continue
        checker.complete(row)
        if row.is_bad:
            plan.bad_rows.add(row.row)
        else:
            plan.new.append(row)
    plan.problems.sort(key=lambda problem: problem.row)
    return plan


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are the same but for accents, case, punctuation and word order."""
    return sorted(fold(one).split()) == sorted(fold(other).split())


class _Checker:
    """The comparisons, each noting its problems with the reader."""

    def __init__(self, reader: RowReader, register: Register, context: Context) -> None:
        self.reader = reader
        self.register = register
        self.context = context

    def add(
        self,
        row: RegisterRow,
        name: str,
        severity: str,
        code: str,
        /,
        **params: Any,
    ) -> None:
        """Note a problem of the cell of ``row`` in the column of the field ``name``."""
        self.reader.note(row, name, self.reader.text_at(row.row, name), severity, code, **params)

    def find_repeated_numbers(self, rows: Iterable[RegisterRow]) -> None:
        """A number that stands in two rows is an error in each: nobody knows which is right."""
        for group in _groups(rows, lambda row: row.member_number):
            for row in group:
                self.add(
                    row,
                    "member_number",
                    ERROR,
                    "number_twice",
                    rows=_others(group, row),
                )

    def find_duplicates(self, rows: Sequence[RegisterRow]) -> set[int]:
        """Point out rows that may be one person or organisation; the rows that likely are."""
        for group in _groups(rows, lambda row: row.same_email_key):
            for row in group:
                self.add(row, "email", WARNING, "same_email", rows=_others(group, row))
        likely: set[int] = set()
        for group in _groups(rows, lambda row: row.same_person_key):
            for row in group:
                likely.add(row.row)
                self.add(row, "family_name", WARNING, "same_person", rows=_others(group, row))
        for group in _groups(rows, lambda row: row.enterprise_number):
            for row in group:
                likely.add(row.row)
                self.add(
                    row,
                    "enterprise_number",
                    WARNING,
                    "same_enterprise",
                    rows=_others(group, row),
                )
        return likely

    def find_in_register(self, row: RegisterRow) -> bool:
        """Point out members of the register who may be this new one; whether it is likely."""
        person = row.same_person_key
        email_of = self.register.by_email.get(row.same_email_key) if row.email else None
        person_of = self.register.by_person.get(person) if person else None
        enterprise_of = self.register.by_enterprise.get(row.enterprise_number)
        if email_of:
            self.add(row, "email", WARNING, "same_email_in_register", number=email_of)
        if person_of:
            self.add(row, "family_name", WARNING, "same_person_in_register", number=person_of)
        if row.is_organisation and enterprise_of:
            self.add(
                row,
                "enterprise_number",
                WARNING,
                "same_enterprise_in_register",
                number=enterprise_of,
            )
        return bool(person_of or (row.is_organisation and enterprise_of))

    def complete(self, row: RegisterRow) -> None:
        """Point out what a new member's row leaves open, and fill in the defaults."""
        if row.birth_date is None and not row.is_organisation:
            self.add(row, "birth_date", NOTE, "no_birth_date")
        if not row.language:
            row.language = self.context.language
            self.add(row, "language", NOTE, "language_default", language=row.language.upper())
        has_address = bool(row.street and (row.town or row.postal_code))
        if has_address and not row.country:
            row.country = self.context.country
            self.add(row, "country", NOTE, "country_default", country=row.country)
        if not row.email:
            if has_address:
                self.add(row, "email", NOTE, "no_email")
            else:
                self.add(row, "email", WARNING, "no_email_no_address")
        if row.joined_on is not None and row.joined_on > self.context.today:
            self.add(row, "joined_on", WARNING, "joins_in_future")
        self._complete_shares(row)

    def _complete_shares(self, row: RegisterRow) -> None:
        nominal = self.context.nominal_on(row.joined_on or self.context.today, row.share_class)
        paid, due = row.paid_cents or 0, row.shares * nominal
        self._check_class(row)
        if not row.shares:
            self.add(row, "shares", WARNING, "no_shares")
        elif paid < due:
            self.add(row, "paid", WARNING, "partly_paid", paid=paid, due=due)
        elif paid > due:
            self.add(row, "paid", WARNING, "overpaid", paid=paid, due=due)

    def _check_class(self, row: RegisterRow) -> None:
        """Shares that the member's category might never hold are a mistake of the file."""
        first = row.joined_on or self.context.today
        last = max(first, row.ended_on or self.context.today)
        known = refused_holders(
            self.context.class_holders, row.share_class, row.category, first, last
        )
        if row.shares and known:
            is_named = bool(self.reader.text_at(row.row, "share_class").strip())
            code = "share_class_not_for" if is_named else "share_class_needed"
            found = {"category": row.category, "known": ", ".join(known)}
            self.add(row, "share_class", ERROR, code, **found)

    def compare(self, row: RegisterRow, known: KnownMember) -> list[Change]:
        """What the row would change about a member whom the register has."""
        if known.is_erased:
            self.add(row, "member_number", WARNING, "was_erased")
            return []
        if not self._is_same_holder(row, known):
            self.add(row, "member_number", ERROR, "other_holder", name=known.name)
            return []
        self._point_out_identity(row, known)
        self._point_out_membership(row, known)
        changes = [
            Change(row.row, known.membership_id, name, before, after)
            for name in CONTACT_FIELDS
            if name in self.reader.mapping
            and (after := getattr(row, name))
            and (before := getattr(known, name)) != after
        ]
        if row.ended_on is not None and known.ended_on is None:
            changes.append(
                Change(row.row, known.membership_id, "ended_on", "", row.ended_on.isoformat())
            )
        return changes

    def _is_same_holder(self, row: RegisterRow, known: KnownMember) -> bool:
        """Another kind, or another name *and* another birth date (or number), is somebody else."""
        if row.is_organisation != known.is_organisation:
            return False
        if is_same_name(row.name, known.name):
            return True
        if row.is_organisation:
            return row.enterprise_number == known.enterprise_number
        return row.birth_date is not None and row.birth_date == known.birth_date

    def _point_out_identity(self, row: RegisterRow, known: KnownMember) -> None:
        if row.name != known.name:
            self.add(row, "family_name", WARNING, "name_differs", register=known.name)
        if row.birth_date and known.birth_date and row.birth_date != known.birth_date:
            self.add(
                row,
                "birth_date",
                WARNING,
                "birth_date_differs",
                register=known.birth_date.isoformat(),
            )
        if row.enterprise_number != known.enterprise_number:
            self.add(
                row,
                "enterprise_number",
                WARNING,
                "enterprise_number_differs",
                register=known.enterprise_number,
            )
        if row.representative and not is_same_name(row.representative, known.representative):
            self.add(
                row,
                "representative",
                WARNING,
                "representative_differs",
                register=known.representative or "–",
            )

    def _point_out_membership(self, row: RegisterRow, known: KnownMember) -> None:
        if row.category != known.category:
            self.add(row, "category", WARNING, "category_differs", register=known.category)
        if row.joined_on is not None and row.joined_on != known.joined_on:
            self.add(
                row,
                "joined_on",
                WARNING,
                "joined_differs",
                register=known.joined_on.isoformat(),
            )
        if known.ended_on is not None and row.ended_on != known.ended_on:
            self.add(
                row,
                "ended_on",
                WARNING,
                "ending_differs",
                register=known.ended_on.isoformat(),
            )
        if row.ended_on is not None and row.ended_on < known.joined_on:
            self.add(row, "ended_on", ERROR, "left_before_joined")
        if row.shares != known.shares:
            self.add(row, "shares", WARNING, "shares_differ", register=known.shares)
        elif row.paid_cents is not None and row.paid_cents != known.paid_cents:
            self.add(row, "paid", WARNING, "paid_differs", register=known.paid_cents)


def _groups(rows: Iterable[RegisterRow], key: Any) -> list[list[RegisterRow]]:
    """Rows that have the same key, where there are two or more; an empty key is none."""
    groups: dict[Any, list[RegisterRow]] = defaultdict(list)
    for row in rows:
        value = key(row)
        if value:
            groups[value].append(row)
    return [group for group in groups.values() if len(group) > 1]


def _others(group: Sequence[RegisterRow], row: RegisterRow, limit: int = 10) -> list[int]:
    return [other.row for other in group if other is not row][:limit]


def register_index(members: Iterable[KnownMember]) -> Register:
    """The register by number, and by what tells duplicates (former members do not count)."""
    by_number: dict[str, KnownMember] = {}
    by_email: dict[str, str] = {}
    by_person: dict[tuple[str, date], str] = {}
    by_enterprise: dict[str, str] = {}
    for member in members:
        by_number[member.member_number] = member
        if member.ended_on is not None:
            continue
        if member.email:
            by_email.setdefault(email_key(member.email), member.member_number)
        if member.birth_date is not None and not member.is_organisation:
            by_person.setdefault((member.name_key, member.birth_date), member.member_number)
        if member.enterprise_number:
            by_enterprise.setdefault(member.enterprise_number, member.member_number)
    return Register(by_number, by_email, by_person, by_enterprise)
