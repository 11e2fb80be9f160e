"""What payments store: accounts, requests, statements, matches, claims, payments going out."""

from govern.payments.models.accounts import BankAccount
from govern.payments.models.claims import OutgoingByHand, PayerClaim
from govern.payments.models.outgoing import (
    BatchState,
    OutgoingPayment,
    OutgoingState,
    PaymentBatch,
)
from govern.payments.models.readings import ReadingState, StatementReading
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
    "OutgoingByHand",
    "OutgoingPayment",
    "OutgoingState",
    "PayerClaim",
    "PaymentBatch",
    "PaymentMatch",
    "PaymentRequest",
    "ReadingState",
    "ReferenceKind",
    "RequestState",
    "StatementReading",
]
