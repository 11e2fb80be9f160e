"""Payment files: made of released payments, handed to the bank, or cancelled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, NotFound, RuleViolation
from govern.i18n import day as in_words
from govern.payments import signals
from govern.payments.models import (
    BankAccount,
    BatchState,
    OutgoingPayment,
    OutgoingState,
    PaymentBatch,
)
from govern.payments.pain import Transfer, message_id_of, write_pain
from govern.payments.services.entries import checked_reason
from govern.payments.services.outgoing import move_outgoing
from govern.payments.services.requests import lock_requests

MAX_PAYMENTS = 10_000
LATEST = timedelta(days=365)


def make_batch(
    session: Session,
    actor: Actor,
    account: BankAccount,
    payments: Sequence[OutgoingPayment],
    execute_on: date,
) -> PaymentBatch:
    """Put released payments into one file, to be paid from ``account`` on ``execute_on``.

    Needs PAYMENTS_RELEASE. Raises Conflict while another file waits to be handed to the bank,
    ForbiddenTransition when one of the payments is not released (any more), InvalidInput for a
    day that has passed, RuleViolation for a closed account or no payment at all.
    """
    cooperative = account.cooperative
    actor.require(Permission.PAYMENTS_RELEASE, cooperative.id)
    lock_requests(session, cooperative.id)
    session.refresh(account)
    _check_day(cooperative, execute_on)
    if not account.is_open:
        raise RuleViolation(_("This bank account is closed."), remedy=_("Choose an open one."))
    if waiting_batch(session, cooperative) is not None:
        raise Conflict(
            _("A payment file is waiting to be handed to the bank."),
            remedy=_("Say that it was handed over, or cancel it, before the next one is made."),
        )
    chosen = sorted({payment.id: payment for payment in payments}.values(), key=lambda p: p.id)
    if not chosen or len(chosen) > MAX_PAYMENTS:
        raise RuleViolation(
            _("A payment file holds 1 to %(most)s payments.", most=MAX_PAYMENTS),
            remedy=_("Choose the released payments that go into it."),
        )
    for payment in chosen:
        session.refresh(payment, with_for_update=True)
        if payment.cooperative_id != cooperative.id:
            raise NotFound(_("There is no such payment."), remedy=_("Choose one from the list."))
        if payment.state != OutgoingState.RELEASED.value:
            raise ForbiddenTransition(
                _("The payment to %(name)s is not released, or no longer.",
                  name=payment.payee_name),
                remedy=_("Reload the page and choose again."),
            )  # fmt: skip
        signals.outgoing_releasing.send(
            payment, session=session, actor=actor, execute_on=execute_on
        )
    transfers = [
        Transfer(
            end_to_end_id=payment.end_to_end_id,
            payee_name=payment.payee_name,
            iban=payment.iban,
            bic=payment.bic,
            amount_cents=payment.amount_cents,
            text=payment.text,
            reference=payment.reference,
        )
        for payment in chosen
    ]
    made_before = session.scalar(
        select(func.count())
        .select_from(PaymentBatch)
        .where(PaymentBatch.cooperative_id == cooperative.id)
    )
    message_id = message_id_of(account.iban, execute_on, (made_before or 0) + 1, transfers)
    now = clock.now()
    xml = write_pain(
        message_id=message_id,
        made_at=now.astimezone(ZoneInfo(cooperative.time_zone)),
        debtor_name=account.holder,
        debtor_iban=account.iban,
        debtor_bic=account.bic,
        execute_on=execute_on,
        transfers=transfers,
    )
    batch = PaymentBatch(
        cooperative_id=cooperative.id,
        bank_account_id=account.id,
        message_id=message_id,
        xml=xml,
        digest=hashlib.sha256(xml.encode()).hexdigest(),
        execute_on=execute_on,
        state=BatchState.MADE.value,
        total_cents=sum(one.amount_cents for one in transfers),
        count=len(transfers),
        created_at=now,
        created_by_id=actor.account_id,
    )
    session.add(batch)
    session.flush()
    for payment in chosen:
        move_outgoing(payment, OutgoingState.IN_BATCH)
        payment.batch_id = batch.id
    session.flush()
    _record(session, actor, batch, "made")
    return batch


def mark_batch_sent(session: Session, actor: Actor, batch: PaymentBatch) -> None:
    """Say that the bank has the file. Nothing happens when that was said already."""
    _open_batch(session, actor, batch)
    if batch.state in (BatchState.SENT.value, BatchState.DONE.value):
        return
    if batch.state != BatchState.MADE.value:
        raise _past()
    for payment in batch.payments:
        if payment.state == OutgoingState.IN_BATCH.value:
            move_outgoing(payment, OutgoingState.SENT)
    batch.state = BatchState.SENT.value
    batch.sent_at = clock.now()
    session.flush()
    _record(session, actor, batch, "sent")


def cancel_batch(session: Session, actor: Actor, batch: PaymentBatch, reason: str) -> None:
    """Give the payments of a file free for another one: it never reached the bank, or was refused.

    RuleViolation once one of its payments left; InvalidInput without a reason.
    """
    _open_batch(session, actor, batch)
    reason = checked_reason(reason)
    if batch.state not in (BatchState.MADE.value, BatchState.SENT.value):
        raise _past()
    on_the_way = (OutgoingState.IN_BATCH.value, OutgoingState.SENT.value)
    if any(payment.state not in on_the_way for payment in batch.payments):
        raise RuleViolation(
            _("A payment of this file has left already."),
            remedy=_("Wait for the statements that show the others."),
        )
    for payment in list(batch.payments):
        move_outgoing(payment, OutgoingState.RELEASED)
        payment.batch_id = None
    batch.state = BatchState.CANCELLED.value
    batch.cancelled_at = clock.now()
    batch.cancel_reason = reason
    session.flush()
    session.expire(batch, ["payments"])
    _record(session, actor, batch, "cancelled")


def waiting_batch(session: Session, cooperative: Cooperative) -> PaymentBatch | None:
    """The one file that was made and not yet handed to the bank."""
    return session.scalar(
        select(PaymentBatch).where(
            PaymentBatch.cooperative_id == cooperative.id,
            PaymentBatch.state == BatchState.MADE.value,
        )
    )


def batch_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> PaymentBatch:
    """The file of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(PaymentBatch).where(
            PaymentBatch.public_id == public_id, PaymentBatch.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such payment file."), remedy=_("Choose one from the list."))
    return found


def batch_for_download(
    session: Session, actor: Actor, cooperative: Cooperative, public_id: str
) -> PaymentBatch:
    """The file whose bytes may be handed to the bank. Conflict for a cancelled one."""
    actor.require(Permission.PAYMENTS_RELEASE, cooperative.id)
    batch = batch_by_public_id(session, cooperative, public_id)
    if batch.state == BatchState.CANCELLED.value:
        raise Conflict(
            _("This payment file was cancelled."),
            remedy=_("Its payments may be in another file: use that one."),
        )
    if not batch.xml:
        raise Conflict(
            _("This payment file was erased with the people whom it paid."),
            remedy=_("The statements show its payments."),
        )
    return batch


def _check_day(cooperative: Cooperative, execute_on: date) -> None:
    today = clock.today(cooperative.time_zone)
    if not today <= execute_on <= today + LATEST:
        raise InvalidInput(
            _("%(day)s is not a day on which the bank can pay.", day=in_words(execute_on)),
            remedy=_("Give today or a later day within a year."),
            field="execute_on",
        )


def _open_batch(session: Session, actor: Actor, batch: PaymentBatch) -> None:
    actor.require(Permission.PAYMENTS_RELEASE, batch.cooperative_id)
    lock_requests(session, batch.cooperative_id)
    session.refresh(batch)


def _past() -> ForbiddenTransition:
    return ForbiddenTransition(
        _("This payment file is past that step."),
        remedy=_("Reload the page to see where it stands."),
    )


def _record(session: Session, actor: Actor, batch: PaymentBatch, action: str) -> None:
    audit.record(
        session,
        actor,
        f"payments:batch:{action}",
        cooperative_id=batch.cooperative_id,
        subject=f"payment_batch:{batch.public_id}",
        data={"digest": batch.digest, "count": batch.count, "total_cents": batch.total_cents},
    )
