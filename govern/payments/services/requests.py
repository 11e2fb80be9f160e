"""Asking for a payment, saying how to pay it, and no longer asking."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

import segno
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.i18n import money
from govern.payments.models import PaymentRequest, ReferenceKind, RequestState
from govern.payments.rules import references
from govern.payments.rules.bank import show_iban
from govern.payments.rules.epc import qr_payload
from govern.payments.services.accounts import require_default_account
from govern.register.models import Membership
from govern.register.rules.folding import search_text
from govern.register.rules.values import MAX_CENTS
from govern.register.services.chain import lock_register


@dataclass(frozen=True)
class PaymentInstruction:
    """How to pay one request. ``amount_cents`` is what is still to come.

    ``qr_svg`` is an EPC QR code as an SVG document without styles or scripts; ``qr_alt`` says in
    words what it holds. ``iban_shown`` and ``reference_shown`` are as people read them.
    """

    iban: str
    iban_shown: str
    bic: str
    holder: str
    amount_cents: int
    reference: str
    reference_shown: str
    due_on: date
    qr_svg: str


def request_payment(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    amount_cents: int,
    subject: str,
    payer_name: str,
    language: str,
    due_on: date,
    membership: Membership | None = None,
) -> PaymentRequest:
    """Ask for ``amount_cents`` (1 or more) until ``due_on``, under a reference of its own.

    The caller has checked that ``actor`` may; asking twice for the same ``subject`` and amount
    gives the request that is open already. In Belgium the reference is a structured communication,
    elsewhere one of ISO 11649. Raises InvalidInput for an amount out of bounds, Conflict when the
    subject is open with another amount.
    """
    if not 0 < amount_cents <= MAX_CENTS:
        raise InvalidInput(
            _("The amount must be more than nothing and at most %(most)s.", most=money(MAX_CENTS)),
            remedy=_("Write the amount to be paid."),
            field="amount",
        )
    if language not in LOCALES or not subject or len(subject) > 100:
        raise ValueError("a request needs one of our languages and a subject")
    lock_requests(session, cooperative.id)
    open_one = session.scalar(
        select(PaymentRequest).where(
            PaymentRequest.cooperative_id == cooperative.id,
            PaymentRequest.subject == subject,
            PaymentRequest.state == RequestState.OPEN.value,
        )
    )
    if open_one is not None:
        if open_one.amount_cents == amount_cents:
            return open_one
        raise Conflict(
            _("Another amount is being asked for the same thing already."),
            remedy=_("Cancel that request first."),
        )
    belgian = cooperative.country == "BE"
    reference = _free_reference(session, cooperative.id, belgian)
    payer = " ".join(payer_name.split())[:250]
    request = PaymentRequest(
        cooperative_id=cooperative.id,
        reference=reference,
        reference_kind=(ReferenceKind.BE_STRUCTURED if belgian else ReferenceKind.RF).value,
        amount_cents=amount_cents,
        paid_cents=0,
        due_on=due_on,
        state=RequestState.OPEN.value,
        subject=subject,
        payer_name=payer,
        language=language,
        membership_id=membership.id if membership else None,
        search_text=search_text(
            payer, reference, membership.member_number if membership else "", subject
        ),
        created_at=clock.now(),
    )
    session.add(request)
    session.flush()
    _record(session, actor, request, "asked")
    return request


def cancel_request(session: Session, actor: Actor, request: PaymentRequest) -> None:
    """Ask no more. Nothing happens when it is cancelled already.

    Raises RuleViolation when something was paid: give it back or undo the match first. What still
    comes in under its reference waits for a person.
    """
    lock_requests(session, request.cooperative_id)
    session.refresh(request)
    if request.state == RequestState.CANCELLED.value:
        return
    if request.paid_cents:
        raise RuleViolation(
            _(
                "%(paid)s was received on this request.",
                paid=money(request.paid_cents),
            ),
            remedy=_("Undo the match of that payment first, then give it back."),
        )
    request.state = RequestState.CANCELLED.value
    request.ended_at = clock.now()
    session.flush()
    _record(session, actor, request, "cancelled")


def instruction_for(session: Session, request: PaymentRequest) -> PaymentInstruction:
    """How to pay what is still due on ``request``, with its QR code.

    Raises RuleViolation when nothing is due, or while the cooperative has named no bank account.
    """
    if not request.is_open:
        raise RuleViolation(
            _("Nothing is to be paid any more."), remedy=_("There is nothing to do.")
        )
    account = require_default_account(session, request.cooperative)
    shown = references.show_reference(request.reference)
    payload = qr_payload(
        holder=account.holder,
        iban=account.iban,
        bic=account.bic,
        amount_cents=request.due_cents,
        reference=request.reference,
        message=shown,
    )
    return PaymentInstruction(
        iban=account.iban,
        iban_shown=show_iban(account.iban),
        bic=account.bic,
        holder=account.holder,
        amount_cents=request.due_cents,
        reference=request.reference,
        reference_shown=shown,
        due_on=request.due_on,
        qr_svg=qr_svg(payload),
    )


def qr_svg(payload: str) -> str:
    """The QR code (level M, as the guideline asks) of a payload: an SVG of paths and a viewBox.

    It carries no style and no size of its own: the page's style sheet gives it one.
    """
    code = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8")
    return str(
        code.svg_inline(
            border=4, omitsize=True, dark="#000", light="#fff", svgclass="qr-code", lineclass=None
        )
    )


def request_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> PaymentRequest:
    """The request of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(PaymentRequest).where(
            PaymentRequest.public_id == public_id,
            PaymentRequest.cooperative_id == cooperative.id,
        )
    )
    if found is None:
        raise NotFound(_("There is no such request."), remedy=_("Choose one from the list."))
    return found


def lock_requests(session: Session, cooperative_id: int) -> None:
    """Whoever asks, matches or cancels in a cooperative waits here for the one before."""
    # The lock of the share ledger: what is matched is written there, and with one lock for both
    # nobody waits for somebody who waits for them.
    lock_register(session, cooperative_id)


def _free_reference(session: Session, cooperative_id: int, belgian: bool) -> str:
    """A reference that this cooperative never used. Random, so that it tells no numbers."""
    while True:
        number = secrets.randbelow(9 * 10**9) + 10**9
        reference = references.make_belgian(number) if belgian else references.make_rf(f"{number}")
        taken = session.scalar(
            select(PaymentRequest.id).where(
                PaymentRequest.cooperative_id == cooperative_id,
                PaymentRequest.reference == reference,
            )
        )
        if taken is None:
            return reference


def _record(session: Session, actor: Actor, request: PaymentRequest, action: str) -> None:
    audit.record(
        session,
        actor,
        f"payments:request:{action}",
        cooperative_id=request.cooperative_id,
        subject=f"payment_request:{request.public_id}",
        data={"amount_cents": request.amount_cents, "subject": request.subject},
    )
