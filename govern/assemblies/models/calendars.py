"""The subscription to a person's own calendar."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from govern.database import make_public_id
from govern.extensions import db


class CalendarFeed(db.Model):  # type: ignore[name-defined]
    """One feed per person. Its address also needs a code made from the server's secret.

    ``public_id`` is replaced when the person asks for a new address; the old one is then dead.
    """

    __tablename__ = "calendar_feed"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id"), primary_key=True, autoincrement=False
    )
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    language: Mapped[str] = mapped_column(String(2))
    made_on: Mapped[date]
