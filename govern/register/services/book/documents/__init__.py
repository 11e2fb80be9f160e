"""The book on paper and as a workbook: an extract, one member's page of it, a year's balance."""

from govern.register.services.book.documents.extract import (
    PDF_ROWS,
    extract_pdf,
    extract_xlsx,
    member_digest,
    member_extract_pdf,
)
from govern.register.services.book.documents.words import Words, kind_name
from govern.register.services.book.documents.year import (
    balance_digest,
    balance_pdf,
    balance_xlsx,
    movement_headings,
    people_headings,
    people_rows,
    reasons_of,
)

__all__ = [
    "PDF_ROWS",
    "Words",
    "balance_digest",
    "balance_pdf",
    "balance_xlsx",
    "extract_pdf",
    "extract_xlsx",
    "kind_name",
    "member_digest",
    "member_extract_pdf",
    "movement_headings",
    "people_headings",
    "people_rows",
    "reasons_of",
]
