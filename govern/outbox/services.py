"""Looking after what was queued: find it, send it again, post letters, stop what has not left."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from govern import audit, clock
from govern.access import Actor, Permission
from govern.errors import Conflict, Forbidden, NotFound
from govern.jobs import enqueue
from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.mail.queueing import SEND_JOB, Content, read_content
from govern.mail.sending import mark_sent

LETTERS_PER_FILE = 500
RESENDABLE = (DeliveryState.FAILED.value, DeliveryState.UNCLEAR.value)
STOPPABLE = (DeliveryState.QUEUED.value, *RESENDABLE)

Counts = dict[tuple[str, str], int]
"""How many, per (channel, state)."""


@dataclass(frozen=True)
class Filter:
    """What a list of the outbox is narrowed to; "" means everything."""

    state: str = ""
    channel: str = ""
    category: str = ""
    words: str = ""

    def apply(self, query: Select[tuple[OutboxMail]]) -> Select[tuple[OutboxMail]]:
        """``query`` with the conditions added."""
        if self.state:
            query = query.where(OutboxMail.state == self.state)
        if self.channel:
            query = query.where(OutboxMail.channel == self.channel)
        if self.category:
            query = query.where(OutboxMail.category == self.category)
        for word in self.words.lower().split()[:6]:
            pattern = f"%{_escape(word)}%"
            query = query.where(
                func.lower(OutboxMail.to_address).like(pattern, escape="\\")
                | func.lower(OutboxMail.to_name).like(pattern, escape="\\")
            )
        return query


def _escape(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def list_outbox(actor: Actor, cooperative_id: int, wanted: Filter) -> Select[tuple[OutboxMail]]:
    """The cooperative's mails and letters, newest first."""
    actor.require(Permission.OUTBOX_READ, cooperative_id)
    query = select(OutboxMail).where(OutboxMail.cooperative_id == cooperative_id)
    # A list shows no texts, and they are most of a row.
    texts = (OutboxMail.text_body, OutboxMail.html_body, OutboxMail.sealed)
    lines = query.options(*(defer(column) for column in texts))
    return wanted.apply(lines).order_by(OutboxMail.id.desc())


def count_outbox(session: Session, actor: Actor, cooperative_id: int) -> Counts:
    """How many mails and letters of the cooperative are in which state."""
    actor.require(Permission.OUTBOX_READ, cooperative_id)
    rows = session.execute(
        select(OutboxMail.channel, OutboxMail.state, func.count())
        .where(OutboxMail.cooperative_id == cooperative_id)
        .group_by(OutboxMail.channel, OutboxMail.state)
    )
    return {(channel, state): count for channel, state, count in rows}


def categories_of(session: Session, cooperative_id: int) -> Sequence[str]:
    """The categories that the cooperative's outbox holds."""
    return session.scalars(
        select(OutboxMail.category)
        .where(OutboxMail.cooperative_id == cooperative_id)
        # SQLite counts no rows and would otherwise read all of them.
        .with_hint(OutboxMail, "INDEXED BY ix_outbox_mail_cooperative_id_category", "sqlite")
        .distinct()
        .order_by(OutboxMail.category)
    ).all()


def find_mail(session: Session, actor: Actor, cooperative_id: int, public_id: str) -> OutboxMail:
    """One mail or letter of the cooperative; NotFound otherwise."""
    actor.require(Permission.OUTBOX_READ, cooperative_id)
    found = session.scalar(
        select(OutboxMail).where(
            OutboxMail.public_id == public_id, OutboxMail.cooperative_id == cooperative_id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such mail in the outbox."), remedy=_("Start from the list again.")
        )
    return found


def content_for(actor: Actor, mail: OutboxMail) -> Content | None:
    """What the mail says, for officers: a voting code is shown to nobody here (None)."""
    actor.require(Permission.OUTBOX_READ, mail.cooperative_id or 0)
    return None if mail.is_secret else read_content(mail)


def resend(session: Session, actor: Actor, mails: Sequence[OutboxMail]) -> int:
    """Queue failed and unclear mails once more; how many that were.

    An unclear mail may then arrive twice, with the same Message-ID: whoever asks has been told.
    Raises Conflict for a mail in another state or a secret that was wiped.
    """
    _lock(session, mails)
    for mail in mails:
        actor.require(Permission.OUTBOX_RESEND, mail.cooperative_id or 0)
        if mail.state not in RESENDABLE or mail.channel != Channel.EMAIL.value:
            raise Conflict(_("This mail is not one that failed."), remedy=_("Reload the page."))
        if mail.is_secret and mail.sealed is None:
            raise Conflict(
                _("The text of this mail was wiped after it had been sent."),
                remedy=_("Have a new one made where it came from."),
            )
        mail.state, mail.attempts, mail.due_at = DeliveryState.QUEUED.value, 0, clock.now()
    if mails:
        session.flush()
        enqueue(session, SEND_JOB)
        _record(session, actor, "resent", mails)
    return len(mails)


def _lock(session: Session, mails: Sequence[OutboxMail]) -> None:
    """Read the rows again and hold them: a run may have sent them, or be sending them, by now."""
    numbers = sorted(mail.id for mail in mails)
    for start in range(0, len(numbers), 500):
        session.scalars(
            select(OutboxMail)
            .where(OutboxMail.id.in_(numbers[start : start + 500]))
            .order_by(OutboxMail.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()


def failed_mails(session: Session, actor: Actor, cooperative_id: int) -> Sequence[OutboxMail]:
    """What ``resend`` may be called with: failed and unclear mails whose text is still there."""
    actor.require(Permission.OUTBOX_READ, cooperative_id)
    found = session.scalars(
        select(OutboxMail).where(
            OutboxMail.cooperative_id == cooperative_id,
            OutboxMail.channel == Channel.EMAIL.value,
            OutboxMail.state.in_(RESENDABLE),
            OutboxMail.is_secret.is_(False) | OutboxMail.sealed.is_not(None),
        )
    )
    return sorted(found, key=lambda mail: mail.id)


def cancel(session: Session, actor: Actor, mail: OutboxMail) -> None:
    """Stop a mail or letter that has not left; a secret in it is wiped."""
    actor.require(Permission.OUTBOX_RESEND, mail.cooperative_id or 0)
    _lock(session, [mail])
    if mail.state not in STOPPABLE:
        raise Conflict(_("This mail has left already."), remedy=_("Reload the page."))
    mail.state = DeliveryState.CANCELLED.value
    if mail.is_secret:
        mail.sealed = None
    session.flush()
    _record(session, actor, "cancelled", [mail])


def letters_to_post(
    session: Session, actor: Actor, cooperative_id: int, *, secret: bool
) -> Sequence[OutboxMail]:
    """Up to ``LETTERS_PER_FILE`` letters that wait for the post, the oldest first.

    Letters with voting codes (``secret``) are for whoever manages credentials only.
    """
    _may_print(actor, cooperative_id, secret=secret)
    return session.scalars(
        select(OutboxMail)
        .where(
            OutboxMail.cooperative_id == cooperative_id,
            OutboxMail.channel == Channel.LETTER.value,
            OutboxMail.state == DeliveryState.QUEUED.value,
            OutboxMail.is_secret.is_(secret),
        )
        .order_by(OutboxMail.id)
        .limit(LETTERS_PER_FILE)
    ).all()


def _may_print(actor: Actor, cooperative_id: int, *, secret: bool) -> None:
    needed = Permission.CREDENTIALS_MANAGE if secret else Permission.OUTBOX_RESEND
    actor.require(needed, cooperative_id)


def letters_file(actor: Actor, mails: Sequence[OutboxMail]) -> bytes:
    """A ZIP with the PDFs of ``mails``; the same letters give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, mail in enumerate(mails, start=1):
            _may_print(actor, mail.cooperative_id or 0, secret=mail.is_secret)
            content = read_content(mail)
            for attachment in content.attachments if content else ():
                name = zipfile.ZipInfo(f"{number:04d}-{attachment.filename}", (2000, 1, 1, 0, 0, 0))
                archive.writestr(name, attachment.content)
    return buffer.getvalue()


def mark_posted(
    session: Session,
    actor: Actor,
    cooperative_id: int,
    public_ids: list[str],
    *,
    secret: bool,
) -> int:
    """Note that these letters were posted; secrets in them are wiped. How many that were.

    Letters that are not waiting (any more) are passed over, so that sending the form twice is
    harmless.
    """
    _may_print(actor, cooperative_id, secret=secret)
    mails = session.scalars(
        select(OutboxMail)
        .where(
            OutboxMail.cooperative_id == cooperative_id,
            OutboxMail.public_id.in_(public_ids[:LETTERS_PER_FILE]),
            OutboxMail.channel == Channel.LETTER.value,
            OutboxMail.state == DeliveryState.QUEUED.value,
            OutboxMail.is_secret.is_(secret),
        )
        .with_for_update()
    ).all()
    for mail in mails:
        mark_sent(mail)
    if mails:
        session.flush()
        _record(session, actor, "posted", mails)
    return len(mails)


def require_secret_holder(actor: Actor, mail: OutboxMail) -> None:
    """Raise Forbidden unless the actor may hold this letter in hand."""
    if mail.is_secret and not actor.may(Permission.CREDENTIALS_MANAGE, mail.cooperative_id or 0):
        raise Forbidden(
            _("Letters with voting codes are for the returning officer only."),
            remedy=_("Ask the returning officer of this cooperative."),
        )


def _record(session: Session, actor: Actor, action: str, mails: Sequence[OutboxMail]) -> None:
    audit.record(
        session,
        actor,
        f"outbox:mail:{action}",
        cooperative_id=mails[0].cooperative_id,
        subject=mails[0].public_id if len(mails) == 1 else "",
        data={"count": len(mails)},
    )
