"""The share ledger: append-only, chained by hashes, one chain per cooperative.

An entry hashes its share data, its membership's public id and a *commitment* to who the holder
was; the salt and the text that open the commitment are a row of their own, which an erasure may
delete without breaking the chain.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.database import UtcDateTime
from govern.extensions import db
from govern.register.models.people import Membership, one_of


class EntryKind(StrEnum):
    """What happened to shares or to the capital paid for them."""

    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    REFUND = "refund"
    CONVERSION_OUT = "conversion_out"
    CONVERSION_IN = "conversion_in"


class TransferCause(StrEnum):
    """Why shares change hands."""

    SALE = "sale"
    GIFT = "gift"
    SUCCESSION = "succession"
    MERGER = "merger"
    OTHER = "other"


class ShareEntry(db.Model):  # type: ignore[name-defined]
    """One entry. ``shares`` and ``amount_cents`` are signed changes of the holding.

    ``amount_cents`` is paid-in capital, so a subscription carries 0 until it is paid.
    ``effective_on`` is the local calendar day on which it counts, ``recorded_at`` when it was
    written down. ``act_id`` joins the entries of one act (the two sides of a transfer).
    ``reverses_id`` names the entry that this one takes back, with the opposite signs. ``source``
    says where it came from ("import:<public id>", "form"); what a person writes about an entry is
    an ``EntryRemark``, because the chain must not hold personal data.

    ``numbers`` are those of the shares that come or go ("1-3,7", "" for none). ``version`` says
    what ``hash`` covers: from version 2 on, numbers and cause too; the numbers of version 1 follow
    from the entries themselves. ``row_digest`` binds the row's local numbers (its own, the
    membership's, the recorder's) to its hash.
    """

    __tablename__ = "share_entry"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "sequence"),
        CheckConstraint(one_of("kind", EntryKind), name="kind_known"),
        CheckConstraint("sequence > 0", name="sequence_positive"),
        CheckConstraint("nominal_cents > 0", name="nominal_positive"),
        CheckConstraint(
            "(kind = 'subscription' AND amount_cents = 0 AND shares <> 0"
            " AND (shares > 0) = (reverses_id IS NULL))"
            " OR (kind = 'payment' AND shares = 0 AND amount_cents <> 0"
            " AND (amount_cents > 0) = (reverses_id IS NULL))"
            " OR (kind = 'transfer_in' AND shares > 0 AND amount_cents >= 0"
            " AND reverses_id IS NULL)"
            " OR (kind = 'transfer_in' AND shares < 0 AND amount_cents <= 0"
            " AND reverses_id IS NOT NULL)"
            " OR (kind = 'transfer_out' AND shares < 0 AND amount_cents <= 0"
            " AND reverses_id IS NULL)"
            " OR (kind = 'transfer_out' AND shares > 0 AND amount_cents >= 0"
            " AND reverses_id IS NOT NULL)"
            " OR (kind = 'refund' AND shares <= 0 AND amount_cents <= 0"
            " AND (shares < 0 OR amount_cents < 0) AND reverses_id IS NULL)"
            " OR (kind = 'refund' AND shares >= 0 AND amount_cents >= 0"
            " AND (shares > 0 OR amount_cents > 0) AND reverses_id IS NOT NULL)"
            " OR (kind = 'conversion_in' AND shares > 0 AND amount_cents >= 0"
            " AND reverses_id IS NULL)"
            " OR (kind = 'conversion_in' AND shares < 0 AND amount_cents <= 0"
            " AND reverses_id IS NOT NULL)"
            " OR (kind = 'conversion_out' AND shares < 0 AND amount_cents <= 0"
            " AND reverses_id IS NULL)"
            " OR (kind = 'conversion_out' AND shares > 0 AND amount_cents >= 0"
            " AND reverses_id IS NOT NULL)",
            name="signs_fit_kind",
        ),
        CheckConstraint("version IN (1, 2)", name="version_known"),
        CheckConstraint("(shares = 0) = (numbers = '')", name="shares_have_numbers"),
        CheckConstraint(
            f"cause = '' OR ({one_of('cause', TransferCause)} AND version >= 2"
            " AND kind IN ('transfer_in', 'transfer_out'))",
            name="cause_fits_kind",
        ),
        CheckConstraint(
            "length(hash) = 64 AND length(previous_hash) = 64 AND length(commitment) = 64"
            " AND length(row_digest) = 64",
            name="hash_length",
        ),
        # Both hold everything that sums need, so that lists and rolls read no row of the table.
        Index(
            "ix_share_entry_holding",
            "membership_id",
            "share_class",
            "nominal_cents",
            "effective_on",
            "shares",
            "amount_cents",
        ),
        Index(
            "ix_share_entry_effective",
            "cooperative_id",
            "effective_on",
            "shares",
            "amount_cents",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    sequence: Mapped[int]
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    kind: Mapped[str] = mapped_column(String(20))
    share_class: Mapped[str] = mapped_column(String(20))
    nominal_cents: Mapped[int]
    shares: Mapped[int]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    act_id: Mapped[str] = mapped_column(String(22), index=True)
    source: Mapped[str] = mapped_column(String(40), default="")
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("share_entry.id"), unique=True)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    commitment: Mapped[str] = mapped_column(String(64), index=True)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    numbers: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(String(20))
    row_digest: Mapped[str] = mapped_column(String(64))

    membership: Mapped[Membership] = relationship()
    reverses: Mapped[ShareEntry | None] = relationship(remote_side=[id])
    remark: Mapped[EntryRemark | None] = relationship()


class EntryRemark(db.Model):  # type: ignore[name-defined]
    """What the registrar noted about an entry (why it was reversed, a bank reference)."""

    __tablename__ = "entry_remark"

    entry_id: Mapped[int] = mapped_column(ForeignKey("share_entry.id"), primary_key=True)
    text: Mapped[str] = mapped_column(String(500))


class HolderOpening(db.Model):  # type: ignore[name-defined]
    """Opens a commitment: ``commitment = HMAC-SHA256(salt, statement)``. Deleted by an erasure.

    ``statement`` is the canonical text of who held the membership when entries were written
    (``govern.register.rules.chain.holder_statement``). ``is_current`` marks the one that describes
    the holder as the register shows them now.
    """

    __tablename__ = "holder_opening"
    __table_args__ = (
        CheckConstraint("length(salt) = 64", name="salt_length"),
        Index(
            "uq_holder_opening_current",
            "membership_id",
            unique=True,
            sqlite_where=text("is_current = 1"),
            postgresql_where=text("is_current"),
        ),
    )

    commitment: Mapped[str] = mapped_column(String(64), primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), index=True)
    salt: Mapped[str] = mapped_column(String(64))
    statement: Mapped[str] = mapped_column(Text)
    is_current: Mapped[bool] = mapped_column(default=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RegisterHead(db.Model):  # type: ignore[name-defined]
    """The end of a cooperative's chain: the row that is locked while entries are appended."""

    __tablename__ = "register_head"

    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(String(64))


class ShareNumbering(db.Model):  # type: ignore[name-defined]
    """The highest number that was given to a share of a class, so that none is given again."""

    __tablename__ = "share_numbering"
    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number_not_negative"),)

    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), primary_key=True)
    share_class: Mapped[str] = mapped_column(String(20), primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)
