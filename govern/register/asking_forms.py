"""What the addresses of the book ask for: the day, what was known when, the words, the year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField
from wtforms.fields import SearchField
from wtforms.validators import Length
from wtforms.widgets import TextInput

from govern.register.forms import Alternative, DayField


class KnownField(DayField):
    """A day, or (in the addresses of the volumes) an instant with its time zone."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or "T" not in valuelist[0]:
            super().process_formdata(valuelist)
            return
        self.typed, self.data = valuelist[0][:40], None
        try:
            instant = datetime.fromisoformat(self.typed)
            if instant.tzinfo is None:
                raise ValueError(self.typed)
            self.data = instant.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            words = _("“%(text)s” is not a moment.", text=self.typed)
            remedy = _("Open the list of the volumes again from the page of the book.")
            raise ValueError(f"{words} {remedy}") from error

    @property
    def widget(self) -> TextInput:
        """An instant that is refused stays as it was; otherwise its day is shown."""
        return TextInput() if self.errors and "T" in self.typed else super().widget

    def _value(self) -> str:
        return self.typed if self.errors else super()._value()

    def shown(self, data: date | datetime | None) -> str:
        return super().shown(data.date() if isinstance(data, datetime) else data)


class _AskingForm(FlaskForm):
    """A form that only asks: its values stand in the address."""

    class Meta:
        csrf = False

    title = _l("The book of members and shares")
    help: Any = ""


def _words() -> SearchField:
    return SearchField(
        _l("Search holders"), validators=[Alternative()], filters=[lambda text: (text or "")[:200]]
    )


def _on() -> DayField:
    return DayField(_l("Holdings at the end of"), validators=[Alternative()])


def _known() -> KnownField:
    return KnownField(_l("As known at the end of"), validators=[Alternative()])


class MomentForm(_AskingForm):
    """The two times of the book."""

    on = _on()
    known = _known()
    help = _l(
        "Leave “as known” empty for what is known now; a past day shows what the book said then."
    )


class HoldersForm(_AskingForm):
    """The two times of the book, and whom to look for."""

    q = _words()
    on = _on()
    known = _known()
    help = MomentForm.help


class PublicForm(_AskingForm):
    """What a member asks of the book."""

    title = _l("Share register")
    q = _words()
    on = _on()


class YearForm(_AskingForm):
    """A financial year."""

    title = _l("Financial year")
    year = SelectField(_l("Financial year"), validators=[Length(max=20)], validate_choice=False)
