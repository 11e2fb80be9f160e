"""Appending to the ledger under the lock of its chain."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.register.models import (
    EntryKind,
    HolderOpening,
    Membership,
    RegisterHead,
    ShareEntry,
    ShareNumbering,
)
from govern.register.rules import chain
from govern.register.rules.numbers import ISSUING, format_numbers
from govern.register.services.bulk import insert_rows, reserve_ids


@dataclass(frozen=True)
class NewEntry:
    """What is to be appended. ``reverses`` is (id, sequence) of the entry taken back.

    ``numbers`` of the shares that come or go; None: the next free ones, for shares that are new.
    """

    membership_id: int
    membership_public_id: str
    commitment: str
    kind: EntryKind
    share_class: str
    nominal_cents: int
    shares: int
    amount_cents: int
    effective_on: date
    act_id: str
    source: str = "form"
    reverses: tuple[int, int] | None = None
    numbers: str | None = None
    cause: str = ""


def lock_register(session: Session, cooperative_id: int) -> RegisterHead:
    """The end of the chain, locked until the transaction ends: writers of a register take turns."""
    session.flush()
    if any(cooperative_id in _locked.get(step, {}) for step in _steps_of(session)):
        return session.get_one(RegisterHead, cooperative_id)
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        make(RegisterHead)
        .values(cooperative_id=cooperative_id, sequence=0, hash=chain.BEGINNING)
        .on_conflict_do_nothing()
    )
    head = session.scalars(
        select(RegisterHead)
        .where(RegisterHead.cooperative_id == cooperative_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    _locked.setdefault(next(_steps_of(session)), {})[cooperative_id] = head
    return head


_locked: WeakKeyDictionary[SessionTransaction, dict[int, RegisterHead]] = WeakKeyDictionary()
"""The registers that each transaction or savepoint has locked: their heads, so that the session
keeps them. A savepoint that is undone takes its lock along: it is no step of the session any more.
"""


def _steps_of(session: Session | scoped_session[Session]) -> Iterator[SessionTransaction]:
    """The innermost savepoint that is open, those around it, and the transaction itself."""
    own = session.registry() if isinstance(session, scoped_session) else session
    step = own.get_nested_transaction() or own.get_transaction()
    while step is not None:
        yield step
        step = step.parent


def append_entries(
    session: Session,
    cooperative: Cooperative,
    entries: Sequence[NewEntry],
    *,
    recorded_by_id: int | None,
) -> list[int]:
    """Append ``entries`` in order and move the head; returns their sequence numbers.

    The caller has checked what they mean.
    """
    head = lock_register(session, cooperative.id)
    entries = _number(session, cooperative.id, entries)
    now = clock.now()
    sequence, previous = head.sequence, head.hash
    rows: list[dict[str, Any]] = []
    ids = reserve_ids(session, ShareEntry, len(entries))
    for row_id, entry in zip(ids, entries, strict=True):
        sequence += 1
        numbers = entry.numbers or ""
        reverses_id = entry.reverses[0] if entry.reverses else None
        digest = chain.entry_hash(
            version=chain.VERSION,
            cooperative=cooperative.code,
            sequence=sequence,
            membership=entry.membership_public_id,
            commitment=entry.commitment,
            kind=entry.kind.value,
            share_class=entry.share_class,
            nominal_cents=entry.nominal_cents,
            shares=entry.shares,
            amount_cents=entry.amount_cents,
            effective_on=entry.effective_on,
            recorded_at=now,
            act_id=entry.act_id,
            source=entry.source,
            reverses=entry.reverses[1] if entry.reverses else None,
            previous_hash=previous,
            numbers=numbers,
            cause=entry.cause,
        )
        rows.append(
            {
                "id": row_id,
                "cooperative_id": cooperative.id,
                "sequence": sequence,
                "membership_id": entry.membership_id,
                "kind": entry.kind.value,
                "share_class": entry.share_class,
                "nominal_cents": entry.nominal_cents,
                "shares": entry.shares,
                "amount_cents": entry.amount_cents,
                "effective_on": entry.effective_on,
                "recorded_at": now,
                "act_id": entry.act_id,
                "source": entry.source,
                "reverses_id": reverses_id,
                "recorded_by_id": recorded_by_id,
                "commitment": entry.commitment,
                "previous_hash": previous,
                "hash": digest,
                "version": chain.VERSION,
                "numbers": numbers,
                "cause": entry.cause,
                "row_digest": chain.row_digest(
                    entry_hash=digest,
                    row_id=row_id,
                    cooperative_id=cooperative.id,
                    membership_id=entry.membership_id,
                    recorded_by_id=recorded_by_id,
                    reverses_id=reverses_id,
                ),
            }
        )
        previous = digest
    insert_rows(session, ShareEntry, rows)
    first = head.sequence + 1
    head.sequence, head.hash = sequence, previous
    session.flush()
    return list(range(first, sequence + 1))


def _number(
    session: Session, cooperative_id: int, entries: Sequence[NewEntry]
) -> Sequence[NewEntry]:
    """Give new shares the next numbers of their class; the caller holds the register's lock."""
    heads: dict[str, ShareNumbering] = {}
    numbered = []
    for entry in entries:
        if not entry.shares:
            numbered.append(replace(entry, numbers="") if entry.numbers is None else entry)
            continue
        if entry.numbers is not None:
            numbered.append(entry)
            continue
        if entry.kind.value not in ISSUING or entry.reverses is not None:
            raise ValueError(f"an entry of kind {entry.kind.value} must say which shares it moves")
        head = heads.get(entry.share_class)
        if head is None:
            head = heads[entry.share_class] = _numbering(session, cooperative_id, entry.share_class)
        first, head.last_number = head.last_number + 1, head.last_number + entry.shares
        numbered.append(replace(entry, numbers=format_numbers(((first, head.last_number),))))
    session.flush()
    return numbered


def _numbering(session: Session, cooperative_id: int, share_class: str) -> ShareNumbering:
    key = (cooperative_id, share_class)
    head = session.get(ShareNumbering, key, populate_existing=True)
    if head is None:
        head = ShareNumbering(cooperative_id=cooperative_id, share_class=share_class, last_number=0)
        session.add(head)
    return head


def commitment_for(session: Session, membership: Membership) -> str:
    """The commitment to who holds the membership now; a new one after a change of the identity."""
    statement = statement_of(membership)
    current = session.scalar(
        select(HolderOpening).where(
            HolderOpening.membership_id == membership.id, HolderOpening.is_current
        )
    )
    if current is not None:
        if current.statement == statement:
            return current.commitment
        current.is_current = False
        session.flush()
    salt = secrets.token_hex(32)
    opening = HolderOpening(
        commitment=chain.commit_to(salt, statement),
        membership_id=membership.id,
        salt=salt,
        statement=statement,
        is_current=True,
        recorded_at=clock.now(),
    )
    session.add(opening)
    session.flush()
    return opening.commitment


def has_openings(session: Session, membership: Membership) -> bool:
    """Whether the ledger has committed to who holds the membership, and it was not erased."""
    one = select(HolderOpening.commitment).where(HolderOpening.membership_id == membership.id)
    return session.scalar(one.limit(1)) is not None


def statement_of(membership: Membership) -> str:
    """The statement that the register's present data give for the membership."""
    return chain.holder_statement(
        member_number=membership.member_number,
        kind=membership.kind.value,
        name=membership.display_name,
        birth_date=membership.person.birth_date if membership.person else None,
        enterprise_number=(
            membership.organisation.enterprise_number if membership.organisation else ""
        ),
    )


def count_entries(session: Session, cooperative_id: int) -> int:
    """How many entries the ledger of the cooperative has."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ShareEntry)
            .where(ShareEntry.cooperative_id == cooperative_id)
        )
        or 0
    )
