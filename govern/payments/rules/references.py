"""References of payments: the Belgian structured communication and the creditor reference.

Belgian: twelve digits, of which the last two are the first ten modulo 97 (97 where that is 0),
written +++123/4567/89002+++ (Febelfin, standard for the structured communication). Elsewhere:
ISO 11649, "RF", two check digits by ISO 7064 modulo 97-10, and up to 21 letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BELGIAN = re.compile(
    r"(?<![0-9])(?:\+\+\+|\*\*\*)?[ ]?([0-9]{3})[ ]?/?[ ]?([0-9]{4})[ ]?/?[ ]?([0-9]{5})[ ]?"
    r"(?:\+\+\+|\*\*\*)?(?![0-9])"
)
_RF = re.compile(r"(?<![0-9A-Z])RF[0-9]{2}(?:[ ]?[0-9A-Z]){1,21}")


class WrongReference(ValueError):
    """The check digits of a reference do not fit, or it has another form."""


def belgian_check_digits(first_ten: str) -> str:
    """The two digits that follow ten others: modulo 97, and 97 where nothing is left over."""
    if not re.fullmatch(r"[0-9]{10}", first_ten):
        raise ValueError(f"{first_ten!r} is not ten digits")
    return f"{int(first_ten) % 97 or 97:02d}"


def make_belgian(number: int) -> str:
    """The compact structured communication (twelve digits) of a number of at most ten digits."""
    if not 0 <= number < 10**10:
        raise ValueError(f"{number} has more than ten digits")
    first_ten = f"{number:010d}"
    return first_ten + belgian_check_digits(first_ten)


def is_belgian(reference: str) -> bool:
    """Whether twelve digits carry the right check digits."""
    return (
        re.fullmatch(r"[0-9]{12}", reference) is not None
        and belgian_check_digits(reference[:10]) == reference[10:]
    )


def rf_check_digits(body: str) -> str:
    """The two check digits of ISO 11649 for ``body`` (1 to 21 capital letters and digits)."""
    if not re.fullmatch(r"[0-9A-Z]{1,21}", body):
        raise ValueError(f"{body!r} is not 1 to 21 letters and digits")
    return f"{98 - _as_number(body + 'RF00') % 97:02d}"


def make_rf(body: str) -> str:
    """The compact creditor reference "RF…" of a body of 1 to 21 letters and digits."""
    return f"RF{rf_check_digits(body)}{body}"


def is_rf(reference: str) -> bool:
    """Whether a compact reference follows ISO 11649 and its check digits are right."""
    return (
        re.fullmatch(r"RF[0-9]{2}[0-9A-Z]{1,21}", reference) is not None
        and _as_number(reference[4:] + reference[:4]) % 97 == 1
    )


def _as_number(text: str) -> int:
    """Letters become two digits (A is 10), as ISO 7064 counts."""
    return int("".join(str(int(character, 36)) for character in text))


def show_reference(reference: str) -> str:
    """As people write it: +++123/4567/89002+++ or RF18 5390 0754 7034."""
    if is_belgian(reference):
        return f"+++{reference[:3]}/{reference[3:7]}/{reference[7:]}+++"
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def read_reference(text: str) -> str:
    """The compact reference that somebody typed or a bank gave; "" for nothing.

    Raises WrongReference when it looks like one and its check digits do not fit.
    """
    bare = re.sub(r"[\s+*/.-]", "", text.upper())
    if not bare:
        return ""
    if is_belgian(bare) or is_rf(bare):
        return bare
    raise WrongReference(text)


def references_in(text: str) -> list[str]:
    """The references with right check digits in free text, each once, in their order.

    People paste the structured communication into the free message, with or without its marks.
    ``text`` is one line in which a blank stands alone: the caller runs them together.
    """
    found = [
        (match.start(), "".join(match.groups()))
        for match in _BELGIAN.finditer(text)
        if is_belgian("".join(match.groups()))
    ]
    found += [(at, rf) for at, rf in _rf_in(text.upper())]
    return list(dict.fromkeys(reference for _at, reference in sorted(found)))


def _rf_in(text: str) -> Iterator[tuple[int, str]]:
    """Creditor references may stand in groups of four; what follows may be the next word."""
    for match in _RF.finditer(text):
        words = match.group().split()
        for count in range(len(words), 0, -1):
            candidate = "".join(words[:count])
            if is_rf(candidate):
                yield match.start(), candidate
                break
