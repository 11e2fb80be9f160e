"""Bank identifiers: IBAN with its check digits, BIC by its form (python-stdnum)."""

from __future__ import annotations

import re

from stdnum import bic as bic_number
from stdnum import exceptions as number_errors
from stdnum import iban as iban_number

SEPA_COUNTRIES = frozenset(
    """
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FO FR GB GG GI GL GR HR HU IE IM IS IT JE LI LT LU LV
    MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA
    """.split()
)
"""Countries whose IBANs take SEPA credit transfers (European Payments Council, EPC409-09)."""


class WrongIban(ValueError):
    """``code``: ``form``, ``check_digits`` or ``not_sepa``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WrongBic(ValueError):
    """Eight or eleven characters of another form."""


def read_iban(text: str) -> str:
    """The compact IBAN, its length and both kinds of check digits right, of a SEPA country.

    Raises WrongIban: ``form``, ``check_digits``, ``not_sepa``.
    """
    bare = re.sub(r"[\s.-]", "", text.upper())
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", bare):
        raise WrongIban("form")
    try:
        compact = _validated(bare)
    except number_errors.InvalidChecksum as error:
        raise WrongIban("check_digits") from error
    except number_errors.ValidationError as error:
        raise WrongIban("form") from error
    if compact[:2] not in SEPA_COUNTRIES:
        raise WrongIban("not_sepa")
    return compact


def _validated(bare: str) -> str:
    """Length, structure, check digits of ISO 13616, and those of the country where it has any."""
    try:
        return str(iban_number.validate(bare))
    except number_errors.InvalidComponent:
        # A bank that the list of banks does not know: new ones open faster than lists are kept.
        return str(iban_number.validate(bare, check_country=False))


def is_iban(text: str) -> bool:
    """Whether ``text`` is an IBAN that can be paid to."""
    try:
        read_iban(text)
    except WrongIban:
        return False
    return True


def read_bic(text: str) -> str:
    """The compact BIC, "" for nothing. Raises WrongBic."""
    bare = re.sub(r"\s", "", text.upper())
    if not bare:
        return ""
    try:
        return str(bic_number.validate(bare))
    except number_errors.ValidationError as error:
        raise WrongBic(text) from error


def show_iban(iban: str) -> str:
    """In groups of four, as people read it."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
