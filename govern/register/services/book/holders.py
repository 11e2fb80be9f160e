"""Who holds shares, in pages; and what all of them hold, per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, case, cast, func, or_, select
from sqlalchemy.orm import Session

from govern.register.models import Membership, ShareEntry
from govern.register.services.book.extracts import lots_of
from govern.register.services.book.moments import BookMoment, Kept
from govern.register.services.searching import is_large, word_conditions


@dataclass(frozen=True)
class ClassTotal:
    """What all holders hold of one class and nominal value."""

    share_class: str
    nominal_cents: int
    holders: int
    shares: int
    paid_shares: int
    paid_cents: int


def is_holder(moment: BookMoment) -> Any:
    """Whether a membership has a lot that is not empty: looked up for each, as far as needed."""
    lot = (
        select(ShareEntry.membership_id)
        .where(*moment.entries_of_members(), ShareEntry.membership_id == Membership.id)
        .group_by(ShareEntry.membership_id, ShareEntry.share_class, ShareEntry.nominal_cents)
        .having(or_(func.sum(ShareEntry.shares) != 0, func.sum(ShareEntry.amount_cents) != 0))
    )
    return lot.correlate(Membership).exists()


def find_holders(
    session: Session,
    moment: BookMoment,
    query: str = "",
    *,
    limit: int,
    offset: int = 0,
    names_only: bool = False,
) -> list[int]:
    """The memberships of a page of holders, by name; words as ``searching.word_conditions``."""
    in_index = bool(query.strip()) and is_large(session, moment.cooperative_id)
    return list(
        session.scalars(
            select(Membership.id)
            .where(
                Membership.cooperative_id == moment.cooperative_id,
                *word_conditions(query, in_index=in_index, names_only=names_only),
                is_holder(moment),
            )
            .order_by(Membership.sort_name, Membership.id)
            .limit(limit)
            .offset(offset)
        )
    )


def count_holders(
    session: Session, moment: BookMoment, query: str = "", *, names_only: bool = False
) -> int:
    """How many holders there are (that match)."""
    if not query.strip():
        return _summaries.of(session, moment).holders
    in_index = is_large(session, moment.cooperative_id)
    return (
        session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(
                Membership.cooperative_id == moment.cooperative_id,
                *word_conditions(query, in_index=in_index, names_only=names_only),
                is_holder(moment),
            )
        )
        or 0
    )


# -- totals ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Summary:
    totals: tuple[ClassTotal, ...]
    lines: int
    holders: int


def _add_up(session: Session, moment: BookMoment) -> _Summary:
    lot = lots_of(moment)
    covered = cast(lot.c.paid_cents, BigInteger) // lot.c.nominal_cents
    paid = case((covered < lot.c.shares, covered), else_=lot.c.shares)
    rows = session.execute(
        select(
            lot.c.share_class,
            lot.c.nominal_cents,
            func.count(),
            func.sum(lot.c.shares),
            func.sum(paid),
            func.sum(lot.c.paid_cents),
        )
        .group_by(lot.c.share_class, lot.c.nominal_cents)
        .order_by(lot.c.share_class, lot.c.nominal_cents)
    )
    totals = tuple(ClassTotal(row[0], row[1], *(int(value) for value in row[2:])) for row in rows)
    lines = sum(total.holders for total in totals)
    # Where there is one kind of lot only, its lines are the holders.
    holders = lines
    if len(totals) > 1:
        holders = session.scalar(select(func.count(lot.c.membership_id.distinct()))) or 0
    return _Summary(totals, lines, holders)


_summaries = Kept(_add_up)


def totals_per_class(session: Session, moment: BookMoment) -> list[ClassTotal]:
    """What the lines add up to per class and nominal value."""
    return list(_summaries.of(session, moment).totals)


def count_lines(session: Session, moment: BookMoment) -> int:
    """How many lines there are."""
    return _summaries.of(session, moment).lines
