"""What other features call to ask for money, to pay it out, and to say how."""

from govern.payments.services.accounts import default_account, require_default_account
from govern.payments.services.outgoing import (
    cancel_outgoing,
    hold_outgoing,
    outgoing_by_public_id,
    release_outgoing,
    request_outgoing,
)
from govern.payments.services.requests import (
    PaymentInstruction,
    cancel_request,
    instruction_for,
    request_by_public_id,
    request_payment,
)

__all__ = [
    "PaymentInstruction",
    "cancel_outgoing",
    "cancel_request",
    "default_account",
    "hold_outgoing",
    "instruction_for",
    "outgoing_by_public_id",
    "release_outgoing",
    "request_by_public_id",
    "request_outgoing",
    "request_payment",
    "require_default_account",
]
