"""Requests for payment: what is due, by when, under which reference."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.payments.rules.matching import payer_key
from govern.register.models import Membership
from govern.register.models.people import one_of


class ReferenceKind(StrEnum):
    """Belgian structured communication (+++…+++), or the creditor reference of ISO 11649."""

    BE_STRUCTURED = "be-structured"
    RF = "rf"


class RequestState(StrEnum):
    """``settled``: everything was received. ``cancelled``: nothing is expected any more."""

    OPEN = "open"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class PaymentRequest(db.Model):  # type: ignore[name-defined]
    """One amount asked of one payer.

    ``reference`` is compact (twelve digits, or RF…). ``paid_cents`` is the sum of the live matches.
    ``subject`` says what it is for: "application:<public id>" or
    "order:<membership public id>:<order>"; their features write the ledger. ``search_text`` is
    folded. ``payer_key`` follows ``payer_name``.
    """

    __tablename__ = "payment_request"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "reference"),
        CheckConstraint(one_of("state", RequestState), name="state_known"),
        CheckConstraint(one_of("reference_kind", ReferenceKind), name="reference_kind_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("paid_cents BETWEEN 0 AND amount_cents", name="paid_within_amount"),
        CheckConstraint(
            "state = 'cancelled' OR (state = 'settled') = (paid_cents = amount_cents)",
            name="settled_when_paid",
        ),
        Index("ix_payment_request_due", "cooperative_id", "state", "due_on"),
        Index("ix_payment_request_created", "cooperative_id", "created_at"),
        Index("ix_payment_request_payer", "cooperative_id", "payer_key", "state", "due_on"),
        # The same thing is asked for once at a time, whoever asks twice.
        Index(
            "uq_payment_request_live",
            "cooperative_id",
            "subject",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    reference: Mapped[str] = mapped_column(String(25))
    reference_kind: Mapped[str] = mapped_column(String(13))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    paid_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(9))
    subject: Mapped[str] = mapped_column(String(100))
    payer_name: Mapped[str] = mapped_column(String(250))
    payer_key: Mapped[str] = mapped_column(String(250), default="", server_default="")
    language: Mapped[str] = mapped_column(String(2))
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"), index=True)
    search_text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    membership: Mapped[Membership | None] = relationship()

    @validates("payer_name")
    def _key_of_payer(self, _column: str, name: str) -> str:
        self.payer_key = payer_key(name)
        return name

    @property
    def due_cents(self) -> int:
        """What is still to come, in cents."""
        return self.amount_cents - self.paid_cents

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.OPEN.value
