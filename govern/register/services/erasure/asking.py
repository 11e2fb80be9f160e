"""Asking for an erasure, taking it back, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, NotFound
from govern.register.models import Erasure, ErasureState, Membership
from govern.register.services.quality.duplicates import checked_reason
from govern.register.services.telling import mail_member

MAIL_CATEGORY = "erasure"
"""Mails of this category are removed from the outbox once they are sent."""


def request_erasure(
    session: Session, actor: Actor, membership: Membership, note: str = ""
) -> Erasure:
    """The person concerned asks that what is kept about the membership be erased.

    Asked once, it waits for the registrar. Raises Forbidden for anybody else, Conflict where a
    request waits or was carried out.
    """
    person = membership.person
    if person is None or actor.account_id is None or person.account_id != actor.account_id:
        raise Forbidden(
            _("Only the person concerned can ask for this."),
            remedy=_("An organisation writes to the cooperative."),
        )
    session.refresh(membership, with_for_update=True)
    if open_erasure(session, membership) is not None:
        raise Conflict(
            _("This was asked for already."), remedy=_("The cooperative will answer you.")
        )
    row = Erasure(
        cooperative_id=membership.cooperative_id,
        membership_id=membership.id,
        state=ErasureState.REQUESTED.value,
        requested_at=clock.now(),
        by_person_concerned=True,
        note=" ".join(note.split())[:500],
        counts={},
    )
    session.add(row)
    session.flush()
    record_step(session, actor, row, membership, "requested")
    return row


def withdraw_erasure(session: Session, actor: Actor, erasure: Erasure) -> None:
    """The person concerned takes a request back that was not answered yet."""
    person = erasure.membership.person
    if person is None or actor.account_id is None or person.account_id != actor.account_id:
        raise Forbidden(_("Only the person concerned can take this back."))
    _require_waiting(session, erasure)
    erasure.state = ErasureState.WITHDRAWN.value
    session.flush()
    record_step(session, actor, erasure, erasure.membership, "withdrawn")


def refuse_erasure(session: Session, actor: Actor, erasure: Erasure, reason: str) -> None:
    """Answer that nothing can be erased, with the reason, which is mailed to the person."""
    actor.require(Permission.REGISTER_WRITE, erasure.cooperative_id)
    reason = checked_reason(reason)
    _require_waiting(session, erasure)
    erasure.state = ErasureState.REFUSED.value
    erasure.note = reason
    erasure.decided_at = clock.now()
    erasure.decided_by_id = actor.account_id
    session.flush()
    answer_mail(session, erasure, "erasure_refused", {"reason": reason})
    record_step(session, actor, erasure, erasure.membership, "refused")


def open_erasure(session: Session, membership: Membership) -> Erasure | None:
    """The request that waits, or the erasure whose second step is still to come."""
    return session.scalar(
        select(Erasure).where(
            Erasure.membership_id == membership.id,
            Erasure.state.in_([ErasureState.REQUESTED.value, ErasureState.PARTIAL.value]),
        )
    )


def last_erasure(session: Session, membership: Membership) -> Erasure | None:
    """The newest request about the membership, whatever became of it."""
    return session.scalar(
        select(Erasure)
        .where(Erasure.membership_id == membership.id)
        .order_by(Erasure.id.desc())
        .limit(1)
    )


def erasures_of(cooperative_id: int, states: Sequence[ErasureState] = ()) -> Select[Any]:
    """The requests of that register, newest first."""
    query = select(Erasure).where(Erasure.cooperative_id == cooperative_id)
    if states:
        query = query.where(Erasure.state.in_([state.value for state in states]))
    return query.order_by(Erasure.id.desc())


def erasure_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Erasure:
    """The request of that register; NotFound otherwise."""
    found = session.scalar(
        select(Erasure).where(
            Erasure.public_id == public_id, Erasure.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such request."), remedy=_("Choose one from the list."))
    return found


def answer_mail(session: Session, erasure: Erasure, template: str, context: dict[str, Any]) -> None:
    """Tell the person what became of the request, while there is an address to write to."""
    mail_member(
        session,
        erasure.membership,
        template,
        {"cooperative": erasure.membership.cooperative, **context},
        dedupe_key=f"{template}:{erasure.public_id}",
        category=MAIL_CATEGORY,
    )


def record_step(
    session: Session,
    actor: Actor,
    erasure: Erasure,
    membership: Membership,
    action: str,
    data: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        f"register:erasure:{action}",
        cooperative_id=erasure.cooperative_id,
        subject=f"membership:{membership.public_id}",
        data={"erasure": erasure.public_id, **(data or {})},
    )


def _require_waiting(session: Session, erasure: Erasure) -> None:
    session.refresh(erasure, with_for_update=True)
    if erasure.state != ErasureState.REQUESTED.value:
        raise Conflict(
            _("This request was answered or taken back already."), remedy=_("Reload the page.")
        )
