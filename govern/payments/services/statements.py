"""Reading a bank statement: all of it or nothing, and once, however often it is read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.payments.models import BankAccount, BankEntry, BankStatement, EntryState
from govern.payments.reading import (
    ReadEntry,
    ReadStatement,
    UnreadableStatement,
    read_statements,
)
from govern.payments.reading.records import one_line
from govern.payments.rules.bank import show_iban
from govern.payments.rules.references import show_reference
from govern.payments.services.following import follow_credit, follow_debit
from govern.payments.services.matching import match_received
from govern.payments.services.recognising import fresh_entries
from govern.payments.services.requests import lock_requests
from govern.payments.texts import unreadable_text
from govern.register.rules.folding import search_text

MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Stored:
    """What of a file was new, and stored: nothing of it is matched yet."""

    statements: tuple[BankStatement, ...]
    rows: tuple[tuple[BankEntry, ReadEntry], ...]
    known: int


@dataclass(frozen=True)
class ReadingResult:
    """What reading a file came to. ``states`` counts the new entries per state."""

    statements: tuple[BankStatement, ...]
    new: int
    known: int
    states: dict[str, int]


def parse_file(content: bytes, *, account: BankAccount | None = None) -> list[ReadStatement]:
    """What a file says, without the database. InvalidInput (field "file") for a refused one.

    ``account`` is the one that a table without a column for it is about.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than %(most)s MB.", most=MAX_BYTES // 1024 // 1024),
            remedy=_("Download the statement for a shorter time."),
            field="file",
        )
    try:
        return read_statements(content, own_iban=account.iban if account else "")
    except UnreadableStatement as error:
        words = unreadable_text(error.code, error.params)
        raise InvalidInput(words.sentence, remedy=words.remedy, field="file") from error


def read_file(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    file_name: str,
    content: bytes,
    account: BankAccount | None = None,
) -> ReadingResult:
    """Parse and store; see ``store_statements``."""
    actor.require(Permission.PAYMENTS_WRITE, cooperative.id)
    parsed = parse_file(content, account=account)
    return store_statements(
        session,
        actor,
        cooperative,
        parsed,
        file_name=file_name,
        digest=hashlib.sha256(content).hexdigest(),
    )


def store_statements(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    parsed: Sequence[ReadStatement],
    *,
    file_name: str,
    digest: str,
) -> ReadingResult:
    """Store the entries that are new, and match each (flushed; nothing is stored if one fails).

    As ``store_entries``, for a statement of a size at which somebody may wait for it.
    """
    stored = store_entries(session, actor, cooperative, parsed, file_name=file_name, digest=digest)
    states: Counter[str] = Counter()
    for row, entry in stored.rows:
        settle_new(session, actor, row, entry.batch_id)
        states[row.state] += 1
    session.flush()
    record_reading(session, actor, cooperative, stored, digest, states)
    return ReadingResult(stored.statements, len(stored.rows), stored.known, dict(states))


def store_entries(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    parsed: Sequence[ReadStatement],
    *,
    file_name: str,
    digest: str,
) -> Stored:
    """Store the entries that are new, each unmatched (flushed; nothing is stored if one fails).

    What was read before, in this file or in another that overlaps it, is left alone. Raises
    InvalidInput (field "file") for an account that is not the cooperative's or is closed, and for
    an entry that lies ahead.
    """
    actor.require(Permission.PAYMENTS_WRITE, cooperative.id)
    # Whoever reads the same file at the same time waits here, and then finds all entries known.
    lock_requests(session, cooperative.id)
    made: list[BankStatement] = []
    rows: list[tuple[BankEntry, ReadEntry]] = []
    known = 0
    for ordinal, read in enumerate(parsed, start=1):
        account = checked_statement(session, cooperative, read)
        fresh = fresh_entries(session, account, read, digest, ordinal)
        known += len(read.entries) - len(fresh)
        if not fresh:
            continue
        statement = BankStatement(
            cooperative_id=cooperative.id,
            bank_account_id=account.id,
            format=read.format,
            identification=read.identification,
            first_day=read.first_day,
            last_day=read.last_day,
            opening_cents=read.opening_cents,
            closing_cents=read.closing_cents,
            file_name=shown_name(file_name),
            file_digest=digest,
            ordinal=_free_ordinal(session, account, digest, ordinal),
            entries_new=len(fresh),
            entries_known=len(read.entries) - len(fresh),
            read_at=clock.now(),
            read_by_id=actor.account_id,
        )
        session.add(statement)
        session.flush()
        made.append(statement)
        new = [(_row(statement, key, entry), entry) for key, entry in fresh]
        session.add_all(row for row, _entry in new)
        session.flush()
        rows += new
    return Stored(tuple(made), tuple(rows), known)


def checked_statement(
    session: Session, cooperative: Cooperative, read: ReadStatement
) -> BankAccount:
    """The account of a statement. InvalidInput or RuleViolation (field "file") for one that is not
    the cooperative's, is closed, or lies ahead."""
    account = _account_of(session, cooperative, read)
    _refuse_days_ahead(cooperative, read)
    return account


def settle_new(session: Session, actor: Actor, row: BankEntry, batch_id: str) -> None:
    """Match a new entry. ``batch_id`` names the payment file that a debit may be, "" for none."""
    if row.amount_cents < 0:
        follow_debit(session, actor, row, batch_id)
    elif not follow_credit(session, actor, row):
        match_received(session, actor, row)


def shown_name(file_name: str) -> str:
    """The name of a file as it is listed: one line of 1 to 200 characters."""
    return one_line(file_name, 1000)[-200:] or "-"


def record_reading(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    stored: Stored,
    digest: str,
    states: Mapping[str, int],
) -> None:
    """Note that somebody read a file, where anything in it was new."""
    if not stored.statements:
        return
    audit.record(
        session,
        actor,
        "payments:statement:read",
        cooperative_id=cooperative.id,
        subject=f"bank_statement:{stored.statements[0].public_id}",
        data={
            "file": digest,
            "statements": len(stored.statements),
            "new": len(stored.rows),
            "known": stored.known,
            **states,
        },
    )


# -- inside -------------------------------------------------------------------------------------


def _account_of(session: Session, cooperative: Cooperative, read: ReadStatement) -> BankAccount:
    account = session.scalar(
        select(BankAccount).where(
            BankAccount.cooperative_id == cooperative.id, BankAccount.iban == read.iban
        )
    )
    if account is None:
        raise InvalidInput(
            _(
                "This statement is of the account %(iban)s, which is none of %(name)s.",
                iban=show_iban(read.iban[:34]),
                name=cooperative.name,
            ),
            remedy=_("Choose another file, or name that account on the page of bank accounts."),
            field="file",
        )
    if not account.is_open:
        raise RuleViolation(
            _("The account %(iban)s is closed.", iban=show_iban(account.iban)),
            remedy=_("Name it again on the page of bank accounts if it is still used."),
            field="file",
        )
    return account


def _refuse_days_ahead(cooperative: Cooperative, read: ReadStatement) -> None:
    today = clock.today(cooperative.time_zone)
    ahead = next((entry for entry in read.entries if entry.booked_on > today), None)
    if ahead is not None:
        raise InvalidInput(
            _("An entry of this statement is booked on %(day)s, which lies ahead.",
              day=in_words(ahead.booked_on)),
            remedy=_("Check the date format of the file, or wait until that day."),
            field="file",
        )  # fmt: skip


def _free_ordinal(session: Session, account: BankAccount, digest: str, ordinal: int) -> int:
    """A file of which only part was new once may bring something new again after an undoing."""
    highest = session.scalar(
        select(func.max(BankStatement.ordinal)).where(
            BankStatement.bank_account_id == account.id, BankStatement.file_digest == digest
        )
    )
    return max(ordinal, (highest or 0) + 1)


def _row(statement: BankStatement, key: str, entry: ReadEntry) -> BankEntry:
    return BankEntry(
        cooperative_id=statement.cooperative_id,
        bank_account_id=statement.bank_account_id,
        statement_id=statement.id,
        key=key,
        fingerprint=entry.fingerprint,
        amount_cents=entry.amount_cents,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        counterparty_name=entry.counterparty_name,
        counterparty_iban=entry.counterparty_iban,
        counterparty_bic=entry.counterparty_bic,
        reference=entry.reference,
        remittance=entry.remittance,
        end_to_end_id=entry.end_to_end_id,
        bank_reference=entry.bank_reference,
        is_return=entry.is_return,
        return_reason=entry.return_reason,
        state=EntryState.UNMATCHED.value,
        doubt="",
        note="",
        search_text=search_text(
            entry.counterparty_name,
            entry.counterparty_iban,
            entry.remittance,
            show_reference(entry.reference),
            entry.reference,
        ),
    )
