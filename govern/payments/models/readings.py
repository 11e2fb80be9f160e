"""Large statements on their way: too many entries to be matched while a browser waits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models.people import one_of


class ReadingState(StrEnum):
    """``waiting``: nothing of the file is stored. ``matching``: all of it is, and being matched."""

    WAITING = "waiting"
    MATCHING = "matching"
    DONE = "done"
    FAILED = "failed"


class StatementReading(db.Model):  # type: ignore[name-defined]
    """One large file that a job reads. ``content`` is kept until its entries are stored.

    ``statement_ids`` are the statements that were stored from it, ``batch_ids`` what its debits say
    of the payment file they belong to, per entry. Entries up to ``settled_up_to`` were matched. A
    reading that failed with entries stored can go on; otherwise the file is sent again.
    """

    __tablename__ = "statement_reading"
    __table_args__ = (
        CheckConstraint(one_of("state", ReadingState), name="state_known"),
        CheckConstraint("length(file_digest) = 64", name="digest_length"),
        CheckConstraint("(state = 'waiting') = (content IS NOT NULL)", name="kept_while_waiting"),
        Index("ix_statement_reading_listed", "cooperative_id", "created_at"),
        # The same file sent twice is on its way once.
        Index(
            "uq_statement_reading_live",
            "cooperative_id",
            "file_digest",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'matching')"),
            postgresql_where=text("state IN ('waiting', 'matching')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    bank_account_id: Mapped[int | None] = mapped_column(ForeignKey("bank_account.id"))
    state: Mapped[str] = mapped_column(String(8))
    file_name: Mapped[str] = mapped_column(String(200))
    file_digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    language: Mapped[str] = mapped_column(String(2))
    statement_ids: Mapped[list[int]] = mapped_column(JSON, default=list)
    batch_ids: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    entries_new: Mapped[int] = mapped_column(default=0)
    entries_known: Mapped[int] = mapped_column(default=0)
    settled_up_to: Mapped[int] = mapped_column(BigInteger, default=0)
    failure: Mapped[str] = mapped_column(String(2000), default="")
    job_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
