"""Which entries of a statement are new, and which were read before in this file or another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.payments.models import BankAccount, BankEntry, BankStatement
from govern.payments.reading import ReadEntry, ReadStatement
from govern.payments.reading.records import counted_key, entry_keys

_CHUNK = 500


@dataclass
class _Alike:
    """A stored entry that looks like one of the file. ``overlaps``: it may be the very same."""

    id: int
    key: str
    is_numbered: bool
    is_elsewhere: bool
    overlaps: bool
    is_claimed: bool = False


def fresh_entries(
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
