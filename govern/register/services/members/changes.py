"""What changes during a membership: contact, name, category, representative, ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    EndReason,
    Membership,
    MembershipCategory,
    Person,
    Representative,
)
from govern.register.rules import values
from govern.register.rules.folding import name_key
from govern.register.services.chain import commitment_for, has_openings, lock_register
from govern.register.services.concerned import require_own
from govern.register.services.members.checking import (
    Contact,
    check_birth_date,
    check_category,
    check_contact,
    checked_enterprise_number,
    checked_name,
    make_person,
    put_contact,
    refuse_future,
)
from govern.register.services.members.finding import (
    index_membership,
    membership_by_number,
    open_membership,
    record_change,
)
from govern.register.services.members.representatives import put_representative
from govern.register.services.telling import mail_member


def change_contact(
    session: Session, actor: Actor, membership: Membership, contact: Contact
) -> list[str]:
    """Change how the member is reached; the names of the fields that changed (may be empty)."""
    open_membership(session, actor, membership)
    return _put_contact(session, actor, membership, contact)


def change_own_address(
    session: Session, actor: Actor, membership: Membership, contact: Contact
) -> list[str]:
    """A member moves: another postal address or language, and the fields that changed.

    Whoever represents an organisation may do it for that. The e-mail address stays, whatever
    ``contact`` says: the change is told there, so that nobody else moves a member's letters.
    Raises Forbidden for anybody else, InvalidInput for a value that cannot be read.
    """
    require_own(session, actor, membership)
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    contact = replace(contact, email=membership.email or "")
    changed = _put_contact(session, actor, membership, contact)
    if changed:
        cooperative = session.get_one(Cooperative, membership.cooperative_id)
        mail_member(
            session,
            membership,
            "member_moved",
            {"cooperative": cooperative.name, "email": cooperative.email},
            dedupe_key=f"member_moved:{membership.public_id}:{clock.now().isoformat()}",
            category="register",
        )
    return changed


def _put_contact(
    session: Session, actor: Actor, membership: Membership, contact: Contact
) -> list[str]:
    contact = check_contact(contact)
    changed = put_contact(membership, contact)
    if changed:
        membership.changed_at = clock.now()
        index_membership(session, membership)
        record_change(session, actor, membership, "contact_changed", {"fields": changed})
    return changed


def change_identity(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    given_name: str = "",
    family_name: str = "",
    birth_date: date | None = None,
    organisation_name: str = "",
    enterprise_number: str = "",
) -> None:
    """Correct the name, birth date or enterprise number; the ledger keeps both statements.

    Every membership of the holder shows it, former ones and those elsewhere too, and its ledger
    commits to it: whoever asks must keep the register of each.
    """
    others = _others_of_holder(session, membership)
    for cooperative_id in sorted({row.cooperative_id for row in (membership, *others)}):
        actor.require(Permission.REGISTER_WRITE, cooperative_id)
        lock_register(session, cooperative_id)
    open_membership(session, actor, membership)
    if membership.person is not None:
        person = membership.person
        check_birth_date(birth_date)
        person.given_name = checked_name(given_name, 120, "given_name")
        person.family_name = checked_name(family_name, 120, "family_name")
        person.birth_date = birth_date
        person.name_key = name_key(person.given_name, person.family_name)
    elif membership.organisation is not None:
        organisation = membership.organisation
        organisation.name = checked_name(organisation_name, 250, "organisation_name")
        organisation.enterprise_number = checked_enterprise_number(
            enterprise_number, organisation.country
        )
    membership.changed_at = clock.now()
    index_membership(session, membership)
    commitment_for(session, membership)
    for row in others:
        index_membership(session, row)
        if has_openings(session, row):
            commitment_for(session, row)
    record_change(session, actor, membership, "identity_corrected", {})


def change_category(
    session: Session, actor: Actor, membership: Membership, code: str, starts_on: date
) -> MembershipCategory:
    """Give the member another category from ``starts_on``; the earlier one ends there.

    Raises RuleViolation for a day before the present category began, outside of the membership or
    in the future.
    """
    cooperative = open_membership(session, actor, membership)
    check_category(session, cooperative, code, starts_on)
    current = session.scalars(
        select(MembershipCategory).where(
            MembershipCategory.membership_id == membership.id, MembershipCategory.ends_on.is_(None)
        )
    ).one_or_none()
    if current is not None and current.code == code:
        raise Conflict(
            _("Member %(number)s has that category already.", number=membership.member_number),
            remedy=_("Choose another category."),
            field="category",
        )
    refuse_future(cooperative, starts_on, "starts_on")
    refuse_outside(membership, starts_on, "starts_on")
    if current is not None and starts_on <= current.starts_on:
        raise RuleViolation(
            _("The present category began on %(day)s.", day=in_words(current.starts_on)),
            remedy=_("Give a later day."),
            field="starts_on",
        )
    if current is not None:
        current.ends_on = starts_on
    session.flush()
    row = MembershipCategory(
        membership_id=membership.id, code=code, starts_on=starts_on, recorded_at=clock.now()
    )
    session.add(row)
    membership.changed_at = clock.now()
    session.flush()
    record_change(session, actor, membership, "category_changed", {"code": code})
    return row


def change_representative(
    session: Session,
    actor: Actor,
    membership: Membership,
    starts_on: date,
    *,
    given_name: str = "",
    family_name: str = "",
    member_number: str = "",
) -> Representative:
    """Name the one person who votes for the organisation from ``starts_on``, past or to come.

    Whoever represented it that day does so until then; the new one does until the next change
    that is recorded already (``representatives.put_representative``). Either by name (a person of
    whom the register knows nothing else), or by the member number of a natural person in the same
    register, who then signs in once for both.
    """
    cooperative = open_membership(session, actor, membership)
    if membership.organisation is None:
        raise RuleViolation(
            _(
                "Member %(number)s is a person, who votes personally.",
                number=membership.member_number,
            ),
            remedy=_("Only organisations have a representative."),
        )
    person = (
        _person_of_member(session, cooperative, member_number)
        if member_number.strip()
        else make_person(session, given_name, family_name, None, prefix="representative_")
    )
    row = put_representative(session, membership, person, starts_on)
    membership.changed_at = clock.now()
    session.flush()
    index_membership(session, membership)
    record_change(
        session,
        actor,
        membership,
        "representative_changed",
        {"from": starts_on.isoformat(), "until": row.ends_on.isoformat() if row.ends_on else None},
    )
    return row


def end_membership(
    session: Session,
    actor: Actor,
    membership: Membership,
    ended_on: date,
    reason: EndReason,
    note: str = "",
) -> None:
    """End the membership: from the end of ``ended_on`` it is on no roll. Shares stay in the ledger
    until they are refunded or transferred. Conflict when it has ended already."""
    cooperative = open_membership(session, actor, membership)
    if membership.ended_on is not None:
        raise Conflict(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.ended_on),
            ),
            remedy=_("Nothing needs to be done."),
        )
    refuse_future(cooperative, ended_on, "ended_on")
    refuse_outside(membership, ended_on, "ended_on")
    membership.ended_on = ended_on
    membership.end_reason = reason.value
    membership.end_note = values.tidy_lines(note)[:2000]
    membership.changed_at = clock.now()
    session.flush()
    record_change(session, actor, membership, "ended", {"reason": reason.value})


def _others_of_holder(session: Session, membership: Membership) -> Sequence[Membership]:
    """The other memberships of the same person or organisation, in any cooperative."""
    holder = (
        Membership.person_id == membership.person_id
        if membership.person_id is not None
        else Membership.organisation_id == membership.organisation_id
    )
    return session.scalars(
        select(Membership).where(holder, Membership.id != membership.id).order_by(Membership.id)
    ).all()


def refuse_outside(membership: Membership, day: date, field: str) -> None:
    """Raise RuleViolation for a day on which the membership had not begun or had ended."""
    if day < membership.joined_on:
        raise RuleViolation(
            _(
                "Member %(number)s joined only on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.joined_on),
            ),
            remedy=_("Give that day or a later one."),
            field=field,
        )
    if membership.ended_on is not None and day >= membership.ended_on:
        raise RuleViolation(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.ended_on),
            ),
            remedy=_("Give an earlier day."),
            field=field,
        )


def _person_of_member(session: Session, cooperative: Cooperative, member_number: str) -> Person:
    found = membership_by_number(session, cooperative.id, member_number)
    if found is None or found.person is None:
        raise InvalidInput(
            _("No person has the member number “%(number)s”.", number=member_number[:40]),
            remedy=_("Give the number of a natural person, or write the name instead."),
            field="member_number",
        )
    return found.person
