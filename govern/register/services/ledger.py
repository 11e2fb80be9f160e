"""What happens to shares: subscription, payment, transfer, refund, and taking an entry back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative, CooperativeStatus
from govern.cooperatives.services import rules_on
from govern.database import make_public_id
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.i18n import money
from govern.register.models import EntryKind, EntryRemark, Membership, ShareEntry
from govern.register.rules.ledger import (
    ORDINARY,
    Entry,
    Holding,
    Lot,
    LotBalance,
    first_shortfall,
    holding_on,
    split_over_lots,
)
from govern.register.rules.values import MAX_CENTS, MAX_SHARES
from govern.register.services.chain import NewEntry, append_entries, commitment_for, lock_register
from govern.register.services.holdings import as_rule_entry, entries_of


def subscribe_shares(
    session: Session,
    actor: Actor,
    membership: Membership,
    shares: int,
    effective_on: date,
    *,
    source: str = "form",
) -> ShareEntry:
    """Issue ``shares`` (1 or more) at the nominal value of the rule set of that day, unpaid."""
    cooperative = _open_register(session, actor, membership)
    refuse_on_hold(cooperative)
    _check_shares(shares)
    _check_day(membership, cooperative, effective_on, while_member=True)
    _row, rules = rules_on(session, cooperative.id, effective_on)
    entry = _new(
        session,
        membership,
        EntryKind.SUBSCRIPTION,
        (ORDINARY, rules.share_nominal_cents),
        shares,
        0,
        effective_on,
        make_public_id(),
        source,
    )
    return _append(session, actor, cooperative, [entry], "subscribed")[0]


def record_payment(
    session: Session,
    actor: Actor,
    membership: Membership,
    amount_cents: int,
    effective_on: date,
    *,
    accept_overpayment: bool = False,
    remark: str = "",
    source: str = "form",
) -> list[ShareEntry]:
    """Record capital paid (cents) on the day it was received, oldest shares first.

    Raises RuleViolation when it is more than is due on that day, unless ``accept_overpayment``.
    """
    cooperative = _open_register(session, actor, membership)
    if not 0 < amount_cents <= MAX_CENTS:
        raise InvalidInput(
            _("The amount must be more than nothing and at most %(most)s.", most=money(MAX_CENTS)),
            remedy=_("Write the amount received."),
            field="amount",
        )
    _check_day(membership, cooperative, effective_on, while_member=True)
    holding = holding_on(
        [as_rule_entry(row) for row in entries_of(session, membership.id)], effective_on
    )
    if not holding.issued:
        raise RuleViolation(
            _("On that day the member had subscribed no share to pay for."),
            remedy=_("Record the subscription first."),
            field="amount",
        )
    if amount_cents > holding.due_cents and not accept_overpayment:
        raise RuleViolation(
            _(
                "%(paid)s is more than the %(due)s still to be paid.",
                paid=money(amount_cents),
                due=money(holding.due_cents),
            ),
            remedy=_("Record what is due, or say that the over-payment is to be recorded too."),
            field="amount",
        )
    act = make_public_id()
    entries = [
        _new(session, membership, EntryKind.PAYMENT, lot, 0, cents, effective_on, act, source)
        for lot, cents in _spread_payment(holding, amount_cents)
    ]
    return _append(session, actor, cooperative, entries, "paid", remark)


def transfer_shares(
    session: Session,
    actor: Actor,
    giver: Membership,
    receiver: Membership,
    shares: int,
    effective_on: date,
    *,
    remark: str = "",
) -> list[ShareEntry]:
    """Move ``shares``, with the capital paid on them, from one member to another, dated."""
    cooperative = _open_register(session, actor, giver)
    if giver.id == receiver.id or giver.cooperative_id != receiver.cooperative_id:
        raise InvalidInput(
            _("Shares are transferred to another member of the same cooperative."),
            remedy=_("Give the number of the member who receives them."),
            field="receiver",
        )
    _check_shares(shares)
    _check_day(giver, cooperative, effective_on)
    _check_day(receiver, cooperative, effective_on, while_member=True)
    act = make_public_id()
    entries = []
    for lot, count, cents in _leaving(session, giver, shares, effective_on):
        entries += [
            _new(session, giver, EntryKind.TRANSFER_OUT, lot, -count, -cents, effective_on, act),
            _new(session, receiver, EntryKind.TRANSFER_IN, lot, count, cents, effective_on, act),
        ]
    return _append(session, actor, cooperative, entries, "transferred", remark)


def refund_shares(
    session: Session,
    actor: Actor,
    membership: Membership,
    shares: int,
    effective_on: date,
    *,
    remark: str = "",
) -> list[ShareEntry]:
    """Cancel ``shares`` and give back the capital paid on them, at most their nominal value."""
    cooperative = _open_register(session, actor, membership)
    _check_shares(shares)
    _check_day(membership, cooperative, effective_on)
    act = make_public_id()
    entries = [
        _new(session, membership, EntryKind.REFUND, lot, -count, -cents, effective_on, act)
        for lot, count, cents in _leaving(session, membership, shares, effective_on)
    ]
    return _append(session, actor, cooperative, entries, "refunded", remark)


def refund_overpayment(
    session: Session,
    actor: Actor,
    membership: Membership,
    effective_on: date,
    *,
    remark: str = "",
) -> list[ShareEntry]:
    """Give back what was paid beyond the nominal value. RuleViolation when there is nothing."""
    cooperative = _open_register(session, actor, membership)
    _check_day(membership, cooperative, effective_on)
    holding = _holding(session, membership, effective_on)
    act = make_public_id()
    entries = [
        _new(
            session,
            membership,
            EntryKind.REFUND,
            lot,
            0,
            -(balance.paid_cents - balance.issued * lot[1]),
            effective_on,
            act,
        )
        for lot, balance in sorted(holding.lots.items())
        if balance.paid_cents > balance.issued * lot[1]
    ]
    if not entries:
        raise RuleViolation(
            _("Nothing was paid beyond the value of the shares."),
            remedy=_("There is nothing to give back."),
        )
    return _append(session, actor, cooperative, entries, "refunded", remark)


def reverse_act(session: Session, actor: Actor, entry: ShareEntry, reason: str) -> list[ShareEntry]:
    """Take back everything that was recorded together with ``entry``, as of the day it counted.

    The entries stay; new ones with the opposite signs join them. Raises Conflict when it was
    taken back already, RuleViolation when shares that were given on would be missing.
    """
    membership = session.get_one(Membership, entry.membership_id)
    cooperative = _open_register(session, actor, membership)
    reason = " ".join(reason.split())
    if not 5 <= len(reason) <= 500:
        raise InvalidInput(
            _("Taking an entry back needs a reason of 5 to 500 characters."),
            remedy=_("Write what was wrong with it."),
            field="reason",
        )
    act = session.scalars(
        select(ShareEntry)
        .where(ShareEntry.act_id == entry.act_id, ShareEntry.cooperative_id == cooperative.id)
        .order_by(ShareEntry.sequence)
    ).all()
    taken_back = session.scalar(
        select(ShareEntry.id).where(ShareEntry.reverses_id.in_([row.id for row in act])).limit(1)
    )
    if taken_back is not None or any(row.reverses_id is not None for row in act):
        raise Conflict(
            _("This entry was taken back already, or takes another one back."),
            remedy=_("Record what is right as a new entry."),
        )
    number = make_public_id()
    entries = []
    for row in act:
        holder = session.get_one(Membership, row.membership_id)
        entries.append(
            NewEntry(
                membership_id=row.membership_id,
                membership_public_id=holder.public_id,
                commitment=commitment_for(session, holder),
                kind=EntryKind(row.kind),
                share_class=row.share_class,
                nominal_cents=row.nominal_cents,
                shares=-row.shares,
                amount_cents=-row.amount_cents,
                effective_on=row.effective_on,
                act_id=number,
                reverses=(row.id, row.sequence),
            )
        )
    return _append(session, actor, cooperative, entries, "reversed", reason)


def refuse_on_hold(cooperative: Cooperative) -> None:
    """A cooperative on hold is readable; nobody is admitted. Raises RuleViolation."""
    if cooperative.status == CooperativeStatus.ON_HOLD.value:
        raise RuleViolation(
            _("%(name)s is on hold: nobody can be admitted.", name=cooperative.name),
            remedy=_("Wait until the cooperative is active again."),
        )


# -- inside -----------------------------------------------------------------------------------


def _open_register(session: Session, actor: Actor, membership: Membership) -> Cooperative:
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    # Whoever writes waits here for the one before: balances are read under the lock.
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    return session.get_one(Cooperative, membership.cooperative_id)


def _check_shares(shares: int) -> None:
    if not 1 <= shares <= MAX_SHARES:
        raise InvalidInput(
            _("The number of shares must be between 1 and %(most)s.", most=MAX_SHARES),
            remedy=_("Write a whole number."),
            field="shares",
        )


def _check_day(
    membership: Membership,
    cooperative: Cooperative,
    effective_on: date,
    *,
    while_member: bool = False,
) -> None:
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


def _holding(session: Session, membership: Membership, day: date) -> Holding:
    return holding_on([as_rule_entry(row) for row in entries_of(session, membership.id)], day)


def _leaving(
    session: Session, membership: Membership, shares: int, day: date
) -> Sequence[tuple[Lot, int, int]]:
    holding = _holding(session, membership, day)
    if holding.issued < shares:
        raise RuleViolation(
            ngettext(
                "Member %(number)s held %(num)d share on %(day)s.",
                "Member %(number)s held %(num)d shares on %(day)s.",
                holding.issued,
                number=membership.member_number,
                day=in_words(day),
            ),
            remedy=_("Give a smaller number of shares."),
            field="shares",
        )
    return split_over_lots(holding, shares)


def _spread_payment(holding: Holding, amount_cents: int) -> list[tuple[Lot, int]]:
    """Which lots a payment goes to: what is due first, what is left over to the last lot."""
    parts: dict[Lot, int] = {}
    left = amount_cents
    lots: list[tuple[Lot, LotBalance]] = [
        (lot, balance) for lot, balance in sorted(holding.lots.items()) if balance.issued
    ]
    for lot, balance in lots:
        due = min(left, max(0, balance.issued * lot[1] - balance.paid_cents))
        if due:
            parts[lot] = due
            left -= due
    if left:
        last = lots[-1][0]
        parts[last] = parts.get(last, 0) + left
    return list(parts.items())


def _new(
    session: Session,
    membership: Membership,
    kind: EntryKind,
    lot: Lot,
    shares: int,
    amount_cents: int,
    effective_on: date,
    act_id: str,
    source: str = "form",
) -> NewEntry:
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
    )


def _append(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    entries: list[NewEntry],
    action: str,
    remark: str = "",
) -> list[ShareEntry]:
    """Append after checking that no history goes below zero on any day, and note it."""
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
