"""Which request a received amount belongs to, and what is left over.

The reference decides alone: whoever wrote it meant that request, whatever the amount. Without one
a known account with the right amount, or a name, is only a hint that a person has to confirm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from govern.register.rules.folding import fold


class Hint(StrEnum):
    """How an amount was tied to a request; everything but ``REFERENCE`` is a guess."""

    REFERENCE = "reference"
    CLOSED = "closed"
    KNOWN_PAYER = "known_payer"
    KNOWN_NAME = "known_name"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Candidate:
    """A request that an amount may belong to. ``due_cents`` is what is still to come."""

    id: int
    due_cents: int
    is_open: bool = True


@dataclass(frozen=True)
class Finding:
    """What an amount was found to be. ``matched_cents`` + ``rest_cents`` is the amount."""

    hint: Hint
    request_id: int | None = None
    matched_cents: int = 0
    rest_cents: int = 0


def find_match(
    amount_cents: int,
    *,
    by_reference: Candidate | None,
    by_payer: Sequence[Candidate] = (),
    by_name: Sequence[Candidate] = (),
) -> Finding:
    """What a received amount (cents, 1 or more) belongs to.

    ``by_reference`` has exactly the reference of the entry; ``by_payer`` were asked of whoever
    paid from the same account before; ``by_name`` bear the name of the account's holder.
    """
    if by_reference is not None:
        if not by_reference.is_open:
            return Finding(Hint.CLOSED, by_reference.id, 0, amount_cents)
        matched = min(amount_cents, by_reference.due_cents)
        return Finding(Hint.REFERENCE, by_reference.id, matched, amount_cents - matched)
    for candidate in by_payer:
        if candidate.due_cents == amount_cents:
            return Finding(Hint.KNOWN_PAYER, candidate.id, 0, amount_cents)
    same_amount = [one for one in by_name if one.due_cents == amount_cents]
    for candidate in (*same_amount, *by_name):
        return Finding(Hint.KNOWN_NAME, candidate.id, 0, amount_cents)
    return Finding(Hint.NOTHING, None, 0, amount_cents)


_TITLES = frozenset(
    "m mr mme mlle mrs ms dhr mevr mevrouw mijnheer de heer herr frau madame monsieur et en und "
    "and of ou".split()
)


def name_words(name: str) -> frozenset[str]:
    """The words of a name by which it is compared: folded, in no order, without titles."""
    return frozenset(word for word in fold(name).split() if word not in _TITLES)


def payer_key(name: str) -> str:
    """The same for names of the same words, whatever their order; "" for a name of less than two
    words, which is too little to go by. At most 250 characters."""
    words = name_words(name)
    return " ".join(sorted(words))[:250] if len(words) >= 2 else ""
