"""What a statement says, whatever shape its file has."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from govern.payments.rules import references
from govern.register.rules.values import MAX_CENTS

MAX_ENTRIES = 20_000
"""Of one file. More would keep a job at it for hours: a bank gives shorter statements as well."""

MAX_SEARCHED = 1000
"""Characters of a message that are searched for a reference: banks pass on far fewer."""


class UnreadableStatement(ValueError):
    """The file is refused whole. ``code`` and ``params`` become a sentence and a remedy."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class ReadEntry:
    """One movement. ``amount_cents`` is positive for money received.

    ``bank_reference`` is the number that the bank gave it, "" where it gave none.
    ``batch_id`` is the message of a payment file that was booked in one sum.
    """

    amount_cents: int
    booked_on: date
    value_on: date
    counterparty_name: str = ""
    counterparty_iban: str = ""
    counterparty_bic: str = ""
    reference: str = ""
    remittance: str = ""
    end_to_end_id: str = ""
    bank_reference: str = ""
    batch_id: str = ""
    is_return: bool = False
    return_reason: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same movement in files of different shapes (SHA-256, hexadecimal).

        Day, amount, the other account, and the reference or else the letters of the message.
        """
        text = self.reference or re.sub(r"[^0-9a-z]", "", self.remittance.casefold())[:60]
        return _digest(
            "fingerprint",
            self.booked_on.isoformat(),
            str(self.amount_cents),
            self.counterparty_iban,
            text,
        )


@dataclass
class ReadStatement:
    """One statement of one account. Balances in cents, None where the file gives none."""

    format: str
    iban: str
    identification: str = ""
    first_day: date | None = None
    last_day: date | None = None
    opening_cents: int | None = None
    closing_cents: int | None = None
    entries: list[ReadEntry] = field(default_factory=list)

    def set_days(self) -> None:
        """Where the file names no period, it is that of its entries."""
        days = [entry.booked_on for entry in self.entries]
        if days:
            self.first_day = self.first_day or min(days)
            self.last_day = self.last_day or max(days)


def entry_keys(entries: Iterable[ReadEntry]) -> list[str]:
    """One key per entry, the same whenever the same entry is read again.

    It is made of the bank's own reference with day and amount (a bank may give one reference to
    all parts of a batch), else of the fingerprint; entries alike in that are counted.
    """
    seen: Counter[str] = Counter()
    keys = []
    for entry in entries:
        base = (
            _digest(
                "reference",
                entry.bank_reference,
                entry.booked_on.isoformat(),
                str(entry.amount_cents),
                entry.end_to_end_id,
            )
            if entry.bank_reference
            else entry.fingerprint
        )
        seen[base] += 1
        keys.append(counted_key(base, seen[base]))
    return keys


def counted_key(base: str, number: int) -> str:
    """The key of the ``number``-th (from 1) of several entries that nothing tells apart."""
    return _digest("key", base, str(number))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def read_cents(text: str, *, where: str) -> int:
    """A decimal amount of a machine ("60.00"), not negative, in cents. UnreadableStatement."""
    if not re.fullmatch(r"[0-9]{1,18}(?:\.[0-9]{0,5})?", text.strip()):
        code = "amount_negative" if text.strip().startswith("-") else "amount_unknown"
        raise UnreadableStatement(code, value=text.strip()[:40], where=where)
    try:
        cents = Decimal(text.strip()) * 100
    except InvalidOperation as error:
        raise UnreadableStatement("amount_unknown", value=text[:40], where=where) from error
    return bounded_cents(cents, text, where)


def bounded_cents(cents: Decimal, text: str, where: str) -> int:
    """Whole cents of a believable size. UnreadableStatement otherwise."""
    if cents != cents.to_integral_value():
        raise UnreadableStatement("amount_unknown", value=text.strip()[:40], where=where)
    if abs(cents) > MAX_CENTS:
        raise UnreadableStatement("amount_too_large", value=text.strip()[:40], where=where)
    return int(cents)


def reference_of(structured: str, remittance: str) -> str:
    """The compact reference of an entry: the structured one, else the only one in the message.

    Two different ones in a message name no single request, and neither does one with wrong check
    digits: the entry then has none.
    """
    try:
        compact = references.read_reference(structured)
    except references.WrongReference:
        compact = ""
    if compact:
        return compact
    found = references.references_in(one_line(f"{structured} {remittance}", MAX_SEARCHED))
    return found[0] if len(found) == 1 else ""


def one_line(text: str | None, limit: int) -> str:
    """Blanks and line breaks run together, unprintable characters dropped, cut to ``limit``."""
    if not text:
        return ""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:limit]


def plain_iban(text: str) -> str:
    """The compact account of the other side where it looks like an IBAN, else ""."""
    bare = re.sub(r"[\s.-]", "", text).upper()
    return bare if re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", bare) else ""
