"""The kinds and states of departures and refunds, and which state may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DepartureKind(StrEnum):
    """How a membership, or a part of its shares, comes to its end. ``partial``: some shares;
    ``former``: shares that were left in the ledger when the membership had ended already."""

    RESIGNATION = "resignation"
    PARTIAL = "partial"
    DEATH = "death"
    LOSS_OF_STATUS = "loss_of_status"
    EXCLUSION = "exclusion"
    FORMER = "former"


class DepartureState(StrEnum):
    """``unconfirmed``: asked for, not signed yet. ``pending``: it takes effect on its day.
    ``procedure``: an exclusion that is not decided. ``superseded``: the membership ended otherwise
    before."""

    UNCONFIRMED = "unconfirmed"
    PENDING = "pending"
    PROCEDURE = "procedure"
    EFFECTIVE = "effective"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"
    DISCONTINUED = "discontinued"


DEPARTURE_TRANSITIONS: Mapping[DepartureState, frozenset[DepartureState]] = {
    DepartureState.UNCONFIRMED: frozenset(
        {
            DepartureState.PENDING,
            DepartureState.WITHDRAWN,
            DepartureState.LAPSED,
            DepartureState.SUPERSEDED,
        }
    ),
    DepartureState.PENDING: frozenset(
        {DepartureState.EFFECTIVE, DepartureState.WITHDRAWN, DepartureState.SUPERSEDED}
    ),
    DepartureState.PROCEDURE: frozenset(
        {DepartureState.EFFECTIVE, DepartureState.DISCONTINUED, DepartureState.SUPERSEDED}
    ),
    DepartureState.EFFECTIVE: frozenset(),
    DepartureState.WITHDRAWN: frozenset(),
    DepartureState.LAPSED: frozenset(),
    DepartureState.SUPERSEDED: frozenset(),
    DepartureState.DISCONTINUED: frozenset(),
}

REQUESTED = (DepartureState.UNCONFIRMED, DepartureState.PENDING)
OPEN = (*REQUESTED, DepartureState.PROCEDURE)


class Signature(StrEnum):
    """How a request was signed: a sign-in alone is no signature."""

    PASSWORD = "password"  # noqa: S105  (a word, not a password)
    MAIL = "mail"
    PAPER = "paper"


class RefundState(StrEnum):
    """``scheduled``: owed, due on its day. ``postponed``: the board put it off, the claim remains.
    ``released``: an outgoing payment is under way. ``returned``: the bank sent it back.
    ``replaced``: split into the instalments that stand in its place. ``cancelled``: the ledger took
    back that the shares left, so nothing is owed."""

    SCHEDULED = "scheduled"
    POSTPONED = "postponed"
    RELEASED = "released"
    PAID = "paid"
    RETURNED = "returned"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


REFUND_TRANSITIONS: Mapping[RefundState, frozenset[RefundState]] = {
    RefundState.SCHEDULED: frozenset(
        {
            RefundState.RELEASED,
            RefundState.POSTPONED,
            RefundState.REPLACED,
            RefundState.CANCELLED,
            # The bank may have made a payment that was called off here.
            RefundState.PAID,
        }
    ),
    RefundState.POSTPONED: frozenset(
        {RefundState.SCHEDULED, RefundState.CANCELLED, RefundState.PAID}
    ),
    RefundState.RELEASED: frozenset(
        {RefundState.PAID, RefundState.RETURNED, RefundState.SCHEDULED}
    ),
    # A bank may return a transfer days after it has booked it.
    RefundState.PAID: frozenset({RefundState.RETURNED}),
    RefundState.RETURNED: frozenset(
        {RefundState.SCHEDULED, RefundState.CANCELLED, RefundState.PAID}
    ),
    RefundState.REPLACED: frozenset(),
    RefundState.CANCELLED: frozenset(),
}

OWED = (
    RefundState.SCHEDULED,
    RefundState.POSTPONED,
    RefundState.RELEASED,
    RefundState.RETURNED,
)
"""The states in which the money has not reached its owner."""


def departure_may(present: DepartureState, wanted: DepartureState) -> bool:
    """Whether ``wanted`` may follow ``present``."""
    return wanted in DEPARTURE_TRANSITIONS[present]


def refund_may(present: RefundState, wanted: RefundState) -> bool:
    """Whether ``wanted`` may follow ``present``."""
    return wanted in REFUND_TRANSITIONS[present]
