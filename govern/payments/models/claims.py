"""What a person said of an entry and can undo: a claim on its payer, or which payment it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.payments.models.outgoing import OutgoingPayment, OutgoingState
from govern.payments.models.statements import BankEntry
from govern.register.models.people import one_of


class PayerClaim(db.Model):  # type: ignore[name-defined]
    """The debit ``entry`` took the credit ``original`` back, and its payer owes the money.

    A debit is one claim at a time, and so is a credit. An undone claim keeps who undid it and why.
    """

    __tablename__ = "payer_claim"
    __table_args__ = (
        CheckConstraint("length(reason) >= 5", name="says_why"),
        CheckConstraint("undone_at IS NULL OR length(undone_reason) >= 5", name="undone_why"),
        Index("ix_payer_claim_entry", "entry_id"),
        Index(
            "uq_payer_claim_live_entry",
            "entry_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(
            "uq_payer_claim_live_original",
            "original_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    entry_id: Mapped[int] = mapped_column(ForeignKey("bank_entry.id"))
    original_id: Mapped[int] = mapped_column(ForeignKey("bank_entry.id"))
    reason: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_reason: Mapped[str] = mapped_column(String(500), default="")

    entry: Mapped[BankEntry] = relationship(foreign_keys=[entry_id])
    original: Mapped[BankEntry] = relationship(foreign_keys=[original_id])

    @property
    def is_live(self) -> bool:
        return self.undone_at is None


class OutgoingByHand(db.Model):  # type: ignore[name-defined]
    """Somebody said that ``entry`` is the payment ``outgoing``, or that payment come back.

    ``was_state`` and ``was_reason`` say where the payment stood. An entry is said to be one payment
    at a time; what was undone keeps who undid it and why.
    """

    __tablename__ = "outgoing_by_hand"
    __table_args__ = (
        CheckConstraint(one_of("was_state", OutgoingState), name="was_state_known"),
        CheckConstraint("undone_at IS NULL OR length(undone_reason) >= 5", name="undone_why"),
        Index("ix_outgoing_by_hand_outgoing", "outgoing_id"),
        Index("ix_outgoing_by_hand_entry", "entry_id"),
        Index(
            "uq_outgoing_by_hand_live",
            "entry_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    entry_id: Mapped[int] = mapped_column(ForeignKey("bank_entry.id"))
    outgoing_id: Mapped[int] = mapped_column(ForeignKey("outgoing_payment.id"))
    was_state: Mapped[str] = mapped_column(String(9))
    was_reason: Mapped[str] = mapped_column(String(500), default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_reason: Mapped[str] = mapped_column(String(500), default="")

    entry: Mapped[BankEntry] = relationship()
    outgoing: Mapped[OutgoingPayment] = relationship()

    @property
    def is_live(self) -> bool:
        return self.undone_at is None
