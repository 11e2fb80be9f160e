"""The outbox: every mail and letter is a row before anything leaves the house."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime
from govern.extensions import db

ERASED_ADDRESS = "erased@invalid"
"""Where an emptied mail went: the column must not be empty, and no mail can go there."""


class Channel(StrEnum):
    """``letter``: a PDF that somebody prints and posts."""

    EMAIL = "email"
    LETTER = "letter"


class DeliveryState(StrEnum):
    """``sending`` is claimed by one run; ``unclear`` was being handed over when a run died.

    Whether an ``unclear`` mail went out is not known, so it is never sent again by itself.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCLEAR = "unclear"
    CANCELLED = "cancelled"


class OutboxMail(db.Model):  # type: ignore[name-defined]
    """One mail or letter to one recipient.

    A row with ``is_secret`` keeps subject, bodies and attachments encrypted in ``sealed`` (the
    plain columns stay empty) and is wiped when it has been sent. ``dedupe_key`` makes asking
    twice the same as asking once. ``message_id`` never changes, so that a duplicate on the way
    can be recognised. ``handover_at`` is set before the first byte of the mail leaves. ``about``
    is whatever the mail is about, as "kind:public id" ("membership:…"), None where nobody said: by
    it an erasure finds the mail, whatever name and address it went to.
    """

    __tablename__ = "outbox_mail"
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'letter')", name="channel_known"),
        CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'unclear', 'cancelled')",
            name="state_known",
        ),
        CheckConstraint("channel = 'letter' OR to_address <> ''", name="mail_has_address"),
        CheckConstraint(
            "NOT is_secret OR (text_body = '' AND html_body = '')", name="secret_is_sealed"
        ),
        CheckConstraint("(state = 'sending') = (claim IS NOT NULL)", name="sending_is_claimed"),
        Index("ix_outbox_mail_state_due_at", "state", "due_at"),
        Index("ix_outbox_mail_cooperative_id_id", "cooperative_id", "id"),
        # For the numbers on the outbox page: counted without looking at the rows themselves.
        Index("ix_outbox_mail_cooperative_id_channel_state", "cooperative_id", "channel", "state"),
        Index("ix_outbox_mail_cooperative_id_category", "cooperative_id", "category"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True)
    cooperative_id: Mapped[int | None] = mapped_column(ForeignKey("cooperative.id"))
    channel: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(60), index=True)
    state: Mapped[str] = mapped_column(String(10), default=DeliveryState.QUEUED.value)
    to_address: Mapped[str] = mapped_column(String(254), default="", index=True)
    to_name: Mapped[str] = mapped_column(String(300), default="")
    language: Mapped[str] = mapped_column(String(2))
    subject: Mapped[str] = mapped_column(String(300), default="")
    text_body: Mapped[str] = mapped_column(Text, default="")
    html_body: Mapped[str] = mapped_column(Text, default="")
    about: Mapped[str | None] = mapped_column(String(60), index=True)
    is_secret: Mapped[bool] = mapped_column(default=False)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(String(32))
    last_error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handover_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    attachments: Mapped[list[OutboxAttachment]] = relationship(
        back_populates="mail", order_by="OutboxAttachment.place", cascade="all, delete-orphan"
    )

    @property
    def is_erased(self) -> bool:
        """Whether its address was erased, with all that it said."""
        return self.to_address == ERASED_ADDRESS


class OutboxFile(db.Model):  # type: ignore[name-defined]
    """The content of an attachment, once, however many mails carry it."""

    __tablename__ = "outbox_file"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    size: Mapped[int]


class OutboxAttachment(db.Model):  # type: ignore[name-defined]
    """A file that goes with a mail, under the name that the recipient sees."""

    __tablename__ = "outbox_attachment"
    __table_args__ = (UniqueConstraint("mail_id", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("outbox_mail.id", ondelete="CASCADE"))
    place: Mapped[int]
    filename: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(ForeignKey("outbox_file.digest"), index=True)

    mail: Mapped[OutboxMail] = relationship(back_populates="attachments")
    file: Mapped[OutboxFile] = relationship()
