"""How a request ends: the lock, the end itself, what time and departures end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import SYSTEM, Actor
from govern.cooperatives.models import Cooperative
from govern.register.models import Membership, TransferRequest, TransferState
from govern.register.rules.transfers import OPEN, TIMED
from govern.register.services.chain import lock_register
from govern.register.services.ledger.moving import AFTER_THE_END
from govern.register.services.transfers.telling import forget_receiver, tell
from govern.register.signals import promise_broken

AT_ONCE = 50
"""A tick is short: what is left is done at the next one."""


def lock_request(session: Session, request: TransferRequest) -> Cooperative:
    """Two answers at once take turns: the second sees what the first has done."""
    lock_register(session, request.cooperative_id)
    session.refresh(request)
    return session.get_one(Cooperative, request.cooperative_id)


def finish(session: Session, actor: Actor, request: TransferRequest, state: TransferState) -> None:
    """End a locked request; who was invited by it is forgotten."""
    request.state = state.value
    request.answered_at = clock.now()
    request.answered_by_id = actor.account_id
    forget_receiver(session, request)
    note(session, actor, request, state.value)


def note(session: Session, actor: Actor, request: TransferRequest, action: str) -> None:
    """The audit entry of one step."""
    audit.record(
        session,
        actor,
        f"register:transfer:{action}",
        cooperative_id=request.cooperative_id,
        subject=f"transfer:{request.public_id}",
    )


def break_promise(
    session: Session, actor: Actor, cooperative: Cooperative, request: TransferRequest, mail: str
) -> None:
    """The giver does not give, or no longer can: whoever counts on the shares is told."""
    has_applied = request.state == TransferState.AWAITING_ACCEPTANCE.value
    finish(session, actor, request, TransferState.WITHDRAWN)
    if request.receiver is not None:
        tell(session, cooperative, request, request.receiver, mail)
    if has_applied:
        promise_broken.send(request, session=session)


def expire_transfers(session: Session, now: datetime) -> None:
    """End the requests that nobody answered in time, and forget who was to receive them."""
    due = session.scalars(
        select(TransferRequest)
        .where(TransferRequest.state.in_(sorted(TIMED)), TransferRequest.expires_at <= now)
        .order_by(TransferRequest.cooperative_id, TransferRequest.id)
        .limit(AT_ONCE)
    ).all()
    for request in due:
        lock_request(session, request)
        if request.state in TIMED and request.expires_at <= now:
            finish(session, SYSTEM, request, TransferState.EXPIRED)


def end_void_transfers(session: Session, now: datetime) -> None:
    """End what a giver can no longer keep, whose membership has ended: died, left, excluded.

    Successions and mergers stay open: shares pass on by them after the end.
    """
    due = session.scalars(
        select(TransferRequest)
        .join(Membership, Membership.id == TransferRequest.giver_id)
        .where(
            TransferRequest.state.in_(sorted(OPEN)),
            TransferRequest.cause.not_in(sorted(AFTER_THE_END)),
            # The latest calendar day anywhere; the cooperative's own is looked at below.
            Membership.ended_on <= now.date() + timedelta(days=1),
        )
        .order_by(TransferRequest.cooperative_id, TransferRequest.id)
        .limit(AT_ONCE)
    ).all()
    for request in due:
        cooperative = lock_request(session, request)
        ended_on = request.giver.ended_on
        is_void = ended_on is not None and ended_on <= clock.today(cooperative.time_zone)
        if is_void and request.state in OPEN:
            break_promise(session, SYSTEM, cooperative, request, "transfer_void")
