"""Verifying the share ledger: the chain, the numbers of the shares, who held them, the rolls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, String, null, select, type_coerce
from sqlalchemy.orm import Session, aliased

from govern.cooperatives.models import Cooperative
from govern.errors import GovernError
from govern.register.models import (
    HolderOpening,
    Membership,
    Organisation,
    Person,
    RegisterHead,
    Roll,
    ShareEntry,
    ShareNumbering,
)
from govern.register.rules import chain
from govern.register.rules.numbers import (
    NONE,
    NumberedRow,
    Numbering,
    Ranges,
    format_numbers,
    misnumbered,
    number_first_version,
    parse_numbers,
)
from govern.register.services.chain import statement_of


class BrokenLedger(GovernError):
    """The share ledger is not what was written."""

    status = 500


@dataclass(frozen=True)
class LedgerState:
    """What a verification found: entries, the newest hash, and how many holders were erased."""

    entries: int
    head: str
    erased: int


def verify_ledger(
    session: Session,
    cooperative: Cooperative,
    progress: Callable[[int], None] | None = None,
) -> LedgerState:
    """Recompute the whole chain of the cooperative; BrokenLedger names the first misfit.

    Checked in this order: every entry follows the one before it, hashes to what it says and stands
    in the row that was written for it; its shares carry the numbers that they must, none held
    twice and none given again; the head is the last entry; every commitment that can still be
    opened opens to its statement and belongs to its membership; the newest statement of each
    membership is what the register shows; every roll was taken at a point that is in the chain.
    """
    numbering = Numbering()
    hashes, misnumbering = _verify_entries(session, cooperative, numbering, progress)
    _verify_head(session, cooperative, hashes)
    if misnumbering is not None:
        raise misnumbering
    _verify_numbering(session, cooperative, numbering)
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


# -- entries ----------------------------------------------------------------------------------


def _verify_entries(
    session: Session,
    cooperative: Cooperative,
    numbering: Numbering,
    progress: Callable[[int], None] | None,
) -> tuple[list[str], BrokenLedger | None]:
    """The hashes in order, and the first act whose shares carry wrong numbers.

    The chain is checked to its end first: a missing entry is the better explanation.
    """
    hashes = [chain.BEGINNING]
    misnumbering: BrokenLedger | None = None

    def in_order() -> Iterator[Any]:
        for row in _read_entries(session, cooperative):
            number = len(hashes)
            _verify_entry(cooperative, row, number, hashes[-1])
            hashes.append(row.hash)
            if progress is not None and number % 1000 == 0:
                progress(number)
            yield row

    for _act, rows in groupby(in_order(), key=lambda row: row.act_id):
        act = list(rows)
        if misnumbering is None:
            misnumbering = _verify_numbers(numbering, act)
    return hashes, misnumbering


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


def _verify_entry(cooperative: Cooperative, row: Any, number: int, previous: str) -> None:
    if row.sequence != number:
        raise _broken(_("Entry %(number)s of the share ledger is missing.", number=number))
    if row.previous_hash != previous:
        raise _broken(
            _(
                "Entry %(number)s of the share ledger does not follow the one before it.",
                number=number,
            )
        )
    try:
        found = chain.entry_hash(
            version=row.version,
            cooperative=cooperative.code,
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
        raise _broken(
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


# -- numbers of shares ------------------------------------------------------------------------


def _verify_numbers(numbering: Numbering, rows: list[Any]) -> BrokenLedger | None:
    """What is wrong with the numbers of the shares of one act, None if nothing is."""
    act = [
        NumberedRow(
            sequence=row.sequence,
            holder=row.membership_id,
            kind=row.kind,
            lot=(row.share_class, row.nominal_cents),
            shares=row.shares,
            effective_on=row.effective_on,
            reverses=row.reverses,
            numbers=row.numbers,
        )
        for row in rows
    ]
    reversed_numbers = {row.reverses: row.reversed_numbers for row in rows if row.reverses}

    def earlier(sequence: int) -> Ranges:
        return parse_numbers(reversed_numbers[sequence])

    if rows[0].version != 1:
        wrong = misnumbered(numbering, act, earlier)
        return None if wrong is None else _misnumbered(wrong.sequence)
    try:
        given = number_first_version(numbering, act, earlier)
    except ValueError:
        return _misnumbered(act[0].sequence)
    for row in act:
        if format_numbers(given.get(row.sequence, NONE)) != row.numbers:
            return _misnumbered(row.sequence)
    return None


def _verify_numbering(session: Session, cooperative: Cooperative, numbering: Numbering) -> None:
    rows = session.execute(
        select(ShareNumbering.share_class, ShareNumbering.last_number).where(
            ShareNumbering.cooperative_id == cooperative.id
        )
    )
    written = {share_class: last for share_class, last in rows if last}
    for share_class in sorted(written.keys() | numbering.last.keys()):
        if written.get(share_class, 0) != numbering.last.get(share_class, 0):
            raise _broken(
                _(
                    "The highest share number of the class “%(share_class)s” is %(found)s in the "
                    "share ledger, but %(written)s was given last.",
                    share_class=share_class,
                    found=numbering.last.get(share_class, 0),
                    written=written.get(share_class, 0),
                )
            )


def _misnumbered(number: int) -> BrokenLedger:
    return _broken(
        _(
            "The shares of entry %(number)s of the share ledger carry numbers that they cannot "
            "have.",
            number=number,
        )
    )


def _changed(number: int) -> BrokenLedger:
    return _broken(
        _(
            "Entry %(number)s of the share ledger was changed after it was written.",
            number=number,
        )
    )


# -- the end of the chain, and who held the shares --------------------------------------------


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
