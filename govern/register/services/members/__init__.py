"""What happens to memberships: admission, contact data, category, representative, ending."""

from govern.register.services.members.admission import (
    NewMember,
    PossibleDuplicate,
    add_member,
    refuse_duplicates,
)
from govern.register.services.members.changes import (
    change_category,
    change_contact,
    change_identity,
    change_own_address,
    change_representative,
    end_membership,
)
from govern.register.services.members.checking import Contact, check_contact, make_person
from govern.register.services.members.finding import (
    categories_on,
    index_membership,
    member_search_text,
    membership_by_number,
    membership_by_public_id,
    next_member_number,
)
from govern.register.services.members.reopening import take_back_ending, was_merged
from govern.register.services.members.representatives import (
    representative_on,
    representatives_of,
    withdraw_representative,
)

__all__ = [
    "Contact",
    "NewMember",
    "PossibleDuplicate",
    "add_member",
    "categories_on",
    "change_category",
    "change_contact",
    "change_identity",
    "change_own_address",
    "change_representative",
    "check_contact",
    "end_membership",
    "index_membership",
    "make_person",
    "member_search_text",
    "membership_by_number",
    "membership_by_public_id",
    "next_member_number",
    "refuse_duplicates",
    "representative_on",
    "representatives_of",
    "take_back_ending",
    "was_merged",
    "withdraw_representative",
]
