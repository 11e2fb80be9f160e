"""Reading what people type into registers: dates, amounts, countries, numbers with check digits.

Every reader takes a cell (text, or a number or date of a spreadsheet) and returns the value, or
raises ``Unreadable`` with a code that ``govern.register.texts`` turns into a sentence and a remedy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from stdnum import exceptions as number_errors
from stdnum.be import vat as belgian
from stdnum.eu import vat as european
from stdnum.fr import siren, siret
from stdnum.fr import tva as french

from govern.config import LOCALES
from govern.register.rules.folding import fold

Cell = str | int | float | date | datetime | None
"""What a cell of a spreadsheet holds."""

MAX_SHARES = 1_000_000
MAX_CENTS = 100_000_000_00
OLDEST_YEAR = 1850

_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_%+'&/=?^{}~-]+(?:\.[A-Za-z0-9_%+'&/=?^{}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_MEMBER_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z ./_-]{0,38}[0-9A-Za-z])?")
_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_CURRENCY = re.compile(r"€|eur(?:o|os)?", re.IGNORECASE)


class Unreadable(ValueError):
    """A cell that cannot be read as what it should be: ``code`` says why."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def cell_text(cell: Cell) -> str:
    """The cell as text, the way a spreadsheet shows it: 50001.0 is "50001", dates are ISO."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        if math.isfinite(cell) and cell == int(cell) and abs(cell) < 1e15:
            return str(int(cell))
        return repr(cell)
    if isinstance(cell, datetime):
        is_day = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return cell.date().isoformat() if is_day else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


_DIRECTIONS = dict.fromkeys(
    [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
"""Marks that turn the direction of writing: unseen, they make one name look like another."""


def tidy(text: str) -> str:
    """One line: every run of blanks (also non-breaking ones) and line breaks is one blank. Marks
    that turn the direction of writing go."""
    return " ".join(text.translate(_DIRECTIONS).split())


def tidy_lines(text: str) -> str:
    """Several lines, each tidied, empty ones dropped (an address may have two)."""
    return "\n".join(filter(None, (tidy(line) for line in text.splitlines())))


def read_date(cell: Cell) -> date:
    """31/12/2017, 31.12.2017, 31-12-2017, 2017-12-31, 2017/12/31, or a date of a spreadsheet.

    The day comes before the month, as everywhere in Europe. Raises Unreadable: ``date_unknown``
    for another form, ``date_impossible`` for a day that no calendar has.
    """
    if isinstance(cell, datetime):
        return _plausible(cell.date())
    if isinstance(cell, date):
        return _plausible(cell)
    return _plausible(_read_date_text(tidy(cell_text(cell))))


@lru_cache(maxsize=65536)
def _read_date_text(text: str) -> date:
    if match := _DAY_FIRST.fullmatch(text):
        day, _separator, month, year = match.groups()
    elif match := _YEAR_FIRST.fullmatch(text):
        year, _separator, month, day = match.groups()
    else:
        raise Unreadable("date_unknown")
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise Unreadable("date_impossible") from error


def _plausible(day: date) -> date:
    if not OLDEST_YEAR <= day.year <= 2200:
        raise Unreadable("date_implausible")
    return day


def read_amount(cell: Cell) -> int:
    """An amount of money in integer cents: 30, 30,00, 30.00, € 30.00, 1.030,00, 1 030,00 EUR.

    Three digits after the only separator are thousands ("1.030" is one thousand and thirty).
    Raises Unreadable: ``amount_unknown``, ``amount_negative``, ``amount_too_large``.
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if isinstance(cell, float) and not math.isfinite(cell):
            raise Unreadable("amount_unknown")
        # The shortest text of a float is what the person typed into the cell.
        cents = Decimal(repr(cell)) * 100
    else:
        cents = _read_amount_text(cell_text(cell))
    if cents != cents.to_integral_value():
        raise Unreadable("amount_unknown")
    if cents < 0:
        raise Unreadable("amount_negative")
    if cents > MAX_CENTS:
        raise Unreadable("amount_too_large")
    return int(cents)


@lru_cache(maxsize=65536)
def _read_amount_text(text: str) -> Decimal:
    bare = re.sub(r"[\s'’]", "", _CURRENCY.sub("", text))
    sign, digits = ("-", bare[1:]) if bare[:1] in ("-", "−") else ("", bare)
    commas, points = digits.count(","), digits.count(".")
    if commas and points:
        decimal = max(",", ".", key=digits.rfind)
        thousands = "." if decimal == "," else ","
        whole, _mark, fraction = digits.rpartition(decimal)
        if digits.count(decimal) > 1 or not _is_grouped(whole, thousands):
            raise Unreadable("amount_unknown")
        digits = f"{whole.replace(thousands, '')}.{fraction}"
    elif commas + points == 1:
        mark = "," if commas else "."
        whole, _mark, fraction = digits.partition(mark)
        is_thousands = len(fraction) == 3 and 1 <= len(whole) <= 3 and whole != "0"
        digits = whole + fraction if is_thousands else f"{whole}.{fraction}"
    elif commas + points > 1:
        mark = "," if commas else "."
        if not _is_grouped(digits, mark):
            raise Unreadable("amount_unknown")
        digits = digits.replace(mark, "")
    if not re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,2})?", digits):
        raise Unreadable("amount_unknown")
    return Decimal(sign + digits) * 100


def _is_grouped(digits: str, mark: str) -> bool:
    """Whether ``mark`` stands between groups of three digits: 1.030 or 12.345.678."""
    first, *groups = digits.split(mark)
    return 1 <= len(first) <= 3 and all(len(group) == 3 for group in groups)


def read_shares(cell: Cell) -> int:
    """A number of shares, 0 or more. Unreadable: ``shares_unknown``, ``shares_negative``…"""
    text = re.sub(r"\s", "", cell_text(cell))
    if match := re.fullmatch(r"([+-]?[0-9]{1,12})(?:[.,]0{1,2})?", text.replace("−", "-")):
        number = int(match.group(1))
    else:
        raise Unreadable("shares_unknown")
    if number < 0:
        raise Unreadable("shares_negative")
    if number > MAX_SHARES:
        raise Unreadable("shares_too_many")
    return number


def read_member_number(cell: Cell) -> str:
    """A member number: letters, digits and . / _ - between them. Unreadable: ``number_unknown``."""
    text = tidy(cell_text(cell))
    if not _MEMBER_NUMBER.fullmatch(text):
        raise Unreadable("number_unknown")
    return text


def read_email(cell: Cell) -> str:
    """An address as it is written to. Unreadable: ``email_invalid`` (only the form is checked)."""
    text = tidy(cell_text(cell))
    if len(text) <= 254 and len(text.partition("@")[0]) <= 64 and _PLAIN_EMAIL.fullmatch(text):
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized[:254]
    except EmailNotValidError as error:
        raise Unreadable("email_invalid") from error


@cache
def _countries() -> Mapping[str, str]:
    """Folded names in the four languages, and codes, to two-letter codes."""
    known: dict[str, str] = {}
    for language in LOCALES:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "EZ", "UN"):
                known.setdefault(fold(str(name)), code)
                known[code.lower()] = code
    known.update({"uk": "GB", "b": "BE", "d": "DE", "f": "FR", "nederland": "NL", "l": "LU"})
    return known


def read_country(cell: Cell) -> str:
    """A two-letter code or a name in one of the four languages. Unreadable: ``country_unknown``."""
    code = _countries().get(fold(cell_text(cell)))
    if code is None:
        raise Unreadable("country_unknown")
    return code


_LANGUAGES = {
    "fr": "fr fra fre francais french frans franzosisch",
    "nl": "nl nld dut nederlands neerlandais dutch niederlandisch vlaams flamand",
    "de": "de deu ger deutsch allemand duits german",
    "en": "en eng english anglais engels englisch",
}
_LANGUAGE_CODES = {name: code for code, names in _LANGUAGES.items() for name in names.split()}


def read_language(cell: Cell) -> str:
    """A language as code or name: FR, fr-BE, Français, Frans. Unreadable: ``language_unknown``."""
    folded = fold(cell_text(cell))
    code = _LANGUAGE_CODES.get(folded) or _LANGUAGE_CODES.get(folded.partition(" ")[0])
    if code is None:
        raise Unreadable("language_unknown")
    return code


@lru_cache(maxsize=65536)
def read_enterprise_number(text: str, country: str) -> str:
    """The compact number of an organisation of ``country`` (two letters), its check digits right.

    Belgium: ten digits. France: the nine digits of the SIREN (from a SIRET or VAT number too).
    The rest of the Union: the VAT number with its country letters. Elsewhere there is nothing to
    check against: letters and digits are kept. Unreadable: ``enterprise_number_invalid``.
    """
    text = tidy(text)
    if len(text) <= 40:
        try:
            if country == "BE":
                return str(belgian.validate(text))
            if country == "FR":
                return _french_number(text)
            if country.lower() in european.MEMBER_STATES or country == "GR":
                prefix = "EL" if country == "GR" else country
                bare = re.sub(r"[^0-9A-Z]", "", text.upper())
                return str(european.validate(bare if bare.startswith(prefix) else prefix + bare))
            if bare := re.sub(r"[^0-9A-Z]", "", text.upper()):
                return bare
        except number_errors.ValidationError:
            pass
    raise Unreadable("enterprise_number_invalid", country=country)


def _french_number(text: str) -> str:
    digits = re.sub(r"[^0-9A-Z]", "", text.upper())
    if len(digits) == 14 and digits.isdigit():
        return str(siret.validate(digits))[:9]
    if len(digits) in (11, 13):
        return str(french.validate(digits))[-9:]
    return str(siren.validate(digits))
