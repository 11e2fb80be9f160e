"""What may be typed to sign in, and into the pages of roles and of one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional

from govern.accounts.models import GRANTED_ROLES
from govern.accounts.rules import MAX_IDENTIFIER, MAX_NEXT_PATH, MIN_PASSWORD
from govern.accounts.words import ROLE_NAMES
from govern.config import LOCALES
from govern.i18n import LANGUAGE_NAMES

# A password field takes more than the longest password, so that "too long" is said in our words.
_PASSWORD_FIELD = 4000


class SignInForm(FlaskForm):
    """Number or address with a password; the same form asks for a link."""

    identifier = StringField(
        _l("Member number or e-mail address"),
        validators=[
            DataRequired(_l("Type your member number or your e-mail address.")),
            Length(max=MAX_IDENTIFIER),
        ],
        description=_l(
            "If you belong to several cooperatives you may write smartcoop/1234. If you share "
            "an address with somebody, your number is quicker."
        ),
    )
    password = PasswordField(
        _l("Password"),
        validators=[DataRequired(_l("Type your password.")), Length(max=_PASSWORD_FIELD)],
    )
    next = HiddenField(validators=[Optional(), Length(max=MAX_NEXT_PATH)])


class LinkForm(FlaskForm):
    """Number or address, to be sent a link."""

    identifier = StringField(
        _l("Member number or e-mail address"),
        validators=[
            DataRequired(_l("Type your member number or your e-mail address.")),
            Length(max=MAX_IDENTIFIER),
        ],
    )
    next = HiddenField(validators=[Optional(), Length(max=MAX_NEXT_PATH)])


class ChoosePersonForm(FlaskForm):
    """Which of several people is signing in; the choices are set by the view."""

    person = RadioField(_l("Who are you?"), validators=[DataRequired(_l("Choose who you are."))])


class PasswordForm(FlaskForm):
    """A new password, and the old one where the view asks for it."""

    present = PasswordField(
        _l("Present password"), validators=[Optional(), Length(max=_PASSWORD_FIELD)]
    )
    password = PasswordField(
        _l("New password"),
        validators=[DataRequired(_l("Type a new password.")), Length(max=_PASSWORD_FIELD)],
        description=_l(
            "At least %(length)s characters. A few words that do not belong together are easy to "
            "remember and hard to guess.",
            length=MIN_PASSWORD,
        ),
    )


class EmailForm(FlaskForm):
    """A new address, and the password where the view asks for it."""

    email = StringField(
        _l("New e-mail address"),
        validators=[DataRequired(_l("Type your new address.")), Length(max=254)],
    )
    present = PasswordField(
        _l("Present password"), validators=[Optional(), Length(max=_PASSWORD_FIELD)]
    )


class LanguageForm(FlaskForm):
    """The language of pages and mails."""

    language = SelectField(
        _l("Language of pages and mails"),
        choices=[SelectChoice(code, LANGUAGE_NAMES[code]) for code in LOCALES],
        validators=[DataRequired()],
    )
    next = HiddenField(validators=[Optional(), Length(max=MAX_NEXT_PATH)])


class GrantForm(FlaskForm):
    """A role for somebody: a member by number or address, or a new person with an address."""

    identifier = StringField(
        _l("Member number or e-mail address"),
        validators=[
            DataRequired(_l("Type a member number or an e-mail address.")),
            Length(max=MAX_IDENTIFIER),
        ],
    )
    name = StringField(
        _l("Name"),
        validators=[Optional(), Length(max=200)],
        description=_l("Only for somebody who has no account yet and is not a member."),
    )
    role = SelectField(
        _l("Role"),
        choices=[SelectChoice(role.value, ROLE_NAMES[role]) for role in GRANTED_ROLES],
        validators=[DataRequired()],
    )
    person = HiddenField(validators=[Optional(), Length(max=40)])
