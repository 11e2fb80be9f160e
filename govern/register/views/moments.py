"""Which book the address asks for: its day, and what was known when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import g, request
from flask_babel import gettext as _

from govern.errors import InvalidInput
from govern.extensions import db
from govern.register.asking_forms import MomentForm
from govern.register.rules.privacy import FieldGroup
from govern.register.services import book
from govern.register.services.book import documents
from govern.register.views.asked import AskedWrongly
from govern.register.views.blueprint import today
from govern.register.views.traces import shown_fields
from govern.submitting import put_error


def moment_asked() -> book.BookMoment:
    """The day and the moment that the address asks for; ``AskedWrongly`` for what is none.

    ``on``: a day; ``known``: a day or an instant; ``entry``: the number of the newest entry then.
    """
    return moment_of(MomentForm(request.args))


def moment_of(form: Any) -> book.BookMoment:
    """The moment that ``form`` asks for; the form then shows the day that counts."""
    if not form.validate():
        raise AskedWrongly(form)
    known = form.known.data if "known" in form else None
    known_at = known if isinstance(known, datetime) else None
    try:
        if known is not None and known_at is None:
            known_at = _end_of_day(known)
        entry = request.args.get("entry", type=int) if known_at is not None else None
        moment = book.book_at(db.session(), g.cooperative, form.on.data, known_at, entry)
    except InvalidInput as error:
        put_error(form, error, "known")
        raise AskedWrongly(form) from error
    form.on.data = moment.on
    return moment


def _end_of_day(known: date) -> datetime | None:
    """The last instant of a day that is over; None, as for what is known now, for today."""
    if known > today():
        raise InvalidInput(
            _("The book cannot be shown as it will be known later."),
            remedy=_("Leave the day empty for what is known now."),
            field="known",
        )
    return book.end_of(g.cooperative, known) if known < today() else None


def book_words(day: date) -> documents.Words:
    """The names of categories and classes of shares as of ``day``."""
    return documents.words_on(db.session(), g.cooperative, day)


def query_of(moment: book.BookMoment) -> dict[str, str]:
    """The query of the page, for links to the same moment."""
    asked = {"on": moment.on.isoformat()}
    if not moment.is_present:
        asked |= {
            name: request.args[name][:40] for name in ("known", "entry") if name in request.args
        }
    return asked


def stem_of(moment: book.BookMoment) -> str:
    """How the names of downloads begin."""
    return f"{g.cooperative.code}-register-{moment.on.isoformat()}"


def may_see_domiciles() -> bool:
    """Contact data is for those to whom the table of privacy gives it."""
    return FieldGroup.CONTACT in shown_fields()
