"""Transfers that are open or have ended, and the shares promised in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import ORDINARY
from govern.errors import NotFound
from govern.register.models import (
    Membership,
    TransferRequest,
    TransferState,
)
from govern.register.rules.numbers import (
    NONE,
    format_numbers,
    join,
    parse_numbers,
)
from govern.register.rules.transfers import OPEN, TIMED


def transfer_by_public_id(
    session: Session, cooperative: Cooperative, public_id: str
) -> TransferRequest:
    """The request of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(TransferRequest).where(
            TransferRequest.public_id == public_id,
            TransferRequest.cooperative_id == cooperative.id,
        )
    )
    if found is None:
        raise NotFound(_("There is no such transfer."), remedy=_("Look at your own page."))
    return found


def transfers_of(
    session: Session, membership_ids: Sequence[int], *, only_open: bool = True
) -> list[TransferRequest]:
    """Requests to and from these memberships, newest first."""
    query = select(TransferRequest).where(
        or_(
            TransferRequest.giver_id.in_(membership_ids),
            TransferRequest.receiver_id.in_(membership_ids),
        )
    )
    if only_open:
        query = query.where(TransferRequest.state.in_(sorted(OPEN)))
    return list(session.scalars(query.order_by(TransferRequest.id.desc())))


def awaiting_for(session: Session, cooperative: Cooperative, email: str) -> list[TransferRequest]:
    """Shares promised to an address that is no member yet, for whoever admits its bearer."""
    return list(
        session.scalars(
            select(TransferRequest).where(
                TransferRequest.cooperative_id == cooperative.id,
                TransferRequest.state == TransferState.AWAITING_ADMISSION.value,
                func.lower(TransferRequest.receiver_email) == email.strip().lower(),
            )
        )
    )


def promised_shares(
    session: Session, giver: Membership, share_class: str = ORDINARY
) -> tuple[int, str]:
    """How many shares of the class the member has promised, and which of them by number."""
    total, named = 0, NONE
    for request in open_promises(session, giver, share_class):
        total += request.shares
        named = join(named, parse_numbers(request.numbers))
    return total, format_numbers(named)


def open_promises(
    session: Session, giver: Membership, share_class: str
) -> Iterator[TransferRequest]:
    yield from session.scalars(
        select(TransferRequest).where(
            TransferRequest.giver_id == giver.id,
            TransferRequest.share_class == share_class,
            TransferRequest.state.in_(sorted(OPEN)),
            still_in_time(),
        )
    )


def still_in_time() -> ColumnElement[bool]:
    """That an open request has not run out of time."""
    return or_(
        TransferRequest.state.not_in(sorted(TIMED)), TransferRequest.expires_at > clock.now()
    )


def is_open(request: TransferRequest) -> bool:
    """Whether the shares are still promised in this request."""
    return request.state in OPEN and not is_over(request)


def is_over(request: TransferRequest) -> bool:
    """Whether nobody has answered in time."""
    return request.state in TIMED and request.expires_at <= clock.now()
