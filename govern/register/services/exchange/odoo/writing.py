"""Writing a plan: members, categories, endings and ledger entries, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.database import make_public_id
from govern.register.importing.odoo.plan import OdooPlan, PlannedMember
from govern.register.importing.rows import RegisterRow
from govern.register.models import (
    EndReason,
    EntryKind,
    HolderOpening,
    Membership,
    MembershipCategory,
)
from govern.register.services.bulk import insert_rows
from govern.register.services.chain import NewEntry, append_entries, commitment_for
from govern.register.services.import_register import import_context, insert_members


def write_plan(session: Session, actor: Actor, cooperative: Cooperative, plan: OdooPlan) -> None:
    """Write all of ``plan``; the caller holds the lock of the register, and commits."""
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
