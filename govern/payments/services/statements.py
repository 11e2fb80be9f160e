"""Reading a bank statement: all of it or nothing, and once, however often it is read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from govern.payments.reading.records import counted_key, entry_keys
from govern.payments.rules.bank import show_iban
from govern.payments.rules.references import show_reference
from govern.payments.services.following import follow_credit, follow_debit
from govern.payments.services.matching import match_received
from govern.payments.services.requests import lock_requests
from govern.payments.texts import unreadable_text
from govern.register.rules.folding import search_text

MAX_BYTES = 20 * 1024 * 1024
_CHUNK = 500


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

    What was read before, in this file or in another that overlaps it, is left alone. Raises
    InvalidInput (field "file") for an account that is not the cooperative's or is closed, and for
    an entry that lies ahead.
    """
    actor.require(Permission.PAYMENTS_WRITE, cooperative.id)
    # Whoever reads the same file at the same time waits here, and then finds all entries known.
    lock_requests(session, cooperative.id)
    made: list[BankStatement] = []
    states: Counter[str] = Counter()
    new = known = 0
    for ordinal, read in enumerate(parsed, start=1):
        account = _account_of(session, cooperative, read)
        _refuse_days_ahead(cooperative, read)
        fresh = _fresh_entries(session, account, read, digest, ordinal)
        known += len(read.entries) - len(fresh)
        if not fresh:
            continue
        new += len(fresh)
        statement = BankStatement(
            cooperative_id=cooperative.id,
            bank_account_id=account.id,
            format=read.format,
            identification=read.identification,
            first_day=read.first_day,
            last_day=read.last_day,
            opening_cents=read.opening_cents,
            closing_cents=read.closing_cents,
            file_name=" ".join(file_name.split())[-200:] or "-",
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
        rows = [(_row(statement, key, entry), entry) for key, entry in fresh]
        session.add_all(row for row, _entry in rows)
        session.flush()
        for row, entry in rows:
            _settle(session, actor, row, entry)
            states[row.state] += 1
        session.flush()
    if made:
        audit.record(
            session,
            actor,
            "payments:statement:read",
            cooperative_id=cooperative.id,
            subject=f"bank_statement:{made[0].public_id}",
            data={"file": digest, "statements": len(made), "new": new, "known": known, **states},
        )
    return ReadingResult(tuple(made), new, known, dict(states))


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


@dataclass
class _Alike:
    """A stored entry that looks like one of the file. ``overlaps``: it may be the very same."""

    id: int
    key: str
    is_numbered: bool
    is_elsewhere: bool
    overlaps: bool
    is_claimed: bool = False


def _fresh_entries(
    session: Session, account: BankAccount, read: ReadStatement, digest: str, ordinal: int
) -> list[tuple[str, ReadEntry]]:
    """The entries that were not read before, each with its key.

    Where the bank numbers its entries, the number tells. Otherwise, and between files of different
    shapes, each entry here is one like it that is stored, as long as there are any: one that the
    bank had not numbered yet takes its number now.
    """
    keys = entry_keys(read.entries)
    stored = set(_stored_keys(session, account, keys))
    alike = _stored_alike(session, account, read, digest, ordinal)
    taken = Counter({mark: len(rows) for mark, rows in alike.items()})
    fresh: dict[int, str] = {}
    known_by_number: set[int] = set()
    for at, (key, entry) in enumerate(zip(keys, read.entries, strict=True)):
        if entry.bank_reference and key in stored:
            known_by_number.add(at)
            _claim(row for row in alike[entry.fingerprint] if row.key == key)
    # Those without a number come first: only what is left over can have got one since.
    for at, entry in enumerate(read.entries):
        if entry.bank_reference:
            continue
        rows = [row for row in alike[entry.fingerprint] if row.overlaps]
        if _claim(sorted(rows, key=lambda row: row.is_numbered)) is None:
            taken[entry.fingerprint] += 1
            # An erasure takes the fingerprint of a stored entry away and leaves its key.
            key = counted_key(entry.fingerprint, taken[entry.fingerprint])
            if key not in stored:
                fresh[at] = key
    for at, (key, entry) in enumerate(zip(keys, read.entries, strict=True)):
        if not entry.bank_reference or at in known_by_number:
            continue
        found = _claim(
            row
            for row in alike[entry.fingerprint]
            if row.is_elsewhere or (row.overlaps and not row.is_numbered)
        )
        if found is None:
            fresh[at] = key
        elif not found.is_elsewhere:
            row = session.get_one(BankEntry, found.id)
            row.bank_reference, row.key = entry.bank_reference, key
    session.flush()
    return [(fresh[at], read.entries[at]) for at in sorted(fresh)]


def _claim(rows: Iterable[_Alike]) -> _Alike | None:
    """The first that no other entry of the file is; None where every one is taken."""
    found = next((row for row in rows if not row.is_claimed), None)
    if found is not None:
        found.is_claimed = True
    return found


def _stored_keys(session: Session, account: BankAccount, keys: Sequence[str]) -> Iterator[str]:
    for at in range(0, len(keys), _CHUNK):
        yield from session.scalars(
            select(BankEntry.key).where(
                BankEntry.bank_account_id == account.id,
                BankEntry.key.in_(keys[at : at + _CHUNK]),
            )
        )


def _stored_alike(
    session: Session, account: BankAccount, read: ReadStatement, digest: str, ordinal: int
) -> dict[str, list[_Alike]]:
    """The stored entries per fingerprint of the file, in the order in which they were read.

    Two people may give the same amount with the same words on the same day, once in the statement
    of noon and once in that of the evening. Where one statement begins with the balance that the
    other ends with, they share no entry, and what is alike in them is not the same.
    """
    alike: dict[str, list[_Alike]] = {entry.fingerprint: [] for entry in read.entries}
    marks = list(alike)
    for at in range(0, len(marks), _CHUNK):
        rows = session.execute(
            select(
                BankEntry.id,
                BankEntry.key,
                BankEntry.fingerprint,
                BankEntry.bank_reference,
                BankStatement,
            )
            .join(BankStatement, BankStatement.id == BankEntry.statement_id)
            .where(
                BankEntry.bank_account_id == account.id,
                BankEntry.fingerprint.in_(marks[at : at + _CHUNK]),
            )
            .order_by(BankEntry.id)
        )
        for row_id, key, mark, number, statement in rows:
            is_same = (statement.file_digest, statement.ordinal) == (digest, ordinal)
            alike[mark].append(
                _Alike(
                    row_id,
                    key,
                    is_numbered=bool(number),
                    is_elsewhere=statement.format[:4] != read.format[:4],
                    overlaps=is_same or not _follow_each_other(statement, read),
                )
            )
    return alike


def _follow_each_other(statement: BankStatement, read: ReadStatement) -> bool:
    balances = (
        statement.opening_cents,
        statement.closing_cents,
        read.opening_cents,
        read.closing_cents,
    )
    if None in balances or statement.opening_cents == read.opening_cents:
        return False
    return (
        statement.closing_cents == read.opening_cents
        or statement.opening_cents == read.closing_cents
    )


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


def _settle(session: Session, actor: Actor, row: BankEntry, read: ReadEntry) -> None:
    if row.amount_cents < 0:
        follow_debit(session, actor, row, read)
    elif not follow_credit(session, actor, row):
        match_received(session, actor, row)
