"""Extracts of the book: who held how many shares of which class, and every entry behind it.

A line is one holder and one *lot* (class and nominal value). The name on a line is the one that
the ledger had committed to at that moment (``HolderOpening``): somebody whose name was corrected
later appears under the earlier one. What the book does not keep two times of (the domicile) is
shown as it is now. Everything is computed in the database and read as a stream.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.register.models import (
    HolderOpening,
    MemberKind,
    Membership,
    MembershipCategory,
    ShareEntry,
)
from govern.register.rules.chain import canonical_json
from govern.register.rules.numbers import Move, format_numbers, numbers_on, parse_numbers
from govern.register.services.book.moments import BookMoment
from govern.register.services.bulk import by_bytes

BATCH = 2000
DIGEST_TAG = b"govern/book-extract/1\n"


class Order(Enum):
    """How the lines follow each other: by name, by member number (9 before 10), or by its bytes.

    The digest is over the last one.
    """

    NAME = auto()
    NUMBER = auto()
    BYTES = auto()


@dataclass(frozen=True)
class BookLine:
    """One holder's shares of one class and nominal value. Amounts in cents.

    ``name`` and ``enterprise_number`` are those known at the moment of the extract;
    ``is_erased``: the name was erased from the book, which keeps the shares. ``numbers`` are the
    numbers of the shares as ranges ("1-3,7"). ``domicile`` is the present one.
    """

    membership_id: int
    public_id: str
    member_number: str
    name: str
    kind: str
    enterprise_number: str
    category: str
    joined_on: date
    share_class: str
    nominal_cents: int
    shares: int
    paid_shares: int
    paid_cents: int
    numbers: str = ""
    domicile: str = ""
    is_erased: bool = False

    def canonical(self) -> bytes:
        """The bytes of this line that the digest of an extract covers: no domicile is in them."""
        return canonical_json(
            {
                "category": self.category,
                "class": self.share_class,
                "enterprise_number": self.enterprise_number,
                "kind": self.kind,
                "member_number": self.member_number,
                "name": self.name,
                "nominal_cents": self.nominal_cents,
                "numbers": self.numbers,
                "paid_cents": self.paid_cents,
                "shares": self.shares,
            }
        )


# -- the lines --------------------------------------------------------------------------------


def lots_of(moment: BookMoment, membership_ids: Sequence[int] | None = None) -> Any:
    """Per membership, class and nominal value: what the entries add up to."""
    query = (
        select(
            ShareEntry.membership_id,
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            func.sum(ShareEntry.shares).label("shares"),
            func.sum(ShareEntry.amount_cents).label("paid_cents"),
        )
        .where(*moment.entries())
        .group_by(ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents)
        .having(or_(func.sum(ShareEntry.shares) != 0, func.sum(ShareEntry.amount_cents) != 0))
    )
    if membership_ids is not None:
        query = query.where(ShareEntry.membership_id.in_(membership_ids))
    return query.subquery("lot")


def openings_known(moment: BookMoment, membership_ids: Sequence[int] | None = None) -> Any:
    """Per membership the statement of who held it, as the ledger knew it at the moment."""
    if moment.is_present:
        return (
            select(HolderOpening.membership_id, HolderOpening.statement)
            .where(HolderOpening.is_current)
            .subquery("opening")
        )
    some = [] if membership_ids is None else [HolderOpening.membership_id.in_(membership_ids)]
    place = (
        func.row_number()
        .over(
            partition_by=HolderOpening.membership_id,
            order_by=(
                HolderOpening.recorded_at.desc(),
                HolderOpening.is_current.desc(),
                HolderOpening.commitment,
            ),
        )
        .label("place")
    )
    ranked = (
        select(HolderOpening.membership_id, HolderOpening.statement, place)
        .join(Membership, Membership.id == HolderOpening.membership_id)
        .where(
            Membership.cooperative_id == moment.cooperative_id,
            HolderOpening.recorded_at <= moment.known_at,
            *some,
        )
        .subquery("ranked")
    )
    return (
        select(ranked.c.membership_id, ranked.c.statement)
        .where(ranked.c.place == 1)
        .subquery("opening")
    )


def categories_known(moment: BookMoment, membership_ids: Sequence[int] | None = None) -> Any:
    """Per membership the category in force on the day, of those recorded by the moment."""
    if moment.is_present:
        covers = or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > moment.on)
        return (
            select(MembershipCategory.membership_id, MembershipCategory.code)
            .where(MembershipCategory.starts_on <= moment.on, covers)
            .subquery("category")
        )
    some = [] if membership_ids is None else [MembershipCategory.membership_id.in_(membership_ids)]
    known = and_(
        MembershipCategory.starts_on <= moment.on,
        MembershipCategory.recorded_at <= moment.known_at,
        *some,
    )
    latest = (
        select(
            MembershipCategory.membership_id,
            func.max(MembershipCategory.starts_on).label("starts_on"),
        )
        .where(known)
        .group_by(MembershipCategory.membership_id)
        .subquery("latest")
    )
    return (
        select(MembershipCategory.membership_id, MembershipCategory.code)
        .join(
            latest,
            and_(
                latest.c.membership_id == MembershipCategory.membership_id,
                latest.c.starts_on == MembershipCategory.starts_on,
            ),
        )
        .subquery("category")
    )


def _line_query(
    moment: BookMoment, membership_ids: Sequence[int] | None = None
) -> tuple[Select[Any], Any]:
    lot = lots_of(moment, membership_ids)
    query = (
        select(
            Membership.id,
            Membership.public_id,
            Membership.member_number,
            Membership.organisation_id,
            Membership.joined_on,
            Membership.street,
            Membership.postal_code,
            Membership.town,
            Membership.country,
            lot.c.share_class,
            lot.c.nominal_cents,
            lot.c.shares,
            lot.c.paid_cents,
        )
        .select_from(lot)
        .join(Membership, Membership.id == lot.c.membership_id)
    )
    return query, lot


def read_lines(
    session: Session,
    moment: BookMoment,
    *,
    membership_ids: Sequence[int] | None = None,
    order: Order = Order.NAME,
) -> Iterator[BookLine]:
    """The lines in ``order``; ``membership_ids``: of these holders only."""
    statement, lot = _line_query(moment, membership_ids)
    holders: list[Any] = [Membership.sort_name, Membership.id]
    if order is Order.BYTES:
        holders = [by_bytes(session, Membership.member_number)]
    elif order is Order.NUMBER:
        holders = by_number(session)
    statement = statement.order_by(
        *holders, by_bytes(session, lot.c.share_class), lot.c.nominal_cents
    )
    return _lines(session, moment, statement)


def by_number(session: Session) -> list[Any]:
    """The order of the member numbers: 9 before 10. Unlike names, they never change."""
    number = by_bytes(session, Membership.member_number)
    return [func.length(Membership.member_number), number]


def read_lines_of(session: Session, moment: BookMoment, membership: Membership) -> list[BookLine]:
    """The lines of one holder."""
    return list(read_lines(session, moment, membership_ids=[membership.id]))


def _lines(session: Session, moment: BookMoment, statement: Select[Any]) -> Iterator[BookLine]:
    rows = session.execute(statement.execution_options(yield_per=BATCH))
    for batch in rows.partitions(BATCH):
        # Names and categories as known then: joined to all lines at once, SQLite would go through
        # those of everybody for each line.
        ids = sorted({row.id for row in batch})
        numbers = numbers_held(session, moment, ids)
        statements = _by_holder(session, openings_known(moment, ids), ids)
        codes = _by_holder(session, categories_known(moment, ids), ids)
        for row in batch:
            yield _line(row, numbers, statements.get(row.id) or "", codes.get(row.id) or "")


def _by_holder(session: Session, known: Any, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(known).where(known.c.membership_id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def _line(
    row: Any, numbers: dict[tuple[int, str, int], str], statement: str, category: str
) -> BookLine:
    known = json.loads(statement) if statement else {}
    kind = MemberKind.NATURAL if row.organisation_id is None else MemberKind.LEGAL
    shares, paid_cents = int(row.shares), int(row.paid_cents)
    return BookLine(
        membership_id=row.id,
        public_id=row.public_id,
        member_number=row.member_number,
        name=known.get("name", ""),
        kind=kind.value,
        enterprise_number=known.get("enterprise_number", ""),
        category=category,
        joined_on=row.joined_on,
        share_class=row.share_class,
        nominal_cents=row.nominal_cents,
        shares=shares,
        paid_shares=max(0, min(shares, paid_cents // row.nominal_cents)),
        paid_cents=paid_cents,
        numbers=numbers.get((row.id, row.share_class, row.nominal_cents), ""),
        domicile=domicile_of(row),
        is_erased=not statement,
    )


def domicile_of(row: Any) -> str:
    """The address on one line, "" where there is none."""
    place = " ".join(part for part in (row.postal_code, row.town, row.country) if part)
    return ", ".join(part for part in (*row.street.splitlines(), place) if part)


def numbers_held(
    session: Session, moment: BookMoment, membership_ids: Iterable[int]
) -> dict[tuple[int, str, int], str]:
    """The numbers of the shares that each lot of these memberships consists of, as ranges.

    By (membership, class, nominal value); a lot whose shares are gone is not among them.
    """
    conditions = [
        ShareEntry.membership_id.in_(list(membership_ids)),
        ShareEntry.effective_on <= moment.on,
        ShareEntry.shares != 0,
        moment.written(),
    ]
    rows = session.execute(
        select(
            ShareEntry.membership_id,
            ShareEntry.share_class,
            ShareEntry.nominal_cents,
            ShareEntry.effective_on,
            ShareEntry.shares,
            ShareEntry.numbers,
        )
        .where(*conditions)
        .order_by(ShareEntry.sequence)
    )
    moves: dict[tuple[int, str, int], list[tuple[date, int, str]]] = {}
    for holder, share_class, nominal, day, shares, numbers in rows:
        moves.setdefault((holder, share_class, nominal), []).append((day, shares, numbers))
    held = {key: _numbers_after(of_lot) for key, of_lot in moves.items()}
    return {key: numbers for key, numbers in held.items() if numbers}


def _numbers_after(moves: list[tuple[date, int, str]]) -> str:
    if len(moves) == 1 and moves[0][1] > 0:
        return moves[0][2]
    return format_numbers(
        numbers_on(Move(day, shares > 0, parse_numbers(text)) for day, shares, text in moves)
    )


# -- the digest -----------------------------------------------------------------------------


class ExtractDigest:
    """SHA-256 over the heading and the canonical lines of an extract, fed line by line.

    The heading holds the cooperative, both times and the head of the chain; the lines come in the
    order of the bytes of the member number, then of the class, then of the nominal value. The
    moment of the look is not in there where everything known now is shown, so that the same book
    gives the same digest every time.
    """

    def __init__(self, cooperative: Cooperative, moment: BookMoment) -> None:
        heading = {
            "cooperative": cooperative.code,
            "head": moment.hash,
            "on": moment.on.isoformat(),
            "sequence": moment.sequence,
        }
        self._hash = hashlib.sha256(DIGEST_TAG + canonical_json(heading) + b"\n")

    def add(self, line: BookLine) -> None:
        self._hash.update(line.canonical() + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def digest_of(session: Session, cooperative: Cooperative, moment: BookMoment) -> str:
    """The digest of the whole extract (64 hexadecimal digits).

    Kept by this process for a moment that is over, until a name is erased.
    """
    if moment.is_present:
        return _digest(session, cooperative, moment)
    names = session.scalar(
        select(func.count())
        .select_from(HolderOpening)
        .join(Membership, Membership.id == HolderOpening.membership_id)
        .where(
            Membership.cooperative_id == cooperative.id,
            HolderOpening.recorded_at <= moment.known_at,
        )
    )
    key = (cooperative.code, moment, names)
    found = _digests.get(key)
    if found is None:
        found = _digests[key] = _digest(session, cooperative, moment)
        for old in list(_digests)[:-MOST_DIGESTS]:
            _digests.pop(old, None)
    return found


MOST_DIGESTS = 64
_digests: dict[tuple[str, BookMoment, int | None], str] = {}


def _digest(session: Session, cooperative: Cooperative, moment: BookMoment) -> str:
    digest = ExtractDigest(cooperative, moment)
    for line in read_lines(session, moment, order=Order.BYTES):
        digest.add(line)
    return digest.hexdigest()
