"""Payments that go out, and the batches in which they are handed to the bank."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.payments.models.accounts import BankAccount
from govern.register.models.people import one_of


class OutgoingState(StrEnum):
    """``planned`` → ``released`` → ``in_batch`` → ``sent`` → ``paid`` | ``returned``.

    Until it is in a batch a payment can be ``cancelled``; the bank may have paid it all the same
    with an earlier file, and it is then ``paid``.
    """

    PLANNED = "planned"
    RELEASED = "released"
    IN_BATCH = "in_batch"
    SENT = "sent"
    PAID = "paid"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """``made``: the file waits to be handed to the bank. ``done``: every payment was followed."""

    MADE = "made"
    SENT = "sent"
    DONE = "done"
    CANCELLED = "cancelled"


class PaymentBatch(db.Model):  # type: ignore[name-defined]
    """One credit-transfer file (pain.001). ``digest`` is the SHA-256 of ``xml``, in hexadecimal.

    A cooperative has at most one batch that was made and not yet sent.
    """

    __tablename__ = "payment_batch"
    __table_args__ = (
        CheckConstraint(one_of("state", BatchState), name="state_known"),
        CheckConstraint("length(digest) = 64", name="digest_length"),
        CheckConstraint("count > 0 AND total_cents > 0", name="not_empty"),
        CheckConstraint("state <> 'cancelled' OR length(cancel_reason) >= 5", name="cancelled_why"),
        Index(
            "uq_payment_batch_waiting",
            "cooperative_id",
            unique=True,
            sqlite_where=text("state = 'made'"),
            postgresql_where=text("state = 'made'"),
        ),
        Index("ix_payment_batch_listed", "cooperative_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    message_id: Mapped[str] = mapped_column(String(35), unique=True)
    xml: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    execute_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(9))
    total_cents: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str] = mapped_column(String(500), default="")

    bank_account: Mapped[BankAccount] = relationship()
    payments: Mapped[list[OutgoingPayment]] = relationship(
        back_populates="batch", order_by="OutgoingPayment.id"
    )


class OutgoingPayment(db.Model):  # type: ignore[name-defined]
    """One payment to somebody. It is in at most one batch: the one that ``batch_id`` names.

    ``subject`` says what it is for ("refund:<public id>", "overpayment:<entry public id>"): the
    same thing is paid once at a time. ``end_to_end_id`` is how the statement names it later.
    """

    __tablename__ = "outgoing_payment"
    __table_args__ = (
        CheckConstraint(one_of("state", OutgoingState), name="state_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        # Erased once nothing need be kept, and never before the payment is at its end.
        CheckConstraint(
            "length(iban) BETWEEN 15 AND 34"
            " OR (iban = '' AND state IN ('paid', 'returned', 'cancelled'))",
            name="iban_length",
        ),
        CheckConstraint("length(bic) IN (0, 8, 11)", name="bic_length"),
        CheckConstraint(
            "(state IN ('planned', 'released', 'cancelled') AND batch_id IS NULL)"
            " OR (state IN ('in_batch', 'sent') AND batch_id IS NOT NULL)"
            " OR state IN ('paid', 'returned')",
            name="batch_fits_state",
        ),
        CheckConstraint(
            "(state IN ('planned', 'cancelled')) OR released_at IS NOT NULL",
            name="released_before_paid",
        ),
        Index("ix_outgoing_payment_listed", "cooperative_id", "state", "due_on"),
        Index("ix_outgoing_payment_batch", "batch_id"),
        Index(
            "uq_outgoing_payment_live",
            "cooperative_id",
            "subject",
            unique=True,
            sqlite_where=text("state NOT IN ('cancelled', 'returned')"),
            postgresql_where=text("state NOT IN ('cancelled', 'returned')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    payee_name: Mapped[str] = mapped_column(String(250))
    iban: Mapped[str] = mapped_column(String(34))
    bic: Mapped[str] = mapped_column(String(11), default="")
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date]
    text: Mapped[str] = mapped_column(String(140))
    reference: Mapped[str] = mapped_column(String(25), default="")
    end_to_end_id: Mapped[str] = mapped_column(String(35), unique=True)
    subject: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(9))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("payment_batch.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    paid_on: Mapped[date | None]
    returned_on: Mapped[date | None]
    end_reason: Mapped[str] = mapped_column(String(500), default="")

    cooperative: Mapped[Cooperative] = relationship()
    batch: Mapped[PaymentBatch | None] = relationship(back_populates="payments")
