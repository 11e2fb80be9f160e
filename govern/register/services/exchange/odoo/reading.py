"""What an import of an Odoo export starts from: the files, the rules, the register as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import rules_from_json
from govern.errors import InvalidInput, RuleViolation
from govern.register.importing.odoo import headers
from govern.register.importing.odoo.plan import Known, KnownEntry, Rules
from govern.register.importing.odoo.reading import OdooExport, OdooReader
from govern.register.models import (
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    ShareEntry,
    ShareNumbering,
)
from govern.register.rules.classes import holders_of
from govern.register.rules.folding import fold
from govern.register.services.imports import read_file
from govern.register.texts.odoo import ODOO_FILE_NAMES

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class OdooFiles:
    """The three files as bytes; the share lines may be missing."""

    partners: bytes
    register: bytes
    lines: bytes | None = None


@dataclass(frozen=True)
class Said:
    """What was said about an export. ``categories`` and ``classes``: type of share in Odoo → code
    of the rule set, where they are called otherwise. ``other_names``: a number is the member's even
    where the name here is another one."""

    categories: Mapping[str, str]
    classes: Mapping[str, str]
    other_names: bool = False


def read_export(
    files: OdooFiles, cooperative: Cooperative, progress: Progress | None = None
) -> OdooExport:
    """Read every row of the files; no database is touched beyond ``cooperative``.

    Raises InvalidInput, with the file as its field, when one cannot be read or lacks a column.
    """
    readers = {
        file: _reader(cooperative, file, content)
        for file, content in (
            (headers.PARTNERS, files.partners),
            (headers.REGISTER, files.register),
            (headers.LINES, files.lines),
        )
        if content is not None
    }
    total = sum(1 for reader in readers.values() for _row in reader.table.records())
    partners, register = readers[headers.PARTNERS], readers[headers.REGISTER]
    lines = readers.get(headers.LINES)
    tell = progress or (lambda _done, _total: None)
    people = list(partners.partners())
    tell(len(people), total)
    operations = list(register.operations())
    tell(len(people) + len(operations), total)
    share_lines = list(lines.lines()) if lines is not None else []
    tell(total, total)
    return OdooExport(partners, register, lines, people, operations, share_lines)


def _reader(cooperative: Cooperative, file: str, content: bytes) -> OdooReader:
    try:
        table = read_file(content)
    except InvalidInput as error:
        raise InvalidInput(error.message, remedy=error.remedy, field=file) from error
    mapping = headers.recognise(file, table.layout.headers)
    missing = headers.missing(file, mapping)
    if missing:
        names = ", ".join(headers.NAMES[file][name].partition(";")[0] for name in missing)
        raise InvalidInput(
            _("The file “%(file)s” lacks the columns: %(columns)s.", file=ODOO_FILE_NAMES[file],
              columns=names),
            remedy=_("Export them from Odoo too, under their technical names or labels."),
            field=file,
        )  # fmt: skip
    today = clock.today(cooperative.time_zone)
    return OdooReader(file, table, mapping, cooperative.country, today)


def rules_for(session: Session, cooperative: Cooperative, said: Said) -> Rules:
    """What the rule set of today allows, with what was ``said`` about the types of shares.

    Raises InvalidInput for a code that the rules do not know, RuleViolation without a rule set.
    """
    rows = session.scalars(
        select(RuleSet)
        .where(
            RuleSet.cooperative_id == cooperative.id,
            RuleSet.starts_on <= clock.today(cooperative.time_zone),
        )
        .order_by(RuleSet.starts_on)
    )
    rule_sets = [(row.starts_on, rules_from_json(row.rules)) for row in rows]
    if not rule_sets:
        raise RuleViolation(
            _("No rule set of %(name)s is in force.", name=cooperative.name),
            remedy=_("Record the rules of the cooperative with an earlier first day."),
        )
    rules = rule_sets[-1][1]
    return Rules(
        categories=_words(rules.categories, said.categories, "category"),
        classes=_words(rules.share_classes, said.classes, "class"),
        known_categories=tuple(item.code for item in rules.categories),
        known_classes=tuple(item.code for item in rules.share_classes),
        other_names=said.other_names,
        holders=holders_of(rule_sets),
    )


def _words(items: Iterable[object], said: Mapping[str, str], what: str) -> dict[str, str]:
    """Folded type → code: by name, by code, and as the caller says."""
    words: dict[str, str] = {}
    codes = []
    for item in items:
        code, names = item.code, item.names  # type: ignore[attr-defined]
        codes.append(code)
        words |= {fold(name): code for name in names.values()}
        words[fold(code)] = code
    for share_type, code in said.items():
        if code not in codes:
            raise InvalidInput(
                _("The rules know no “%(code)s” for the type “%(type)s”.", code=code[:40],
                  type=share_type[:40]),
                remedy=_("Choose one of: %(known)s.", known=", ".join(codes)),
                field=what,
            )  # fmt: skip
        words[fold(share_type)] = code
    return words


def known_register(session: Session, cooperative: Cooperative) -> Known:
    """The members, categories and entries that are there already."""
    here = Membership.cooperative_id == cooperative.id
    members: dict[str, str] = {}
    ended = set()
    for number, ended_on, given, family, organisation in session.execute(
        select(
            Membership.member_number, Membership.ended_on, Person.given_name, Person.family_name,
            Organisation.name,
        )
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(here)
    ):  # fmt: skip
        members[number] = organisation or f"{given or ''} {family or ''}".strip()
        if ended_on is not None:
            ended.add(number)
    entries = [
        KnownEntry(*tuple(row))
        for row in session.execute(
            select(
                ShareEntry.sequence, Membership.member_number, ShareEntry.kind,
                ShareEntry.share_class, ShareEntry.nominal_cents, ShareEntry.shares,
                ShareEntry.amount_cents, ShareEntry.effective_on, ShareEntry.numbers,
                ShareEntry.source,
            )
            .join(Membership, Membership.id == ShareEntry.membership_id)
            .where(ShareEntry.cooperative_id == cooperative.id)
            .order_by(ShareEntry.sequence)
        )
    ]  # fmt: skip
    last = session.execute(
        select(ShareNumbering.share_class, ShareNumbering.last_number).where(
            ShareNumbering.cooperative_id == cooperative.id
        )
    )
    categories = session.execute(
        select(Membership.member_number, MembershipCategory.starts_on, MembershipCategory.code)
        .join(Membership, Membership.id == MembershipCategory.membership_id)
        .where(here)
    )
    return Known(
        members,
        frozenset(ended),
        frozenset((number, day, code) for number, day, code in categories),
        {code: int(number) for code, number in last},
        entries,
    )
