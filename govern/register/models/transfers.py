"""Shares on their way from one member to another, and certificates of shares."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models.ledger import TransferCause
from govern.register.models.people import Membership, one_of


class TransferState(StrEnum):
    """``proposed`` waits for the receiver, ``awaiting_admission`` for them to become a member.

    ``awaiting_acceptance``: they have applied, and the cooperative decides; ``refused`` if it does
    not admit them.
    """

    PROPOSED = "proposed"
    AWAITING_ADMISSION = "awaiting_admission"
    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    COMPLETED = "completed"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class TransferRequest(db.Model):  # type: ignore[name-defined]
    """Shares that a member has promised to another, until the receiver answers.

    ``numbers`` are those named by the giver, "" for whichever; ``effective_on`` the day agreed,
    None for the day of the receiver's answer. A receiver who is no member yet is known by name and
    address only, which are deleted when the request ends; ``receiver_language`` ("" for that of
    the giver) is the one of the mail that invites them, ``invitation_hash`` the hash of the secret
    in its link, None where the mail had none. ``act_id`` is the act of the ledger.
    """

    __tablename__ = "transfer_request"
    __table_args__ = (
        CheckConstraint(one_of("state", TransferState), name="state_known"),
        CheckConstraint(one_of("cause", TransferCause), name="cause_known"),
        CheckConstraint("shares > 0", name="shares_positive"),
        CheckConstraint("receiver_id IS NULL OR receiver_id <> giver_id", name="two_parties"),
        CheckConstraint("(state = 'completed') = (act_id IS NOT NULL)", name="completed_has_act"),
        CheckConstraint(
            "state NOT IN ('proposed', 'completed') OR receiver_id IS NOT NULL",
            name="receiver_known",
        ),
        Index("ix_transfer_request_giver", "giver_id", "state"),
        Index("ix_transfer_request_receiver", "receiver_id", "state"),
        Index("ix_transfer_request_cooperative", "cooperative_id", "state", "proposed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    giver_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    receiver_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"))
    receiver_name: Mapped[str] = mapped_column(String(250), default="")
    receiver_email: Mapped[str] = mapped_column(String(254), default="")
    receiver_language: Mapped[str] = mapped_column(String(2), default="")
    invitation_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    shares: Mapped[int]
    share_class: Mapped[str] = mapped_column(String(20))
    numbers: Mapped[str] = mapped_column(String(500), default="")
    cause: Mapped[str] = mapped_column(String(20))
    effective_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(20), default=TransferState.PROPOSED.value)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    act_id: Mapped[str | None] = mapped_column(String(22), unique=True)

    giver: Mapped[Membership] = relationship(foreign_keys=[giver_id])
    receiver: Mapped[Membership | None] = relationship(foreign_keys=[receiver_id])


class ShareCertificate(db.Model):  # type: ignore[name-defined]
    """A certificate that was issued: what its digest covers, without who the member is.

    ``code`` is printed on it and is where anybody can check it. ``ledger_sequence`` and
    ``ledger_hash`` are the end of the cooperative's chain when it was made, ``last_entry`` the
    sequence of the member's newest entry, 0 for none: a later one means that it is out of date.
    """

    __tablename__ = "share_certificate"
    __table_args__ = (
        CheckConstraint("length(digest) = 64 AND length(ledger_hash) = 64", name="digest_length"),
        CheckConstraint("shares_issued >= 0 AND shares_paid >= 0", name="shares_not_negative"),
        Index("ix_share_certificate_membership", "membership_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    certified_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ledger_sequence: Mapped[int]
    ledger_hash: Mapped[str] = mapped_column(String(64))
    last_entry: Mapped[int]
    shares_issued: Mapped[int] = mapped_column(BigInteger)
    shares_paid: Mapped[int] = mapped_column(BigInteger)

    membership: Mapped[Membership] = relationship()
