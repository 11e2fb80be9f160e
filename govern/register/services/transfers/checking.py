"""What a transfer needs: the parties, shares that are free, a receiver who can be found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import ORDINARY
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.register.models import (
    Membership,
    TransferRequest,
    TransferState,
)
from govern.register.rules import values
from govern.register.rules.numbers import (
    NONE,
    common,
    count,
    format_numbers,
    join,
    parse_numbers,
    read_numbers,
    unbroken_since,
)
from govern.register.rules.transfers import may_follow
from govern.register.services.concerned import require_own_or
from govern.register.services.holdings import entries_of, moves_of
from govern.register.services.ledger import refuse_on_hold
from govern.register.services.ledger.common import check_day
from govern.register.services.members import membership_by_number
from govern.register.services.transfers.reading import is_over, promised_shares


@dataclass(frozen=True)
class Proposal:
    """What a giver proposes. Either ``receiver_number``, or name and address of a new member.

    ``receiver_language``: in which a new member is written to, "" for that of the giver.
    ``numbers`` names the shares ("4-5"), "" for whichever; ``effective_on`` None for the day on
    which the receiver confirms.
    """

    shares: int
    cause: str
    receiver_number: str = ""
    receiver_name: str = ""
    receiver_email: str = ""
    receiver_language: str = ""
    effective_on: date | None = None
    share_class: str = ORDINARY
    numbers: str = ""


def require_party(session: Session, actor: Actor, membership: Membership) -> None:
    """Only the member concerned, or a registrar. Forbidden otherwise."""
    require_own_or(session, actor, membership, Permission.REGISTER_WRITE)


def check_step(request: TransferRequest, wanted: TransferState) -> None:
    if not may_follow(request.state, wanted.value):
        raise ForbiddenTransition(
            _("This transfer has ended or waits for something else."),
            remedy=_("Look at its page: it says where it stands."),
        )


def refuse_over(request: TransferRequest) -> None:
    if is_over(request):
        raise Conflict(
            _("The time to answer has passed: the shares are no longer promised."),
            remedy=_("Ask the giver to propose the transfer again."),
        )


def refuse_past(actor: Actor, cooperative: Cooperative, day: date) -> None:
    """Only a registrar names a day that has passed: members cannot rewrite who held what."""
    if actor.may(Permission.REGISTER_WRITE, cooperative.id):
        return
    if day < clock.today(cooperative.time_zone):
        raise InvalidInput(
            _("%(day)s has passed.", day=in_words(day)),
            remedy=_("Leave the day empty. A registrar records what a paper agreed earlier."),
            field="effective_on",
        )


def check_promise(session: Session, giver: Membership, proposal: Proposal, day: date) -> str:
    """The canonical numbers named, after checking that the shares are there to be promised."""
    rows = entries_of(session, giver.id)
    lots = {
        (row.share_class, row.nominal_cents)
        for row in rows
        if row.share_class == proposal.share_class
    }
    free = NONE
    for lot in lots:
        free = join(free, unbroken_since(moves_of(rows, lot), day))
    promised, promised_numbers = promised_shares(session, giver, proposal.share_class)
    left = count(free) - promised
    if left < proposal.shares:
        raise RuleViolation(
            ngettext(
                "You can give %(num)d share as of %(day)s.",
                "You can give %(num)d shares as of %(day)s.",
                max(0, left),
                day=in_words(day),
            ),
            remedy=_(
                "Shares that are promised in another open transfer do not count; withdraw it first."
            )
            if promised
            else _("Give a smaller number of shares."),
            field="shares",
        )
    if not proposal.numbers.strip():
        return ""
    try:
        named = read_numbers(proposal.numbers)
    except ValueError as error:
        raise InvalidInput(
            _("“%(numbers)s” are not numbers of shares.", numbers=proposal.numbers[:80]),
            remedy=_("Write them as in 4-6, 9."),
            field="numbers",
        ) from error
    text = format_numbers(named)
    is_free = common(named, free) == named and not common(named, parse_numbers(promised_numbers))
    if count(named) != proposal.shares or not is_free or len(text) > 500:
        raise RuleViolation(
            _("These are not shares that you can give, or not as many as you wrote."),
            remedy=_("Look at the numbers on your page, or leave the field empty."),
            field="numbers",
        )
    return text


def find_receiver(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    giver: Membership,
    proposal: Proposal,
    day: date,
) -> Membership | None:
    """The receiving member; None for somebody who is still to become one."""
    if proposal.receiver_number.strip():
        if proposal.receiver_name.strip() or proposal.receiver_email.strip():
            raise InvalidInput(
                _("Two receivers are named."),
                remedy=_("Give a member number, or the name and address of a new member."),
                field="receiver_number",
            )
        found = membership_by_number(session, cooperative.id, proposal.receiver_number)
        if found is None:
            raise InvalidInput(
                _(
                    "Nobody has the member number “%(number)s”.",
                    number=proposal.receiver_number[:40],
                ),
                remedy=_("Ask the receiver for their member number."),
                field="receiver_number",
            )
        if found.id == giver.id:
            raise another_member()
        check_day(found, cooperative, day, while_member=True)
        return found
    refuse_on_hold(cooperative)
    if not proposal.receiver_name.strip() or not proposal.receiver_email.strip():
        raise InvalidInput(
            _("Say who receives the shares."),
            remedy=_("Give a member number, or the name and address of a new member."),
            field="receiver_number",
        )
    try:
        values.read_email(proposal.receiver_email)
    except values.Unreadable as error:
        raise InvalidInput(
            _("“%(address)s” is not an e-mail address.", address=proposal.receiver_email[:80]),
            remedy=_("Write it as in name@example.org."),
            field="receiver_email",
        ) from error
    if proposal.receiver_language and proposal.receiver_language not in LOCALES:
        raise InvalidInput(
            _("There is no such language."),
            remedy=_("Choose one from the list."),
            field="receiver_language",
        )
    if not actor.may(Permission.REGISTER_WRITE, cooperative.id):
        refuse_too_few(session, cooperative, proposal.shares, day)
    return None


def refuse_too_few(session: Session, cooperative: Cooperative, shares: int, day: date) -> None:
    """RuleViolation for fewer shares than the rules ask of a new member, who holds none yet."""
    least = rules_on(session, cooperative.id, day)[1].joining.minimum_shares
    if shares < least:
        raise RuleViolation(
            ngettext(
                "A new member of %(name)s takes at least %(num)d share.",
                "A new member of %(name)s takes at least %(num)d shares.",
                least,
                name=cooperative.name,
            ),
            remedy=_(
                "As many must be given; or the receiver becomes a member with shares of their own "
                "first, and receives these afterwards."
            ),
            field="shares",
        )


def another_member() -> InvalidInput:
    return InvalidInput(
        _("Shares are transferred to another member of the same cooperative."),
        remedy=_("Give the number of the member who receives them."),
        field="receiver_number",
    )
