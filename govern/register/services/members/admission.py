"""Admitting a person or an organisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules import values
from govern.register.rules.folding import email_key, fold, name_key, number_key
from govern.register.services.chain import lock_register
from govern.register.services.ledger import record_payment, refuse_on_hold, subscribe_shares
from govern.register.services.ledger.twice import A_MOMENT
from govern.register.services.members.checking import (
    Contact,
    check_category,
    check_contact,
    checked_enterprise_number,
    checked_name,
    make_person,
    put_contact,
    read_value,
)
from govern.register.services.members.finding import (
    index_membership,
    membership_by_number,
    next_member_number,
)


@dataclass(frozen=True)
class NewMember:
    """Who is to be admitted. A person has a given name; an organisation an enterprise number.

    ``person_id`` or ``organisation_id`` names a holder who is in the register already, for example
    a former member: then there is no second one, and the names given here are not read.
    """

    member_number: str
    joined_on: date
    category: str
    contact: Contact
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None
    organisation_name: str = ""
    enterprise_number: str = ""
    representative_given_name: str = ""
    representative_family_name: str = ""
    shares: int = 0
    paid_cents: int = 0
    accept_duplicate: bool = False
    person_id: int | None = None
    organisation_id: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_organisation(self) -> bool:
        return bool(self.organisation_name) or self.organisation_id is not None


class PossibleDuplicate(Conflict):
    """Somebody like this is in the register already; the registrar says whether it is another."""


def add_member(
    session: Session, actor: Actor, cooperative: Cooperative, new: NewMember
) -> Membership:
    """Admit a person or an organisation, with shares subscribed and paid on the joining day.

    ``member_number`` empty: the next free number. Raises InvalidInput naming the field,
    Conflict for a number in use, or a holder named who has a membership then or later;
    PossibleDuplicate unless ``accept_duplicate``, which says that it is somebody else.
    """
    actor.require(Permission.REGISTER_WRITE, cooperative.id)
    lock_register(session, cooperative.id)
    refuse_on_hold(cooperative)
    contact = check_contact(new.contact)
    if new.joined_on > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("%(day)s lies ahead.", day=in_words(new.joined_on)),
            remedy=_("A member is recorded on the day of admission or later."),
            field="joined_on",
        )
    check_category(session, cooperative, new.category, new.joined_on)
    number = _check_number(session, cooperative, new.member_number)
    if not new.accept_duplicate:
        refuse_duplicates(session, cooperative, new)
    _refuse_second_membership(session, cooperative, new)
    if actor.account_id is not None:
        _refuse_twice(session, cooperative, new)
    holder = _holder(session, cooperative, new, contact)
    now = clock.now()
    membership = Membership(
        cooperative_id=cooperative.id,
        member_number=number,
        number_key=number_key(number),
        person=holder if isinstance(holder, Person) else None,
        organisation=holder if isinstance(holder, Organisation) else None,
        joined_on=new.joined_on,
        sort_name="",
        search_text="",
        created_at=now,
        changed_at=now,
    )
    put_contact(membership, contact)
    session.add(membership)
    session.flush()
    session.add(
        MembershipCategory(
            membership_id=membership.id,
            code=new.category,
            starts_on=new.joined_on,
            recorded_at=now,
        )
    )
    session.flush()
    index_membership(session, membership)
    audit.record(
        session,
        actor,
        "register:membership:added",
        cooperative_id=cooperative.id,
        subject=f"membership:{membership.public_id}",
    )
    if new.shares:
        subscribe_shares(session, actor, membership, new.shares, new.joined_on)
    if new.paid_cents:
        record_payment(session, actor, membership, new.paid_cents, new.joined_on)
    return membership


def refuse_duplicates(session: Session, cooperative: Cooperative, new: NewMember) -> None:
    """Raise PossibleDuplicate when the register has somebody like ``new``, naming the number."""
    query = select(Membership).where(Membership.cooperative_id == cooperative.id)
    alike = []
    if new.contact.email.strip():
        alike.append(Membership.email_key == email_key(new.contact.email))
    if new.is_organisation:
        compact = checked_enterprise_number(
            new.enterprise_number, new.contact.country or cooperative.country
        )
        query = query.outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        alike.append(Organisation.enterprise_number == compact)
    elif new.birth_date is not None:
        query = query.outerjoin(Person, Membership.person_id == Person.id)
        alike.append(
            (Person.name_key == name_key(new.given_name, new.family_name))
            & (Person.birth_date == new.birth_date)
        )
    if not alike:
        return
    found = session.scalars(query.where(or_(*alike)).limit(1)).first()
    if found is not None:
        raise PossibleDuplicate(
            _(
                "Member %(number)s, %(name)s, has the same e-mail address, the same name and "
                "birth date, or the same enterprise number.",
                number=found.member_number,
                name=found.display_name,
            ),
            remedy=_("Look at that member first. If it is somebody else, say so below."),
            field="accept_duplicate",
        )


def _refuse_twice(session: Session, cooperative: Cooperative, new: NewMember) -> None:
    """Raise Conflict for a form that is sent twice, also where it says that it is somebody else."""
    name = new.organisation_name or f"{new.family_name} {new.given_name}"
    email = email_key(new.contact.email) if new.contact.email.strip() else None
    number = session.scalar(
        select(Membership.member_number)
        .outerjoin(Person, Membership.person_id == Person.id)
        .where(
            Membership.cooperative_id == cooperative.id,
            Membership.sort_name == fold(name),
            Membership.created_at > clock.now() - A_MOMENT,
            Membership.joined_on == new.joined_on,
            Membership.email_key.is_not_distinct_from(email),
            Person.birth_date.is_not_distinct_from(new.birth_date),
        )
        .limit(1)
    )
    if number is not None:
        raise Conflict(
            _("The same was recorded a moment ago: member %(number)s.", number=number),
            remedy=_("If it is somebody else of that name, admit them in a minute."),
        )


def _refuse_second_membership(session: Session, cooperative: Cooperative, new: NewMember) -> None:
    """One person, one membership at a time: otherwise they would stand on a roll twice."""
    if new.person_id is not None:
        holder = Membership.person_id == new.person_id
    elif new.organisation_id is not None:
        holder = Membership.organisation_id == new.organisation_id
    else:
        return
    found = session.scalars(
        select(Membership)
        .where(
            Membership.cooperative_id == cooperative.id,
            holder,
            or_(Membership.ended_on.is_(None), Membership.ended_on > new.joined_on),
        )
        .limit(1)
    ).first()
    if found is not None:
        raise Conflict(
            _(
                "%(name)s has a membership on that day or later, under number %(number)s.",
                name=found.display_name,
                number=found.member_number,
            ),
            remedy=_("Record the shares on that membership."),
        )


def _holder(
    session: Session, cooperative: Cooperative, new: NewMember, contact: Contact
) -> Person | Organisation:
    if new.person_id is not None:
        return session.get_one(Person, new.person_id)
    if new.organisation_id is not None:
        return session.get_one(Organisation, new.organisation_id)
    if new.is_organisation:
        return _make_organisation(session, cooperative, new, contact)
    return make_person(session, new.given_name, new.family_name, new.birth_date)


def _make_organisation(
    session: Session, cooperative: Cooperative, new: NewMember, contact: Contact
) -> Organisation:
    country = contact.country or cooperative.country
    organisation = Organisation(
        name=checked_name(new.organisation_name, 250, "organisation_name"),
        enterprise_number=checked_enterprise_number(new.enterprise_number, country),
        country=country,
        created_at=clock.now(),
    )
    session.add(organisation)
    session.flush()
    person = make_person(
        session,
        new.representative_given_name,
        new.representative_family_name,
        None,
        prefix="representative_",
    )
    session.add(
        Representative(
            organisation_id=organisation.id,
            person_id=person.id,
            starts_on=new.joined_on,
            recorded_at=clock.now(),
        )
    )
    session.flush()
    return organisation


def _check_number(session: Session, cooperative: Cooperative, member_number: str) -> str:
    if not member_number.strip():
        return next_member_number(session, cooperative.id)
    number: str = read_value("member_number", values.read_member_number, member_number)
    if membership_by_number(session, cooperative.id, number) is not None:
        raise Conflict(
            _("The member number %(number)s is in use.", number=number),
            remedy=_("Leave the field empty to take the next free number."),
            field="member_number",
        )
    return number
