"""The bank accounts of a cooperative."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db


class BankAccount(db.Model):  # type: ignore[name-defined]
    """An account that the cooperative is paid on and pays from.

    ``iban`` and ``bic`` are compact and their form was checked; ``bic`` may be empty (inside the
    SEPA area the IBAN alone is enough). At most one open account is the default one.
    """

    __tablename__ = "bank_account"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "iban"),
        CheckConstraint("length(iban) BETWEEN 15 AND 34", name="iban_length"),
        CheckConstraint("length(bic) IN (0, 8, 11)", name="bic_length"),
        CheckConstraint("NOT is_default OR closed_at IS NULL", name="default_is_open"),
        Index(
            "uq_bank_account_default",
            "cooperative_id",
            unique=True,
            sqlite_where=text("is_default = 1"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    iban: Mapped[str] = mapped_column(String(34))
    bic: Mapped[str] = mapped_column(String(11), default="")
    holder: Mapped[str] = mapped_column(String(70))
    is_default: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
