"""Data quality and privacy: flagged addresses, pairs that differ, merges, who looked, erasures.

These rows hold identifiers and reasons; the personal data stay where they were. What they are
about lives in ``people`` and ``ledger``.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models.people import Membership, one_of


class ContactChannel(StrEnum):
    """By which of its two ways a member cannot be reached."""

    EMAIL = "email"
    POST = "post"


class ProblemSource(StrEnum):
    """``refused``: a mail server refused the address for good; ``hand``: a registrar noted it."""

    REFUSED = "refused"
    HAND = "hand"


class ContactProblem(db.Model):  # type: ignore[name-defined]
    """An address at which a member could not be reached.

    ``about`` is the address as it is compared (``services.quality.addresses``): a problem counts
    only while that is still the member's address, so that a new address needs no clearing.
    """

    __tablename__ = "contact_problem"
    __table_args__ = (
        CheckConstraint(one_of("channel", ContactChannel), name="channel_known"),
        CheckConstraint(one_of("source", ProblemSource), name="source_known"),
        CheckConstraint("cleared_on IS NULL OR cleared_on >= noted_on", name="cleared_after"),
        Index(
            "uq_contact_problem_open",
            "membership_id",
            "channel",
            unique=True,
            sqlite_where=text("cleared_on IS NULL"),
            postgresql_where=text("cleared_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(String(10))
    about: Mapped[str] = mapped_column(String(700))
    reason: Mapped[str] = mapped_column(String(300))
    noted_on: Mapped[date]
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    cleared_on: Mapped[date | None]
    cleared_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    membership: Mapped[Membership] = relationship()


class HolderKind(StrEnum):
    """What two rows that may be the same are."""

    PERSON = "person"
    ORGANISATION = "organisation"


class DistinctPair(db.Model):  # type: ignore[name-defined]
    """Two people (or organisations) who look alike and were found to be two.

    ``low_id`` and ``high_id`` are their row numbers in ascending order.
    """

    __tablename__ = "distinct_pair"
    __table_args__ = (
        CheckConstraint(one_of("kind", HolderKind), name="kind_known"),
        CheckConstraint("low_id < high_id", name="in_order"),
        CheckConstraint("length(reason) >= 5", name="has_reason"),
        UniqueConstraint("cooperative_id", "kind", "low_id", "high_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    kind: Mapped[str] = mapped_column(String(20))
    low_id: Mapped[int]
    high_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(500))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class MergeKind(StrEnum):
    """What was made one."""

    PERSON = "person"
    ORGANISATION = "organisation"
    MEMBERSHIP = "membership"


class Merge(db.Model):  # type: ignore[name-defined]
    """Two rows that were the same and were made one; it can be taken back.

    ``kept_id`` and ``merged_id`` are row numbers in the table of ``kind``. ``moved`` says what
    went from one to the other, in row numbers only: enough to put it back. ``closed_account_id``
    is the account that was closed because the person had two.
    """

    __tablename__ = "register_merge"
    __table_args__ = (
        CheckConstraint(one_of("kind", MergeKind), name="kind_known"),
        CheckConstraint("kept_id <> merged_id", name="two_rows"),
        CheckConstraint("length(reason) >= 5", name="has_reason"),
        CheckConstraint("(undone_at IS NULL) = (undo_reason = '')", name="undone_has_reason"),
        Index("ix_register_merge_cooperative", "cooperative_id", "made_at"),
        Index("ix_register_merge_kept", "kind", "kept_id"),
        Index(
            "uq_register_merge_open",
            "kind",
            "merged_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    kind: Mapped[str] = mapped_column(String(20))
    kept_id: Mapped[int]
    merged_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(500))
    moved: Mapped[dict[str, Any]] = mapped_column(JSON)
    closed_account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undo_reason: Mapped[str] = mapped_column(String(500), default="")

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.undone_at is None


class RegisterReading(db.Model):  # type: ignore[name-defined]
    """Somebody with an office looked at a full record, or took the whole register out, that day.

    One row per account, subject and day. ``membership_id`` is None for the whole register;
    ``subject`` is "membership:<public id>" or "register:<cooperative id>"; ``roles`` are the
    offices held then, separated by blanks.
    """

    __tablename__ = "register_reading"
    __table_args__ = (
        UniqueConstraint("account_id", "subject", "day"),
        CheckConstraint("roles <> ''", name="has_roles"),
        Index("ix_register_reading_membership", "membership_id", "day"),
        Index("ix_register_reading_cooperative", "cooperative_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"))
    subject: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    roles: Mapped[str] = mapped_column(String(200))
    day: Mapped[date]


class ErasureState(StrEnum):
    """``partial``: what may go is gone, the book is kept until ``keep_until``."""

    REQUESTED = "requested"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    PARTIAL = "partial"
    COMPLETE = "complete"


class Erasure(db.Model):  # type: ignore[name-defined]
    """One request to erase what is kept about a membership, and what became of it.

    ``counts`` says how many rows of what were erased. The last day on which the book is kept is
    the day before ``keep_until``.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint(one_of("state", ErasureState), name="state_known"),
        CheckConstraint(
            "state NOT IN ('partial', 'complete') OR keep_until IS NOT NULL", name="done_has_day"
        ),
        CheckConstraint(
            "(state = 'complete') = (completed_at IS NOT NULL)", name="complete_has_time"
        ),
        Index(
            "uq_erasure_open",
            "membership_id",
            unique=True,
            sqlite_where=text("state IN ('requested', 'partial')"),
            postgresql_where=text("state IN ('requested', 'partial')"),
        ),
        Index("ix_erasure_due", "state", "keep_until"),
        Index("ix_erasure_cooperative", "cooperative_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=ErasureState.REQUESTED.value)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_person_concerned: Mapped[bool]
    note: Mapped[str] = mapped_column(String(500), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    keep_until: Mapped[date | None]
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)

    membership: Mapped[Membership] = relationship()
