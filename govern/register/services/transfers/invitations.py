"""Shares promised to somebody who is no member: the secret link, and what follows from it.

The link reads the promise; its bearer declines it, takes it as the member that they are after all,
or applies for membership. An application in time stops the clock. Whoever handles applications says
here how they end: the shares pass in the transaction that admits the applicant, or they are free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor
from govern.accounts.tags import token_hash
from govern.cooperatives.models import Cooperative
from govern.errors import Forbidden, NotFound, RuleViolation
from govern.register.models import Membership, ShareEntry, TransferRequest, TransferState
from govern.register.services.ledger.common import check_day, leaving
from govern.register.services.ledger.moving import AFTER_THE_END
from govern.register.services.rolls import memberships_for_account
from govern.register.services.transfers.checking import check_step, refuse_over, refuse_too_few
from govern.register.services.transfers.ending import finish, lock_request, note
from govern.register.services.transfers.steps import complete_transfer, name_receiver
from govern.register.services.transfers.telling import tell


@dataclass(frozen=True)
class Offer:
    """What the shares are worth: their nominal value, and what was paid on them, in cents."""

    nominal_cents: int
    paid_cents: int


def invitation_by_token(session: Session, cooperative: Cooperative, token: str) -> TransferRequest:
    """The promise behind a link, open or ended; NotFound for any other link."""
    found = session.scalar(
        select(TransferRequest).where(
            TransferRequest.invitation_hash == token_hash(token),
            TransferRequest.cooperative_id == cooperative.id,
        )
    )
    if found is None:
        raise NotFound(
            _("This link leads nowhere: it is not whole, or what it was about was deleted."),
            remedy=_("Copy the whole link from the mail, or ask whoever wants to give you shares."),
        )
    return found


def offer_of(session: Session, request: TransferRequest, day: date) -> Offer:
    """What would pass to the receiver on ``day``.

    RuleViolation where the giver no longer holds the shares, or is no member any more.
    """
    cooperative = session.get_one(Cooperative, request.cooperative_id)
    try:
        if request.cause not in AFTER_THE_END:
            check_day(request.giver, cooperative, day, while_member=True)
        parts = leaving(
            session,
            request.giver,
            request.shares,
            day,
            share_class=request.share_class,
            numbers=request.numbers,
        )
    except RuleViolation as error:
        # Why is nobody's business but the giver's and the cooperative's.
        raise RuleViolation(
            _("The shares can no longer be transferred to you."),
            remedy=_("Ask whoever wanted to give them to you."),
        ) from error
    return Offer(
        sum(part.shares * part.lot[1] for part in parts), sum(part.cents for part in parts)
    )


def decline_invitation(session: Session, request: TransferRequest) -> None:
    """Whoever holds the link does not want the shares: the giver is told, the rest forgotten."""
    cooperative = lock_request(session, request)
    _check_still_invited(request, TransferState.DECLINED)
    finish(session, SYSTEM, request, TransferState.DECLINED)
    tell(session, cooperative, request, request.giver, "transfer_declined")


def claim_invitation(
    session: Session, actor: Actor, request: TransferRequest, membership: Membership
) -> None:
    """Whoever holds the link is a member already, and receives the shares as one.

    They are asked to confirm as any receiver is. Forbidden for a membership of somebody else,
    RuleViolation for one that has ended.
    """
    cooperative = lock_request(session, request)
    own = (
        memberships_for_account(session, actor.account_id, cooperative.id)
        if actor.account_id is not None
        else []
    )
    if membership.id not in [item.id for item in own]:
        raise Forbidden(_("This is not one of your memberships."))
    _check_still_invited(request, TransferState.PROPOSED)
    check_day(membership, cooperative, clock.today(cooperative.time_zone), while_member=True)
    name_receiver(session, SYSTEM, request, membership)


def reserve_for_applicant(session: Session, request: TransferRequest) -> None:
    """Whoever holds the link applies for membership: the shares wait for what is decided.

    Raises Conflict once the time has passed, ForbiddenTransition for a promise that has ended or
    was answered, RuleViolation where it cannot be kept, or gives too few shares to a new member.
    """
    cooperative = lock_request(session, request)
    _check_still_invited(request, TransferState.AWAITING_ACCEPTANCE)
    today = clock.today(cooperative.time_zone)
    offer_of(session, request, today)
    refuse_too_few(session, cooperative, request.shares, today)
    request.state = TransferState.AWAITING_ACCEPTANCE.value
    session.flush()
    note(session, SYSTEM, request, "applied_for")


def release_promise(
    session: Session, actor: Actor, request: TransferRequest, *, is_refused: bool
) -> None:
    """The application came to nothing: refused, or given up. The shares are free, the giver told.

    Nothing happens where the request has ended already.
    """
    cooperative = lock_request(session, request)
    if request.state != TransferState.AWAITING_ACCEPTANCE.value:
        return
    state = TransferState.REFUSED if is_refused else TransferState.DECLINED
    finish(session, actor, request, state)
    tell(
        session,
        cooperative,
        request,
        request.giver,
        "transfer_refused" if is_refused else "transfer_declined",
    )


def complete_for_applicant(
    session: Session, request: TransferRequest, receiver: Membership, day: date
) -> list[ShareEntry]:
    """The applicant is admitted: the shares pass on ``day``, in the caller's transaction.

    The giver has proposed it, and the application was the receiver's consent. Raises RuleViolation
    where the giver no longer holds them, ForbiddenTransition for a request that has ended.
    """
    lock_request(session, request)
    check_step(request, TransferState.COMPLETED)
    entries = complete_transfer(
        session,
        SYSTEM,
        request.giver,
        receiver,
        request.shares,
        day,
        cause=request.cause,
        numbers=request.numbers,
        share_class=request.share_class,
        source=f"transfer:{request.public_id}",
    )
    request.receiver_id = receiver.id
    request.effective_on = day
    request.act_id = entries[0].act_id
    finish(session, SYSTEM, request, TransferState.COMPLETED)
    session.expire(request, ["receiver"])
    return entries


def _check_still_invited(request: TransferRequest, wanted: TransferState) -> None:
    refuse_over(request)
    if request.receiver_id is not None:
        # They have joined in another way, and answer as members do.
        check_step(request, TransferState.AWAITING_ADMISSION)
    check_step(request, wanted)
