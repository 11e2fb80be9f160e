"""Sending what is in the outbox: never to anyone twice.

A mail cannot be sent *exactly* once: whoever dies between the server's "250" and the note of it
knows nothing afterwards. Here such a mail is sent at most once: a run claims a batch for itself,
and commits for each mail that it is being handed over before its first byte leaves. When the run
dies, what was only claimed goes back into the queue, and the one mail that was being handed over
becomes ``unclear``: it is sent again only when somebody with that permission says so. A mail that
certainly did not go (no connection, a 4xx answer) is tried again after a growing pause, and fails
for good after the last attempt or a 5xx answer. One bad address stops nobody else's mail, and a
server that is away costs nobody an attempt.

No transaction is open while the network is waited for.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from govern import clock
from govern.database import changed_rows
from govern.errors import GovernError
from govern.jobs import enqueue, every_tick, job
from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.mail.queueing import SEND_JOB, Content, read_content
from govern.mail.signals import address_refused
from govern.mail.smtp import (
    Conversation,
    Interrupted,
    Refused,
    ServerAway,
    bare_address,
    mailbox_address,
)

log = logging.getLogger("govern.mail")

MAX_ATTEMPTS = 8
BATCH = 50
SLICE_SECONDS = 10.0
LONGEST_SENDING = timedelta(minutes=10)
SERVER_PAUSE = timedelta(minutes=2)
SHORT_LIVED = frozenset({"sign_in", "erasure"})
"""Categories whose rows are removed once they are sent (from the mailbox: soon after)."""
SHORT_LIFE = timedelta(hours=1)

STATUTORY_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@job(SEND_JOB)
def send_queued(session: Session) -> None:
    """Send what is due, for some seconds; then let other jobs have their turn and go on."""
    url = current_app.config["GOVERN"].mail_url
    if url is None:
        deliver_to_mailbox(session)
        return
    ends_at = time.monotonic() + SLICE_SECONDS
    while _something_is_due(session):
        sent, reason = _send_over_one_connection(session, url, ends_at)
        if reason and not sent:
            log.warning("the mail server is away", extra={"reason": reason})
            _wait_for_server(session, reason)
            return
        # A server may close after so many mails: the next connection goes on at once.
        if time.monotonic() > ends_at:
            enqueue(session, SEND_JOB)
            return


def _something_is_due(session: Session) -> bool:
    found = session.scalar(select(OutboxMail.id).where(_is_due(clock.now())).limit(1))
    session.rollback()
    return found is not None


def claim_batch(session: Session) -> list[OutboxMail]:
    """Take up to ``BATCH`` due mails as ours alone, committed before anything is sent."""
    now = clock.now()
    claim = secrets.token_hex(16)
    ids = session.scalars(
        select(OutboxMail.id)
        .where(_is_due(now))
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.id.in_(ids), OutboxMail.state == DeliveryState.QUEUED.value)
        .values(state=DeliveryState.SENDING.value, claim=claim, claimed_at=now, handover_at=None)
    )
    session.commit()
    ours = select(OutboxMail).where(OutboxMail.id.in_(ids), OutboxMail.claim == claim)
    return list(session.scalars(ours.order_by(OutboxMail.due_at, OutboxMail.id)))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        OutboxMail.state == DeliveryState.QUEUED.value,
        OutboxMail.channel == Channel.EMAIL.value,
        OutboxMail.due_at <= now,
    )


@dataclass(frozen=True)
class _Ready:
    """A claimed mail, put together."""

    mail_id: int
    claim: str
    recipient: str
    message: EmailMessage


@dataclass(frozen=True)
class _Outcome:
    """What became of handing one mail over. ``server_gone``: the connection is of no more use.

    ``bad_address``: what the server said where it refused the address itself for good.
    """

    state: DeliveryState
    error: str = ""
    server_gone: bool = False
    bad_address: str = ""


def _send_over_one_connection(session: Session, url: str, ends_at: float) -> tuple[int, str]:
    """Send batch after batch; how many mails the server has answered for, and why it ended early.

    No reason means that nothing is due any more or that the time is over.
    """
    answered = 0
    try:
        with Conversation(url) as conversation:
            while time.monotonic() < ends_at:
                ready = _put_together(session, claim_batch(session))
                if not ready:
                    return answered, ""
                for item in ready:
                    if not _begin_handover(session, item):
                        continue
                    outcome = _hand_over(conversation, item)
                    _note(session, item, outcome)
                    if outcome.server_gone:
                        _release(session, item.claim)
                        return answered, outcome.error
                    answered += 1
                session.commit()
    except ServerAway as away:
        return answered, str(away)
    return answered, ""


def _put_together(session: Session, batch: list[OutboxMail]) -> list[_Ready]:
    """The messages of ``batch``; a mail that cannot be put together has failed."""
    ready = []
    for mail in batch:
        try:
            content = read_content(mail)
            if content is None:
                raise ValueError("its text was wiped")
            message = compose(mail, content)
        except (GovernError, ValueError) as error:
            _fail(mail, f"The mail could not be put together: {error}")
        else:
            ready.append(_Ready(mail.id, mail.claim or "", mail.to_address, message))
    session.commit()
    return ready


def _begin_handover(session: Session, item: _Ready) -> bool:
    """Commit that this mail is about to leave; False if another run holds it meanwhile."""
    begun = session.execute(
        update(OutboxMail)
        .where(
            OutboxMail.id == item.mail_id,
            OutboxMail.claim == item.claim,
            OutboxMail.handover_at.is_(None),
        )
        .values(handover_at=clock.now())
    )
    session.commit()
    return changed_rows(begun) == 1


def _hand_over(conversation: Conversation, item: _Ready) -> _Outcome:
    """Hand one mail over; no transaction is open meanwhile."""
    try:
        conversation.send(item.message, bare_address(_sender()), item.recipient)
    except Refused as refused:
        if refused.for_good:
            return _Outcome(
                DeliveryState.FAILED,
                f"The mail server refused it: {refused}",
                bad_address=str(refused) if refused.is_about_address else "",
            )
        return _Outcome(DeliveryState.QUEUED, f"The mail server refused it for now: {refused}")
    except ServerAway as away:
        return _Outcome(DeliveryState.SENDING, str(away), server_gone=True)
    except Interrupted:
        error = "The connection broke while the mail was being handed over."
        return _Outcome(DeliveryState.UNCLEAR, error, server_gone=True)
    return _Outcome(DeliveryState.SENT)


def _note(session: Session, item: _Ready, outcome: _Outcome) -> None:
    """Write down what became of the mail, unless another run has taken it from us.

    Committed together with the beginning of the next one: one durable write per mail.
    """
    mail = session.scalar(
        select(OutboxMail)
        .where(OutboxMail.id == item.mail_id, OutboxMail.claim == item.claim)
        .with_for_update()
    )
    if mail is not None:
        if outcome.state is DeliveryState.SENT and mail.category in SHORT_LIVED:
            # Who asked for a link when, or where somebody who was erased could be reached, is
            # nobody's business afterwards.
            session.delete(mail)
        elif outcome.state is DeliveryState.SENT:
            mark_sent(mail)
        elif outcome.state is DeliveryState.QUEUED:
            _put_back(mail, outcome.error)
        elif outcome.state is DeliveryState.SENDING:
            # Nothing of it has left: it waits for the server with the rest of its batch.
            mail.handover_at = None
        else:
            _settle(mail, outcome.state, outcome.error)
        if outcome.bad_address:
            address_refused.send(mail, session=session, reason=outcome.bad_address)
    session.flush()


def _release(session: Session, claim: str) -> None:
    """Give back what was claimed and has not begun to leave."""
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.claim == claim, OutboxMail.handover_at.is_(None))
        .values(state=DeliveryState.QUEUED.value, claim=None)
    )
    session.commit()


def _wait_for_server(session: Session, reason: str) -> None:
    """Put off everything that is due: nobody loses an attempt by the server's absence."""
    now = clock.now()
    session.execute(
        update(OutboxMail)
        .where(_is_due(now))
        .values(
            due_at=now + SERVER_PAUSE,
            last_error=f"The mail server does not answer ({reason})."[:500],
        )
    )
    session.commit()


def _sender() -> str:
    return str(current_app.config["GOVERN"].mail_from)


def compose(mail: OutboxMail, content: Content) -> EmailMessage:
    """The message as it travels: text, HTML alternative, attachments, fixed Message-ID."""
    message = EmailMessage(policy=policy.SMTP)
    sender_name, _, _rest = _sender().partition("<")
    message["From"] = mailbox_address(sender_name.strip(), bare_address(_sender()))
    message["To"] = mailbox_address(mail.to_name, mail.to_address)
    message["Subject"] = content.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = mail.message_id
    message["Content-Language"] = mail.language
    for name, value in STATUTORY_HEADERS.items():
        message[name] = value
    message.set_content(content.text)
    if content.html:
        message.add_alternative(content.html, subtype="html")
    for attachment in content.attachments:
        main, _, sub = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=attachment.filename
        )
    return message


def mark_sent(mail: OutboxMail, *, keep_secret: bool = False) -> None:
    """Note that it has gone; a secret is wiped now."""
    _settle(mail, DeliveryState.SENT, "")
    mail.sent_at = clock.now()
    if mail.is_secret and not keep_secret:
        mail.sealed = None


def _settle(mail: OutboxMail, state: DeliveryState, error: str) -> None:
    mail.state, mail.claim, mail.last_error = state.value, None, error[:500]


def _fail(mail: OutboxMail, error: str) -> None:
    _settle(mail, DeliveryState.FAILED, error)


def _put_back(mail: OutboxMail, error: str) -> None:
    """After a refusal "for now": 1, 2, 4 … 64 minutes, two hours in all, longer than a greylist."""
    mail.attempts += 1
    if mail.attempts >= MAX_ATTEMPTS:
        _fail(mail, error)
        return
    _settle(mail, DeliveryState.QUEUED, error)
    mail.due_at = clock.now() + timedelta(minutes=2 ** (mail.attempts - 1))


def deliver_to_mailbox(session: Session) -> None:
    """Where no mail server is named (demonstration, development): into ``/mailbox``."""
    while True:
        batch = claim_batch(session)
        if not batch:
            return
        for mail in batch:
            mark_sent(mail, keep_secret=True)
        session.commit()


@every_tick
def look_after_outbox(session: Session, now: datetime) -> None:
    """Start sending what has become due; give up claims whose run has died."""
    _release_dead_claims(session, now)
    session.execute(
        delete(OutboxMail).where(
            OutboxMail.category.in_(SHORT_LIVED),
            OutboxMail.state == DeliveryState.SENT.value,
            OutboxMail.sent_at < now - SHORT_LIFE,
        )
    )
    if session.scalar(select(OutboxMail.id).where(_is_due(now)).limit(1)) is not None:
        enqueue(session, SEND_JOB)


def _release_dead_claims(session: Session, now: datetime) -> None:
    """Give up claims whose run has died: what had not begun to leave waits again."""
    dead = and_(
        OutboxMail.state == DeliveryState.SENDING.value,
        OutboxMail.claimed_at < now - LONGEST_SENDING,
    )
    session.execute(
        update(OutboxMail)
        .where(dead, OutboxMail.handover_at.is_(None))
        .values(state=DeliveryState.QUEUED.value, claim=None)
    )
    session.execute(
        update(OutboxMail)
        .where(dead)
        .values(
            state=DeliveryState.UNCLEAR.value,
            claim=None,
            last_error="The process that was sending this has ended unexpectedly.",
        )
    )
