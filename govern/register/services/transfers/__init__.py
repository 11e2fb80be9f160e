"""Shares change hands when both members say so: the giver proposes, the receiver confirms.

Somebody who is no member yet answers by a secret link, and receives the shares when they are
admitted. A registrar may record an act on paper instead, name the receiver of shares promised to
somebody who was no member yet, and complete a request whose receiver has confirmed on paper. The
ledger is written when both have agreed, never before.
"""

from govern.register.services.transfers.checking import Proposal, refuse_too_few
from govern.register.services.transfers.ending import end_void_transfers, expire_transfers
from govern.register.services.transfers.invitations import (
    Offer,
    claim_invitation,
    complete_for_applicant,
    decline_invitation,
    invitation_by_token,
    offer_of,
    release_promise,
    reserve_for_applicant,
)
from govern.register.services.transfers.reading import (
    awaiting_for,
    is_open,
    is_over,
    promised_shares,
    transfer_by_public_id,
    transfers_of,
)
from govern.register.services.transfers.steps import (
    complete_transfer,
    confirm_transfer,
    decline_transfer,
    name_receiver,
    propose_transfer,
    welcome_receiver,
    withdraw_transfer,
)

__all__ = [
    "Offer",
    "Proposal",
    "awaiting_for",
    "claim_invitation",
    "complete_for_applicant",
    "complete_transfer",
    "confirm_transfer",
    "decline_invitation",
    "decline_transfer",
    "end_void_transfers",
    "expire_transfers",
    "invitation_by_token",
    "is_open",
    "is_over",
    "name_receiver",
    "offer_of",
    "promised_shares",
    "propose_transfer",
    "refuse_too_few",
    "release_promise",
    "reserve_for_applicant",
    "transfer_by_public_id",
    "transfers_of",
    "welcome_receiver",
    "withdraw_transfer",
]
