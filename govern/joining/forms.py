"""What may be typed into the pages of joining: syntax only, the services decide the rest."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import DateField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from govern.i18n import LANGUAGE_NAMES
from govern.register.forms import LANGUAGES, REQUIRED, SharesField


def _text(label: Any, most: int, **kwargs: Any) -> StringField:
    return StringField(label, validators=[DataRequired(REQUIRED), Length(max=most)], **kwargs)


class _PersonNames(FlaskForm):
    """Who a natural person is. Defined first: errors are listed in the order of definition."""

    given_name = _text(_l("Given name"), 120)
    family_name = _text(_l("Family name"), 120)
    birth_date = DateField(
        _l("Birth date"),
        validators=[InputRequired(REQUIRED)],
        description=_l("So that nobody is taken for somebody else of the same name."),
    )


class _OrganisationNames(FlaskForm):
    """Which organisation it is, and who represents it."""

    organisation_name = _text(_l("Name of the organisation"), 250)
    enterprise_number = _text(
        _l("Enterprise number"),
        40,
        description=_l("With its check digits, as registered in the country of the seat."),
    )
    representative_given_name = _text(_l("Given name of the representative"), 120)
    representative_family_name = _text(_l("Family name of the representative"), 120)


class _JoinForm(FlaskForm):
    """What everybody is asked who wants to become a member."""

    email = _text(
        _l("E-mail"), 254, description=_l("We send a link there to make sure that it is yours.")
    )
    language = SelectField(_l("Language in which we write to you"), choices=LANGUAGES)
    street = _text(_l("Street and number"), 250)
    postal_code = _text(_l("Postal code"), 20)
    town = _text(_l("Municipality"), 120)
    country = _text(_l("Country"), 60)
    category = RadioField(_l("Category"), validators=[InputRequired(REQUIRED)])
    share_class = SelectField(_l("Class of shares"), validators=[Optional()])
    shares = SharesField(_l("Number of shares"), validators=[InputRequired(REQUIRED)])
    consents = BooleanField(validators=[DataRequired(_l("Tick the box if you agree."))])
    statutes_digest = HiddenField(validators=[Length(max=64)])


class PersonJoinForm(_PersonNames, _JoinForm):
    """A natural person asks to become a member."""


class OrganisationJoinForm(_OrganisationNames, _JoinForm):
    """An organisation asks to become a member, through its representative."""


class StatutesForm(FlaskForm):
    """A version of the statutes, with a file or a text per language."""

    version = _text(
        _l("Version"), 40, description=_l("The number or year by which people know it.")
    )
    adopted_on = DateField(_l("Adopted on"), validators=[InputRequired(REQUIRED)])


class TranslationForm(FlaskForm):
    """The text of a version in one language."""

    language = SelectField(_l("Language"), choices=LANGUAGES)
    file = FileField(_l("PDF"), validators=[Optional()])
    text = TextAreaField(_l("or text (Markdown)"), validators=[Optional(), Length(max=500_000)])


def statutes_form(languages: list[str]) -> type[StatutesForm]:
    """The form with a file and a text for each of the cooperative's languages."""
    fields: dict[str, Any] = {}
    for code in languages:
        fields[f"file_{code}"] = FileField(
            _l("%(language)s: PDF", language=LANGUAGE_NAMES[code]), validators=[Optional()]
        )
        fields[f"text_{code}"] = TextAreaField(
            _l("%(language)s: or text (Markdown)", language=LANGUAGE_NAMES[code]),
            validators=[Optional(), Length(max=500_000)],
        )
    return type("StatutesForm", (StatutesForm,), fields)


class RefusalForm(FlaskForm):
    """Why an application is refused."""

    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=1000)],
        description=_l("It is mailed to the applicant as you write it."),
    )


class BoardForm(FlaskForm):
    """The date and the reference of a decision of the board; the verdicts stand beside it."""

    decided_on = DateField(_l("Decided on"), validators=[InputRequired(REQUIRED)])
    reference = _text(
        _l("Reference in the minutes"),
        200,
        description=_l("The meeting and the item, as in the minutes."),
    )


class OrderForm(FlaskForm):
    """More shares for a member."""

    shares = SharesField(_l("Number of shares"), validators=[InputRequired(REQUIRED)])
    share_class = SelectField(_l("Class of shares"), validators=[Optional()])
