"""Shares change hands when both members say so: the giver proposes, the receiver confirms.

A registrar may record an act on paper instead, name the receiver of shares promised to somebody
who was no member yet, and complete a request whose receiver has confirmed on paper. The ledger is
written when both have agreed, never before.
"""

from govern.register.services.transfers.checking import Proposal
from govern.register.services.transfers.reading import (
    awaiting_for,
    expire_transfers,
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
    "Proposal",
    "awaiting_for",
    "complete_transfer",
    "confirm_transfer",
    "decline_transfer",
    "expire_transfers",
    "name_receiver",
    "promised_shares",
    "propose_transfer",
    "transfer_by_public_id",
    "transfers_of",
    "welcome_receiver",
    "withdraw_transfer",
]
