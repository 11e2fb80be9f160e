"""What payments keep about a person: for their own export, and what an erasure takes away."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.i18n import day as in_words
from govern.i18n import money
from govern.payments.models import (
    BankEntry,
    BatchState,
    OutgoingPayment,
    OutgoingState,
    PaymentMatch,
    PaymentRequest,
    RequestState,
)
from govern.payments.rules.bank import show_iban
from govern.payments.rules.references import show_reference
from govern.payments.services.entries import OVERPAYMENT
from govern.payments.services.following import OUR_ID
from govern.payments.services.reviving import files_of
from govern.payments.texts import REQUEST_STATE_NAMES
from govern.register.hooks import OwnSection
from govern.register.models import Membership, Person
from govern.register.rules.folding import search_text

AT_THE_END = "end"
"""When nothing need be kept any more: until then these are vouchers of the accounts."""


def own_payments(session: Session, person: Person) -> Sequence[OwnSection]:
    """What was asked of the person, and what the bank says was received for it."""
    requests = session.scalars(
        select(PaymentRequest)
        .join(Membership, Membership.id == PaymentRequest.membership_id)
        .where(Membership.person_id == person.id)
        .order_by(PaymentRequest.id)
    ).all()
    received = session.scalars(
        select(PaymentMatch)
        .where(PaymentMatch.request_id.in_([row.id for row in requests]))
        .order_by(PaymentMatch.id)
    ).all()
    sections = []
    if requests:
        sections.append(
            OwnSection(
                "payment_requests",
                _("Payment requests"),
                [_("Reference"), _("Amount"), _("Received"), _("Due on"), _("State")],
                [
                    [
                        show_reference(row.reference),
                        money(row.amount_cents),
                        money(row.paid_cents),
                        in_words(row.due_on),
                        str(REQUEST_STATE_NAMES[RequestState(row.state)]),
                    ]
                    for row in requests
                ],
            )
        )
    if received:
        sections.append(
            OwnSection(
                "payments_received",
                _("Payments received"),
                [_("Booked on"), _("Amount"), _("Name"), _("Bank account"), _("Message")],
                [
                    [
                        in_words(row.entry.booked_on),
                        money(row.amount_cents),
                        row.entry.counterparty_name,
                        show_iban(row.entry.counterparty_iban),
                        row.entry.remittance,
                    ]
                    for row in received
                ],
            )
        )
    return sections


def erase_payments(session: Session, membership: Membership, when: str) -> int:
    """Once nothing need be kept: who paid, from where, with which words. How many rows.

    Amounts, days and references stay: without them the accounts would no longer add up.
    """
    if when != AT_THE_END:
        return 0
    requests = session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.membership_id == membership.id, PaymentRequest.payer_name != ""
        )
    ).all()
    entries = session.scalars(
        select(BankEntry)
        .join(PaymentMatch, PaymentMatch.bank_entry_id == BankEntry.id)
        .where(PaymentMatch.request_id.in_([row.id for row in requests]))
        .distinct()
    ).all()
    for request in requests:
        request.payer_name = ""
        request.search_text = search_text(request.reference)
    for entry in entries:
        _forget_entry(entry)
    session.flush()
    erased = len(requests) + len(entries)
    return erased + forget_outgoing(
        session, membership.cooperative_id, [f"{OVERPAYMENT}{entry.public_id}" for entry in entries]
    )


def forget_outgoing(session: Session, cooperative_id: int, subjects: Sequence[str]) -> int:
    """Erase whom payments went to, for whoever erases what they were for. How many rows.

    Payments that are not at their end are left alone. The file in which a payment left goes too:
    the statement is the voucher. Amounts, days and identifications stay, also of files that were
    cancelled.
    """
    ended = (OutgoingState.PAID.value, OutgoingState.RETURNED.value, OutgoingState.CANCELLED.value)
    payments = session.scalars(
        select(OutgoingPayment).where(
            OutgoingPayment.cooperative_id == cooperative_id,
            OutgoingPayment.subject.in_(subjects),
            OutgoingPayment.state.in_(ended),
            OutgoingPayment.iban != "",
        )
    ).all()
    entries = session.scalars(
        select(BankEntry).where(BankEntry.outgoing_id.in_([row.id for row in payments]))
    ).all()
    for payment in payments:
        payment.payee_name = payment.iban = payment.bic = payment.text = payment.end_reason = ""
        if payment.batch and payment.batch.state == BatchState.DONE.value:
            payment.batch.xml = ""
        for batch in files_of(session, payment):
            if batch.state == BatchState.CANCELLED.value:
                # Others whom it names may be paid by it yet: which ones, their marks tell.
                batch.xml = "\n".join(OUR_ID.findall(batch.xml))
    for entry in entries:
        _forget_entry(entry)
    session.flush()
    return len(payments) + len(entries)


def _forget_entry(entry: BankEntry) -> None:
    entry.counterparty_name = entry.counterparty_iban = entry.counterparty_bic = ""
    entry.remittance = entry.fingerprint = ""
    entry.search_text = search_text(entry.reference)


def why_not_erased(session: Session, membership: Membership) -> Sequence[str]:
    """A payment that is still expected needs somebody who is asked for it."""
    waiting = session.scalar(
        select(func.count())
        .select_from(PaymentRequest)
        .where(
            PaymentRequest.membership_id == membership.id,
            PaymentRequest.state == RequestState.OPEN.value,
        )
    )
    if not waiting:
        return []
    return [
        ngettext(
            "%(num)s payment is still expected.", "%(num)s payments are still expected.", waiting
        )
    ]
