"""What may be typed about assemblies (syntax only; the services check what it means).

Fields per language are named ``titles_fr``: a form is made for the languages of its assembly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from govern.assemblies.filetypes import ENDINGS
from govern.assemblies.labels import AGENDA_KINDS, KINDS, LINK_KINDS, MODES
from govern.components import OneNeeded
from govern.i18n import LANGUAGE_NAMES


def as_choices(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """What a select field offers, from (value, label)."""
    return [SelectChoice(value, label) for value, label in pairs]


def _choices(names: Mapping[Any, Any]) -> list[SelectChoice]:
    return as_choices((key.value, text) for key, text in names.items())


LINK_ROWS = 3
LOCAL_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class LanguagesField(SelectMultipleField):
    """Boxes to tick, one per language."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class _OneLanguage:
    """Tells the page that a title is needed in one of the languages (the services see to it), so
    that none of its fields is called optional."""

    field_flags = {"one_needed": True}

    def __call__(self, form: object, field: Field) -> None:
        return None


def text_fields(
    name: str, label: Any, languages: Iterable[str], *, long: bool = False
) -> dict[str, Field]:
    """One field per language, named ``<name>_<language>``."""
    longest, kind = (20_000, TextAreaField) if long else (300, StringField)
    return {
        f"{name}_{code}": kind(
            _("%(label)s (%(language)s)", label=label, language=LANGUAGE_NAMES[code]),
            validators=[*([] if long else [_OneLanguage()]), Optional(), Length(max=longest)],
            render_kw={"lang": code, **({"rows": 6} if long else {})},
        )
        for code in languages
    }


def texts_in(form: FlaskForm, name: str, languages: Iterable[str]) -> dict[str, str]:
    """What was typed into the fields of ``text_fields``."""
    return {code: form[f"{name}_{code}"].data or "" for code in languages}


def fill_texts(form: FlaskForm, name: str, texts: dict[str, str], languages: Iterable[str]) -> None:
    """Put ``texts`` into the fields of ``text_fields``."""
    for code in languages:
        form[f"{name}_{code}"].data = texts.get(code, "")


def per_language(form: FlaskForm, name: str, languages: Iterable[str]) -> list[Field]:
    """The fields of ``text_fields``, to be shown one after another."""
    return [form[f"{name}_{code}"] for code in languages]


class _AssemblyForm(FlaskForm):
    kind = SelectField(_l("Kind"), choices=_choices(KINDS), validators=[InputRequired()])
    mode = SelectField(
        _l("How people take part"), choices=_choices(MODES), validators=[InputRequired()]
    )
    languages = LanguagesField(
        _l("Languages"), validators=[OneNeeded(_l("Tick at least one language."))]
    )
    starts_on = DateField(_l("Day"), validators=[InputRequired(_l("Choose a day."))])
    starts_time = TimeField(_l("Begins at"), validators=[InputRequired(_l("Choose a time."))])
    ends_time = TimeField(_l("Ends at"), validators=[Optional()])
    place = TextAreaField(
        _l("Place"), validators=[Optional(), Length(max=1000)], render_kw={"rows": 3}
    )
    record_date = DateField(
        _l("Record date"),
        validators=[InputRequired(_l("Choose a day."))],
        description=_l(
            "Whoever is a member with at least one paid share at the end of this day may vote."
        ),
    )
    objection_deadline = DateField(
        _l("Objections to the roll until"),
        validators=[Optional()],
        description=_l("Members can say until then that the roll is wrong about them."),
    )
    second_of = SelectField(
        _l("Second assembly of"),
        description=_l("Where the first one missed its quorum, the second decides without it."),
    )
    seen = HiddenField()


def assembly_form(
    languages: Sequence[str], second_choices: Sequence[tuple[str, str]], **values: Any
) -> Any:
    """The form of an assembly of a cooperative with these ``languages``."""
    fields: dict[str, Any] = {
        **text_fields("titles", _("Title"), languages),
        **text_fields("introductions", _("Introduction"), languages, long=True),
    }
    for number in range(LINK_ROWS):
        fields[f"links_{number}_kind"] = SelectField(
            _("Link %(number)s: kind", number=number + 1),
            choices=_choices(LINK_KINDS),
        )
        fields[f"links_{number}_url"] = StringField(
            _("Link %(number)s: address", number=number + 1),
            validators=[Optional(), Length(max=500)],
            render_kw={"type": "url", "inputmode": "url", "placeholder": "https://"},
        )
    form = type("AssemblyForm", (_AssemblyForm,), fields)(**values)
    form.languages.choices = [SelectChoice(code, LANGUAGE_NAMES[code]) for code in languages]
    form.second_of.choices = as_choices([("", _("none")), *second_choices])
    return form


class _ItemForm(FlaskForm):
    kind = SelectField(_l("Kind"), choices=_choices(AGENDA_KINDS), validators=[InputRequired()])
    duration_minutes = IntegerField(
        _l("Minutes"), validators=[Optional(), NumberRange(min=1, max=1440)]
    )
    presented_by = StringField(_l("Presented by"), validators=[Optional(), Length(max=200)])
    seen = HiddenField()


def item_form(languages: Sequence[str], **values: Any) -> Any:
    """The form of an agenda item."""
    fields = {
        **text_fields("titles", _("Title"), languages),
        **text_fields("texts", _("Text"), languages, long=True),
    }
    return type("ItemForm", (_ItemForm,), fields)(**values)


class _ResolutionForm(FlaskForm):
    majority_rule = RadioField(
        _l("Required majority"), validators=[DataRequired(_l("Choose what the resolution needs."))]
    )
    seen = HiddenField()


def resolution_form(
    languages: Sequence[str], majorities: Sequence[tuple[str, str]], *, people: bool, **values: Any
) -> Any:
    """The form of a resolution, or of an election of people."""
    fields: dict[str, Any] = {
        **text_fields("titles", _("Title"), languages),
        **text_fields("texts", _("Text"), languages, long=True),
    }
    if people:
        fields["seats"] = IntegerField(
            _("Seats to be filled"),
            validators=[InputRequired(_("Write a number.")), NumberRange(min=1, max=100)],
        )
    form = type("ResolutionForm", (_ResolutionForm,), fields)(**values)
    form.majority_rule.choices = as_choices(majorities)
    return form


class _CandidateForm(FlaskForm):
    name = StringField(
        _l("Name"), validators=[DataRequired(_l("A candidate has a name.")), Length(max=200)]
    )
    seen = HiddenField()


def candidate_form(languages: Sequence[str], **values: Any) -> Any:
    """The form of a candidate."""
    fields = text_fields("statements", _("Statement"), languages, long=True)
    return type("CandidateForm", (_CandidateForm,), fields)(**values)


class DocumentForm(FlaskForm):
    """A file with its title; choices are set by the view."""

    title = StringField(
        _l("Title"), validators=[DataRequired(_l("A document has a title.")), Length(max=200)]
    )
    file = FileField(_l("File"), validators=[FileRequired(_l("Choose a file."))])
    language = SelectField(_l("Language"))
    item = SelectField(_l("Agenda item"))

    @staticmethod
    def accepted() -> str:
        """What the browser's file chooser offers."""
        return ",".join(f".{ending}" for ending in ENDINGS)


class NoticeForm(FlaskForm):
    """The confirmation of a notice, with a reason if it leaves too late."""

    override_reason = TextAreaField(
        _l("Reason for the short notice"),
        validators=[Optional(), Length(max=1000)],
        description=_l("It is printed on every notice."),
        render_kw={"rows": 3},
    )


class CancelForm(FlaskForm):
    """Why an assembly is called off."""

    reason = TextAreaField(
        _l("Reason"),
        validators=[DataRequired(_l("Members will want to know why.")), Length(max=1000)],
        description=_l("It stands on the page and in the mail to those who were convened."),
        render_kw={"rows": 3},
    )


class VoteForm(FlaskForm):
    """How the vote is held; times are those of the cooperative's clocks."""

    opens_at = DateTimeLocalField(
        _l("Opens"),
        format=LOCAL_FORMATS,
        validators=[InputRequired(_l("Choose a day and a time."))],
    )
    closes_at = DateTimeLocalField(
        _l("Closes"),
        format=LOCAL_FORMATS,
        validators=[InputRequired(_l("Choose a day and a time."))],
    )
    revote_allowed = BooleanField(
        _l("Members may vote again until the end; the last ballot counts"), default=True
    )
    is_trial = BooleanField(
        _l("This is a trial: it binds nobody"),
        description=_l(
            "A trial is held on a copy of the roll: the roll itself can still be corrected."
        ),
    )
    credential_mode = RadioField(
        _l("Who makes the voting codes"),
        choices=[
            SelectChoice("offline", _l("Somebody else, on a machine of their own (recommended)")),
            SelectChoice(
                "server", _l("This server, which keeps only a list that a passphrase opens")
            ),
        ],
        default="server",
        validators=[InputRequired()],
    )
    credential_authority = StringField(
        _l("Name of the one who makes them"), validators=[Optional(), Length(max=200)]
    )
    group = RadioField(
        _l("Who should be able to verify"),
        choices=[
            SelectChoice("Ed25519", _l("belenios-tool 2.1 and newer (quick on every telephone)")),
            SelectChoice(
                "BELENIOS-2048", _l("also belenios-tool 2.0, as in Debian 12 (slower to seal)")
            ),
        ],
        default="Ed25519",
        validators=[InputRequired()],
    )
