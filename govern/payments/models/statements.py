"""Bank statements that were read, their entries, and what each entry was matched to."""

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

from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.payments.models.accounts import BankAccount
from govern.payments.models.outgoing import OutgoingPayment
from govern.payments.models.requests import PaymentRequest
from govern.register.models.people import one_of


class EntryState(StrEnum):
    """Where an entry stands. ``returned``: its money went back where it came from."""

    UNMATCHED = "unmatched"
    DOUBTFUL = "doubtful"
    MATCHED = "matched"
    SET_ASIDE = "set_aside"
    RETURNED = "returned"


class Doubt(StrEnum):
    """Why an entry waits for a person."""

    NONE = ""
    KNOWN_PAYER = "known_payer"
    KNOWN_NAME = "known_name"
    REQUEST_CLOSED = "request_closed"
    REST_LEFT = "rest_left"
    LEDGER_REFUSED = "ledger_refused"
    RETURN_UNKNOWN = "return_unknown"
    OUTGOING_UNEXPECTED = "outgoing_unexpected"
    OUTGOING_AMOUNT = "outgoing_amount"


class MatchHow(StrEnum):
    """Found by the reference, matched by a person, or taken back by the bank."""

    AUTOMATIC = "automatic"
    BY_HAND = "by_hand"
    RETURN = "return"


class BankStatement(db.Model):  # type: ignore[name-defined]
    """One statement of one account, as the bank wrote it; the same file is stored once.

    ``format`` is "camt.053.001.08" and so on, or "csv". Balances are in cents, None where the
    file gives none. ``ordinal`` counts the statements of one file from 1.
    """

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("bank_account_id", "file_digest", "ordinal"),
        CheckConstraint("length(file_digest) = 64", name="digest_length"),
        Index("ix_bank_statement_read", "cooperative_id", "read_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    format: Mapped[str] = mapped_column(String(20))
    identification: Mapped[str] = mapped_column(String(70), default="")
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    opening_cents: Mapped[int | None] = mapped_column(BigInteger)
    closing_cents: Mapped[int | None] = mapped_column(BigInteger)
    file_name: Mapped[str] = mapped_column(String(200))
    file_digest: Mapped[str] = mapped_column(String(64))
    ordinal: Mapped[int]
    entries_new: Mapped[int]
    entries_known: Mapped[int]
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    bank_account: Mapped[BankAccount] = relationship()


class BankEntry(db.Model):  # type: ignore[name-defined]
    """One movement on an account: received money is positive, in cents.

    ``key`` is unique per account, so that an entry read twice is stored once; ``fingerprint`` is
    the same for the same movement read from files of different shapes. ``reference`` is the
    compact structured reference where its check digits are right, else "". ``candidate`` is the
    request that a doubtful entry may be about; ``doubt`` says why it is doubtful and ``note`` what
    the ledger or a person said. A debit that is a payment of ours names it in ``outgoing``.
    """

    __tablename__ = "bank_entry"
    __table_args__ = (
        UniqueConstraint("bank_account_id", "key"),
        CheckConstraint(one_of("state", EntryState), name="state_known"),
        CheckConstraint(one_of("doubt", Doubt), name="doubt_known"),
        CheckConstraint("amount_cents <> 0", name="amount_moves"),
        CheckConstraint("state <> 'set_aside' OR length(note) >= 5", name="set_aside_has_reason"),
        CheckConstraint("(state = 'doubtful') = (doubt <> '')", name="doubtful_says_why"),
        Index("ix_bank_entry_listed", "cooperative_id", "state", "booked_on", "id"),
        Index("ix_bank_entry_fingerprint", "bank_account_id", "fingerprint"),
        Index("ix_bank_entry_amount", "bank_account_id", "amount_cents", "booked_on"),
        Index("ix_bank_entry_end_to_end", "cooperative_id", "end_to_end_id"),
        Index("ix_bank_entry_counterparty", "cooperative_id", "counterparty_iban"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"))
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_account.id"))
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    booked_on: Mapped[date]
    value_on: Mapped[date]
    counterparty_name: Mapped[str] = mapped_column(String(140), default="")
    counterparty_iban: Mapped[str] = mapped_column(String(34), default="")
    counterparty_bic: Mapped[str] = mapped_column(String(11), default="")
    reference: Mapped[str] = mapped_column(String(25), default="")
    remittance: Mapped[str] = mapped_column(Text, default="")
    end_to_end_id: Mapped[str] = mapped_column(String(35), default="")
    bank_reference: Mapped[str] = mapped_column(String(70), default="")
    is_return: Mapped[bool] = mapped_column(default=False)
    return_reason: Mapped[str] = mapped_column(String(140), default="")
    state: Mapped[str] = mapped_column(String(10))
    doubt: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("payment_request.id"))
    outgoing_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_payment.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("payment_batch.id"), index=True)
    search_text: Mapped[str] = mapped_column(Text)

    bank_account: Mapped[BankAccount] = relationship()
    statement: Mapped[BankStatement] = relationship()
    candidate: Mapped[PaymentRequest | None] = relationship()
    outgoing: Mapped[OutgoingPayment | None] = relationship()
    matches: Mapped[list[PaymentMatch]] = relationship(
        back_populates="entry", order_by="PaymentMatch.id"
    )


class PaymentMatch(db.Model):  # type: ignore[name-defined]
    """What part of an entry belongs to which request: cents, negative where money went back.

    ``returns_id`` names the match that a return takes back. An undone match keeps who undid it and
    why.
    """

    __tablename__ = "payment_match"
    __table_args__ = (
        CheckConstraint(one_of("how", MatchHow), name="how_known"),
        CheckConstraint(
            "(amount_cents > 0 AND returns_id IS NULL AND how <> 'return')"
            " OR (amount_cents < 0 AND returns_id IS NOT NULL AND how = 'return')",
            name="sign_fits",
        ),
        CheckConstraint("undone_at IS NULL OR length(undone_reason) >= 5", name="undone_why"),
        Index(
            "uq_payment_match_live",
            "bank_entry_id",
            "request_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(
            "uq_payment_match_returned_once",
            "returns_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL AND returns_id IS NOT NULL"),
            postgresql_where=text("undone_at IS NULL AND returns_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    bank_entry_id: Mapped[int] = mapped_column(ForeignKey("bank_entry.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("payment_request.id"), index=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    how: Mapped[str] = mapped_column(String(10))
    returns_id: Mapped[int | None] = mapped_column(ForeignKey("payment_match.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    undone_reason: Mapped[str] = mapped_column(String(500), default="")

    entry: Mapped[BankEntry] = relationship(back_populates="matches")
    request: Mapped[PaymentRequest] = relationship()
    returns: Mapped[PaymentMatch | None] = relationship(remote_side=[id])

    @property
    def is_live(self) -> bool:
        return self.undone_at is None
