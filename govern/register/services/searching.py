"""Searching members by words: anywhere in a text, or in very large registers from its beginnings.

Looking for letters in the midst of words means to read every text. Up to ``LARGE`` entries that is
quick; beyond, on PostgreSQL, an index of the words answers, and a word counts from its first
letter. What is written in groups (0871.985.062) is then looked for in one piece as well.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import cast, literal_column, or_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from govern.register.models import Membership, RegisterHead
from govern.register.rules.folding import search_words

LARGE = 100_000
_WORDS = "array_to_tsvector(string_to_array(btrim(membership.search_text), ' '))"


def is_large(session: Session, cooperative_id: int) -> bool:
    """Whether the register is searched by its index of words."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    head = session.get(RegisterHead, cooperative_id)
    return head is not None and head.sequence > LARGE


def word_conditions(query: str, *, in_index: bool = False, names_only: bool = False) -> list[Any]:
    """The conditions of the members in whose text every word of ``query`` occurs.

    ``names_only``: in the name or the number, for whoever may not see addresses; what cannot be
    seen must not be found out by searching either.
    """
    words = search_words(query)
    if names_only:
        found = [
            or_(Membership.sort_name.like(f"%{word}%"), Membership.number_key.like(f"%{word}%"))
            for word in words
        ]
        return found + (word_conditions(query, in_index=True) if in_index else [])
    if not in_index:
        return [Membership.search_text.like(f"%{word}%") for word in words]
    if not words:
        return []
    # Folded words hold letters and digits only: nothing in them needs to be escaped.
    wanted = " & ".join(f"'{word}':*" for word in words)
    if len(words) > 1:
        wanted = f"({wanted}) | '{''.join(words)}':*"
    return [literal_column(_WORDS).op("@@")(cast(wanted, TSQUERY))]
