"""Capital that comes in: shares subscribed, payments received, and over-payments given back."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.cooperatives.rules import ORDINARY
from govern.database import make_public_id
from govern.errors import InvalidInput, RuleViolation
from govern.i18n import money
from govern.register.models import EntryKind, Membership, ShareEntry
from govern.register.rules.ledger import Holding, Lot, LotBalance, holding_on
from govern.register.rules.values import MAX_CENTS
from govern.register.services.holdings import as_rule_entry, entries_of, holding_of
from govern.register.services.ledger.common import (
    append,
    check_class,
    check_day,
    check_shares,
    new_entry,
    open_register,
    refuse_on_hold,
)


def subscribe_shares(
    session: Session,
    actor: Actor,
    membership: Membership,
    shares: int,
    effective_on: date,
    *,
    share_class: str = ORDINARY,
    source: str = "form",
) -> ShareEntry:
    """Issue ``shares`` (1 or more) at the nominal value of the rule set of that day, unpaid.

    They carry the next numbers of their class. RuleViolation when the member's category may not
    hold that class.
    """
    cooperative = open_register(session, actor, membership)
    refuse_on_hold(cooperative)
    check_shares(shares)
    check_day(membership, cooperative, effective_on, while_member=True)
    chosen = check_class(session, membership, share_class, effective_on)
    entry = new_entry(
        session,
        membership,
        EntryKind.SUBSCRIPTION,
        (chosen.code, chosen.nominal_cents),
        shares,
        0,
        effective_on,
        make_public_id(),
        source=source,
    )
    return append(session, actor, cooperative, [entry], "subscribed")[0]


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
    share_class: str = "",
) -> list[ShareEntry]:
    """Record capital paid (cents) on the day it was received, for what is due.

    Shares of ``share_class`` come first, for money that was asked for an order of that class;
    what is over after those goes to the others in the order of the classes.

    Raises RuleViolation when it is more than is due on that day, unless ``accept_overpayment``.
    """
    cooperative = open_register(session, actor, membership)
    if not 0 < amount_cents <= MAX_CENTS:
        raise InvalidInput(
            _("The amount must be more than nothing and at most %(most)s.", most=money(MAX_CENTS)),
            remedy=_("Write the amount received."),
            field="amount",
        )
    check_day(membership, cooperative, effective_on, while_member=True)
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
        new_entry(
            session,
            membership,
            EntryKind.PAYMENT,
            lot,
            0,
            cents,
            effective_on,
            act,
            source=source,
        )
        for lot, cents in _spread_payment(holding, amount_cents, share_class)
    ]
    return append(session, actor, cooperative, entries, "paid", remark)


def refund_overpayment(
    session: Session,
    actor: Actor,
    membership: Membership,
    effective_on: date,
    *,
    remark: str = "",
    source: str = "form",
) -> list[ShareEntry]:
    """Give back what was paid beyond the nominal value. RuleViolation when there is nothing."""
    cooperative = open_register(session, actor, membership)
    check_day(membership, cooperative, effective_on)
    holding = holding_of(session, membership.id, effective_on)
    act = make_public_id()
    entries = [
        new_entry(
            session,
            membership,
            EntryKind.REFUND,
            lot,
            0,
            -(balance.paid_cents - balance.issued * lot[1]),
            effective_on,
            act,
            source=source,
        )
        for lot, balance in sorted(holding.lots.items())
        if balance.paid_cents > balance.issued * lot[1]
    ]
    if not entries:
        raise RuleViolation(
            _("Nothing was paid beyond the value of the shares."),
            remedy=_("There is nothing to give back."),
        )
    return append(session, actor, cooperative, entries, "refunded", remark)


def _spread_payment(
    holding: Holding, amount_cents: int, share_class: str = ""
) -> list[tuple[Lot, int]]:
    """Which lots a payment goes to: what is due first, what is left over to the last lot.

    Lots of ``share_class`` stand first, and the last one of them takes what is left over.
    """
    parts: dict[Lot, int] = {}
    left = amount_cents
    lots: list[tuple[Lot, LotBalance]] = [
        (lot, balance)
        for lot, balance in sorted(
            holding.lots.items(), key=lambda item: (item[0][0] != share_class, item[0])
        )
        if balance.issued
    ]
    for lot, balance in lots:
        due = min(left, max(0, balance.issued * lot[1] - balance.paid_cents))
        if due:
            parts[lot] = due
            left -= due
    if left:
        preferred = [lot for lot, _balance in lots if lot[0] == share_class]
        last = (preferred or [lots[-1][0]])[-1]
        parts[last] = parts.get(last, 0) + left
    return list(parts.items())
