"""How far a notice is: what waits, what the outbox has, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.assemblies.models import HandOver, Notice, NoticeDelivery
from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.outbox.services import resend


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
    def letters_to_post(self) -> int:
        return self.count(DeliveryState.QUEUED, channel="letter")

    @property
    def sent(self) -> int:
        """Mails that a server has taken."""
        return self.count(DeliveryState.SENT, channel="email")

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


def resend_failed(
    session: Session, actor: Actor, notice: Notice, *, also_unclear: bool = False
) -> int:
    """Send the failed mails of ``notice`` again; how many.

    A mail of which nobody knows whether it arrived is sent again only if ``also_unclear``: its
    recipient may then have it twice, which is for a person to decide.
    """
    actor.require(Permission.OUTBOX_RESEND, notice.assembly.cooperative_id)
    states = [DeliveryState.FAILED.value]
    if also_unclear:
        states.append(DeliveryState.UNCLEAR.value)
    rows = session.scalars(
        select(OutboxMail)
        .join(NoticeDelivery, NoticeDelivery.outbox_id == OutboxMail.id)
        .where(
            NoticeDelivery.notice_id == notice.id,
            OutboxMail.channel == Channel.EMAIL.value,
            OutboxMail.state.in_(states),
        )
        .with_for_update(of=OutboxMail)
    ).all()
    return resend(session, actor, rows)
