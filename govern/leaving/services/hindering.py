"""What stands between a refund and its payment, and who can put it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor, Permission, Role
from govern.accounts.services.roles import open_grants
from govern.cooperatives.models import Cooperative
from govern.leaving.models import Refund
from govern.leaving.rules.states import RefundState
from govern.leaving.services.board import coverages
from govern.leaving.services.taken_back import is_taken_back
from govern.leaving.texts import coverage_text
from govern.payments.models import OutgoingState
from govern.payments.services import default_account

NOT_IN_A_FILE = (OutgoingState.PLANNED.value, OutgoingState.RELEASED.value)


class HindranceKind(StrEnum):
    """What is missing: it decides on which page it is put right, and by whom."""

    OWNER_ACCOUNT = "owner_account"
    BOARD_TEST = "board_test"
    BANK_ACCOUNT = "bank_account"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True)
class Hindrance:
    """One thing in the way of a payment, as a sentence."""

    kind: HindranceKind
    text: str


@dataclass(frozen=True)
class Outlook:
    """Who releases a refund and makes its payment, and what stands in the way today.

    ``treasurers``: their names. ``may_release``: whether the actor is one of them;
    ``is_elsewhere``: whether the actor is, but in another cooperative only.
    """

    hindrances: tuple[Hindrance, ...]
    treasurers: tuple[str, ...]
    may_release: bool
    is_elsewhere: bool
    is_due: bool

    @property
    def can_be_released(self) -> bool:
        """Whether a release would succeed; the file for the bank may still want an account."""
        return all(item.kind is HindranceKind.BANK_ACCOUNT for item in self.hindrances)


def outlook_of(session: Session, actor: Actor, refund: Refund, today: date) -> Outlook | None:
    """What lies ahead of a refund that waits to be released, or to go into a file for the bank;
    None for any other."""
    outgoing = refund.outgoing
    is_released = refund.state == RefundState.RELEASED.value
    has_left = outgoing is None or outgoing.state not in NOT_IN_A_FILE
    if refund.state != RefundState.SCHEDULED.value and (not is_released or has_left):
        return None
    cooperative = session.get_one(Cooperative, refund.cooperative_id)
    may = actor.may(Permission.PAYMENTS_RELEASE, cooperative.id)
    return Outlook(
        hindrances=tuple(_hindrances(session, cooperative, refund)),
        treasurers=tuple(treasurers_of(session, cooperative)),
        may_release=may,
        is_elsewhere=not may
        and any(actor.may(Permission.PAYMENTS_RELEASE, other) for other in actor.roles),
        is_due=refund.due_on <= today,
    )


def treasurers_of(session: Session, cooperative: Cooperative) -> list[str]:
    """The names of those who release payments of the cooperative."""
    grants = open_grants(session, cooperative.id)
    return [grant.account.name for grant in grants if grant.role == Role.TREASURER.value]


def _hindrances(session: Session, cooperative: Cooperative, refund: Refund) -> Sequence[Hindrance]:
    found = []
    if is_taken_back(session, refund):
        found.append(
            Hindrance(
                HindranceKind.TAKEN_BACK,
                _("The ledger says that the shares were given back: nothing is owed for them."),
            )
        )
    if not refund.iban:
        found.append(
            Hindrance(
                HindranceKind.OWNER_ACCOUNT,
                _("Nobody has said yet to which account it is to be paid."),
            )
        )
    # What is released counts under its tests already.
    is_waiting = refund.state == RefundState.SCHEDULED.value
    for coverage in coverages(session, cooperative, refund.amount_cents if is_waiting else 0):
        if not coverage.is_given:
            found.append(Hindrance(HindranceKind.BOARD_TEST, coverage_text(coverage)))
    if default_account(session, cooperative.id) is None:
        found.append(
            Hindrance(
                HindranceKind.BANK_ACCOUNT,
                _("The cooperative has named no bank account to pay from."),
            )
        )
    return found
