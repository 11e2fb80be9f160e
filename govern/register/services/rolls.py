"""Taking, freezing, correcting and locking rolls, and how a member stands towards one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, Select, delete, or_, select
from sqlalchemy.orm import Session, aliased

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.register.models import (
    CorrectionAction,
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    RegisterHead,
    Representative,
    Roll,
    RollCorrection,
    RollEntry,
    RollState,
)
from govern.register.rules import chain
from govern.register.rules.folding import search_text
from govern.register.rules.roll import (
    MemberFacts,
    RollLine,
    Standing,
    canonical_lines,
    digest_of,
    obstacles_on,
    standing_on,
    totals_of,
)
from govern.register.services.bulk import insert_rows
from govern.register.services.holdings import holdings_on
from govern.register.texts import obstacle_text


def take_roll(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    record_date: date,
    label: str,
    objections_until: datetime | None = None,
) -> Roll:
    """Write down who may vote as the register shows it at the end of ``record_date``.

    Every member with at least one paid share once, natural or legal, who has joined and not ended
    by then. The same data give the same digest. Raises RuleViolation when the date lies ahead
    (the register of a day that is not over can still change) or no rule set was in force.
    """
    actor.require(Permission.ROLL_TAKE, cooperative.id)
    if not label.strip():
        raise InvalidInput(
            _("The roll has no name."), remedy=_("Say what the roll is for."), field="label"
        )
    if record_date > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("The record date %(day)s lies ahead.", day=record_date.isoformat()),
            remedy=_("Take the roll on that day or later."),
            field="record_date",
        )
    rule_set, _rules = rules_on(session, cooperative.id, record_date)
    # The head is read under its lock: no entry can slip in between it and the holdings.
    head = session.scalar(
        select(RegisterHead)
        .where(RegisterHead.cooperative_id == cooperative.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = [_entry_values(row) for row in session.execute(_eligible(cooperative.id, record_date))]
    lines = [_line_of(values) for values in rows]
    totals = totals_of(lines)
    roll = Roll(
        cooperative_id=cooperative.id,
        rule_set_id=rule_set.id,
        label=label.strip()[:200],
        record_date=record_date,
        state=RollState.DRAFT.value,
        taken_at=clock.now(),
        taken_by_id=actor.account_id,
        objections_until=objections_until,
        digest=digest_of(canonical_lines(cooperative.code, record_date, lines)),
        heads=totals["heads"],
        shares_issued=totals["shares_issued"],
        shares_paid=totals["shares_paid"],
        totals=totals,
        register_sequence=head.sequence if head else 0,
        register_hash=head.hash if head else chain.BEGINNING,
    )
    session.add(roll)
    session.flush()
    insert_rows(session, RollEntry, [{"roll_id": roll.id, **row} for row in rows])
    _record(session, actor, roll, "taken", {"record_date": record_date.isoformat()})
    return roll


def freeze_roll(session: Session, actor: Actor, roll: Roll) -> Roll:
    """Publish the roll: from now on only reasoned corrections. Freezing twice changes nothing.

    Raises Conflict when the stored entries no longer give the digest that was taken.
    """
    actor.require(Permission.ROLL_TAKE, roll.cooperative_id)
    _lock_row(session, roll)
    if roll.is_frozen:
        return roll
    verify_roll(session, roll)
    roll.state = RollState.FROZEN.value
    roll.frozen_at = clock.now()
    session.flush()
    _record(session, actor, roll, "frozen", {"digest": roll.digest})
    return roll


def discard_draft_roll(session: Session, actor: Actor, roll: Roll) -> None:
    """Drop a roll that was never frozen, to take it again. Raises Conflict for a frozen one."""
    actor.require(Permission.ROLL_TAKE, roll.cooperative_id)
    _lock_row(session, roll)
    if roll.is_frozen:
        raise Conflict(
            _("This roll is frozen and cannot be dropped."),
            remedy=_("Correct single entries, with a reason."),
        )
    _record(session, actor, roll, "discarded", {"digest": roll.digest})
    session.execute(delete(RollEntry).where(RollEntry.roll_id == roll.id))
    session.delete(roll)
    session.flush()


def correct_roll(
    session: Session,
    actor: Actor,
    roll: Roll,
    membership: Membership,
    reason: str,
    *,
    remove: bool = False,
) -> RollCorrection:
    """Add, read again or remove one member of a frozen roll, with a reason that members can read.

    Without ``remove`` the member is read from the register again as of the record date: added if
    missing, updated if changed. Raises InvalidInput without a reason, Conflict when the roll is a
    draft, locked, or nothing would change, RuleViolation naming what keeps the member off.
    """
    actor.require(Permission.ROLL_CORRECT, roll.cooperative_id)
    _lock_row(session, roll)
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("A correction of the roll needs a reason of 5 to 500 characters."),
            remedy=_("Write why the roll was wrong; every member can read it."),
            field="reason",
        )
    if membership.cooperative_id != roll.cooperative_id:
        raise NotFound(_("This member is not in the register of this cooperative."))
    if not roll.is_frozen:
        raise Conflict(
            _("This roll is still a draft."), remedy=_("Drop it and take it again, or freeze it.")
        )
    if roll.is_locked:
        raise Conflict(
            _("A vote on this roll has opened: it cannot be changed any more."),
            remedy=_("Objections go into the minutes and to the assembly."),
        )
    entry = _entry_of(session, roll, membership.id)
    if remove:
        action = CorrectionAction.REMOVED
        if entry is None:
            raise Conflict(
                _("Member %(number)s is not on this roll.", number=membership.member_number),
                remedy=_("Nothing needs to be corrected."),
            )
        session.delete(entry)
    else:
        action = _read_again(session, roll, membership, entry)
    session.flush()
    before = roll.digest
    _count_again(session, roll)
    correction = RollCorrection(
        roll_id=roll.id,
        membership_id=membership.id,
        member_number=membership.member_number,
        action=action.value,
        reason=reason,
        made_at=clock.now(),
        made_by_id=actor.account_id,
        digest_before=before,
        digest_after=roll.digest,
    )
    session.add(correction)
    session.flush()
    _record(
        session,
        actor,
        roll,
        "corrected",
        {"action": action.value, "membership": membership.public_id, "digest": roll.digest},
    )
    return correction


def lock_roll(session: Session, roll: Roll) -> Roll:
    """An election on this roll opens: from now on nothing changes (a trigger refuses it).

    Called by the voting feature, which has checked who may open. Locking twice changes nothing.
    Raises Conflict for a roll that is not frozen or whose entries do not give its digest.
    """
    _lock_row(session, roll)
    if roll.is_locked:
        return roll
    if not roll.is_frozen:
        raise Conflict(_("This roll is still a draft."), remedy=_("Freeze the roll first."))
    verify_roll(session, roll)
    roll.locked_at = clock.now()
    session.flush()
    return roll


def verify_roll(session: Session, roll: Roll) -> None:
    """Recompute the digest from the stored entries; raise Conflict when it differs."""
    found = digest_of(roll_canonical_lines(session, roll))
    if found != roll.digest:
        raise Conflict(
            _("The entries of this roll do not give its published digest."),
            remedy=_("Compare with a backup and with the file that was sent out."),
        )


def roll_canonical_lines(session: Session, roll: Roll) -> Iterator[bytes]:
    """The canonical bytes of the roll, line by line (``docs/roll.md``)."""
    cooperative = session.get_one(Cooperative, roll.cooperative_id)
    return canonical_lines(cooperative.code, roll.record_date, _lines(session, roll))


def roll_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Roll:
    """The roll of that cooperative; NotFound otherwise."""
    roll = session.scalar(
        select(Roll).where(Roll.public_id == public_id, Roll.cooperative_id == cooperative.id)
    )
    if roll is None:
        raise NotFound(_("There is no such roll."), remedy=_("Start from the assembly's page."))
    return roll


def memberships_for_account(
    session: Session, account_id: int, cooperative_id: int | None = None
) -> list[Membership]:
    """The account's own memberships and those of organisations that the person represents today.

    Former memberships are included: what a person sees of them is decided by the page.
    """
    today = clock.today()
    # Small questions one after the other: each is one look into an index, on both databases.
    person_id = session.scalar(select(Person.id).where(Person.account_id == account_id))
    if person_id is None:
        return []
    organisations = session.scalars(
        select(Representative.organisation_id).where(
            Representative.person_id == person_id,
            Representative.starts_on <= today,
            or_(Representative.ends_on.is_(None), Representative.ends_on > today),
        )
    ).all()
    query = (
        select(Membership)
        .where(
            or_(Membership.person_id == person_id, Membership.organisation_id.in_(organisations))
            if organisations
            else Membership.person_id == person_id
        )
        .order_by(Membership.cooperative_id, Membership.organisation_id.is_not(None), Membership.id)
    )
    if cooperative_id is not None:
        query = query.where(Membership.cooperative_id == cooperative_id)
    return list(session.scalars(query))


def entries_for_account(session: Session, roll: Roll, account_id: int) -> list[RollEntry]:
    """The account's entries on the roll: the person's own and those of organisations represented.

    A person who is a member and represents a member organisation has two, lawfully.
    """
    memberships = memberships_for_account(session, account_id, roll.cooperative_id)
    return list(
        session.scalars(
            select(RollEntry)
            .where(
                RollEntry.roll_id == roll.id,
                RollEntry.membership_id.in_([membership.id for membership in memberships]),
            )
            .order_by(RollEntry.id)
        )
    )


def why_not_on_roll(session: Session, roll: Roll, membership: Membership) -> Standing:
    """How the membership stands towards the roll: on it, or why not and until when to object."""
    entry = _entry_of(session, roll, membership.id)
    last = session.scalar(
        select(RollCorrection.action)
        .where(RollCorrection.roll_id == roll.id, RollCorrection.membership_id == membership.id)
        .order_by(RollCorrection.id.desc())
        .limit(1)
    )
    if entry is not None:
        facts = MemberFacts(
            membership.joined_on,
            membership.ended_on,
            entry.shares_issued,
            entry.shares_paid,
            entry.category,
        )
    else:
        facts = member_facts(session, membership, roll.record_date)
    return standing_on(
        is_listed=entry is not None,
        was_removed=last == CorrectionAction.REMOVED.value,
        facts=facts,
        record_date=roll.record_date,
        objections_until=roll.objections_until,
    )


def member_facts(session: Session, membership: Membership, day: date) -> MemberFacts:
    """What the register says about the membership at the end of ``day``."""
    holding = holdings_on(None, day, [membership.id])
    row = session.execute(select(holding.c.issued, holding.c.paid)).one_or_none()
    category = session.scalar(
        select(MembershipCategory.code).where(
            MembershipCategory.membership_id == membership.id,
            MembershipCategory.starts_on <= day,
            or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > day),
        )
    )
    issued, paid = (int(row.issued), int(row.paid)) if row else (0, 0)
    return MemberFacts(membership.joined_on, membership.ended_on, issued, paid, category)


# -- inside -----------------------------------------------------------------------------------


def _eligible(cooperative_id: int, day: date, membership_id: int | None = None) -> Any:
    """The members who are on a roll of ``day``: the SQL form of ``rules.roll.obstacles_on``."""
    holding = holdings_on(cooperative_id, day, None if membership_id is None else [membership_id])
    delegate = aliased(Person)
    query = (
        select(
            Membership.id,
            Membership.member_number,
            Membership.language,
            Membership.email,
            Membership.street,
            Membership.postal_code,
            Membership.town,
            Membership.country,
            Membership.sort_name,
            Person.given_name,
            Person.family_name,
            Organisation.name.label("organisation"),
            delegate.given_name.label("delegate_given_name"),
            delegate.family_name.label("delegate_family_name"),
            MembershipCategory.code.label("category"),
            holding.c.issued,
            holding.c.paid,
        )
        .join(holding, holding.c.membership_id == Membership.id)
        .join(
            MembershipCategory,
            (MembershipCategory.membership_id == Membership.id)
            & (MembershipCategory.starts_on <= day)
            & or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > day),
        )
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(
            Representative,
            (Representative.organisation_id == Organisation.id)
            & (Representative.starts_on <= day)
            & or_(Representative.ends_on.is_(None), Representative.ends_on > day),
        )
        .outerjoin(delegate, Representative.person_id == delegate.id)
        .where(
            Membership.cooperative_id == cooperative_id,
            Membership.joined_on <= day,
            or_(Membership.ended_on.is_(None), Membership.ended_on > day),
            holding.c.paid >= 1,
        )
    )
    return query if membership_id is None else query.where(Membership.id == membership_id)


def _entry_values(row: Row[Any]) -> dict[str, Any]:
    """The columns of a roll entry (without its roll) from one row of ``_eligible``."""
    is_person = row.organisation is None
    name = f"{row.given_name} {row.family_name}".strip() if is_person else row.organisation
    delegate = f"{row.delegate_given_name or ''} {row.delegate_family_name or ''}".strip()
    return {
        "membership_id": row.id,
        "member_number": row.member_number,
        "display_name": name,
        "kind": (MemberKind.NATURAL if is_person else MemberKind.LEGAL).value,
        "category": row.category,
        "shares_issued": int(row.issued),
        "shares_paid": int(row.paid),
        "language": row.language,
        "email": row.email,
        "representative": delegate,
        "address": {
            "street": row.street,
            "postal_code": row.postal_code,
            "town": row.town,
            "country": row.country,
        },
        "sort_name": row.sort_name,
        "search_text": search_text(row.member_number, name, delegate),
    }


def _line_of(values: dict[str, Any]) -> RollLine:
    return RollLine(
        values["member_number"],
        values["display_name"],
        values["kind"],
        values["category"],
        values["shares_issued"],
        values["shares_paid"],
    )


def _lines(session: Session, roll: Roll) -> Iterator[RollLine]:
    query = select(
        RollEntry.member_number,
        RollEntry.display_name,
        RollEntry.kind,
        RollEntry.category,
        RollEntry.shares_issued,
        RollEntry.shares_paid,
    ).where(RollEntry.roll_id == roll.id)
    return (RollLine(*row) for row in session.execute(query))


def _entry_of(session: Session, roll: Roll, membership_id: int) -> RollEntry | None:
    return session.scalar(
        select(RollEntry).where(
            RollEntry.roll_id == roll.id, RollEntry.membership_id == membership_id
        )
    )


def _read_again(
    session: Session, roll: Roll, membership: Membership, entry: RollEntry | None
) -> CorrectionAction:
    row = session.execute(
        _eligible(roll.cooperative_id, roll.record_date, membership.id)
    ).one_or_none()
    if row is None:
        obstacles = obstacles_on(
            member_facts(session, membership, roll.record_date), roll.record_date
        )
        raise RuleViolation(
            " ".join(obstacle_text(item, roll.record_date) for item in obstacles),
            remedy=_("Correct the register first, with the day on which it took effect."),
        )
    values = _entry_values(row)
    if entry is None:
        session.add(RollEntry(roll_id=roll.id, **values))
        return CorrectionAction.ADDED
    changed = {key: value for key, value in values.items() if getattr(entry, key) != value}
    if not changed:
        raise Conflict(
            _(
                "Member %(number)s is on the roll as the register shows it.",
                number=membership.member_number,
            ),
            remedy=_("Nothing needs to be corrected."),
        )
    for key, value in changed.items():
        setattr(entry, key, value)
    return CorrectionAction.UPDATED


def _count_again(session: Session, roll: Roll) -> None:
    lines = list(_lines(session, roll))
    totals = totals_of(lines)
    cooperative = session.get_one(Cooperative, roll.cooperative_id)
    roll.digest = digest_of(canonical_lines(cooperative.code, roll.record_date, lines))
    roll.heads = totals["heads"]
    roll.shares_issued = totals["shares_issued"]
    roll.shares_paid = totals["shares_paid"]
    roll.totals = totals


def _lock_row(session: Session, roll: Roll) -> None:
    """Of two that act on the roll at once, one waits and then sees what the other did."""
    session.flush()
    session.refresh(roll, with_for_update=True)


def _record(session: Session, actor: Actor, roll: Roll, action: str, data: dict[str, Any]) -> None:
    audit.record(
        session,
        actor,
        f"register:roll:{action}",
        cooperative_id=roll.cooperative_id,
        subject=f"roll:{roll.public_id}",
        data={"heads": roll.heads, **data},
    )


def corrections_of(roll: Roll) -> Select[Any]:
    """The statement that selects the corrections of a roll, newest first."""
    return (
        select(RollCorrection)
        .where(RollCorrection.roll_id == roll.id)
        .order_by(RollCorrection.id.desc())
    )
