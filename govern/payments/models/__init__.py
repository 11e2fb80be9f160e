"""What payments store: bank accounts, requests, statements, matches, payments going out."""

from govern.payments.models.accounts import BankAccount
from govern.payments.models.outgoing import (
    BatchState,
    OutgoingPayment,
    OutgoingState,
    PaymentBatch,
)
from govern.payments.models.requests import PaymentRequest, ReferenceKind, RequestState
from govern.payments.models.statements import (
    BankEntry,
    BankStatement,
    Doubt,
    EntryState,
    MatchHow,
    PaymentMatch,
)

__all__ = [
    "BankAccount",
    "BankEntry",
    "BankStatement",
    "BatchState",
    "Doubt",
    "EntryState",
    "MatchHow",
    "OutgoingPayment",
    "OutgoingState",
    "PaymentBatch",
    "PaymentMatch",
    "PaymentRequest",
    "ReferenceKind",
    "RequestState",
]
