"""What is listed, as CSV: entries, requests, payments going out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from flask import Response, g
from flask_babel import gettext as _
from sqlalchemy import select

from govern.access import Permission, requires
from govern.extensions import db
from govern.payments.models import (
    BankEntry,
    EntryState,
    OutgoingPayment,
    OutgoingState,
    PaymentRequest,
    RequestState,
)
from govern.payments.rules.references import show_reference
from govern.payments.services.following import NOT_OURS
from govern.payments.texts import ENTRY_STATE_NAMES, OUTGOING_STATE_NAMES, REQUEST_STATE_NAMES
from govern.payments.views.blueprint import blueprint, today
from govern.payments.views.entries import BASE, doubt_sentence
from govern.register.spreadsheets import Value, write_csv


@blueprint.get(f"{BASE}/entries.csv")
@requires(Permission.PAYMENTS_READ)
def export_entries(cooperative: str) -> Any:
    """Every entry, in the order in which the bank booked them."""
    found = db.session.scalars(
        select(BankEntry)
        .where(BankEntry.cooperative_id == g.cooperative.id)
        .order_by(BankEntry.booked_on, BankEntry.id)
    )
    headings = [
        _("Bank account"), _("Booked on"), _("Value date"), _("Amount"), _("Name"),
        _("Account of the other side"), _("Reference"), _("Message"), _("State"), _("Note"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Value]]:
        for entry in found:
            yield [
                entry.bank_account.iban, entry.booked_on, entry.value_on,
                _euro(entry.amount_cents), entry.counterparty_name, entry.counterparty_iban,
                show_reference(entry.reference) if entry.reference else "", entry.remittance,
                str(ENTRY_STATE_NAMES[EntryState(entry.state)]), _note(entry),
            ]  # fmt: skip

    return _csv("entries", headings, rows())


def _note(entry: BankEntry) -> str:
    """What stands beside the entry in its list."""
    if entry.note == NOT_OURS:
        return _("No payment made here")
    return entry.note or doubt_sentence(entry)


@blueprint.get(f"{BASE}/requests.csv")
@requires(Permission.PAYMENTS_READ)
def export_requests(cooperative: str) -> Any:
    """Every request, in the order in which they are due."""
    found = db.session.scalars(
        select(PaymentRequest)
        .where(PaymentRequest.cooperative_id == g.cooperative.id)
        .order_by(PaymentRequest.due_on, PaymentRequest.id)
    )
    headings = [
        _("Asked of"), _("Reference"), _("Amount"), _("Received"), _("Due on"), _("State")
    ]  # fmt: skip

    def rows() -> Iterator[list[Value]]:
        for asked in found:
            yield [
                asked.payer_name, show_reference(asked.reference), _euro(asked.amount_cents),
                _euro(asked.paid_cents), asked.due_on,
                str(REQUEST_STATE_NAMES[RequestState(asked.state)]),
            ]  # fmt: skip

    return _csv("requests", headings, rows())


@blueprint.get(f"{BASE}/outgoing.csv")
@requires(Permission.PAYMENTS_READ)
def export_outgoing(cooperative: str) -> Any:
    """Every payment that went out or is to, in the order in which they are due."""
    found = db.session.scalars(
        select(OutgoingPayment)
        .where(OutgoingPayment.cooperative_id == g.cooperative.id)
        .order_by(OutgoingPayment.due_on, OutgoingPayment.id)
    )
    headings = [
        _("Payee"), _("Bank account"), _("Amount"), _("Due on"), _("What for"), _("State"),
        _("Paid on"), _("Note"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Value]]:
        for payment in found:
            yield [
                payment.payee_name, payment.iban, _euro(payment.amount_cents), payment.due_on,
                payment.text, str(OUTGOING_STATE_NAMES[OutgoingState(payment.state)]),
                payment.paid_on, payment.end_reason,
            ]  # fmt: skip

    return _csv("outgoing", headings, rows())


def _euro(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _csv(name: str, headings: Sequence[str], rows: Iterator[Sequence[Value]]) -> Response:
    response = Response(b"".join(write_csv(headings, rows)), mimetype="text/csv")
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"{g.cooperative.code}-{name}-{today().isoformat()}.csv",
    )
    return response
