"""Bind payments to an application."""

from __future__ import annotations

from flask import Flask

from govern.payments import signals
from govern.payments.services import matching


def register(app: Flask) -> None:
    """Register what payments do by themselves."""
    signals.outgoing_cancelled.connect(matching.refund_called_off)
    signals.outgoing_returned.connect(matching.refund_called_off)
