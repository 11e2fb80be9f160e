"""What is checked about a member before it is written; errors name the field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    Membership,
    Person,
)
from govern.register.rules import values
from govern.register.rules.folding import email_key, name_key
from govern.register.services.members.finding import categories_on
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


def check_contact(contact: Contact) -> Contact:
    """The contact data tidied. Raises InvalidInput naming the field."""
    email = values.tidy(contact.email)
    country = values.tidy(contact.country)
    if email:
        try:
            email = values.read_email(email)
        except values.Unreadable as error:
            raise invalid_value("email", "email_mistyped", email) from error
    if country:
        country = read_value("country", values.read_country, country)
    if contact.language not in LOCALES:
        raise invalid_value("language", "language_unknown", contact.language)
    return Contact(
        language=contact.language,
        email=email,
        street=bounded(values.tidy_lines(contact.street), 250, "street"),
        postal_code=bounded(values.tidy(contact.postal_code), 20, "postal_code"),
        town=bounded(values.tidy(contact.town), 120, "town"),
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
    given = checked_name(given_name, 120, f"{prefix}given_name")
    family = checked_name(family_name, 120, f"{prefix}family_name")
    check_birth_date(birth_date)
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


def check_birth_date(day: date | None) -> None:
    """Raise InvalidInput for somebody who is not born yet."""
    if day is not None and day > clock.today():
        raise invalid_value("birth_date", "birth_in_future", day.isoformat())


def put_contact(membership: Membership, contact: Contact) -> list[str]:
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


def check_category(session: Session, cooperative: Cooperative, code: str, day: date) -> None:
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


def refuse_future(cooperative: Cooperative, day: date, field: str = "effective_on") -> None:
    if day > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("%(day)s lies ahead.", day=in_words(day)),
            remedy=_("Record it on the day on which it happens, or later."),
            field=field,
        )


def checked_name(text: str, limit: int, field_name: str) -> str:
    name = values.tidy(text)
    if not any(letter.isalnum() for letter in name):
        raise InvalidInput(_("A name is missing."), remedy=_("Write the name."), field=field_name)
    return bounded(name, limit, field_name)


def bounded(text: str, limit: int, field_name: str) -> str:
    if len(text) > limit:
        raise invalid_value(field_name, "too_long", text, limit=limit)
    return text


def checked_enterprise_number(text: str, country: str) -> str:
    try:
        return values.read_enterprise_number(text, country)
    except values.Unreadable as error:
        raise invalid_value("enterprise_number", error.code, text, **error.params) from error


def read_value(field_name: str, reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except values.Unreadable as error:
        raise invalid_value(field_name, error.code, text, **error.params) from error


def invalid_value(field_name: str, code: str, value: str, **params: Any) -> GovernError:
    words = problem_text(code, {"value": value[:80], **params})
    return InvalidInput(words.sentence, remedy=words.remedy, field=field_name)
