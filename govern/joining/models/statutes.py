"""The statutes of a cooperative, version by version. Rows are append-only: people consented."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db

PDF = "application/pdf"
MARKDOWN = "text/markdown"


class Statutes(db.Model):  # type: ignore[name-defined]
    """One version, in force from the day on which the assembly adopted it until the next one."""

    __tablename__ = "statutes"
    __table_args__ = (UniqueConstraint("cooperative_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    version: Mapped[str] = mapped_column(String(40))
    adopted_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    texts: Mapped[list[StatutesText]] = relationship(
        back_populates="statutes", order_by="StatutesText.id"
    )


class StatutesText(db.Model):  # type: ignore[name-defined]
    """A version in one language: a PDF, or a text in Markdown. ``digest`` is its SHA-256."""

    __tablename__ = "statutes_text"
    __table_args__ = (
        UniqueConstraint("statutes_id", "language"),
        CheckConstraint(
            f"language IN ({', '.join(repr(code) for code in LOCALES)})", name="language_known"
        ),
        CheckConstraint(f"media_type IN ('{PDF}', '{MARKDOWN}')", name="media_type_known"),
        CheckConstraint("length(digest) = 64", name="digest_length"),
        CheckConstraint("size > 0", name="not_empty"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    statutes_id: Mapped[int] = mapped_column(ForeignKey("statutes.id"))
    language: Mapped[str] = mapped_column(String(2))
    media_type: Mapped[str] = mapped_column(String(20))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    statutes: Mapped[Statutes] = relationship(back_populates="texts")
