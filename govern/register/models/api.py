"""Programs that may read the register of one cooperative, and on which days they did."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db


class ApiScope(StrEnum):
    """What a program may read. ``contact:read`` adds addresses to the members."""

    MEMBERS = "members:read"
    CONTACT = "contact:read"
    HOLDINGS = "holdings:read"


class ApiClient(db.Model):  # type: ignore[name-defined]
    """One program and its token, of which only the SHA-256 is kept.

    ``hint`` is the end of the token, by which people tell tokens apart. ``expires_on`` is the
    first day on which it is no longer good. ``last_used_on`` is a day, never a time.
    """

    __tablename__ = "api_client"
    __table_args__ = (
        CheckConstraint("length(token_hash) = 64", name="token_hash_length"),
        Index("ix_api_client_cooperative", "cooperative_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))
    scopes: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    expires_on: Mapped[date]
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    last_used_on: Mapped[date | None]

    @property
    def scope_set(self) -> frozenset[str]:
        """The scopes as a set."""
        return frozenset(self.scopes.split())


class ApiUse(db.Model):  # type: ignore[name-defined]
    """That a program read a kind of thing on a day, written at its first request of that day."""

    __tablename__ = "api_use"
    __table_args__ = (UniqueConstraint("client_id", "used_on", "resource"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("api_client.id"))
    used_on: Mapped[date]
    resource: Mapped[str] = mapped_column(String(20))
