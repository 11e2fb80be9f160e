"""Cooperatives and their rule sets."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime
from govern.extensions import db

ACCENTS = ("neutral", "red", "blue", "green", "teal", "violet", "amber", "slate")
"""The colours of which a cooperative has one; ``frontend/styles/tokens.css`` says what they are."""


class CooperativeStatus(StrEnum):
    """``on_hold`` means readable: nothing can be convened, nobody admitted."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"


class Cooperative(db.Model):  # type: ignore[name-defined]
    """One legal entity with its own board, assembly, statutes and register."""

    __tablename__ = "cooperative"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'on_hold')", name="status_known"),
        CheckConstraint("length(code) BETWEEN 2 AND 40", name="code_length"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    legal_form: Mapped[str] = mapped_column(String(100), default="")
    enterprise_number: Mapped[str] = mapped_column(String(40), default="")
    seat: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    time_zone: Mapped[str] = mapped_column(String(50), default="Europe/Brussels")
    languages: Mapped[list[str]] = mapped_column(JSON)
    accent: Mapped[str] = mapped_column(String(20), default="red")
    status: Mapped[str] = mapped_column(String(20), default=CooperativeStatus.ACTIVE.value)
    is_demonstration: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    rule_sets: Mapped[list[RuleSet]] = relationship(
        back_populates="cooperative", order_by="RuleSet.starts_on"
    )


class RuleSet(db.Model):  # type: ignore[name-defined]
    """The rules in force from ``starts_on`` until the next set begins; never edited once begun.

    ``rules`` is the JSON form of ``govern.cooperatives.rules.Rules``.
    """

    __tablename__ = "rule_set"
    __table_args__ = (UniqueConstraint("cooperative_id", "starts_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    starts_on: Mapped[date]
    source: Mapped[str] = mapped_column(Text)
    source_confirmed: Mapped[bool] = mapped_column(Boolean, default=False)
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship(back_populates="rule_sets")
