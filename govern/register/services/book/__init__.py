"""The book of members and shares: extracts at any day, as known at any moment, and balances."""

from govern.register.services.book.balance import (
    HEADINGS,
    Balance,
    FinancialYear,
    Movement,
    Mover,
    People,
    balance_of,
    financial_year,
    financial_years,
    read_movers,
    year_of,
)
from govern.register.services.book.entries import BookEntry, count_entries_of, read_entries
from govern.register.services.book.extracts import (
    BookLine,
    Order,
    digest_of,
    read_lines,
    read_lines_of,
)
from govern.register.services.book.holders import (
    ClassTotal,
    count_holders,
    count_lines,
    find_holders,
    totals_per_class,
)
from govern.register.services.book.moments import BookMoment, book_at, end_of
from govern.register.services.book.restricted import (
    PublicLine,
    count_public_lines,
    find_public_lines,
)
from govern.register.services.book.volumes import (
    VOLUME_ROWS,
    EntryPart,
    HolderPart,
    Volume,
    Volumes,
    entries_in,
    is_one_volume,
    lines_in,
    volumes_of,
)

__all__ = [
    "HEADINGS",
    "VOLUME_ROWS",
    "Balance",
    "BookEntry",
    "BookLine",
    "BookMoment",
    "ClassTotal",
    "EntryPart",
    "FinancialYear",
    "HolderPart",
    "Movement",
    "Mover",
    "Order",
    "People",
    "PublicLine",
    "Volume",
    "Volumes",
    "balance_of",
    "book_at",
    "count_entries_of",
    "count_holders",
    "count_lines",
    "count_public_lines",
    "digest_of",
    "end_of",
    "entries_in",
    "financial_year",
    "financial_years",
    "find_holders",
    "find_public_lines",
    "is_one_volume",
    "lines_in",
    "read_entries",
    "read_lines",
    "read_lines_of",
    "read_movers",
    "totals_per_class",
    "volumes_of",
    "year_of",
]
