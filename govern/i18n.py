"""Languages: which one a page speaks, and texts that a cooperative writes in several.

The order is: the visitor's choice (kept in the session), the account, the browser, English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import Flask, g, request
from flask_babel import force_locale, format_currency, format_date, format_time, get_locale
from flask_babel import gettext as _

from govern.config import LOCALES
from govern.extensions import babel

LANGUAGE_NAMES = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}


def register_languages(app: Flask) -> None:
    """Bind Flask-Babel and the template helpers to ``app``."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "en")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    babel.init_app(app, locale_selector=_choose_locale, timezone_selector=choose_time_zone)
    app.jinja_env.globals.update(
        language_names=LANGUAGE_NAMES,
        current_language=current_language,
        local_text=local_text,
        money=money,
        day=day,
        instant=instant,
    )


def choose_language() -> str:
    """The language code of this request (or of the forced context outside one)."""
    if not flask.has_request_context():
        return "en"
    chosen = flask.session.get("language") or g.get("account_language")
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES) or "en"


def _choose_locale() -> str:
    return locale_code(choose_language())


def locale_code(language: str) -> str:
    """The language with the form of dates that people here expect: day before month."""
    return "en_GB" if language == "en" else language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Texts, days and amounts made inside this context are in ``language``, whoever is asking."""
    if not flask.has_app_context():
        raise RuntimeError("a text in a language needs the application's context")
    with force_locale(locale_code(language)):
        yield


def choose_time_zone() -> str:
    """The time zone of the cooperative of this request."""
    cooperative = g.get("cooperative") if flask.has_request_context() else None
    return cooperative.time_zone if cooperative is not None else "Europe/Brussels"


def current_language() -> str:
    """The language code that gettext uses now."""
    locale = get_locale()
    return locale.language if locale is not None else "en"


def local_text(texts: Mapping[str, str] | None, language: str | None = None) -> str:
    """The text in ``language`` (default: the current one), or visibly in another one.

    A fallback is marked with its language code in square brackets, so that nobody mistakes a
    missing translation for the text itself. An empty mapping gives an empty string.
    """
    if not texts:
        return ""
    wanted = language or current_language()
    if texts.get(wanted):
        return texts[wanted]
    for code in LOCALES:
        if texts.get(code):
            return f"{texts[code]} [{code.upper()}]"
    return ""


_FIRST_OF_MONTH = re.compile(r"\b1 (?=[^\W\d])")


def as_spoken(formatted: str) -> str:
    """A formatted day as the language has it: Unicode's data write "1 juin" for "1er juin"."""
    if current_language() != "fr":
        return formatted
    return _FIRST_OF_MONTH.sub("1er ", formatted, count=1)


def money(cents: int) -> str:
    """Integer cents of euro in the form of the current language."""
    return str(format_currency(cents / 100, "EUR"))


def day(value: date, width: str = "long") -> str:
    """A calendar day in the form of the current language."""
    return as_spoken(str(format_date(value, width, rebase=False)))


def local_day(value: datetime) -> date:
    """The calendar day of an instant where the cooperative of this request is."""
    return value.astimezone(ZoneInfo(choose_time_zone())).date()


def instant(value: datetime, width: str = "long") -> str:
    """An instant in the cooperative's time zone, in the form of the current language.

    To the minute: "19 June 2018 at 18:30" (``width`` is that of the date: short to full).
    """
    local = value.astimezone(ZoneInfo(choose_time_zone()))
    return _(
        "%(day)s at %(time)s",
        day=day(local, width),
        time=format_time(local, "short", rebase=False),
    )


def joined_texts(texts: Mapping[str, Any]) -> str:
    """All languages in the fixed order of ``LOCALES``, joined by `` / `` (protocol, φ)."""
    return " / ".join(str(texts[code]) for code in LOCALES if texts.get(code))
