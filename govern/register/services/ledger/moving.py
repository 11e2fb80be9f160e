"""Shares that leave a holding: given to another member, cancelled, or changed for another class."""

from __future__ import annotations

from datetime import date
from math import gcd

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.cooperatives.rules import ORDINARY
from govern.database import make_public_id
from govern.errors import InvalidInput, RuleViolation
from govern.i18n import money
from govern.register.models import EntryKind, Membership, ShareEntry, TransferCause
from govern.register.services.ledger.common import (
    append,
    check_class,
    check_day,
    check_shares,
    leaving,
    new_entry,
    open_register,
    refuse_on_hold,
)

AFTER_THE_END = frozenset((TransferCause.SUCCESSION.value, TransferCause.MERGER.value))
"""Causes for which shares are transferred after the giver's membership has ended."""


def transfer_shares(
    session: Session,
    actor: Actor,
    giver: Membership,
    receiver: Membership,
    shares: int,
    effective_on: date,
    *,
    remark: str = "",
    cause: str = "",
    numbers: str | None = None,
    share_class: str | None = None,
    source: str = "form",
) -> list[ShareEntry]:
    """Move ``shares``, with the capital paid on them, from one member to another, dated.

    ``cause`` is one of ``TransferCause`` or "". ``numbers`` names the shares ("4-5", of
    ``share_class``); otherwise the lowest go that were held without a break since that day.
    Raises RuleViolation for more than that, for a receiver who was no member on the day, and
    after the giver's membership ended unless by succession or merger.
    """
    cooperative = open_register(session, actor, giver)
    if giver.id == receiver.id or giver.cooperative_id != receiver.cooperative_id:
        raise InvalidInput(
            _("Shares are transferred to another member of the same cooperative."),
            remedy=_("Give the number of the member who receives them."),
            field="receiver",
        )
    if cause and cause not in tuple(TransferCause):
        raise InvalidInput(
            _("“%(cause)s” is not a cause of a transfer.", cause=cause[:40]),
            remedy=_("Choose one from the list."),
            field="cause",
        )
    check_shares(shares)
    check_day(giver, cooperative, effective_on, while_member=cause not in AFTER_THE_END)
    check_day(receiver, cooperative, effective_on, while_member=True)
    act = make_public_id()
    entries = []
    for part in leaving(
        session, giver, shares, effective_on, share_class=share_class, numbers=numbers
    ):
        check_class(session, receiver, part.lot[0], effective_on)
        for holder, kind, sign in (
            (giver, EntryKind.TRANSFER_OUT, -1),
            (receiver, EntryKind.TRANSFER_IN, 1),
        ):
            entries.append(
                new_entry(
                    session,
                    holder,
                    kind,
                    part.lot,
                    sign * part.shares,
                    sign * part.cents,
                    effective_on,
                    act,
                    source=source,
                    numbers=part.numbers,
                    cause=cause,
                )
            )
    return append(session, actor, cooperative, entries, "transferred", remark)


def refund_shares(
    session: Session,
    actor: Actor,
    membership: Membership,
    shares: int,
    effective_on: date,
    *,
    numbers: str | None = None,
    share_class: str | None = None,
    remark: str = "",
    source: str = "form",
) -> list[ShareEntry]:
    """Cancel ``shares``; the capital paid on them, at most their nominal value, is owed.

    ``numbers`` and ``share_class`` as for ``transfer_shares``; the numbers are not used again.
    """
    cooperative = open_register(session, actor, membership)
    check_shares(shares)
    check_day(membership, cooperative, effective_on)
    act = make_public_id()
    entries = [
        new_entry(
            session,
            membership,
            EntryKind.REFUND,
            part.lot,
            -part.shares,
            -part.cents,
            effective_on,
            act,
            source=source,
            numbers=part.numbers,
        )
        for part in leaving(
            session, membership, shares, effective_on, share_class=share_class, numbers=numbers
        )
    ]
    return append(session, actor, cooperative, entries, "refunded", remark)


def convert_shares(
    session: Session,
    actor: Actor,
    membership: Membership,
    shares: int,
    to_class: str,
    effective_on: date,
    *,
    from_class: str = ORDINARY,
    numbers: str | None = None,
    remark: str = "",
    source: str = "form",
) -> list[ShareEntry]:
    """Change ``shares`` of ``from_class`` for shares of ``to_class`` of the same total value.

    The capital paid goes along; the new shares carry the next numbers of their class. Raises
    RuleViolation when the value does not make whole shares, or the category may not hold them.
    """
    cooperative = open_register(session, actor, membership)
    refuse_on_hold(cooperative)
    check_shares(shares)
    check_day(membership, cooperative, effective_on, while_member=True)
    if from_class == to_class:
        raise InvalidInput(
            _("The shares are of that class already."),
            remedy=_("Choose another class."),
            field="to_class",
        )
    target = check_class(session, membership, to_class, effective_on)
    act = make_public_id()
    entries = []
    for part in leaving(
        session, membership, shares, effective_on, share_class=from_class, numbers=numbers
    ):
        nominal = part.lot[1]
        made, rest = divmod(part.shares * nominal, target.nominal_cents)
        if rest:
            raise RuleViolation(
                ngettext(
                    "%(num)d share of %(nominal)s does not make whole shares of %(target)s.",
                    "%(num)d shares of %(nominal)s do not make whole shares of %(target)s.",
                    part.shares,
                    nominal=money(nominal),
                    target=money(target.nominal_cents),
                ),
                remedy=_(
                    "Give a multiple of %(step)s.",
                    step=target.nominal_cents // gcd(nominal, target.nominal_cents),
                ),
                field="shares",
            )
        entries += [
            new_entry(
                session,
                membership,
                EntryKind.CONVERSION_OUT,
                part.lot,
                -part.shares,
                -part.cents,
                effective_on,
                act,
                source=source,
                numbers=part.numbers,
            ),
            new_entry(
                session,
                membership,
                EntryKind.CONVERSION_IN,
                (target.code, target.nominal_cents),
                made,
                part.cents,
                effective_on,
                act,
                source=source,
            ),
        ]
    return append(session, actor, cooperative, entries, "converted", remark)
