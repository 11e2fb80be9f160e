"""The steps of a transfer: proposed, answered, helped along by a registrar, completed."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import ForbiddenTransition, InvalidInput, NotFound
from govern.register.models import (
    EndReason,
    Membership,
    ShareEntry,
    TransferCause,
    TransferRequest,
    TransferState,
)
from govern.register.rules import values
from govern.register.rules.ledger import emptied_on
from govern.register.rules.transfers import OPEN_FOR
from govern.register.services.certificates import send_certificate
from govern.register.services.chain import lock_register
from govern.register.services.holdings import entries_of
from govern.register.services.ledger import transfer_shares
from govern.register.services.ledger.common import check_day, check_shares
from govern.register.services.members import end_membership
from govern.register.services.transfers.checking import (
    Proposal,
    another_member,
    check_promise,
    check_step,
    find_receiver,
    refuse_over,
    refuse_past,
    require_party,
)
from govern.register.services.transfers.ending import break_promise, finish, lock_request, note
from govern.register.services.transfers.reading import awaiting_for
from govern.register.services.transfers.telling import forget_receiver, tell, tell_receiver


def propose_transfer(
    session: Session, actor: Actor, giver: Membership, proposal: Proposal
) -> TransferRequest:
    """Promise shares to another member, who is told by mail. The giver themself, or a registrar.

    Only a registrar, who has the paper before them, may name a day that has passed.
    Raises RuleViolation for more than is held and not promised already, InvalidInput for a
    receiver who cannot be found, and for a cause or day that cannot be.
    """
    cooperative = _begin(session, actor, giver)
    if proposal.cause not in tuple(TransferCause):
        raise InvalidInput(
            _("Say why the shares change hands."),
            remedy=_("Choose one from the list."),
            field="cause",
        )
    check_shares(proposal.shares)
    today = clock.today(cooperative.time_zone)
    day = proposal.effective_on or today
    check_day(giver, cooperative, day, while_member=True)
    refuse_past(actor, cooperative, day)
    numbers = check_promise(session, giver, proposal, day)
    receiver = find_receiver(session, actor, cooperative, giver, proposal, day)
    now = clock.now()
    request = TransferRequest(
        cooperative_id=cooperative.id,
        giver_id=giver.id,
        receiver_id=receiver.id if receiver else None,
        receiver_name="" if receiver else values.tidy(proposal.receiver_name)[:250],
        receiver_email="" if receiver else values.read_email(proposal.receiver_email),
        receiver_language="" if receiver else proposal.receiver_language,
        shares=proposal.shares,
        share_class=proposal.share_class,
        numbers=numbers,
        cause=proposal.cause,
        effective_on=proposal.effective_on,
        state=(TransferState.PROPOSED if receiver else TransferState.AWAITING_ADMISSION).value,
        proposed_at=now,
        proposed_by_id=actor.account_id,
        expires_at=now + OPEN_FOR,
    )
    session.add(request)
    session.flush()
    tell_receiver(session, cooperative, request)
    note(session, actor, request, "proposed")
    return request


def confirm_transfer(session: Session, actor: Actor, request: TransferRequest) -> list[ShareEntry]:
    """The receiver takes the shares (or a registrar, on a signed paper): the ledger is written.

    It counts from the day agreed, or from today where that was no earlier than the proposal: a
    late answer does not reach back. The membership of a giver who keeps nothing ends with it.
    Raises Forbidden for anybody else, ForbiddenTransition for a request that has ended,
    RuleViolation when the shares are gone.
    """
    cooperative, receiver = lock_request(session, request), request.receiver
    if receiver is None:
        raise ForbiddenTransition(
            _("Nobody is named yet who receives these shares."),
            remedy=_("A registrar names the receiver once they are a member."),
        )
    require_party(session, actor, receiver)
    refuse_over(request)
    check_step(request, TransferState.COMPLETED)
    day = _counts_from(actor, cooperative, request)
    entries = complete_transfer(
        session,
        Actor(account_id=actor.account_id, name=actor.name, is_system=True),
        request.giver,
        receiver,
        request.shares,
        day,
        cause=request.cause,
        numbers=request.numbers,
        share_class=request.share_class,
        source=f"transfer:{request.public_id}",
    )
    request.effective_on = day
    request.act_id = entries[0].act_id
    finish(session, actor, request, TransferState.COMPLETED)
    return entries


def decline_transfer(session: Session, actor: Actor, request: TransferRequest) -> None:
    """The receiver does not want the shares; the giver is told."""
    cooperative = lock_request(session, request)
    if request.receiver is None:
        raise NotFound(_("There is no such transfer."), remedy=_("Look at your own page."))
    require_party(session, actor, request.receiver)
    check_step(request, TransferState.DECLINED)
    finish(session, actor, request, TransferState.DECLINED)
    tell(session, cooperative, request, request.giver, "transfer_declined")


def withdraw_transfer(session: Session, actor: Actor, request: TransferRequest) -> None:
    """The giver (or a registrar) takes the promise back while it is open.

    An application for membership that came with it ends too, and whoever applied is told.
    """
    cooperative = lock_request(session, request)
    require_party(session, actor, request.giver)
    check_step(request, TransferState.WITHDRAWN)
    break_promise(session, actor, cooperative, request, "transfer_withdrawn")


def name_receiver(
    session: Session, actor: Actor, request: TransferRequest, receiver: Membership
) -> None:
    """Say which new member the promised shares are for; that member is asked to confirm."""
    actor.require(Permission.REGISTER_WRITE, request.cooperative_id)
    cooperative = lock_request(session, request)
    refuse_over(request)
    check_step(request, TransferState.PROPOSED)
    if receiver.cooperative_id != cooperative.id or receiver.id == request.giver_id:
        raise another_member()
    if request.effective_on is not None and request.effective_on < receiver.joined_on:
        # Nobody receives shares before being a member.
        request.effective_on = None
    request.receiver_id = receiver.id
    request.state = TransferState.PROPOSED.value
    forget_receiver(session, request)
    request.expires_at = clock.now() + OPEN_FOR
    session.flush()
    session.refresh(request)
    tell_receiver(session, cooperative, request)
    note(session, actor, request, "receiver_named")


def welcome_receiver(session: Session, membership: Membership) -> None:
    """Name a new member as the receiver of shares that were promised to their address before.

    For whoever has admitted somebody whose address was confirmed. The member is then asked to
    confirm as any receiver is; nothing moves by itself.
    """
    if not membership.email:
        return
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    for request in awaiting_for(session, cooperative, membership.email):
        if request.giver_id != membership.id and request.expires_at > clock.now():
            name_receiver(session, SYSTEM, request, membership)


def complete_transfer(
    session: Session,
    actor: Actor,
    giver: Membership,
    receiver: Membership,
    shares: int,
    effective_on: date,
    *,
    cause: str,
    numbers: str = "",
    share_class: str | None = None,
    remark: str = "",
    source: str = "form",
) -> list[ShareEntry]:
    """Write a transfer that both have agreed to, end an empty membership, send certificates.

    A registrar records a paper act with it; ``cause`` "" is what older entries have. The empty
    membership ends on the day from which it holds nothing, which may be later than this act's.
    """
    entries = transfer_shares(
        session,
        actor,
        giver,
        receiver,
        shares,
        effective_on,
        cause=cause,
        numbers=numbers or None,
        share_class=share_class,
        remark=remark,
        source=source,
    )
    if giver.ended_on is None:
        empty_since = emptied_on(
            (row.effective_on, row.shares) for row in entries_of(session, giver.id)
        )
        if empty_since is not None:
            end_membership(session, actor, giver, empty_since, EndReason.TRANSFER)
    for membership in (giver, receiver):
        send_certificate(session, membership, entries[0])
    return entries


def _counts_from(actor: Actor, cooperative: Cooperative, request: TransferRequest) -> date:
    """The day from which a transfer counts that ``actor`` confirms now."""
    today = clock.today(cooperative.time_zone)
    agreed = request.effective_on
    if agreed is None:
        return today
    # An earlier day than that of the proposal was named by a registrar.
    by_registrar = agreed < request.proposed_at.astimezone(ZoneInfo(cooperative.time_zone)).date()
    if by_registrar or actor.may(Permission.REGISTER_WRITE, cooperative.id):
        return agreed
    return max(agreed, today)


def _begin(session: Session, actor: Actor, giver: Membership) -> Cooperative:
    lock_register(session, giver.cooperative_id)
    session.refresh(giver)
    require_party(session, actor, giver)
    return session.get_one(Cooperative, giver.cooperative_id)
