"""The SEPA character set: what every bank takes in names and messages (EPC217-08).

Letters without accents, digits, blank, and / - ? : ( ) . , ' +. A message may neither begin nor
end with a slash nor hold two in a row.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans(
    {
        "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ä": "ae", "ö": "oe", "ü": "ue",
        "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ð": "D", "ð": "d",
        "Þ": "Th", "þ": "th", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ħ": "h", "Ħ": "H",
        "ı": "i", "€": "EUR", "&": "+", "’": "'", "‘": "'", "´": "'", "`": "'", "–": "-",
        "—": "-", "_": "-", "@": "(at)",
    }
)  # fmt: skip
_NOT_LATIN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


def sepa_text(text: str, limit: int, *, empty: str = "-") -> str:
    """``text`` in the SEPA character set, at most ``limit`` characters; ``empty`` if none is left.

    "Zoé Müller & Co" gives "Zoe Mueller + Co".
    """
    plain = unicodedata.normalize("NFC", text).translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", plain)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = _NOT_LATIN.sub(" ", plain)
    plain = re.sub(r"/{2,}", "/", " ".join(plain.split()))
    # Cut first: what is stripped must not come back at the new end.
    return plain[:limit].strip("/ ") or empty
