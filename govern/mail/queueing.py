"""Putting mails and letters into the outbox.

The text is made now, in the recipient's language, and stored; sending is another process's job.
A ``dedupe_key`` that is already there gives the row that is there: nobody gets a thing twice
because something ran twice.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.config import LOCALES
from govern.database import make_public_id
from govern.errors import InvalidInput
from govern.i18n import speaking
from govern.jobs import enqueue
from govern.mail.models import Channel, OutboxAttachment, OutboxFile, OutboxMail
from govern.mail.texts import Letter, render_mail
from govern.sealing import seal, unseal

SEND_JOB = "mail.send"
SEALING_PURPOSE = "outbox"


@dataclass(frozen=True)
class Attachment:
    """A file to send along."""

    filename: str
    media_type: str
    content: bytes


def queue_mail(
    session: Session,
    *,
    cooperative_id: int | None,
    to_address: str,
    to_name: str,
    language: str,
    template: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    category: str,
    attachments: Sequence[Attachment] = (),
    about: str | None = None,
    secret: bool = False,
    due_at: datetime | None = None,
) -> OutboxMail:
    """Put one mail into the outbox, to leave after this transaction is committed.

    ``template`` names ``templates/email/<template>.txt`` (first line ``Subject: …``) and, if there
    is one, ``….html`` (else the HTML part is made from the text); both get ``context`` and
    ``recipient_name``. ``about`` says what it is about ("membership:" and the public id), so that
    an erasure finds it. ``secret`` keeps everything encrypted until sent and wipes it then (where
    mails go to ``/mailbox`` it stays, sealed, so that it can be read there).
    Returns the row (flushed); the row of the same ``dedupe_key`` if there is one.
    """
    existing = find_by_key(session, dedupe_key)
    if existing is not None:
        return existing
    _check_address(to_address)
    with speaking(language):
        text = render_mail(template, {**context, "recipient_name": to_name})
    mail = _make_row(
        cooperative_id, Channel.EMAIL, to_name, language, category, dedupe_key, secret, due_at
    )
    mail.to_address = to_address
    mail.about = about
    return _store(session, mail, text, attachments)


def queue_letter(
    session: Session,
    *,
    cooperative_id: int | None,
    to_name: str,
    language: str,
    subject: str,
    pdf: bytes,
    filename: str,
    dedupe_key: str,
    category: str,
    about: str | None = None,
    secret: bool = False,
) -> OutboxMail:
    """Put one letter into the outbox: a PDF for somebody to print and post.

    ``subject`` is what the outbox page calls it. The postal address belongs on the PDF itself.
    ``about`` as in ``queue_mail``.
    """
    existing = find_by_key(session, dedupe_key)
    if existing is not None:
        return existing
    mail = _make_row(
        cooperative_id, Channel.LETTER, to_name, language, category, dedupe_key, secret, None
    )
    mail.about = about
    text = Letter(subject=subject, text="", html="")
    return _store(session, mail, text, [Attachment(filename, "application/pdf", pdf)])


def find_by_key(session: Session, dedupe_key: str) -> OutboxMail | None:
    """The mail or letter of that key, if it was queued before."""
    return session.scalar(select(OutboxMail).where(OutboxMail.dedupe_key == dedupe_key))


def _make_row(
    cooperative_id: int | None,
    channel: Channel,
    to_name: str,
    language: str,
    category: str,
    dedupe_key: str,
    secret: bool,
    due_at: datetime | None,
) -> OutboxMail:
    if language not in LOCALES:
        raise InvalidInput(f"There is no language {language!r}.", field="language")
    now = clock.now()
    public_id = make_public_id()
    host = urlsplit(current_app.config["GOVERN"].public_url).hostname or "localhost"
    return OutboxMail(
        public_id=public_id,
        cooperative_id=cooperative_id,
        channel=channel.value,
        category=category,
        to_name=to_name[:300],
        language=language,
        is_secret=secret,
        dedupe_key=dedupe_key,
        message_id=f"<{public_id}@{host}>",
        created_at=now,
        due_at=due_at or now,
    )


def _store(
    session: Session, mail: OutboxMail, text: Letter, attachments: Sequence[Attachment]
) -> OutboxMail:
    if mail.is_secret:
        mail.sealed = seal(SEALING_PURPOSE, _pack(text, attachments))
        mail.subject = ""
    else:
        mail.subject, mail.text_body, mail.html_body = text.subject[:300], text.text, text.html
    try:
        with session.begin_nested():
            session.add(mail)
            session.flush()
            if not mail.is_secret:
                _attach(session, mail, attachments)
    except sa.exc.IntegrityError:
        theirs = find_by_key(session, mail.dedupe_key)
        if theirs is None:
            raise
        return theirs
    if mail.channel == Channel.EMAIL.value:
        enqueue(session, SEND_JOB)
    return mail


def _attach(session: Session, mail: OutboxMail, attachments: Sequence[Attachment]) -> None:
    for place, attachment in enumerate(attachments):
        digest = hashlib.sha256(attachment.content).hexdigest()
        if session.get(OutboxFile, digest) is None:
            session.add(
                OutboxFile(digest=digest, content=attachment.content, size=len(attachment.content))
            )
            session.flush()
        session.add(
            OutboxAttachment(
                mail_id=mail.id,
                place=place,
                filename=attachment.filename[:200],
                media_type=attachment.media_type,
                digest=digest,
            )
        )
    session.flush()


def _keep_file(session: Session, digest: str, content: bytes) -> None:
    """Store ``content`` unless it is there; another transaction may be storing it, too."""
    known = select(OutboxFile.digest).where(OutboxFile.digest == digest)
    if session.scalar(known) is not None:
        return
    with contextlib.suppress(sa.exc.IntegrityError), session.begin_nested():
        session.add(OutboxFile(digest=digest, content=content, size=len(content)))


@dataclass(frozen=True)
class Content:
    """Everything that a recipient gets to see."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]


def read_content(mail: OutboxMail) -> Content | None:
    """What the mail says; None when it was secret and has been wiped."""
    if not mail.is_secret:
        return Content(
            mail.subject,
            mail.text_body,
            mail.html_body,
            tuple(
                Attachment(item.filename, item.media_type, item.file.content)
                for item in mail.attachments
            ),
        )
    if mail.sealed is None:
        return None
    data = json.loads(unseal(SEALING_PURPOSE, mail.sealed))
    return Content(
        data["subject"],
        data["text"],
        data["html"],
        tuple(
            Attachment(name, media_type, base64.b64decode(content))
            for name, media_type, content in data["attachments"]
        ),
    )


def _pack(text: Letter, attachments: Sequence[Attachment]) -> bytes:
    return json.dumps(
        {
            "subject": text.subject,
            "text": text.text,
            "html": text.html,
            "attachments": [
                [item.filename, item.media_type, base64.b64encode(item.content).decode()]
                for item in attachments
            ],
        }
    ).encode()


def _check_address(address: str) -> None:
    """Refuse what could break out of a header; whether it exists only the other server knows."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or len(address) > 254 or any(c in address for c in "\r\n\0<>, "):
        raise InvalidInput(
            f"{address!r} is not an e-mail address.",
            remedy="Correct the address in the register.",
            field="email",
        )
