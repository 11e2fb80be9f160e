"""Bank statements, from bytes to entries: CAMT.053 (ISO 20022) and the CSV files of banks."""

from govern.payments.reading.camt import read_camt
from govern.payments.reading.records import ReadEntry, ReadStatement, UnreadableStatement
from govern.payments.reading.table import read_bank_table

__all__ = [
    "ReadEntry",
    "ReadStatement",
    "UnreadableStatement",
    "read_statements",
]


_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"7z\xbc\xaf", b"BZh", b"Rar!", b"\xfd7zXZ")
"""How the files of gzip, ZIP, 7-Zip, bzip2, RAR and xz begin."""


def read_statements(content: bytes, *, own_iban: str = "") -> list[ReadStatement]:
    """The statements in a file, whatever it is called. Raises UnreadableStatement.

    ``own_iban`` (compact) is the account that a table without a column for it is about.
    """
    head = content[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not head:
        raise UnreadableStatement("empty")
    if head[:1] == b"<" or head[:2] == b"\x00<":
        return read_camt(content)
    if head[:5] == b"%PDF-":
        raise UnreadableStatement("pdf")
    # A spreadsheet is a packed file as well, with this list of its contents.
    if content.startswith(_PACKED) and b"[Content_Types].xml" not in content:
        raise UnreadableStatement("packed")
    return [read_bank_table(content, own_iban)]
