"""What may be typed into the pages of payments: syntax only, the services decide the rest."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields import DateField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

REQUIRED = _l("This is needed.")


class BankAccountForm(FlaskForm):
    """An account of the cooperative."""

    iban = StringField(
        _l("IBAN"),
        validators=[DataRequired(REQUIRED), Length(max=50)],
        description=_l("With or without blanks; its check digits are verified."),
    )
    bic = StringField(
        _l("BIC"),
        validators=[Optional(), Length(max=20)],
        description=_l("Not needed inside the SEPA area."),
    )
    holder = StringField(
        _l("Account holder"),
        validators=[DataRequired(REQUIRED), Length(max=70)],
        description=_l("As the bank has it: payers see this name."),
    )


class StatementForm(FlaskForm):
    """A statement as a file."""

    file = FileField(
        _l("File"),
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("CAMT.053 (XML), or a table of your bank (CSV, XLSX)."),
    )
    account = SelectField(
        _l("Bank account"),
        validators=[Optional()],
        description=_l("Only needed for a table that does not name its account."),
    )


class ReasonForm(FlaskForm):
    """Why something is taken back or set aside."""

    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(REQUIRED), Length(min=5, max=500)]
    )


class PayerAccountForm(FlaskForm):
    """Where money goes back to, if the statement does not say from where it came."""

    iban = StringField(_l("IBAN of the payer"), validators=[DataRequired(REQUIRED), Length(max=50)])


class BatchForm(FlaskForm):
    """A payment file. The payments chosen come as ``payment`` fields."""

    account = SelectField(_l("Pay from"), validators=[InputRequired(REQUIRED)])
    execute_on = DateField(_l("To be paid on"), validators=[InputRequired(REQUIRED)])
