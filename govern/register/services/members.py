"""What happens to memberships: admission, contact data, category, representative, ending."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Category
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, GovernError, InvalidInput, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    EndReason,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules import values
from govern.register.rules.folding import email_key, fold, name_key, number_key, search_text
from govern.register.services.chain import commitment_for, lock_register
from govern.register.services.ledger import record_payment, refuse_on_hold, subscribe_shares
from govern.register.texts import problem_text


@dataclass(frozen=True)
class Contact:
    """How a member is reached: what a registrar may change at any time."""

    language: str
    email: str = ""
    street: str = ""
    postal_code: str = ""
    town: str = ""
    country: str = ""


@dataclass(frozen=True)
class NewMember:
    """Who is to be admitted. A person has a given name; an organisation an enterprise number."""

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
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_organisation(self) -> bool:
        return bool(self.organisation_name)


class PossibleDuplicate(Conflict):
    """Somebody like this is in the register already; the registrar says whether it is another."""


def add_member(
    session: Session, actor: Actor, cooperative: Cooperative, new: NewMember
) -> Membership:
    """Admit a person or an organisation, with shares subscribed and paid on the joining day.

    ``member_number`` empty: the next free number. Raises InvalidInput naming the field,
    Conflict for a number in use, PossibleDuplicate unless ``accept_duplicate``.
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
    _check_category(session, cooperative, new.category, new.joined_on)
    number = _check_number(session, cooperative, new.member_number)
    if not new.accept_duplicate:
        refuse_duplicates(session, cooperative, new)
    holder: Person | Organisation = (
        _make_organisation(session, cooperative, new, contact)
        if new.is_organisation
        else make_person(session, new.given_name, new.family_name, new.birth_date)
    )
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
    _put_contact(membership, contact)
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


def change_contact(
    session: Session, actor: Actor, membership: Membership, contact: Contact
) -> list[str]:
    """Change how the member is reached; the names of the fields that changed (may be empty)."""
    _open_membership(session, actor, membership)
    contact = check_contact(contact)
    changed = _put_contact(membership, contact)
    if changed:
        membership.changed_at = clock.now()
        index_membership(session, membership)
        _record(session, actor, membership, "contact_changed", {"fields": changed})
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
    """Correct the name, birth date or enterprise number; the ledger keeps both statements."""
    _open_membership(session, actor, membership)
    if membership.person is not None:
        person = membership.person
        person.given_name = _name(given_name, 120, "given_name")
        person.family_name = _name(family_name, 120, "family_name")
        person.birth_date = birth_date
        person.name_key = name_key(person.given_name, person.family_name)
    elif membership.organisation is not None:
        organisation = membership.organisation
        organisation.name = _name(organisation_name, 250, "organisation_name")
        organisation.enterprise_number = _enterprise_number(enterprise_number, organisation.country)
    membership.changed_at = clock.now()
    index_membership(session, membership)
    commitment_for(session, membership)
    _record(session, actor, membership, "identity_corrected", {})


def change_category(
    session: Session, actor: Actor, membership: Membership, code: str, starts_on: date
) -> MembershipCategory:
    """Give the member another category from ``starts_on``; the earlier one ends there.

    Raises RuleViolation for a day before the present category began or in the future.
    """
    cooperative = _open_membership(session, actor, membership)
    _check_category(session, cooperative, code, starts_on)
    current = session.scalars(
        select(MembershipCategory).where(
            MembershipCategory.membership_id == membership.id, MembershipCategory.ends_on.is_(None)
        )
    ).one()
    if current.code == code:
        raise Conflict(
            _("Member %(number)s has that category already.", number=membership.member_number),
            remedy=_("Choose another category."),
            field="category",
        )
    _refuse_future(cooperative, starts_on)
    if starts_on <= current.starts_on:
        raise RuleViolation(
            _("The present category began on %(day)s.", day=in_words(current.starts_on)),
            remedy=_("Give a later day."),
            field="starts_on",
        )
    current.ends_on = starts_on
    session.flush()
    row = MembershipCategory(
        membership_id=membership.id, code=code, starts_on=starts_on, recorded_at=clock.now()
    )
    session.add(row)
    membership.changed_at = clock.now()
    session.flush()
    _record(session, actor, membership, "category_changed", {"code": code})
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
    """Name the one person who votes for the organisation from ``starts_on``.

    Either by name (a person of whom the register knows nothing else), or by the member number of
    a natural person in the same register, who then signs in once for both.
    """
    cooperative = _open_membership(session, actor, membership)
    if membership.organisation is None:
        raise RuleViolation(
            _(
                "Member %(number)s is a person, who votes personally.",
                number=membership.member_number,
            ),
            remedy=_("Only organisations have a representative."),
        )
    _refuse_future(cooperative, starts_on)
    person = (
        _person_of_member(session, cooperative, member_number)
        if member_number.strip()
        else make_person(session, given_name, family_name, None, prefix="representative_")
    )
    current = session.scalar(
        select(Representative).where(
            Representative.organisation_id == membership.organisation_id,
            Representative.ends_on.is_(None),
        )
    )
    if current is not None:
        if starts_on < current.starts_on:
            raise RuleViolation(
                _("The present representative began on %(day)s.", day=in_words(current.starts_on)),
                remedy=_("Give that day or a later one."),
                field="starts_on",
            )
        current.ends_on = starts_on
        session.flush()
    row = Representative(
        organisation_id=membership.organisation_id,
        person_id=person.id,
        starts_on=starts_on,
        recorded_at=clock.now(),
    )
    session.add(row)
    membership.changed_at = clock.now()
    session.flush()
    index_membership(session, membership)
    _record(session, actor, membership, "representative_changed", {})
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
    cooperative = _open_membership(session, actor, membership)
    if membership.ended_on is not None:
        raise Conflict(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.ended_on),
            ),
            remedy=_("Nothing needs to be done."),
        )
    _refuse_future(cooperative, ended_on)
    if ended_on < membership.joined_on:
        raise RuleViolation(
            _(
                "Member %(number)s joined only on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.joined_on),
            ),
            remedy=_("Give that day or a later one."),
            field="ended_on",
        )
    membership.ended_on = ended_on
    membership.end_reason = reason.value
    membership.end_note = values.tidy_lines(note)[:2000]
    membership.changed_at = clock.now()
    session.flush()
    _record(session, actor, membership, "ended", {"reason": reason.value})


# -- shared with the import -------------------------------------------------------------------


def index_membership(session: Session, membership: Membership) -> None:
    """Fold again what is searched and sorted, after a change."""
    session.flush()
    representative = ""
    if membership.organisation_id is not None:
        row = session.scalar(
            select(Representative).where(
                Representative.organisation_id == membership.organisation_id,
                Representative.ends_on.is_(None),
            )
        )
        representative = row.person.name if row else ""
    person, organisation = membership.person, membership.organisation
    membership.sort_name = (
        fold(f"{person.family_name} {person.given_name}")
        if person is not None
        else fold(membership.display_name)
    )
    membership.search_text = member_search_text(
        membership.member_number,
        membership.display_name,
        representative,
        membership.email or "",
        membership.town,
        organisation.enterprise_number if organisation else "",
    )
    session.flush()


def member_search_text(
    number: str, name: str, representative: str, email: str, town: str, enterprise_number: str
) -> str:
    """What a search for a member looks through."""
    return search_text(number, name, representative, email, town, enterprise_number)


def check_contact(contact: Contact) -> Contact:
    """The contact data tidied. Raises InvalidInput naming the field."""
    email = values.tidy(contact.email)
    country = values.tidy(contact.country)
    if email:
        email = _read("email", values.read_email, email)
    if country:
        country = _read("country", values.read_country, country)
    if contact.language not in LOCALES:
        raise _invalid("language", "language_unknown", contact.language)
    return Contact(
        language=contact.language,
        email=email,
        street=_bounded(values.tidy_lines(contact.street), 250, "street"),
        postal_code=_bounded(values.tidy(contact.postal_code), 20, "postal_code"),
        town=_bounded(values.tidy(contact.town), 120, "town"),
        country=country,
    )


def make_person(
    session: Session,
    given_name: str,
    family_name: str,
    birth_date: date | None,
    *,
    prefix: str = "",
) -> Person:
    """Add a natural person. InvalidInput names the field that is missing or too long."""
    given = _name(given_name, 120, f"{prefix}given_name")
    family = _name(family_name, 120, f"{prefix}family_name")
    person = Person(
        given_name=given,
        family_name=family,
        birth_date=birth_date,
        name_key=name_key(given, family),
        created_at=clock.now(),
    )
    session.add(person)
    session.flush()
    return person


def refuse_duplicates(session: Session, cooperative: Cooperative, new: NewMember) -> None:
    """Raise PossibleDuplicate when the register has somebody like ``new``, naming the number."""
    query = select(Membership).where(Membership.cooperative_id == cooperative.id)
    alike = []
    if new.contact.email.strip():
        alike.append(Membership.email_key == email_key(new.contact.email))
    if new.is_organisation:
        compact = _enterprise_number(
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


def next_member_number(session: Session, cooperative_id: int) -> str:
    """One more than the highest number made of digits only (at most 18 of them)."""
    highest = 0
    query = select(Membership.member_number).where(Membership.cooperative_id == cooperative_id)
    for number in session.scalars(query):
        if number.isdecimal() and len(number) <= 18:
            highest = max(highest, int(number))
    return str(highest + 1)


def membership_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> Membership:
    """The membership of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(Membership).where(
            Membership.public_id == public_id, Membership.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such member in this register."), remedy=_("Search the member list.")
        )
    return found


def membership_by_number(
    session: Session, cooperative_id: int, member_number: str
) -> Membership | None:
    """The membership with that number, or None."""
    return session.scalar(
        select(Membership).where(
            Membership.cooperative_id == cooperative_id,
            Membership.member_number == values.tidy(member_number),
        )
    )


def categories_on(session: Session, cooperative_id: int, day: date) -> tuple[Category, ...]:
    """The categories of the rule set in force on ``day``."""
    return rules_on(session, cooperative_id, day)[1].categories


# -- inside -----------------------------------------------------------------------------------


def _open_membership(session: Session, actor: Actor, membership: Membership) -> Cooperative:
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    return session.get_one(Cooperative, membership.cooperative_id)


def _put_contact(membership: Membership, contact: Contact) -> list[str]:
    wanted: dict[str, str | None] = {
        "language": contact.language,
        "email": contact.email or None,
        "street": contact.street,
        "postal_code": contact.postal_code,
        "town": contact.town,
        "country": contact.country,
    }
    changed = [name for name, value in wanted.items() if getattr(membership, name) != value]
    for name in changed:
        setattr(membership, name, wanted[name])
    membership.email_key = email_key(contact.email) if contact.email else None
    return changed


def _make_organisation(
    session: Session, cooperative: Cooperative, new: NewMember, contact: Contact
) -> Organisation:
    country = contact.country or cooperative.country
    organisation = Organisation(
        name=_name(new.organisation_name, 250, "organisation_name"),
        enterprise_number=_enterprise_number(new.enterprise_number, country),
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


def _person_of_member(session: Session, cooperative: Cooperative, member_number: str) -> Person:
    found = membership_by_number(session, cooperative.id, member_number)
    if found is None or found.person is None:
        raise InvalidInput(
            _("No person has the member number “%(number)s”.", number=member_number[:40]),
            remedy=_("Give the number of a natural person, or write the name instead."),
            field="member_number",
        )
    return found.person


def _check_number(session: Session, cooperative: Cooperative, member_number: str) -> str:
    if not member_number.strip():
        return next_member_number(session, cooperative.id)
    number: str = _read("member_number", values.read_member_number, member_number)
    if membership_by_number(session, cooperative.id, number) is not None:
        raise Conflict(
            _("The member number %(number)s is in use.", number=number),
            remedy=_("Leave the field empty to take the next free number."),
            field="member_number",
        )
    return number


def _check_category(session: Session, cooperative: Cooperative, code: str, day: date) -> None:
    known = categories_on(session, cooperative.id, day)
    if code not in [category.code for category in known]:
        raise InvalidInput(
            _(
                "“%(code)s” was not a category on %(day)s.",
                code=code[:20],
                day=in_words(day),
            ),
            remedy=_(
                "Choose one of: %(known)s.", known=", ".join(category.code for category in known)
            ),
            field="category",
        )


def _refuse_future(cooperative: Cooperative, day: date) -> None:
    if day > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("%(day)s lies ahead.", day=in_words(day)),
            remedy=_("Record it on the day on which it happens, or later."),
            field="effective_on",
        )


def _name(text: str, limit: int, field_name: str) -> str:
    name = values.tidy(text)
    if not name:
        raise InvalidInput(_("A name is missing."), remedy=_("Write the name."), field=field_name)
    return _bounded(name, limit, field_name)


def _bounded(text: str, limit: int, field_name: str) -> str:
    if len(text) > limit:
        raise _invalid(field_name, "too_long", text, limit=limit)
    return text


def _enterprise_number(text: str, country: str) -> str:
    try:
        return values.read_enterprise_number(text, country)
    except values.Unreadable as error:
        raise _invalid("enterprise_number", error.code, text, **error.params) from error


def _read(field_name: str, reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except values.Unreadable as error:
        raise _invalid(field_name, error.code, text, **error.params) from error


def _invalid(field_name: str, code: str, value: str, **params: Any) -> GovernError:
    words = problem_text(code, {"value": value[:80], **params})
    return InvalidInput(words.sentence, remedy=words.remedy, field=field_name)


def _record(
    session: Session, actor: Actor, membership: Membership, action: str, data: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        f"register:membership:{action}",
        cooperative_id=membership.cooperative_id,
        subject=f"membership:{membership.public_id}",
        data=data,
    )
