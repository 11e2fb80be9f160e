"""What may be typed into the pages of data quality and privacy: syntax only."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from govern.register.forms import Alternative, DayField

REQUIRED = _l("This must be filled in.")


class MergeForm(FlaskForm):
    """Which of the two stays, from when on, and how it is known that they are one."""

    keep = RadioField(_l("Which entry stays"), validators=[DataRequired(_l("Choose one of them."))])
    effective_on = DayField(
        _l("One membership as of"),
        validators=[Alternative()],
        description=_l(
            "On the record date of a roll or earlier, so that the roll has one entry only."
        ),
    )
    reason = TextAreaField(
        _l("How do you know that they are the same?"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=500)],
    )


class DistinctForm(FlaskForm):
    """Why two who look alike are two."""

    reason = TextAreaField(
        _l("How do you know that they are two?"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=500)],
        description=_l("Such as: mother and daughter share one mailbox."),
    )


class UndoForm(FlaskForm):
    """Why a merge is taken back."""

    reason = TextAreaField(
        _l("Why is the merge taken back?"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=500)],
    )


class FlagForm(FlaskForm):
    """What came back."""

    reason = StringField(
        _l("What came back?"),
        validators=[DataRequired(REQUIRED), Length(min=3, max=300)],
        description=_l("Such as: moved away, address unknown."),
    )


class EraseForm(FlaskForm):
    """The registrar's own note on an erasure, and that it is meant."""

    reason = StringField(
        _l("Note"),
        validators=[Length(max=500)],
        description=_l("Such as how the request came in. Write no personal data."),
    )
    sure = BooleanField(
        _l("I have checked who is asking"), validators=[DataRequired(_l("Check that first."))]
    )


class RefuseForm(FlaskForm):
    """Why nothing can be erased."""

    reason = TextAreaField(
        _l("Reason, which is mailed to the person"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=500)],
    )


class ConfirmForm(FlaskForm):
    """The password once more."""

    present = PasswordField(
        _l("Present password"), validators=[DataRequired(REQUIRED), Length(max=1000)]
    )


class AskErasureForm(FlaskForm):
    """A word to the registrar with a request to erase."""

    note = TextAreaField(
        _l("Anything that the cooperative should know"), validators=[Length(max=500)]
    )
