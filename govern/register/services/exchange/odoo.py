"""The export of Odoo's cooperative modules brought in: members, and entries in the order of days.

Every entry carries the number of its operation as its source ("odoo:17"): a later export of the
same register brings only what is new, the same export again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import rules_from_json
from govern.database import make_public_id
from govern.errors import InvalidInput, RuleViolation
from govern.register.importing.odoo import headers
from govern.register.importing.odoo.plan import (
    Known,
    KnownEntry,
    OdooPlan,
    PlannedMember,
    Rules,
)
from govern.register.importing.odoo.planning import plan_import
from govern.register.importing.odoo.reading import OdooReader
from govern.register.importing.rows import RegisterRow
from govern.register.models import (
    EndReason,
    EntryKind,
    HolderOpening,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    ShareEntry,
    ShareNumbering,
)
from govern.register.rules.folding import fold
from govern.register.services.bulk import insert_rows
from govern.register.services.chain import NewEntry, append_entries, commitment_for, lock_register
from govern.register.services.import_register import import_context, insert_members
from govern.register.services.imports import read_file
from govern.register.services.ledger import refuse_on_hold


@dataclass(frozen=True)
class OdooFiles:
    """The three files as bytes; the share lines may be missing."""

    partners: bytes
    register: bytes
    lines: bytes | None = None


@dataclass(frozen=True)
class OdooImport:
    """What came in (or, for a dry run, would have): the plan, and whether it was written."""

    plan: OdooPlan
    was_written: bool


def import_odoo(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    files: OdooFiles,
    *,
    categories: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
    dry_run: bool = False,
    good_rows: bool = False,
    other_names: bool = False,
) -> OdooImport:
    """Read the files, work out what is new and write it, all of it or nothing.

    ``categories`` and ``classes``: type of share in Odoo → code of the rule set, where they are
    called otherwise. With errors nothing is written unless ``good_rows``: then the members whom an
    error touches stay out, with everybody they exchanged shares with. A number that belongs to
    another name here is such an error, unless ``other_names``. The caller commits.
    Raises InvalidInput when a file cannot be read, RuleViolation without a rule set.
    """
    actor.require(Permission.REGISTER_IMPORT, cooperative.id)
    refuse_on_hold(cooperative)
    lock_register(session, cooperative.id)
    rules = replace(
        _rules(session, cooperative, categories or {}, classes or {}), other_names=other_names
    )
    partners = _reader(cooperative, headers.PARTNERS, files.partners)
    register = _reader(cooperative, headers.REGISTER, files.register)
    lines = _reader(cooperative, headers.LINES, files.lines) if files.lines is not None else None
    plan = plan_import(partners, register, lines, _known(session, cooperative), rules)
    may_write = not dry_run and (good_rows or not plan.has_errors)
    if may_write and (plan.members or plan.entries or plan.category_changes):
        _write(session, actor, cooperative, plan)
    return OdooImport(plan, may_write)


def _reader(cooperative: Cooperative, file: str, content: bytes) -> OdooReader:
    table = read_file(content)
    mapping = headers.recognise(file, table.layout.headers)
    missing = headers.missing(file, mapping)
    if missing:
        names = ", ".join(headers.NAMES[file][name].partition(";")[0] for name in missing)
        raise InvalidInput(
            _("The file of the %(file)s lacks the columns: %(columns)s.", file=file, columns=names),
            remedy=_("Export them from Odoo too, under their technical names or labels."),
            field="file",
        )
    today = clock.today(cooperative.time_zone)
    return OdooReader(file, table, mapping, cooperative.country, today)


def _rules(
    session: Session,
    cooperative: Cooperative,
    categories: Mapping[str, str],
    classes: Mapping[str, str],
) -> Rules:
    row = session.scalar(
        select(RuleSet)
        .where(
            RuleSet.cooperative_id == cooperative.id,
            RuleSet.starts_on <= clock.today(cooperative.time_zone),
        )
        .order_by(RuleSet.starts_on.desc())
        .limit(1)
    )
    if row is None:
        raise RuleViolation(
            _("No rule set of %(name)s is in force.", name=cooperative.name),
            remedy=_("Record the rules of the cooperative with an earlier first day."),
        )
    rules = rules_from_json(row.rules)
    return Rules(
        categories=_words(rules.categories, categories, "category"),
        classes=_words(rules.share_classes, classes, "class"),
        known_categories=tuple(item.code for item in rules.categories),
        known_classes=tuple(item.code for item in rules.share_classes),
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


def _known(session: Session, cooperative: Cooperative) -> Known:
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


# -- writing ----------------------------------------------------------------------------------


def _write(session: Session, actor: Actor, cooperative: Cooperative, plan: OdooPlan) -> None:
    context = import_context(session, cooperative)
    rows = [
        _register_row(number, member, cooperative)
        for number, member in enumerate(plan.members, start=1)
    ]
    insert_members(session, cooperative, rows, context, "odoo")
    session.expire_all()
    wanted = {entry.member_number for entry in plan.entries} | set(plan.endings)
    wanted |= {number for number, _day, _code in plan.category_changes}
    wanted |= {member.partner.number for member in plan.members}
    members = _members(session, cooperative, wanted)
    _write_categories(session, plan, members)
    _write_endings(session, plan, members)
    commitments = _commitments(session, members)
    acts: dict[int, str] = {}
    append_entries(
        session,
        cooperative,
        [
            NewEntry(
                membership_id=members[entry.member_number].id,
                membership_public_id=members[entry.member_number].public_id,
                commitment=commitments[members[entry.member_number].id],
                kind=EntryKind(entry.kind),
                share_class=entry.share_class,
                nominal_cents=entry.nominal_cents,
                shares=entry.shares,
                amount_cents=entry.amount_cents,
                effective_on=entry.effective_on,
                # The payment of a subscription is an act of its own, as everywhere in the ledger.
                act_id=(
                    make_public_id()
                    if entry.kind == EntryKind.PAYMENT.value
                    else acts.setdefault(entry.act, make_public_id())
                ),
                source=entry.source,
                numbers=entry.numbers,
            )
            for entry in plan.entries
        ],
        recorded_by_id=actor.account_id,
    )
    session.flush()
    audit.record(
        session,
        actor,
        "register:odoo:imported",
        cooperative_id=cooperative.id,
        data={"members": len(plan.members), "entries": len(plan.entries), "out": plan.left_out},
    )


def _register_row(number: int, member: PlannedMember, cooperative: Cooperative) -> RegisterRow:
    partner = member.partner
    return RegisterRow(
        row=number,
        member_number=partner.number,
        is_organisation=partner.is_organisation,
        family_name=partner.family_name[:120],
        given_name=partner.given_name[:120],
        organisation_name=partner.name[:250] if partner.is_organisation else "",
        birth_date=None if partner.is_organisation else partner.birth_date,
        email=partner.email,
        language=partner.language or cooperative.languages[0],
        street=partner.street,
        postal_code=partner.postal_code,
        town=partner.town,
        country=partner.country or cooperative.country,
        category=member.categories[0][1],
        joined_on=member.joined_on,
        enterprise_number=partner.enterprise_number,
        representative=member.representative,
    )


def _members(
    session: Session, cooperative: Cooperative, numbers: Iterable[str]
) -> dict[str, Membership]:
    wanted = list(numbers)
    found: dict[str, Membership] = {}
    for start in range(0, len(wanted), 2000):
        for row in session.scalars(
            select(Membership).where(
                Membership.cooperative_id == cooperative.id,
                Membership.member_number.in_(wanted[start : start + 2000]),
            )
        ):
            found[row.member_number] = row
    return found


def _commitments(session: Session, members: Mapping[str, Membership]) -> dict[int, str]:
    """The commitment to each holder; made where a known member has none yet."""
    ids = {membership.id for membership in members.values()}
    found: dict[int, str] = {}
    for key, commitment in session.execute(
        select(HolderOpening.membership_id, HolderOpening.commitment).where(
            HolderOpening.is_current
        )
    ):
        if key in ids:
            found[key] = commitment
    for membership in members.values():
        if membership.id not in found:
            found[membership.id] = commitment_for(session, membership)
    return found


def _write_categories(session: Session, plan: OdooPlan, members: Mapping[str, Membership]) -> None:
    """Categories that changed by a conversion, after the first one."""
    changes = [
        (member.partner.number, day, code)
        for member in plan.members
        for day, code in member.categories[1:]
    ]
    for number, day, code in [*changes, *plan.category_changes]:
        current = session.scalars(
            select(MembershipCategory).where(
                MembershipCategory.membership_id == members[number].id,
                MembershipCategory.ends_on.is_(None),
            )
        ).one()
        if current.code == code or day <= current.starts_on:
            continue
        current.ends_on = day
        session.flush()
        insert_rows(
            session,
            MembershipCategory,
            [
                {
                    "membership_id": members[number].id,
                    "code": code,
                    "starts_on": day,
                    "recorded_at": clock.now(),
                }
            ],
        )


def _write_endings(session: Session, plan: OdooPlan, members: Mapping[str, Membership]) -> None:
    """Whoever holds no share any more has left on the day of the last operation."""
    endings = {
        member.partner.number: (member.ended_on, member.ended_by_transfer)
        for member in plan.members
        if member.ended_on is not None
    }
    for number, (day, by_transfer) in {**endings, **plan.endings}.items():
        membership = members[number]
        reason = EndReason.TRANSFER if by_transfer else EndReason.UNSTATED
        membership.ended_on, membership.end_reason = day, reason.value
        membership.end_note = "Odoo"
        membership.changed_at = clock.now()
    session.flush()


__all__ = ["OdooFiles", "OdooImport", "import_odoo"]
