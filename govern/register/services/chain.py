"""Appending to the ledger under the lock of its chain, and verifying the whole of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.errors import GovernError
from govern.register.models import (
    EntryKind,
    HolderOpening,
    Membership,
    Organisation,
    Person,
    RegisterHead,
    Roll,
    ShareEntry,
)
from govern.register.rules import chain
from govern.register.services.bulk import insert_rows


class BrokenLedger(GovernError):
    """The share ledger is not what was written."""

    status = 500


@dataclass(frozen=True)
class NewEntry:
    """What is to be appended. ``reverses`` is (id, sequence) of the entry taken back."""

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


@dataclass(frozen=True)
class LedgerState:
    """What a verification found: entries, the newest hash, and how many holders were erased."""

    entries: int
    head: str
    erased: int


def lock_register(session: Session, cooperative_id: int) -> RegisterHead:
    """The end of the chain, locked until the transaction ends: writers of a register take turns."""
    session.flush()
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        make(RegisterHead)
        .values(cooperative_id=cooperative_id, sequence=0, hash=chain.BEGINNING)
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(RegisterHead)
        .where(RegisterHead.cooperative_id == cooperative_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


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
    now = clock.now()
    sequence, previous = head.sequence, head.hash
    rows: list[dict[str, Any]] = []
    for entry in entries:
        sequence += 1
        digest = chain.entry_hash(
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
        )
        rows.append(
            {
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
                "reverses_id": entry.reverses[0] if entry.reverses else None,
                "recorded_by_id": recorded_by_id,
                "commitment": entry.commitment,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    insert_rows(session, ShareEntry, rows)
    first = head.sequence + 1
    head.sequence, head.hash = sequence, previous
    session.flush()
    return list(range(first, sequence + 1))


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


def verify_ledger(
    session: Session,
    cooperative: Cooperative,
    progress: Callable[[int], None] | None = None,
) -> LedgerState:
    """Recompute the whole chain of the cooperative; BrokenLedger names the first misfit.

    Checked in this order: every entry follows the one before it and hashes to what it says; the
    head is the last entry; every commitment that can still be opened opens to its statement and
    belongs to its membership; the newest statement of each membership is what the register shows;
    every roll was taken at a point that is still in the chain.
    """
    hashes = _verify_entries(session, cooperative, progress)
    _verify_head(session, cooperative, hashes)
    erased = _verify_openings(session, cooperative)
    for roll in session.scalars(select(Roll).where(Roll.cooperative_id == cooperative.id)):
        expected = hashes[roll.register_sequence] if roll.register_sequence < len(hashes) else None
        if roll.register_hash != expected:
            raise _broken(
                _(
                    "The roll “%(label)s” was taken from a ledger that is not this one.",
                    label=roll.label,
                )
            )
    return LedgerState(len(hashes) - 1, hashes[-1], erased)


def _verify_entries(
    session: Session, cooperative: Cooperative, progress: Callable[[int], None] | None
) -> list[str]:
    reversed_entry = aliased(ShareEntry)
    query = (
        select(ShareEntry, Membership.public_id, reversed_entry.sequence)
        .join(Membership, ShareEntry.membership_id == Membership.id)
        .outerjoin(reversed_entry, ShareEntry.reverses_id == reversed_entry.id)
        .where(ShareEntry.cooperative_id == cooperative.id)
        .order_by(ShareEntry.sequence)
        .execution_options(yield_per=2000)
    )
    hashes = [chain.BEGINNING]
    for entry, public_id, reverses in session.execute(query):
        number = len(hashes)
        if entry.sequence != number:
            raise _broken(_("Entry %(number)s of the share ledger is missing.", number=number))
        if entry.previous_hash != hashes[-1]:
            raise _broken(
                _(
                    "Entry %(number)s of the share ledger does not follow the one before it.",
                    number=number,
                )
            )
        found = chain.entry_hash(
            cooperative=cooperative.code,
            sequence=entry.sequence,
            membership=public_id,
            commitment=entry.commitment,
            kind=entry.kind,
            share_class=entry.share_class,
            nominal_cents=entry.nominal_cents,
            shares=entry.shares,
            amount_cents=entry.amount_cents,
            effective_on=entry.effective_on,
            recorded_at=entry.recorded_at,
            act_id=entry.act_id,
            source=entry.source,
            reverses=reverses,
            previous_hash=entry.previous_hash,
        )
        if found != entry.hash:
            raise _broken(
                _(
                    "Entry %(number)s of the share ledger was changed after it was written.",
                    number=number,
                )
            )
        hashes.append(found)
        if progress is not None and number % 1000 == 0:
            progress(number)
    return hashes


def _verify_head(session: Session, cooperative: Cooperative, hashes: list[str]) -> None:
    head = session.get(RegisterHead, cooperative.id)
    sequence, newest = (head.sequence, head.hash) if head else (0, chain.BEGINNING)
    if (sequence, newest) != (len(hashes) - 1, hashes[-1]):
        raise _broken(
            _(
                "The share ledger ends at entry %(found)s, but entry %(written)s was written.",
                found=len(hashes) - 1,
                written=sequence,
            )
        )


def _verify_openings(session: Session, cooperative: Cooperative) -> int:
    """Check every commitment that can be opened; the number of those that were erased."""
    used: dict[str, int] = {}
    for commitment, membership_id in session.execute(
        select(ShareEntry.commitment, ShareEntry.membership_id)
        .where(ShareEntry.cooperative_id == cooperative.id)
        .distinct()
    ):
        if used.setdefault(commitment, membership_id) != membership_id:
            raise _broken(
                _("Two memberships share one commitment to their holder in the share ledger.")
            )
    query = (
        select(HolderOpening, Membership, Person, Organisation)
        .join(Membership, HolderOpening.membership_id == Membership.id)
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .where(Membership.cooperative_id == cooperative.id)
        .execution_options(yield_per=2000)
    )
    opened = 0
    for opening, membership, _person, _organisation in session.execute(query):
        number = membership.member_number
        if chain.commit_to(opening.salt, opening.statement) != opening.commitment:
            raise _broken(
                _(
                    "What the ledger recorded about the holder %(number)s was changed.",
                    number=number,
                )
            )
        if opening.commitment in used:
            opened += 1
            if used[opening.commitment] != membership.id:
                raise _broken(
                    _(
                        "Entries of the share ledger were moved to or from member %(number)s.",
                        number=number,
                    )
                )
        if opening.is_current and opening.statement != statement_of(membership):
            raise _broken(
                _(
                    "The name or number of member %(number)s is not the one that the ledger "
                    "recorded.",
                    number=number,
                )
            )
    return len(used) - opened


def _broken(message: str) -> BrokenLedger:
    return BrokenLedger(
        message, remedy=_("Compare with a backup before anything else is recorded.")
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
