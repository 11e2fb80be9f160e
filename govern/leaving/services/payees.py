"""To whom the value of shares is paid: the account, given and corrected."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.errors import InvalidInput, RuleViolation
from govern.leaving.models import Departure
from govern.leaving.rules.states import OPEN, DepartureKind, RefundState
from govern.leaving.services.common import (
    lock_departure,
    move_refund,
    record,
    refunds_of,
)
from govern.payments.services.accounts import checked_iban
from govern.register.services.concerned import require_own_or

OPEN_REFUNDS = (RefundState.SCHEDULED, RefundState.POSTPONED, RefundState.RETURNED)


def checked_payee(holder: str, iban: str) -> tuple[str, str]:
    """The holder's name (1 to 70 characters) and the compact IBAN, its check digits right.

    Raises InvalidInput naming the field.
    """
    compact = checked_iban(iban)
    name = " ".join(holder.split())
    if not 1 <= len(name) <= 70:
        raise InvalidInput(
            _("The holder of the account has a name of 1 to 70 characters."),
            remedy=_("Write it as the bank does."),
            field="holder",
        )
    return name, compact


def put_payee(
    session: Session, actor: Actor, departure: Departure, *, holder: str, iban: str
) -> None:
    """Say where the value is to be paid. What the bank has sent back is scheduled again.

    For the member (a death aside), the registrar and the treasurer. A payment that is on its way
    is not changed. RuleViolation when everything is paid or on its way.
    """
    membership = departure.membership
    if not actor.may(Permission.PAYMENTS_WRITE, departure.cooperative_id):
        if departure.kind == DepartureKind.DEATH.value:
            actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
        else:
            require_own_or(session, actor, membership, Permission.REGISTER_WRITE)
    payee, compact = checked_payee(holder, iban)
    lock_departure(session, departure)
    refunds = refunds_of(session, departure)
    waiting = [row for row in refunds if row.state in [state.value for state in OPEN_REFUNDS]]
    is_open = departure.state in [state.value for state in OPEN]
    if not waiting and not is_open and (refunds or departure.kind != DepartureKind.DEATH.value):
        raise RuleViolation(
            _("Nothing waits to be paid to this account."),
            remedy=_("Write to the cooperative if a payment went astray."),
        )
    departure.holder, departure.iban = payee, compact
    for refund in waiting:
        refund.holder, refund.iban = payee, compact
        if refund.state == RefundState.RETURNED.value:
            move_refund(refund, RefundState.SCHEDULED)
            refund.reason = ""
    session.flush()
    record(session, actor, departure, "payee_put", {"refunds": len(waiting)})
