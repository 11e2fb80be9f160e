"""Applications for membership, the board's decisions on them, and orders of more shares."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.joining.models.statutes import Statutes
from govern.joining.rules import ApplicationState, Hold, IdentityChoice, OrderState
from govern.payments.models import PaymentRequest
from govern.register.models import MemberKind, Membership, TransferRequest
from govern.register.models.people import one_of


class BoardDecision(db.Model):  # type: ignore[name-defined]
    """A decision of the board on a list of applications, as the registrar recorded it."""

    __tablename__ = "board_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), index=True)
    decided_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(BigInteger)


class Application(db.Model):  # type: ignore[name-defined]
    """Somebody asks to become a member.

    ``email_token_hash`` is there until the address is confirmed. ``price_cents`` is the value of
    one share when it was asked for. ``accepted_on`` and ``paid_on`` (the day on which the whole
    amount had been received) come in either order. ``linked_person_id`` or
    ``linked_organisation_id`` is whom the registrar recognised; ``hold`` says why an application
    that is accepted and paid waits for the registrar. ``membership_id`` is what came of it.
    ``forgotten_on``: the day on which the personal data were deleted.

    ``transfer_public_id`` names the transfer by which the shares come, with nothing to pay; it
    stays when the request of the transfer is erased. None where shares are subscribed.
    """

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint(one_of("kind", MemberKind), name="kind_known"),
        CheckConstraint(one_of("state", ApplicationState), name="state_known"),
        CheckConstraint(one_of("identity", IdentityChoice), name="identity_known"),
        CheckConstraint(one_of("hold", Hold), name="hold_known"),
        CheckConstraint(one_of("language", LOCALES), name="language_known"),
        CheckConstraint("shares > 0", name="shares_positive"),
        CheckConstraint("price_cents > 0", name="price_positive"),
        CheckConstraint(
            "(state = 'unconfirmed') = (email_confirmed_at IS NULL)", name="confirmed_at"
        ),
        CheckConstraint(
            "(state = 'unconfirmed') = (email_token_hash IS NOT NULL)", name="token_until_confirmed"
        ),
        CheckConstraint(
            "state NOT IN ('accepted', 'admitted', 'expired') OR accepted_on IS NOT NULL",
            name="accepted_on",
        ),
        CheckConstraint(
            "(state = 'admitted') = (membership_id IS NOT NULL)", name="admitted_has_membership"
        ),
        CheckConstraint("state <> 'refused' OR decision_reason <> ''", name="refusal_has_reason"),
        CheckConstraint(
            "(identity = 'same')"
            " = (linked_person_id IS NOT NULL OR linked_organisation_id IS NOT NULL)",
            name="same_is_linked",
        ),
        Index("ix_application_listed", "cooperative_id", "state", "id"),
        Index("ix_application_address", "email_key", "cooperative_id"),
        Index("ix_application_due", "state", "payment_due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    state: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    given_name: Mapped[str] = mapped_column(String(120), default="")
    family_name: Mapped[str] = mapped_column(String(120), default="")
    birth_date: Mapped[date | None]
    organisation_name: Mapped[str] = mapped_column(String(250), default="")
    enterprise_number: Mapped[str] = mapped_column(String(40), default="")
    representative_given_name: Mapped[str] = mapped_column(String(120), default="")
    representative_family_name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    street: Mapped[str] = mapped_column(String(250), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    town: Mapped[str] = mapped_column(String(120), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    category: Mapped[str] = mapped_column(String(20))
    shares: Mapped[int]
    share_class: Mapped[str] = mapped_column(String(20))
    price_cents: Mapped[int]
    statutes_id: Mapped[int] = mapped_column(ForeignKey("statutes.id"))
    statutes_language: Mapped[str] = mapped_column(String(2))
    statutes_digest: Mapped[str] = mapped_column(String(64))
    consented_at: Mapped[datetime] = mapped_column(UtcDateTime)
    email_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    identity: Mapped[str] = mapped_column(String(20), default=IdentityChoice.UNDECIDED.value)
    linked_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    linked_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    accepted_on: Mapped[date | None]
    decided_on: Mapped[date | None]
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("board_decision.id"), index=True)
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    request_id: Mapped[int | None] = mapped_column(ForeignKey("payment_request.id"), unique=True)
    payment_due_on: Mapped[date | None]
    remind_on: Mapped[date | None]
    reminded_on: Mapped[date | None]
    paid_on: Mapped[date | None]
    hold: Mapped[str] = mapped_column(String(20), default=Hold.NOTHING.value)
    hold_note: Mapped[str] = mapped_column(Text, default="")
    transfer_public_id: Mapped[str | None] = mapped_column(String(22), unique=True)
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"), index=True)
    admitted_on: Mapped[date | None]
    returned_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    forgotten_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    statutes: Mapped[Statutes] = relationship()
    decision: Mapped[BoardDecision | None] = relationship()
    request: Mapped[PaymentRequest | None] = relationship()
    membership: Mapped[Membership | None] = relationship()
    transfer: Mapped[TransferRequest | None] = relationship(
        primaryjoin="foreign(Application.transfer_public_id) == TransferRequest.public_id",
        viewonly=True,
    )

    @property
    def name(self) -> str:
        """Who asks: "Given Family", or the organisation's name; "" once it was forgotten."""
        if self.kind == MemberKind.LEGAL.value:
            return self.organisation_name
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def is_by_transfer(self) -> bool:
        """Whether a member gives the shares, so that nothing is to be paid."""
        return self.transfer_public_id is not None

    @property
    def amount_cents(self) -> int:
        """What is to be paid for the shares."""
        return 0 if self.is_by_transfer else self.shares * self.price_cents

    @property
    def status(self) -> ApplicationState:
        return ApplicationState(self.state)


class ShareOrder(db.Model):  # type: ignore[name-defined]
    """A member asks for more shares. They are subscribed and paid on the day the money arrives."""

    __tablename__ = "share_order"
    __table_args__ = (
        CheckConstraint(one_of("state", OrderState), name="state_known"),
        CheckConstraint("shares > 0", name="shares_positive"),
        CheckConstraint("price_cents > 0", name="price_positive"),
        Index("ix_share_order_due", "state", "payment_due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    shares: Mapped[int]
    share_class: Mapped[str] = mapped_column(String(20))
    price_cents: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default=OrderState.OPEN.value)
    request_id: Mapped[int] = mapped_column(ForeignKey("payment_request.id"), unique=True)
    payment_due_on: Mapped[date]
    paid_on: Mapped[date | None]
    ordered_on: Mapped[date]

    membership: Mapped[Membership] = relationship()
    request: Mapped[PaymentRequest] = relationship()

    @property
    def amount_cents(self) -> int:
        """What the shares cost."""
        return self.shares * self.price_cents
