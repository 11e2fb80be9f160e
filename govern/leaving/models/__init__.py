"""What leaving stores: departures with their documents and steps, refunds, the board's tests."""

from govern.leaving.models.departures import (
    Departure,
    ExclusionStep,
    Founder,
    LeavingDocument,
)
from govern.leaving.models.refunds import BoardTest, Refund

__all__ = [
    "BoardTest",
    "Departure",
    "ExclusionStep",
    "Founder",
    "LeavingDocument",
    "Refund",
]
