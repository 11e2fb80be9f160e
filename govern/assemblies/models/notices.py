"""Notices: to whom one goes is written down before the first one leaves."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.assemblies.models.assemblies import Assembly, one_of
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.mail.models import OutboxMail
from govern.register.models import Membership


class NoticeKind(StrEnum):
    """``convening`` calls the members; ``cancellation`` tells the same people that it is off."""

    CONVENING = "convening"
    CANCELLATION = "cancellation"


class DeliveryChannel(StrEnum):
    EMAIL = "email"
    LETTER = "letter"


class HandOver(StrEnum):
    """Whether a delivery has its row in the outbox yet; from then on the outbox knows its state."""

    WAITING = "waiting"
    HANDED_OVER = "handed_over"


class Notice(db.Model):  # type: ignore[name-defined]
    """One notice of an assembly: there is one of each kind.

    ``days_given``, ``days_required`` and ``latest_day`` are how it stood to the legal days when
    it left; a notice that left too late has the reason why it left all the same, and prints it.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("assembly_id", "kind"),
        CheckConstraint(one_of("kind", NoticeKind), name="kind_known"),
        CheckConstraint(
            "kind <> 'convening' OR days_given >= days_required OR override_reason <> ''",
            name="late_has_reason",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    assembly_id: Mapped[int] = mapped_column(ForeignKey("assembly.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    rule_set_id: Mapped[int] = mapped_column(ForeignKey("rule_set.id"))
    leaves_on: Mapped[date]
    latest_day: Mapped[date]
    days_given: Mapped[int]
    days_required: Mapped[int]
    override_reason: Mapped[str] = mapped_column(Text, default="")
    audience: Mapped[str] = mapped_column(String(20))
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)

    assembly: Mapped[Assembly] = relationship(back_populates="notices")

    @property
    def was_late(self) -> bool:
        return self.days_given < self.days_required


class NoticeDelivery(db.Model):  # type: ignore[name-defined]
    """One notice to one member: once, whatever happens to the process that sends it."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "membership_id"),
        CheckConstraint(one_of("channel", DeliveryChannel), name="channel_known"),
        CheckConstraint(one_of("state", HandOver), name="state_known"),
        CheckConstraint(
            "(state = 'handed_over') = (outbox_id IS NOT NULL)", name="handed_over_has_mail"
        ),
        Index("ix_notice_delivery_notice_id_state", "notice_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20), default=HandOver.WAITING.value)
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox_mail.id"), unique=True)

    notice: Mapped[Notice] = relationship()
    membership: Mapped[Membership] = relationship()
    outbox: Mapped[OutboxMail | None] = relationship()
