"""What may be typed into the pages of leaving: syntax only, the services decide the rest."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, PasswordField, RadioField, StringField
from wtforms.fields import TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from govern.leaving.rules.board import TestKind
from govern.leaving.services.recording import PAST_REASONS
from govern.leaving.texts import TEST_NAMES
from govern.register.forms import REQUIRED, AmountField, DayField, SharesField
from govern.register.texts import END_REASON_NAMES

LONG = 20_000


def _day(label: Any, *, needed: bool = True, **kwargs: Any) -> DayField:
    first = InputRequired(REQUIRED) if needed else Optional()
    return DayField(label, validators=[first], **kwargs)


def _line(label: Any, most: int, *, needed: bool = False, **kwargs: Any) -> StringField:
    first = DataRequired(REQUIRED) if needed else Optional()
    return StringField(label, validators=[first, Length(max=most)], **kwargs)


def _text(label: Any, *, needed: bool = True, most: int = LONG, **kwargs: Any) -> TextAreaField:
    first = DataRequired(REQUIRED) if needed else Optional()
    rows = {"rows": 10 if most == LONG else 4}
    return TextAreaField(label, validators=[first, Length(max=most)], render_kw=rows, **kwargs)


def _paper(label: Any, **kwargs: Any) -> FileField:
    return FileField(label, **{"description": _l("PDF, PNG or JPEG, at most 10 MB."), **kwargs})


class AccountForm(FlaskForm):
    """Where money is to be paid."""

    holder = _line(_l("Holder of the account"), 70, needed=True)
    iban = _line(_l("IBAN"), 50, needed=True, description=_l("For example BE71 0961 2345 6769."))


class LeaveForm(AccountForm):
    """A member's request."""

    shares = SharesField(
        _l("Number of shares"),
        validators=[Optional()],
        description=_l("Leave it empty to leave with all of them."),
    )


class WholeLeaveForm(AccountForm):
    """A member's request where the rules allow to leave with all shares only."""


class PasswordForm(FlaskForm):
    """A signature."""

    present = PasswordField(
        _l("Your password"),
        validators=[DataRequired(REQUIRED), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )


class EmptyForm(FlaskForm):
    """A button, with its protection."""


class HearingForm(FlaskForm):
    """A member's wish to be heard."""

    text = _text(_l("Note"), needed=False, most=2000)


class PaperRequestForm(FlaskForm):
    """A request that came on paper."""

    received_on = _day(_l("Received on"))
    shares = SharesField(
        _l("Number of shares"),
        validators=[Optional()],
        description=_l("Leave it empty where the member leaves with all of them."),
    )
    holder = _line(_l("Holder of the account"), 70)
    iban = _line(_l("IBAN"), 50, description=_l("If it is missing, the member is asked for it."))
    note = _text(_l("Note"), needed=False, most=2000)
    scan = _paper(_l("Scan of the request"))


class DeathForm(FlaskForm):
    """A death."""

    died_on = _day(_l("Died on"))
    note = _text(
        _l("Note"),
        needed=False,
        most=2000,
        description=_l("For example who told us, and who speaks for the estate."),
    )
    document = _paper(_l("Record of the death"))


class LossForm(FlaskForm):
    """Conditions that are no longer met."""

    lost_on = _day(_l("No longer met since"))
    reason = _text(_l("Reason"), most=5000, description=_l("The member reads it."))
    holder = _line(_l("Holder of the account"), 70)
    iban = _line(_l("IBAN"), 50, description=_l("If it is missing, the member is asked for it."))
    document = _paper(_l("Paper"))


class EstateForm(FlaskForm):
    """The value of a deceased member's shares."""

    holder = _line(_l("Holder of the account"), 70)
    iban = _line(_l("IBAN"), 50, description=_l("It may be given later."))


class FormerForm(FlaskForm):
    """Shares of somebody whose membership has ended."""

    owed_since = _day(_l("Owed since"))
    holder = _line(_l("Holder of the account"), 70)
    iban = _line(_l("IBAN"), 50, description=_l("It may be given later."))
    note = _text(_l("Note"), needed=False, most=2000)


class PastEndingForm(FlaskForm):
    """An ending that came about before or outside of the register."""

    ended_on = _day(_l("Ended on"))
    reason = RadioField(
        _l("Reason"),
        choices=[SelectChoice(reason.value, END_REASON_NAMES[reason]) for reason in PAST_REASONS],
        validators=[InputRequired(REQUIRED)],
    )
    note = _text(
        _l("Note"),
        most=2000,
        description=_l("Where this is known from, for example: list of the former secretary."),
    )
    is_paid_back = BooleanField(_l("The value of the shares was paid back already"))
    holder = _line(_l("Holder of the account"), 70)
    iban = _line(_l("IBAN"), 50, description=_l("It may be given later."))


class SuccessionForm(FlaskForm):
    """Shares that pass to an heir."""

    receiver_number = _line(_l("Member number of the heir"), 40, needed=True)
    shares = SharesField(_l("Number of shares"), validators=[InputRequired(REQUIRED)])
    effective_on = _day(_l("Counts from"))


class StepForm(FlaskForm):
    """A step with its day, text and paper."""

    done_on = _day(_l("Day"))
    text = _text(_l("Text"))
    document = _paper(_l("Paper"))


class AnswerForm(FlaskForm):
    """What the member answered on paper."""

    received_on = _day(_l("Received on"))
    text = _text(_l("What the member writes"), needed=False)
    document = _paper(_l("Scan"))


class SendForm(FlaskForm):
    """How something is sent to the member."""

    how = RadioField(
        _l("How"),
        choices=[
            SelectChoice("mail", _l("By e-mail, now")),
            SelectChoice("post", _l("On paper: it was posted")),
        ],
        validators=[InputRequired(REQUIRED)],
    )
    posted_on = _day(_l("Posted on"), needed=False)
    posted = _paper(
        _l("Scan of the posted letter"),
        description=_l("Needed if it was posted before the step was recorded here."),
    )


class SendLateForm(SendForm):
    """The same for a decision, which may be late."""

    late_reason = _text(
        _l("Why it is late"),
        needed=False,
        most=2000,
        description=_l("Needed only after the deadline."),
    )


class ReasonForm(FlaskForm):
    """Why something is done."""

    reason = _text(_l("Reason"), most=5000)


class ObservationsForm(FlaskForm):
    """What a member answers on the site."""

    text = _text(_l("Your observations"))
    document = _paper(_l("A paper to go with it"))


class PostponeForm(ReasonForm):
    """A refund that is put off."""

    until = _day(_l("Looked at again by"), needed=False)


class SplitForm(FlaskForm):
    """Instalments."""

    count = IntegerField(
        _l("Number of instalments"),
        validators=[InputRequired(REQUIRED), NumberRange(1, 60)],
        default=1,
        description=_l("1 changes the day on which the whole is due."),
    )
    first_due_on = _day(_l("The first is due on"))
    months_between = IntegerField(
        _l("Months from one to the next"),
        validators=[InputRequired(REQUIRED), NumberRange(1, 60)],
        default=12,
    )


class BoardTestForm(FlaskForm):
    """A test that the board has made."""

    kind = RadioField(
        _l("Test"),
        choices=[SelectChoice(kind.value, TEST_NAMES[kind]) for kind in TestKind],
        validators=[InputRequired(REQUIRED)],
    )
    decided_on = _day(_l("Decided on"))
    passed = BooleanField(_l("Passed: the board allows payments"))
    up_to = AmountField(
        _l("Up to"), validators=[Optional()], description=_l("The sum of payments that it covers.")
    )
    valid_until = _day(_l("Valid until"))
    figure = AmountField(
        _l("Figure found"),
        validators=[Optional()],
        description=_l("Net assets, or liquid means of the coming year, after the payment."),
    )
    text = _text(_l("How the board found it"), most=5000)
    document = _paper(_l("Report or minutes"))
