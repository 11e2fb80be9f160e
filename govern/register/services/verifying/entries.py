"""The chain of the entries: nothing missing, nothing changed, the head where it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, String, null, select, type_coerce
from sqlalchemy.orm import Session, aliased

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    Membership,
    RegisterHead,
    ShareEntry,
)
from govern.register.rules import chain
from govern.register.rules.numbers import (
    Numbering,
)
from govern.register.services.verifying.broken import BrokenLedger, broken
from govern.register.services.verifying.numbers import verify_numbers


@dataclass
class Chain:
    """The chain as far as it was verified; of its hashes only those that rolls name are kept."""

    wanted: set[int]
    entries: int = 0
    head: str = chain.BEGINNING
    hashes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keep()

    def follow(self, newest: str) -> None:
        """Go on to the next entry, whose hash is ``newest``."""
        self.entries, self.head = self.entries + 1, newest
        self._keep()

    def _keep(self) -> None:
        if self.entries in self.wanted:
            self.hashes[self.entries] = self.head


def verify_entries(
    session: Session,
    cooperative: Cooperative,
    numbering: Numbering,
    wanted: set[int],
    progress: Callable[[int], None] | None,
) -> tuple[Chain, BrokenLedger | None]:
    """The end of the chain with its ``wanted`` hashes, and the first act with wrong numbers.

    The chain is checked to its end first: a missing entry is the better explanation.
    """
    ledger = Chain(wanted)
    misnumbering: BrokenLedger | None = None

    code = cooperative.code

    def in_order() -> Iterator[Any]:
        for row in _read_entries(session, cooperative):
            number = ledger.entries + 1
            _verify_entry(code, row, number, ledger.head)
            ledger.follow(row.hash)
            if progress is not None and number % 1000 == 0:
                progress(number)
            yield row

    for _act, rows in groupby(in_order(), key=lambda row: row.act_id):
        act = list(rows)
        if misnumbering is None:
            misnumbering = verify_numbers(numbering, act)
    return ledger, misnumbering


def _read_entries(session: Session, cooperative: Cooperative) -> Iterator[Any]:
    """The rows in order. One that cannot be read is named, although rows come in batches."""
    taken_back = aliased(ShareEntry)
    is_text = session.get_bind().dialect.name == "sqlite"
    query = (
        select(
            *ShareEntry.__table__.columns,
            # SQLite keeps days and instants as text, and reads more than one spelling of them.
            *(
                (type_coerce(column, String) if is_text else null()).label(f"stored_{column.name}")
                for column in (ShareEntry.effective_on, ShareEntry.recorded_at)
            ),
            Membership.public_id,
            taken_back.sequence.label("reverses"),
            taken_back.numbers.label("reversed_numbers"),
        )
        .select_from(ShareEntry)
        .outerjoin(Membership, ShareEntry.membership_id == Membership.id)
        .outerjoin(taken_back, ShareEntry.reverses_id == taken_back.id)
        .where(ShareEntry.cooperative_id == cooperative.id)
        .order_by(ShareEntry.sequence)
    )
    last = 0
    try:
        for row in session.execute(query.execution_options(yield_per=2000)):
            last = row.sequence
            yield row
    except (TypeError, ValueError, AttributeError) as error:
        number = _first_unreadable(session, query, last + 1)
        raise _changed(number) from error


def _first_unreadable(session: Session, query: Select[Any], number: int) -> int:
    while True:
        try:
            if not session.execute(query.where(ShareEntry.sequence == number)).all():
                return number
        except (TypeError, ValueError, AttributeError):
            return number
        number += 1


def _verify_entry(code: str, row: Any, number: int, previous: str) -> None:
    if row.sequence != number:
        raise broken(_("Entry %(number)s of the share ledger is missing.", number=number))
    if row.previous_hash != previous:
        raise broken(
            _(
                "Entry %(number)s of the share ledger does not follow the one before it.",
                number=number,
            )
        )
    try:
        found = chain.entry_hash(
            version=row.version,
            cooperative=code,
            sequence=row.sequence,
            membership=row.public_id,
            commitment=row.commitment,
            kind=row.kind,
            share_class=row.share_class,
            nominal_cents=row.nominal_cents,
            shares=row.shares,
            amount_cents=row.amount_cents,
            effective_on=row.effective_on,
            recorded_at=row.recorded_at,
            act_id=row.act_id,
            source=row.source,
            reverses=row.reverses,
            previous_hash=row.previous_hash,
            numbers=row.numbers,
            cause=row.cause,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _changed(number) from error
    if found != row.hash or (row.version == 1 and row.cause != "") or _is_respelt(row):
        raise _changed(number)
    bound = chain.row_digest(
        entry_hash=row.hash,
        row_id=row.id,
        cooperative_id=row.cooperative_id,
        membership_id=row.membership_id,
        recorded_by_id=row.recorded_by_id,
        reverses_id=row.reverses_id,
    )
    if bound != row.row_digest:
        raise broken(
            _(
                "Entry %(number)s of the share ledger stands in a row that was changed: its own "
                "number there, or who recorded it.",
                number=number,
            )
        )


def _is_respelt(row: Any) -> bool:
    """Whether a day or an instant that is kept as text is spelt otherwise than it was written."""
    if row.stored_effective_on is None:
        return False
    recorded_at = row.recorded_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    return bool(
        row.stored_effective_on != row.effective_on.isoformat()
        or row.stored_recorded_at != recorded_at
    )


def _changed(number: int) -> BrokenLedger:
    return broken(
        _(
            "Entry %(number)s of the share ledger was changed after it was written.",
            number=number,
        )
    )


def verify_head(session: Session, cooperative: Cooperative, ledger: Chain) -> None:
    head = session.get(RegisterHead, cooperative.id)
    sequence, newest = (head.sequence, head.hash) if head else (0, chain.BEGINNING)
    if (sequence, newest) != (ledger.entries, ledger.head):
        raise broken(
            _(
                "The share ledger ends at entry %(found)s, but entry %(written)s was written.",
                found=ledger.entries,
                written=sequence,
            )
        )
