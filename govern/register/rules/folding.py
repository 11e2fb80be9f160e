"""Folding of names and addresses, so that a search forgives accents, case and punctuation."""

from __future__ import annotations

import unicodedata

from govern.accounts.rules import fold_email, fold_identifier

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "œ": "oe", "æ": "ae", "ð": "d", "þ": "th", "ł": "l"})
_KEEP_ASCII = {ord(c): c for c in "abcdefghijklmnopqrstuvwxyz0123456789"}
_ASCII = str.maketrans({chr(n): _KEEP_ASCII.get(n, " ") for n in range(128)})


def fold(text: str) -> str:
    """Lower case without accents; everything but letters and digits is one blank.

    "  De Crayencoür-Müller, Zoé " gives "de crayencour muller zoe".
    """
    lowered = text.casefold()
    if not lowered.isascii():
        lowered = unicodedata.normalize("NFKD", lowered.translate(_LETTERS)).casefold()
        lowered = "".join(
            c if c.isalnum() else " " for c in lowered if not unicodedata.combining(c)
        )
    return " ".join(lowered.translate(_ASCII).split())


def name_key(given_name: str, family_name: str) -> str:
    """The folded name by which the same person written twice is found."""
    return f"{fold(family_name)}|{fold(given_name)}"


def email_key(email: str) -> str:
    """The address as it is compared, the same way as when somebody signs in with it."""
    return fold_email(email)


def number_key(member_number: str) -> str:
    """The member number as it is compared when somebody signs in with it: no blanks, no case."""
    return fold_identifier(member_number)[:40]


def search_words(query: str, limit: int = 8) -> list[str]:
    """The folded words that a match must contain, in any order; at most ``limit`` of them."""
    return fold(query[:200]).split()[:limit]


def search_text(*parts: str) -> str:
    """The folded text that is searched: all parts, each word after a blank."""
    return " " + " ".join(filter(None, (fold(part) for part in parts)))
