"""What may be typed on the management pages of an election (syntax only)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired, FileSize
from wtforms import (
    DateTimeLocalField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, EqualTo, Length
from wtforms.widgets import CheckboxInput, ListWidget

from govern.components import OneNeeded

LARGEST_UPLOAD = 32 * 1024 * 1024


class PlainForm(FlaskForm):
    """A form without fields: only the token that says it was sent from this site."""


class ReasonForm(FlaskForm):
    """A reason that everybody can read."""

    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(_l("Say why.")), Length(min=5, max=1000)],
        description=_l("It is shown in the public log of the election."),
    )


class LocalDateTimeField(DateTimeLocalField):
    """A date and time in the cooperative's time zone; ``instant`` gives it in UTC."""

    def instant(self, time_zone: str) -> datetime:
        """The instant that was typed. Call it after ``validate``."""
        if self.data is None:
            raise ValueError("the field has not been validated")
        return self.data.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)

    def show(self, value: datetime, time_zone: str) -> None:
        """Fill the field with an instant."""
        local = value.astimezone(ZoneInfo(time_zone))
        self.data = local.replace(tzinfo=None, second=0, microsecond=0)


class ScheduleForm(FlaskForm):
    """When the election opens and closes by itself."""

    opens_at = LocalDateTimeField(
        _l("Opens"), validators=[DataRequired(_l("Set a date and time."))]
    )
    closes_at = LocalDateTimeField(
        _l("Closes"), validators=[DataRequired(_l("Set a date and time."))]
    )


class ExtendForm(ReasonForm):
    """A later closing time, and why."""

    closes_at = LocalDateTimeField(
        _l("New closing time"), validators=[DataRequired(_l("Set a date and time."))]
    )


class BoxesField(SelectMultipleField):
    """Several of a list, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class TrusteesForm(FlaskForm):
    """Who holds a key; the choices are set by the view."""

    trustees = BoxesField(
        _l("Trustees"), coerce=int, validators=[OneNeeded(_l("Name at least one trustee."))]
    )


class ReplaceTrusteeForm(ReasonForm):
    """Somebody else in the place of a trustee (or the same person with another key)."""

    account = SelectField(_l("Who holds this key"), coerce=int)


class PassphraseForm(FlaskForm):
    """A new passphrase, typed twice."""

    passphrase = PasswordField(
        _l("Passphrase"),
        validators=[
            DataRequired(_l("Type a passphrase.")),
            Length(min=12, max=1000, message=_l("Use at least 12 characters.")),
        ],
        description=_l(
            "It opens the list of codes when a member has lost theirs. It is not kept anywhere: "
            "write it down and lock it away."
        ),
    )
    again = PasswordField(
        _l("The same passphrase again"),
        validators=[
            DataRequired(_l("Type the passphrase again.")),
            EqualTo("passphrase", _l("The two passphrases differ.")),
        ],
    )


class UploadForm(FlaskForm):
    """The public half of codes that were made elsewhere."""

    file = FileField(
        _l("File with the public keys"),
        validators=[
            FileRequired(_l("Choose a file.")),
            FileSize(LARGEST_UPLOAD, message=_l("The file is too large.")),
        ],
        description=_l("public-credentials.json, as written by govern credentials make."),
    )


class LostCodeForm(FlaskForm):
    """Whose code was lost, and the passphrase of the list."""

    member_number = StringField(
        _l("Member number"),
        validators=[DataRequired(_l("Type the member number.")), Length(max=40)],
    )
    passphrase = PasswordField(
        _l("Passphrase of the list"),
        validators=[DataRequired(_l("Type the passphrase.")), Length(max=1000)],
    )
