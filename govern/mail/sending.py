"""Sending what is in the outbox: never to anyone twice.

A mail cannot be sent *exactly* once: whoever dies between the server's "250" and the note of it
knows nothing afterwards. Here such a mail is at most once: it is claimed and committed as
``sending`` before the first byte leaves; a claim whose run has died becomes ``unclear`` and is
only sent again when somebody with that permission says so. A mail of which it is certain that it
did not go (connection refused, a 4xx answer) is tried again after a growing pause, and fails for
good after the last attempt or a 5xx answer. One bad address stops nobody else's mail.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from govern import clock
from govern.errors import GovernError
from govern.jobs import enqueue, every_tick, job
from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.mail.queueing import SEND_JOB, Content, read_content
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
LONGEST_SENDING = timedelta(minutes=5)
SHORT_LIFE = timedelta(hours=1)

STATUTORY_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@job(SEND_JOB)
def send_queued(session: Session) -> None:
    """Send what is due, for some seconds; then let other jobs have their turn and go on."""
    ends_at = time.monotonic() + SLICE_SECONDS
    url = current_app.config["GOVERN"].mail_url
    if url is None:
        deliver_to_mailbox(session)
        return
    while True:
        batch = claim_batch(session)
        if not batch:
            return
        if not _send_batch(session, url, batch):
            return
        if time.monotonic() > ends_at:
            enqueue(session, SEND_JOB)
            return


def claim_batch(session: Session) -> list[OutboxMail]:
    """Take up to ``BATCH`` due mails as ours alone, committed before anything is sent."""
    now = clock.now()
    claim = secrets.token_hex(16)
    due = (
        select(OutboxMail.id)
        .where(
            OutboxMail.state == DeliveryState.QUEUED.value,
            OutboxMail.channel == Channel.EMAIL.value,
            OutboxMail.due_at <= now,
        )
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(due).all()
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.id.in_(ids), OutboxMail.state == DeliveryState.QUEUED.value)
        .values(
            state=DeliveryState.SENDING.value,
            claim=claim,
            claimed_at=now,
            attempts=OutboxMail.attempts + 1,
        )
    )
    session.commit()
    return list(session.scalars(select(OutboxMail).where(OutboxMail.claim == claim)))


def _send_batch(session: Session, url: str, batch: list[OutboxMail]) -> bool:
    """Send ``batch`` over one connection; False when the server is away (the rest is put back)."""
    rest = list(batch)
    try:
        with Conversation(url) as conversation:
            while rest:
                mail = rest[0]
                _send_one(session, conversation, mail)
                rest.pop(0)
                session.commit()
    except ServerAway as away:
        log.warning("the mail server is away", extra={"reason": str(away), "waiting": len(rest)})
        for mail in rest:
            _put_back(mail, f"The mail server does not answer ({away}).")
        session.commit()
        return False
    return True


def _send_one(session: Session, conversation: Conversation, mail: OutboxMail) -> None:
    """Send one mail and note what became of it; ServerAway passes through."""
    try:
        content = read_content(mail)
        if content is None:
            raise Refused(554, "its text was wiped")
        message = compose(mail, content)
    except (GovernError, Refused, ValueError) as error:
        _fail(mail, f"The mail could not be put together: {error}")
        return
    try:
        conversation.send(message, bare_address(_sender()), mail.to_address)
    except Refused as refused:
        if refused.for_good:
            _fail(mail, f"The mail server refused it: {refused}")
        else:
            _put_back(mail, f"The mail server refused it for now: {refused}")
    except Interrupted:
        mail.state, mail.claim = DeliveryState.UNCLEAR.value, None
        mail.last_error = "The connection broke while the mail was being handed over."
        session.commit()
        raise ServerAway("the connection broke") from None
    else:
        mark_sent(mail)


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
    mail.state, mail.claim, mail.sent_at = DeliveryState.SENT.value, None, clock.now()
    mail.last_error = ""
    if mail.is_secret and not keep_secret:
        mail.sealed = None


def _put_back(mail: OutboxMail, error: str) -> None:
    if mail.attempts >= MAX_ATTEMPTS:
        _fail(mail, error)
        return
    mail.state, mail.claim, mail.last_error = DeliveryState.QUEUED.value, None, error[:500]
    # 1, 2, 4 … 64 minutes: about two hours in all, longer than a greylist.
    mail.due_at = clock.now() + timedelta(minutes=2 ** (mail.attempts - 1))


def _fail(mail: OutboxMail, error: str) -> None:
    mail.state, mail.claim, mail.last_error = DeliveryState.FAILED.value, None, error[:500]


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
    session.execute(
        update(OutboxMail)
        .where(
            OutboxMail.state == DeliveryState.SENDING.value,
            OutboxMail.claimed_at < now - LONGEST_SENDING,
        )
        .values(
            state=DeliveryState.UNCLEAR.value,
            claim=None,
            last_error="The process that was sending this has ended unexpectedly.",
        )
    )
    due = session.scalar(
        select(OutboxMail.id)
        .where(
            OutboxMail.state == DeliveryState.QUEUED.value,
            OutboxMail.channel == Channel.EMAIL.value,
            OutboxMail.due_at <= now,
        )
        .limit(1)
    )
    if due is not None:
        enqueue(session, SEND_JOB)
