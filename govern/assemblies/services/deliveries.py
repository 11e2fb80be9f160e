"""How far a notice is: what waits, what the outbox has, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit, clock, jobs
from govern.access import Actor, Permission
from govern.assemblies.models import HandOver, Notice, NoticeDelivery
from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.mail.queueing import SEND_JOB


def count_deliveries(session: Session, notice: Notice) -> int:
    """How many members ``notice`` goes to."""
    return (
        session.scalar(
            select(func.count(NoticeDelivery.id)).where(NoticeDelivery.notice_id == notice.id)
        )
        or 0
    )


@dataclass(frozen=True)
class NoticeProgress:
    """Where the deliveries of a notice are. ``states`` counts outbox states by channel."""

    total: int
    waiting: int
    states: dict[tuple[str, str], int]

    def count(self, *states: DeliveryState, channel: str | None = None) -> int:
        wanted = {state.value for state in states}
        return sum(
            number
            for (of_channel, state), number in self.states.items()
            if state in wanted and channel in (None, of_channel)
        )

    @property
    def letters(self) -> int:
        """Letters whose PDF is made: somebody prints and posts them."""
        return sum(n for (channel, _s), n in self.states.items() if channel == "letter")

    @property
    def sent(self) -> int:
        return self.count(DeliveryState.SENT)

    @property
    def failed(self) -> int:
        return self.count(DeliveryState.FAILED, DeliveryState.UNCLEAR)

    @property
    def done(self) -> int:
        """Deliveries that need no more work of this server."""
        return self.letters + self.count(
            DeliveryState.SENT,
            DeliveryState.FAILED,
            DeliveryState.UNCLEAR,
            DeliveryState.CANCELLED,
            channel="email",
        )

    @property
    def is_over(self) -> bool:
        return self.done >= self.total


def notice_progress(session: Session, notice: Notice) -> NoticeProgress:
    """How far ``notice`` is."""
    waiting = (
        session.scalar(
            select(func.count(NoticeDelivery.id)).where(
                NoticeDelivery.notice_id == notice.id,
                NoticeDelivery.state == HandOver.WAITING.value,
            )
        )
        or 0
    )
    rows = session.execute(
        select(OutboxMail.channel, OutboxMail.state, func.count())
        .join(NoticeDelivery, NoticeDelivery.outbox_id == OutboxMail.id)
        .where(NoticeDelivery.notice_id == notice.id)
        .group_by(OutboxMail.channel, OutboxMail.state)
    ).all()
    states = {(channel, state): count for channel, state, count in rows}
    return NoticeProgress(waiting + sum(states.values()), waiting, states)


def failed_deliveries(session: Session, notice: Notice) -> Sequence[NoticeDelivery]:
    """Deliveries whose mail could not be sent, or of which we do not know."""
    return session.scalars(
        select(NoticeDelivery)
        .join(OutboxMail, OutboxMail.id == NoticeDelivery.outbox_id)
        .where(
            NoticeDelivery.notice_id == notice.id,
            OutboxMail.state.in_((DeliveryState.FAILED.value, DeliveryState.UNCLEAR.value)),
        )
        .order_by(NoticeDelivery.id)
    ).all()


def letters_of(
    session: Session, notice: Notice, *, offset: int, limit: int
) -> list[tuple[str, bytes]]:
    """Letters of ``notice`` as (file name, PDF), in the order of members' names."""
    rows = session.scalars(
        select(OutboxMail)
        .join(NoticeDelivery, NoticeDelivery.outbox_id == OutboxMail.id)
        .where(NoticeDelivery.notice_id == notice.id, OutboxMail.channel == Channel.LETTER.value)
        .order_by(NoticeDelivery.id)
        .offset(max(0, offset))
        .limit(limit)
    )
    return [
        (attachment.filename, attachment.file.content)
        for mail in rows
        for attachment in mail.attachments
    ]


def resend_failed(
    session: Session, actor: Actor, notice: Notice, *, also_unclear: bool = False
) -> int:
    """Send the failed mails of ``notice`` again; how many.

    A mail of which nobody knows whether it arrived is sent again only if ``also_unclear``: its
    recipient may then have it twice, which is for a person to decide.
    """
    cooperative_id = notice.assembly.cooperative_id
    actor.require(Permission.OUTBOX_RESEND, cooperative_id)
    states = [DeliveryState.FAILED.value]
    if also_unclear:
        states.append(DeliveryState.UNCLEAR.value)
    rows = session.scalars(
        select(OutboxMail)
        .join(NoticeDelivery, NoticeDelivery.outbox_id == OutboxMail.id)
        .where(NoticeDelivery.notice_id == notice.id, OutboxMail.state.in_(states))
        .with_for_update(of=OutboxMail)
    ).all()
    for mail in rows:
        mail.state, mail.attempts, mail.due_at = DeliveryState.QUEUED.value, 0, clock.now()
    if rows:
        session.flush()
        jobs.enqueue(session, SEND_JOB)
        audit.record(
            session,
            actor,
            "assemblies:notice:resent",
            cooperative_id=cooperative_id,
            subject=notice.public_id,
            data={"mails": len(rows), "also_unclear": also_unclear},
        )
    return len(rows)
