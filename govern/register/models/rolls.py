"""Rolls: who may vote, frozen from the register at the end of a record date."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.i18n import local_text
from govern.register.models.people import MemberKind, Membership, one_of


class RollState(StrEnum):
    """``draft`` may be taken again or dropped; ``frozen`` changes by reasoned correction only."""

    DRAFT = "draft"
    FROZEN = "frozen"


class CorrectionAction(StrEnum):
    """A member added to, removed from, or read again into a frozen roll."""

    ADDED = "added"
    REMOVED = "removed"
    UPDATED = "updated"


class Roll(db.Model):  # type: ignore[name-defined]
    """Who may vote, as the register showed it at the end of ``record_date`` (local day).

    ``digest`` is the SHA-256 (hexadecimal) of the canonical lines described in ``docs/roll.md``.
    ``register_sequence`` and ``register_hash`` are the end of the ledger's chain when the roll was
    taken. From ``locked_at`` on, a trigger refuses every change of the entries. ``label`` says what
    it is for in the language of the house, ``labels`` in several; neither is in the digest.
    """

    __tablename__ = "roll"
    __table_args__ = (
        CheckConstraint(one_of("state", RollState), name="state_known"),
        CheckConstraint("(state = 'frozen') = (frozen_at IS NOT NULL)", name="frozen_has_time"),
        CheckConstraint("locked_at IS NULL OR state = 'frozen'", name="locked_is_frozen"),
        CheckConstraint("length(digest) = 64", name="digest_length"),
        Index("ix_roll_cooperative", "cooperative_id", "record_date"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    rule_set_id: Mapped[int] = mapped_column(ForeignKey("rule_set.id"))
    label: Mapped[str] = mapped_column(String(200))
    labels: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    record_date: Mapped[date]
    state: Mapped[str] = mapped_column(String(10), default=RollState.DRAFT.value)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    objections_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    digest: Mapped[str] = mapped_column(String(64))
    heads: Mapped[int]
    shares_issued: Mapped[int]
    shares_paid: Mapped[int]
    totals: Mapped[dict[str, Any]] = mapped_column(JSON)
    register_sequence: Mapped[int]
    register_hash: Mapped[str] = mapped_column(String(64))

    cooperative: Mapped[Cooperative] = relationship()
    corrections: Mapped[list[RollCorrection]] = relationship(
        back_populates="roll", order_by="RollCorrection.id"
    )

    @property
    def title(self) -> str:
        """What the roll is for, in the reader's language where it is known in that."""
        return local_text(self.labels) or self.label

    @property
    def is_frozen(self) -> bool:
        return self.state == RollState.FROZEN.value

    @property
    def is_locked(self) -> bool:
        """Whether an election on this roll has opened: nothing changes any more."""
        return self.locked_at is not None


class RollEntry(db.Model):  # type: ignore[name-defined]
    """One member who may vote, once, with the shares held at the end of the record date.

    ``address`` is {"street", "postal_code", "town", "country"}; ``representative`` names the
    person who votes for an organisation. Contact data is outside the digest.
    """

    __tablename__ = "roll_entry"
    __table_args__ = (
        UniqueConstraint("roll_id", "membership_id"),
        UniqueConstraint("roll_id", "member_number", name="uq_roll_entry_member_number"),
        CheckConstraint(one_of("kind", MemberKind), name="kind_known"),
        CheckConstraint("shares_paid >= 1 AND shares_paid <= shares_issued", name="a_paid_share"),
        Index("ix_roll_entry_sorted", "roll_id", "sort_name", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("roll.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    member_number: Mapped[str] = mapped_column(String(40))
    display_name: Mapped[str] = mapped_column(String(250))
    kind: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(20))
    shares_issued: Mapped[int]
    shares_paid: Mapped[int]
    language: Mapped[str] = mapped_column(String(2))
    email: Mapped[str | None] = mapped_column(String(254))
    representative: Mapped[str] = mapped_column(String(250), default="")
    address: Mapped[dict[str, str]] = mapped_column(JSON)
    sort_name: Mapped[str] = mapped_column(String(500))
    search_text: Mapped[str] = mapped_column(Text)

    roll: Mapped[Roll] = relationship()
    membership: Mapped[Membership] = relationship()


class RollCorrection(db.Model):  # type: ignore[name-defined]
    """One correction of a frozen roll before it was locked; append-only and visible to members."""

    __tablename__ = "roll_correction"
    __table_args__ = (
        CheckConstraint(one_of("action", CorrectionAction), name="action_known"),
        CheckConstraint("length(reason) >= 5", name="has_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("roll.id"), index=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    member_number: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    digest_before: Mapped[str] = mapped_column(String(64))
    digest_after: Mapped[str] = mapped_column(String(64))

    roll: Mapped[Roll] = relationship(back_populates="corrections")
