"""The book on paper and as a workbook: an extract, one member's page of it, a year's balance."""

from govern.register.services.book.documents.extract import (
    extract_xlsx,
    member_digest,
    member_extract_pdf,
)
from govern.register.services.book.documents.folder import Asked, write_volumes
from govern.register.services.book.documents.volume import (
    Extract,
    contents_of,
    make_extract,
    verification_code,
    volume_name,
    volume_pdf,
)
from govern.register.services.book.documents.words import Words, kind_name, words_on
from govern.register.services.book.documents.year import (
    balance_digest,
    balance_pdf,
    balance_xlsx,
    movement_headings,
    people_headings,
    people_rows,
    reasons_of,
    withdrawal_note,
)

__all__ = [
    "Asked",
    "Extract",
    "Words",
    "balance_digest",
    "balance_pdf",
    "balance_xlsx",
    "contents_of",
    "extract_xlsx",
    "kind_name",
    "make_extract",
    "member_digest",
    "member_extract_pdf",
    "movement_headings",
    "people_headings",
    "people_rows",
    "reasons_of",
    "verification_code",
    "volume_name",
    "volume_pdf",
    "withdrawal_note",
    "words_on",
    "write_volumes",
]
