"""What is checked about a form of joining; errors name the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from govern.cooperatives.rules import Rules, ShareClass
from govern.errors import GovernError, InvalidInput
from govern.joining.rules import OLDEST_BIRTH, classes_for, shares_for_joining
from govern.register.services.members import Contact, check_contact
from govern.register.services.members.checking import checked_enterprise_number, checked_name

LANGUAGE_OF_NOBODY = "en"
"""Where only the rest of a contact is looked at."""


def wrong_values(
    email: str,
    country: str,
    enterprise_number: str,
    *,
    names: Mapping[str, str],
    birth_date: date | None,
    category: str,
    share_class: str,
    shares: int | None,
    rules: Rules,
    today: date,
) -> list[GovernError]:
    """Everything that is wrong with values that can be told at sight, each by itself.

    ``names`` by their fields. "" and None are not looked at: the form asks for what is missing.
    """
    found: list[GovernError] = []

    def look(check: Callable[..., object], *values: Any) -> None:
        try:
            check(*values)
        except GovernError as error:
            found.append(error)

    for field, name in names.items():
        if name:
            look(checked_name, name, 250, field)
    if birth_date is not None:
        look(check_birth_date, birth_date, today)
    look(check_contact, Contact(language=LANGUAGE_OF_NOBODY, email=email))
    look(_check_seat, country, enterprise_number)
    if category:
        look(_chosen_class, rules, category, share_class)
    if shares is not None:
        look(_check_number, rules, shares)
    return found


def _check_seat(country: str, enterprise_number: str) -> None:
    where = check_contact(Contact(language=LANGUAGE_OF_NOBODY, country=country)).country
    if enterprise_number and where:
        checked_enterprise_number(enterprise_number, where)


def check_shares(rules: Rules, category: str, share_class: str, shares: int) -> ShareClass:
    """The class of shares that is asked for. Raises InvalidInput naming the field."""
    chosen = _chosen_class(rules, category, share_class)
    _check_number(rules, shares)
    return chosen


def _chosen_class(rules: Rules, category: str, share_class: str) -> ShareClass:
    if category not in [item.code for item in rules.categories]:
        raise InvalidInput(
            _("Choose the category that fits you."),
            remedy=_("The explanation stands beside each of them."),
            field="category",
        )
    allowed = classes_for(rules.share_classes, category)
    chosen = [item for item in allowed if item.code == share_class or not share_class]
    if not chosen:
        raise InvalidInput(
            _("Members of this category cannot hold shares of that class."),
            remedy=_("Choose another class of shares."),
            field="share_class",
        )
    return chosen[0]


def _check_number(rules: Rules, shares: int) -> None:
    wanted = shares_for_joining(rules.joining)
    if not wanted.holds(shares):
        raise InvalidInput(
            _(
                "The number of shares must be between %(least)s and %(most)s.",
                least=format_decimal(wanted.least),
                most=format_decimal(wanted.most),
            ),
            remedy=_("Write another number."),
            field="shares",
        )


def checked_address(contact: Contact) -> Contact:
    """The contact data tidied. Raises InvalidInput naming the field that is wrong or missing."""
    checked = check_contact(contact)
    for field in ("email", "street", "postal_code", "town", "country"):
        if not getattr(checked, field):
            raise InvalidInput(
                _("This is needed."),
                remedy=_("The law asks for the address of every member."),
                field=field,
            )
    return checked


def check_birth_date(birth_date: date | None, today: date) -> None:
    """InvalidInput where nobody alive was born on that day, or none is given."""
    if birth_date is None or not OLDEST_BIRTH <= birth_date <= today:
        raise InvalidInput(
            _("Nobody alive was born on that day."),
            remedy=_("Check the year of your birth date."),
            field="birth_date",
        )
