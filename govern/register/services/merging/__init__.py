"""Making one of what was written twice, and taking that back.

Two steps, each an act of its own: two rows of one person (or organisation) become one holder, and
two memberships of one holder in one cooperative become one membership. A merge moves row numbers
and writes to the ledger; it deletes nothing, and undoing it puts back exactly what it moved. Rolls
are left alone: a frozen one is corrected with a reason, a locked one stays as it is.
"""

from govern.register.services.merging.holders import merge_holders
from govern.register.services.merging.memberships import merge_memberships
from govern.register.services.merging.reading import (
    Preview,
    closed_account_words,
    merge_by_public_id,
    merged_accounts_of,
    merged_memberships_of,
    merges_of,
    merges_of_membership,
    preview_merge,
)
from govern.register.services.merging.undoing import undo_merge

__all__ = [
    "Preview",
    "closed_account_words",
    "merge_by_public_id",
    "merge_holders",
    "merge_memberships",
    "merged_accounts_of",
    "merged_memberships_of",
    "merges_of",
    "merges_of_membership",
    "preview_merge",
    "undo_merge",
]
