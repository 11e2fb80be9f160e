"""Reading rolls: their bytes, whose entries they hold, how a member stands towards one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, NotFound
from govern.register.models import (
    CorrectionAction,
    Membership,
    MembershipCategory,
    Person,
    Representative,
    Roll,
    RollCorrection,
    RollEntry,
)
from govern.register.rules.roll import (
    MemberFacts,
    Standing,
    canonical_lines_in_order,
    digest_of,
    standing_on,
)
from govern.register.services.holdings import holdings_on
from govern.register.services.rolls.entries import entry_of, roll_lines


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
    return canonical_lines_in_order(cooperative.code, roll.record_date, roll_lines(session, roll))


def held_twice(session: Session, roll: Roll) -> list[list[RollEntry]]:
    """Entries of one and the same holder, two or more each: one person would have two votes.

    The ledger and the quorum count shares by membership; votes are counted by entry. So nobody
    may have two, whoever found out too late that two memberships are one person's.
    """
    entries = (
        select(RollEntry, Membership.person_id, Membership.organisation_id)
        .join(Membership, Membership.id == RollEntry.membership_id)
        .where(RollEntry.roll_id == roll.id)
    )
    found: dict[tuple[int | None, int | None], list[RollEntry]] = {}
    for holder in (Membership.person_id, Membership.organisation_id):
        # Only a holder with two memberships can stand on the roll twice: there are few of them.
        several = (
            select(holder)
            .where(Membership.cooperative_id == roll.cooperative_id, holder.is_not(None))
            .group_by(holder)
            .having(func.count() > 1)
        )
        ids = select(Membership.id).where(
            Membership.cooperative_id == roll.cooperative_id, holder.in_(several)
        )
        for entry, person_id, organisation_id in session.execute(
            entries.where(RollEntry.membership_id.in_(ids)).order_by(RollEntry.id)
        ):
            found.setdefault((person_id, organisation_id), []).append(entry)
    return [group for group in found.values() if len(group) > 1]


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
    entry = entry_of(session, roll, membership.id)
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


def corrections_of(roll: Roll) -> Select[Any]:
    """The statement that selects the corrections of a roll, newest first."""
    return (
        select(RollCorrection)
        .where(RollCorrection.roll_id == roll.id)
        .order_by(RollCorrection.id.desc())
    )
