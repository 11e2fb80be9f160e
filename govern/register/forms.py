"""What may be typed into the pages of the register: syntax only, the services decide the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields import Field
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import DateInput, TextInput

from govern.config import LOCALES
from govern.i18n import LANGUAGE_NAMES
from govern.register.importing.odoo.headers import LINES, PARTNERS, REGISTER
from govern.register.models import TransferCause
from govern.register.rules import values
from govern.register.texts import CAUSE_NAMES, problem_text
from govern.register.texts.odoo import ODOO_FILE_NAMES


class ReadField(Field):
    """A text that one of the readers of ``rules.values`` turns into a value."""

    widget = TextInput()
    reader: Callable[[Any], Any]
    data: Any = None
    typed = ""

    def _value(self) -> str:
        return self.typed or self.shown(self.data)

    def shown(self, data: Any) -> str:
        """How a value that was not typed is shown."""
        return "" if data is None else str(data)

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.typed = valuelist[0][:200]
        if not self.typed.strip():
            self.data = None
            return
        try:
            self.data = type(self).reader(self.typed)
        except values.Unreadable as error:
            self.data = None
            words = problem_text(error.code, {**error.params, "value": self.typed[:80]})
            raise ValueError(f"{words.sentence} {words.remedy}") from error


class AmountField(ReadField):
    """An amount of money as people write it; the value is in integer cents."""

    reader = staticmethod(values.read_amount)

    def shown(self, data: int | None) -> str:
        return "" if data is None else f"{data / 100:.2f}"


def _typed_shares(text: str) -> int:
    """As in a file, but what is said there of negative numbers would mean nothing to a member."""
    try:
        return values.read_shares(text)
    except values.Unreadable as error:
        if error.code == "shares_negative":
            raise values.Unreadable("shares_unknown") from error
        raise


class SharesField(ReadField):
    """A number of shares."""

    reader = staticmethod(_typed_shares)


class DayField(ReadField):
    """A day, written as in a file or chosen in the browser.

    What is no day is shown as it was typed: a date input of a browser would drop it.
    """

    reader = staticmethod(values.read_date)

    @property
    def widget(self) -> TextInput:
        """A date input, unless that could not hold what was typed."""
        return DateInput() if self.data is not None or not self.typed.strip() else TextInput()

    def _value(self) -> str:
        return self.shown(self.data) or self.typed

    def shown(self, data: date | None) -> str:
        return "" if data is None else data.isoformat()


REQUIRED = _l("This is needed.")


def _needed() -> list[Any]:
    return [InputRequired(REQUIRED)]


def _day(label: Any, **kwargs: Any) -> DayField:
    return DayField(label, validators=[InputRequired(REQUIRED)], **kwargs)


class Alternative:
    """Marks a field that is needed unless others are filled in, or that shows what counts where
    it is left empty: it is not called optional. The service says when one is missing.
    """

    field_flags = {"one_needed": True}

    def __call__(self, form: object, field: Field) -> None:
        """Nothing to check in one field alone."""


def _text(
    label: Any, most: int, *, needed: bool = False, is_alternative: bool = False, **kwargs: Any
) -> StringField:
    validators: list[Any] = [Alternative()] if is_alternative else []
    first = DataRequired(REQUIRED) if needed else Optional()
    return StringField(label, validators=[*validators, first, Length(max=most)], **kwargs)


LANGUAGES = [SelectChoice(code, LANGUAGE_NAMES[code]) for code in LOCALES]


class ContactForm(FlaskForm):
    """How a member is reached."""

    email = _text(
        _l("E-mail"), 254, description=_l("Without an address, notices and codes go by post.")
    )
    language = SelectField(_l("Language"), choices=LANGUAGES, validators=_needed())
    street = _text(_l("Street and number"), 250)
    postal_code = _text(_l("Postal code"), 20)
    town = _text(_l("Municipality"), 120)
    country = _text(_l("Country"), 60, description=_l("A two-letter code such as BE, or a name."))


class AddressForm(FlaskForm):
    """Where letters reach a member, written by the member."""

    street = _text(_l("Street and number"), 250, needed=True)
    postal_code = _text(_l("Postal code"), 20)
    town = _text(_l("Municipality"), 120, needed=True)
    country = _text(
        _l("Country"), 60, needed=True, description=_l("A two-letter code such as BE, or a name.")
    )
    language = SelectField(
        _l("Language"),
        choices=LANGUAGES,
        validators=_needed(),
        description=_l("In which the cooperative writes to you."),
    )


class _AdmissionForm(ContactForm):
    member_number = _text(
        _l("Member number"), 40, description=_l("Leave it empty to take the next free number.")
    )
    category = SelectField(_l("Category"), validators=_needed())
    joined_on = _day(_l("Admitted on"))
    shares = SharesField(_l("Number of shares"), validators=_needed())
    paid = AmountField(
        _l("Paid amount"),
        validators=[Optional()],
        description=_l("In euro, as received on the day of admission. Leave it empty if unpaid."),
    )
    accept_duplicate = BooleanField(
        _l("I have looked: this is somebody else than the member named above.")
    )


class PersonForm(_AdmissionForm):
    """Admission of a natural person."""

    given_name = _text(_l("Given name"), 120, needed=True)
    family_name = _text(_l("Family name"), 120, needed=True)
    birth_date = DayField(
        _l("Birth date"),
        validators=[Optional()],
        description=_l("Helps to notice the same person written twice."),
    )


class OrganisationForm(_AdmissionForm):
    """Admission of an organisation with its one representative."""

    organisation_name = _text(_l("Name of the organisation"), 250, needed=True)
    enterprise_number = _text(
        _l("Enterprise number"),
        40,
        needed=True,
        description=_l("With its check digits, as registered in the country of the seat."),
    )
    representative_given_name = _text(_l("Given name of the representative"), 120, needed=True)
    representative_family_name = _text(_l("Family name of the representative"), 120, needed=True)


class PaymentForm(FlaskForm):
    """A payment received."""

    amount = AmountField(_l("Amount received, in euro"), validators=_needed())
    effective_on = _day(_l("Received on"))
    remark = _text(
        _l("Note"), 500, description=_l("For example the reference of the bank statement.")
    )
    accept_overpayment = BooleanField(_l("Record it although it is more than is due"))


def _numbers() -> StringField:
    return _text(
        _l("Share numbers"),
        500,
        description=_l("For example 4-6, 9. Leave it empty to take the lowest."),
    )


class SharesForm(FlaskForm):
    """Shares subscribed or given back."""

    shares = SharesField(_l("Number of shares"), validators=_needed())
    share_class = SelectField(_l("Class of shares"), validators=[Optional()])
    numbers = _numbers()
    effective_on = _day(_l("Counts from"))
    remark = _text(_l("Note"), 500)


class RefundForm(SharesForm):
    """Shares that were given back and paid out before."""

    remark = _text(
        _l("Note"), 500, needed=True, description=_l("When it was paid, and how you know it.")
    )


def _causes(*, unstated: bool = False) -> list[SelectChoice]:
    first = [SelectChoice("", _l("Not stated"))] if unstated else []
    return first + [SelectChoice(cause.value, CAUSE_NAMES[cause]) for cause in TransferCause]


class TransferForm(FlaskForm):
    """Shares given to another member, as a paper says that both have signed."""

    shares = SharesField(_l("Number of shares"), validators=_needed())
    share_class = SelectField(_l("Class of shares"), validators=[Optional()])
    receiver = _text(_l("Member number of the receiver"), 40, needed=True)
    cause = SelectField(_l("Cause"), choices=_causes(unstated=True), validators=[Optional()])
    numbers = _numbers()
    effective_on = _day(_l("Counts from"))
    remark = _text(_l("Note"), 500)


class ProposalForm(FlaskForm):
    """Shares that a member wants to give to somebody."""

    shares = SharesField(_l("Number of shares"), validators=_needed())
    share_class = SelectField(_l("Class of shares"), validators=[Optional()])
    cause = SelectField(_l("Cause"), choices=_causes(), validators=_needed())
    receiver_number = _text(
        _l("Member number of the receiver"),
        40,
        is_alternative=True,
        description=_l("The receiver can tell you."),
    )
    receiver_name = _text(
        _l("Or, for somebody who is no member yet: name"),
        250,
        is_alternative=True,
        description=_l(
            "They get a mail with a link: there they become a member, or decline the shares."
        ),
    )
    receiver_email = _text(_l("Their e-mail address"), 254, is_alternative=True)
    receiver_language = SelectField(
        _l("Language of that mail"), choices=LANGUAGES, validators=[Optional()]
    )
    numbers = _numbers()
    effective_on = DayField(
        _l("Agreed for"),
        validators=[Optional()],
        description=_l("Leave it empty for the day on which the receiver confirms."),
    )


class ReceiverForm(FlaskForm):
    """The new member for whom promised shares were meant."""

    receiver = _text(_l("Member number of the receiver"), 40, needed=True)


class ConversionForm(FlaskForm):
    """Shares of one class changed for shares of another."""

    shares = SharesField(_l("Number of shares"), validators=_needed())
    share_class = SelectField(_l("From the class"), validators=_needed())
    to_class = SelectField(_l("To the class"), validators=_needed())
    numbers = _numbers()
    effective_on = _day(_l("Counts from"))
    remark = _text(_l("Note"), 500)


class CategoryForm(FlaskForm):
    """Another category from a day on."""

    category = SelectField(_l("Category"), validators=_needed())
    starts_on = _day(_l("Counts from"))


class PersonNameForm(FlaskForm):
    """A corrected name or birth date."""

    given_name = _text(_l("Given name"), 120, needed=True)
    family_name = _text(_l("Family name"), 120, needed=True)
    birth_date = DayField(_l("Birth date"), validators=[Optional()])


class OrganisationNameForm(FlaskForm):
    """A corrected name or number of an organisation."""

    organisation_name = _text(_l("Name of the organisation"), 250, needed=True)
    enterprise_number = _text(_l("Enterprise number"), 40, needed=True)


class RepresentativeForm(FlaskForm):
    """Another representative: a member by number, or somebody by name."""

    member_number = _text(
        _l("Member number of the representative"),
        40,
        is_alternative=True,
        description=_l("If the representative is a member: one sign-in then serves for both."),
    )
    given_name = _text(
        _l("Given name"),
        120,
        is_alternative=True,
        description=_l("Instead of the number, for a representative who is no member."),
    )
    family_name = _text(_l("Family name"), 120, is_alternative=True)
    starts_on = _day(_l("Counts from"))


class ReasonForm(FlaskForm):
    """Why an entry is taken back."""

    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(REQUIRED), Length(min=5, max=500)]
    )


class UploadForm(FlaskForm):
    """A register as a file."""

    file = FileField(
        _l("File"),
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("CSV or XLSX, one row per member, with a heading."),
    )


class OdooForm(FlaskForm):
    """The export of Odoo's cooperative modules as files."""

    partners = FileField(
        ODOO_FILE_NAMES[PARTNERS],
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("Export of the contacts (res.partner), former members too."),
    )
    register = FileField(
        ODOO_FILE_NAMES[REGISTER],
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("Export of the subscription register (subscription.register)."),
    )
    lines = FileField(
        ODOO_FILE_NAMES[LINES],
        description=_l("Export of the share lines (share.line): only compared with the register."),
    )


class CorrectionForm(FlaskForm):
    """A correction of a frozen roll."""

    member_number = _text(_l("Member number"), 40, needed=True)
    action = SelectField(
        _l("What to do"),
        choices=[
            SelectChoice("read", _l("Add the member, or read the entry again from the register")),
            SelectChoice("remove", _l("Remove the member from the roll")),
        ],
        validators=_needed(),
    )
    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(REQUIRED), Length(min=5, max=500)],
        description=_l("Every member can read it: name no illness and nothing else private."),
    )
