"""The payload of the EPC QR code (EPC069-12, version 002): an instruction that banking apps read.

Version 002 makes the BIC optional inside the SEPA area. The lines end in a line feed, the text
is UTF-8, and at most 331 bytes fit into the code at error correction level M.
"""

from __future__ import annotations

from govern.payments.rules.latin import sepa_text
from govern.payments.rules.references import is_rf

MAX_BYTES = 331
MAX_CENTS = 99_999_999_999


def qr_payload(
    *, holder: str, iban: str, bic: str, amount_cents: int, reference: str, message: str = ""
) -> str:
    """The text inside the code. ``amount_cents``: 1 to 99,999,999,999.

    A creditor reference of ISO 11649 goes into the structured field. The structured field takes
    no other kind, so the Belgian communication stands, with its marks, in the free message: that
    is where Belgian banking apps look for it. Raises ValueError for an amount out of bounds.
    """
    if not 1 <= amount_cents <= MAX_CENTS:
        raise ValueError(f"{amount_cents} cents cannot be put into a QR code")
    structured = reference if is_rf(reference) else ""
    lines = [
        "BCD",
        "002",
        "1",
        "SCT",
        bic,
        holder[:70],
        iban,
        f"EUR{amount_cents // 100}.{amount_cents % 100:02d}",
        "",
        structured,
        "" if structured else message[:140],
    ]
    while lines[-1] == "":
        lines.pop()
    if len("\n".join(lines).encode()) > MAX_BYTES:
        # A long name in letters of several bytes each: as banks write it, it is short enough.
        lines[5] = sepa_text(holder, 70)
    return "\n".join(lines)
