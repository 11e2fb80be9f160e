"""What every act of the ledger shares: the lock, the checks, the choice of shares, the writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, CooperativeStatus
from govern.cooperatives.rules import ORDINARY, ShareClass
from govern.cooperatives.services import rules_on
from govern.errors import InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.i18n import local_text
from govern.register.models import (
    EntryKind,
    EntryRemark,
    Membership,
    MembershipCategory,
    ShareEntry,
)
from govern.register.rules.ledger import (
    Entry,
    Lot,
    capital_of_shares,
    first_shortfall,
    holding_on,
)
from govern.register.rules.numbers import (
    Ranges,
    common,
    count,
    format_numbers,
    lowest,
    read_numbers,
    unbroken_since,
    without,
)
from govern.register.rules.values import MAX_SHARES
from govern.register.services.chain import NewEntry, append_entries, commitment_for, lock_register
from govern.register.services.holdings import as_rule_entry, entries_of, moves_of
from govern.register.services.ledger.twice import refuse_twice


@dataclass(frozen=True)
class Part:
    """Shares that leave one lot: how many, with how much capital in cents, under which numbers."""

    lot: Lot
    shares: int
    cents: int
    numbers: str


def refuse_on_hold(cooperative: Cooperative) -> None:
    """A cooperative on hold is readable; nobody is admitted. Raises RuleViolation."""
    if cooperative.status == CooperativeStatus.ON_HOLD.value:
        raise RuleViolation(
            _("%(name)s is on hold: nobody can be admitted.", name=cooperative.name),
            remedy=_("Wait until the cooperative is active again."),
        )


def open_register(session: Session, actor: Actor, membership: Membership) -> Cooperative:
    """The member's cooperative, its register locked; Forbidden for whoever may not write in it."""
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    # Whoever writes waits here for the one before: balances are read under the lock.
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    return session.get_one(Cooperative, membership.cooperative_id)


def check_shares(shares: int) -> None:
    """Raise InvalidInput for a number of shares that nobody can have."""
    if not 1 <= shares <= MAX_SHARES:
        raise InvalidInput(
            _("The number of shares must be between 1 and %(most)s.", most=MAX_SHARES),
            remedy=_("Write a whole number."),
            field="shares",
        )


def check_day(
    membership: Membership,
    cooperative: Cooperative,
    effective_on: date,
    *,
    while_member: bool = False,
) -> None:
    """Raise RuleViolation for a day ahead, before the admission or, if asked, after the end."""
    if effective_on > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("%(day)s lies ahead.", day=in_words(effective_on)),
            remedy=_("Record it on the day on which it happens, or later."),
            field="effective_on",
        )
    if effective_on < membership.joined_on:
        raise RuleViolation(
            _(
                "Member %(number)s joined only on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.joined_on),
            ),
            remedy=_("Give that day or a later one."),
            field="effective_on",
        )
    if while_member and membership.ended_on is not None and effective_on >= membership.ended_on:
        raise RuleViolation(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.ended_on),
            ),
            remedy=_("Give an earlier day."),
            field="effective_on",
        )


def check_class(
    session: Session, membership: Membership, share_class: str, day: date
) -> ShareClass:
    """The class of shares in the rule set of ``day``, if the member's category may hold it.

    Raises InvalidInput for an unknown class, RuleViolation for a category that may not hold it.
    """
    _row, rules = rules_on(session, membership.cooperative_id, day)
    try:
        chosen = rules.share_class(share_class)
    except KeyError as error:
        raise InvalidInput(
            _("The rules know no class of shares “%(share_class)s”.", share_class=share_class[:40]),
            remedy=_("Choose one from the page of rules."),
            field="share_class",
        ) from error
    if not chosen.categories:
        return chosen
    category = session.scalar(
        select(MembershipCategory.code).where(
            MembershipCategory.membership_id == membership.id,
            MembershipCategory.starts_on <= day,
            or_(MembershipCategory.ends_on.is_(None), MembershipCategory.ends_on > day),
        )
    )
    if category not in chosen.categories:
        raise RuleViolation(
            _(
                "Member %(number)s is of a category that may not hold shares of the class "
                "“%(share_class)s”.",
                number=membership.member_number,
                share_class=local_text(chosen.names),
            ),
            remedy=_("These categories may: %(codes)s.", codes=", ".join(chosen.categories)),
            field="share_class",
        )
    return chosen


def leaving(
    session: Session,
    membership: Membership,
    shares: int,
    day: date,
    *,
    share_class: str | None = None,
    numbers: str | None = None,
) -> list[Part]:
    """Which shares leave the member on ``day``: those named, or the lowest held ever since.

    Ordinary shares go first where no class is named.
    """
    rows = entries_of(session, membership.id)
    holding = holding_on([as_rule_entry(row) for row in rows], day)
    named = _read_named(shares, numbers)
    if named is not None:
        share_class = share_class or ORDINARY
    lots = [
        lot
        for lot in sorted(holding.lots, key=lambda lot: (lot[0] != ORDINARY, lot))
        if share_class is None or lot[0] == share_class
    ]
    held = sum(holding.lots[lot].issued for lot in lots)
    if held < shares:
        raise RuleViolation(
            ngettext(
                "Member %(number)s held %(num)d share on %(day)s.",
                "Member %(number)s held %(num)d shares on %(day)s.",
                held,
                number=membership.member_number,
                day=in_words(day),
            ),
            remedy=_("Give a smaller number of shares."),
            field="shares",
        )
    free = {lot: unbroken_since(moves_of(rows, lot), day) for lot in lots}
    if named is not None:
        _refuse_not_held(membership, named, free.values(), day)
        free = {lot: common(ranges, named) for lot, ranges in free.items()}
    parts = []
    missing = shares
    for lot in lots:
        take = min(missing, count(free[lot]))
        if take:
            chosen = format_numbers(lowest(free[lot], take))
            parts.append(Part(lot, take, capital_of_shares(holding, lot, take), chosen))
            missing -= take
    if missing:
        raise RuleViolation(
            ngettext(
                "Of the shares that member %(number)s held on %(day)s, only %(num)d was held ever "
                "since.",
                "Of the shares that member %(number)s held on %(day)s, only %(num)d were held "
                "ever since.",
                shares - missing,
                number=membership.member_number,
                day=in_words(day),
            ),
            remedy=_("Give a smaller number, or a later day."),
            field="shares",
        )
    return parts


def _read_named(shares: int, numbers: str | None) -> Ranges | None:
    if numbers is None or not numbers.strip():
        return None
    try:
        named = read_numbers(numbers)
    except ValueError as error:
        raise InvalidInput(
            _("“%(numbers)s” are not numbers of shares.", numbers=numbers[:80]),
            remedy=_("Write them as in 4-6, 9."),
            field="numbers",
        ) from error
    if count(named) != shares:
        raise InvalidInput(
            ngettext(
                "“%(numbers)s” is %(num)d share.",
                "“%(numbers)s” are %(num)d shares.",
                count(named),
                numbers=format_numbers(named)[:80],
            ),
            remedy=_("Give as many numbers as shares."),
            field="numbers",
        )
    return named


def _refuse_not_held(
    membership: Membership, named: Ranges, free: Iterable[Ranges], day: date
) -> None:
    lacking = named
    for ranges in free:
        lacking = without(lacking, ranges)
    if lacking:
        raise RuleViolation(
            _(
                "Member %(number)s has not held the shares %(numbers)s without a break since "
                "%(day)s.",
                number=membership.member_number,
                numbers=format_numbers(lacking)[:80],
                day=in_words(day),
            ),
            remedy=_("Look at the numbers on the member’s page, or leave the field empty."),
            field="numbers",
        )


def new_entry(
    session: Session,
    membership: Membership,
    kind: EntryKind,
    lot: Lot,
    shares: int,
    amount_cents: int,
    effective_on: date,
    act_id: str,
    *,
    source: str = "form",
    numbers: str | None = None,
    cause: str = "",
) -> NewEntry:
    """An entry to append. ``numbers`` None: the next free ones, or none where no shares move."""
    share_class, nominal_cents = lot
    return NewEntry(
        membership_id=membership.id,
        membership_public_id=membership.public_id,
        commitment=commitment_for(session, membership),
        kind=kind,
        share_class=share_class,
        nominal_cents=nominal_cents,
        shares=shares,
        amount_cents=amount_cents,
        effective_on=effective_on,
        act_id=act_id,
        source=source,
        numbers=numbers,
        cause=cause,
    )


def append(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    entries: list[NewEntry],
    action: str,
    remark: str = "",
) -> list[ShareEntry]:
    """Append after checking that no history goes below zero on any day, and note it."""
    refuse_twice(session, actor, entries)
    for membership_id in dict.fromkeys(entry.membership_id for entry in entries):
        history = [as_rule_entry(row) for row in entries_of(session, membership_id)]
        history += [_as_rule(entry) for entry in entries if entry.membership_id == membership_id]
        shortfall = first_shortfall(history)
        if shortfall is not None:
            raise RuleViolation(
                _(
                    "On %(day)s the member would then hold fewer shares than none.",
                    day=in_words(shortfall.day),
                )
                if shortfall.shares
                else _(
                    "On %(day)s less capital would then be paid than none.",
                    day=in_words(shortfall.day),
                ),
                remedy=_("Look at what was recorded for that day and after it."),
                field="effective_on",
            )
    numbers = append_entries(session, cooperative, entries, recorded_by_id=actor.account_id)
    rows = session.scalars(
        select(ShareEntry)
        .where(
            ShareEntry.cooperative_id == cooperative.id,
            ShareEntry.sequence.between(numbers[0], numbers[-1]),
        )
        .order_by(ShareEntry.sequence)
    ).all()
    if remark.strip():
        session.add(EntryRemark(entry_id=rows[0].id, text=" ".join(remark.split())[:500]))
        session.flush()
    audit.record(
        session,
        actor,
        f"register:shares:{action}",
        cooperative_id=cooperative.id,
        subject=f"membership:{entries[0].membership_public_id}",
        data={"entries": numbers},
    )
    return list(rows)


def _as_rule(entry: NewEntry) -> Entry:
    return Entry(
        kind=entry.kind.value,
        shares=entry.shares,
        amount_cents=entry.amount_cents,
        effective_on=entry.effective_on,
        nominal_cents=entry.nominal_cents,
        share_class=entry.share_class,
    )
