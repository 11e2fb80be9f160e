"""Which book the address asks for: its day, and what was known when."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import g, request
from flask_babel import gettext as _

from govern.errors import InvalidInput
from govern.extensions import db
from govern.register.rules import values
from govern.register.rules.privacy import FieldGroup
from govern.register.services import book
from govern.register.services.book import documents
from govern.register.views.blueprint import today
from govern.register.views.traces import shown_fields


def day_asked(name: str) -> date | None:
    """The day of that name in the address, None where there is none; InvalidInput for no day."""
    text = request.args.get(name, "").strip()[:40]
    if not text:
        return None
    try:
        return values.read_date(text)
    except values.Unreadable as error:
        raise InvalidInput(
            _("“%(text)s” is not a day.", text=text),
            remedy=_("Write a day such as 2018-12-31."),
            field=name,
        ) from error


def _known_asked() -> datetime | None:
    """As known when: at the end of a past day, or at an instant, as the lists of volumes say."""
    text = request.args.get("known", "").strip()[:40]
    if "T" in text:
        try:
            known_at = datetime.fromisoformat(text)
            if known_at.tzinfo is not None:
                return known_at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise InvalidInput(
            _("“%(text)s” is not a moment.", text=text),
            remedy=_("Open the list of the volumes again from the page of the book."),
            field="known",
        )
    known = day_asked("known")
    if known is not None and known > today():
        raise InvalidInput(
            _("The book cannot be shown as it will be known later."),
            remedy=_("Leave the day empty for what is known now."),
            field="known",
        )
    return book.end_of(g.cooperative, known) if known is not None and known < today() else None


def moment_asked() -> book.BookMoment:
    """The day and the moment that the address asks for.

    ``on``: a day; ``known``: a day or an instant; ``entry``: the number of the newest entry then.
    """
    known_at, entry = _known_asked(), request.args.get("entry", type=int)
    sequence = entry if known_at is not None else None
    return book.book_at(db.session(), g.cooperative, day_asked("on"), known_at, sequence)


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
