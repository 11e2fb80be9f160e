"""What happens to shares: subscription, payment, transfer, refund, conversion, taking back."""

from govern.register.services.ledger.capital import (
    record_payment,
    refund_overpayment,
    subscribe_shares,
)
from govern.register.services.ledger.common import check_class, refuse_on_hold
from govern.register.services.ledger.moving import convert_shares, refund_shares, transfer_shares
from govern.register.services.ledger.reversing import reverse_act

__all__ = [
    "check_class",
    "convert_shares",
    "record_payment",
    "refund_overpayment",
    "refund_shares",
    "refuse_on_hold",
    "reverse_act",
    "subscribe_shares",
    "transfer_shares",
]
