"""What the component templates need from Python: localised numbers, drawings, page addresses."""

from __future__ import annotations

from fractions import Fraction
from urllib.parse import urlencode

from flask import Flask, request
from flask_babel import format_decimal, format_percent, get_locale
from flask_babel import gettext as _
from wtforms import Field
from wtforms.validators import StopValidation

from govern import drawings
from govern.navigation import register_navigation


class OneNeeded:
    """For several boxes: at least one is ticked. Not ``DataRequired``, whose mark every single box
    would carry into the browser, which then wants all of them. The macro ``field`` reads the flag.
    """

    field_flags = {"one_needed": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: object, field: Field) -> None:
        if not field.data:
            raise StopValidation(str(self.message))


def register_components(app: Flask) -> None:
    """Give every template the helpers that ``templates/components/`` builds on."""
    register_navigation(app)
    # A message does not depend on how the template that holds it is indented.
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.filters.update(number=number, file_size=file_size)
    app.jinja_env.globals.update(
        as_parts=drawings.as_parts,
        draw_bar=drawings.draw_bar,
        draw_columns=drawings.draw_columns,
        draw_gauge=drawings.draw_gauge,
        draw_result_bar=drawings.draw_result_bar,
        page_address=page_address,
        percent=percent,
    )


def number(value: int | float | Fraction) -> str:
    """A number with the separators of the current language."""
    return str(format_decimal(float(value) if isinstance(value, Fraction) else value))


def percent(part: int | float | Fraction, whole: int | None = None) -> str:
    """``part`` of ``whole`` (or the share ``part``) in per cent, with at most one decimal.

    Rounding is for reading only; what decides is computed exactly in the rules.
    """
    if whole == 0:
        return str(format_percent(0, _percent_pattern()))
    share = float(part if whole is None else Fraction(part) / whole)
    return str(format_percent(share, _percent_pattern()))


def _percent_pattern() -> str:
    locale = get_locale()
    if locale is None:
        return "#,##0.#%"
    # Each language writes the sign its own way (50 %, 50%): keep that, allow one decimal.
    return str(locale.percent_formats[None].pattern).replace("#,##0", "#,##0.#")


def file_size(size: int) -> str:
    """Bytes in the largest unit that leaves a number of at least one, in the reader's language."""
    if size < 1000:
        return _("%(size)s bytes", size=number(size))
    if size < 1_000_000:
        return _("%(size)s kB", size=number(round(size / 1000)))
    return _("%(size)s MB", size=number(round(size / 1_000_000, 1)))


def page_address(page: int, name: str = "page") -> str:
    """The address of another page of the list being shown; what else it says is kept."""
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key != name]
    return f"{request.path}?{urlencode([*pairs, (name, str(page))])}"
