"""Who founded the cooperative: they may not resign in its first financial years."""

from __future__ import annotations

from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.leaving.models import Founder
from govern.leaving.services.common import lock_membership
from govern.register.models import Membership


def set_founder(session: Session, actor: Actor, membership: Membership, is_founder: bool) -> None:
    """Record that the member is a founder, or is not. Nothing happens when it is so already."""
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    lock_membership(session, membership)
    row = session.get(Founder, membership.id)
    if (row is not None) == is_founder:
        return
    if row is None:
        session.add(Founder(membership_id=membership.id, recorded_at=clock.now()))
    else:
        session.delete(row)
    session.flush()
    audit.record(
        session,
        actor,
        f"leaving:founder:{'marked' if is_founder else 'unmarked'}",
        cooperative_id=membership.cooperative_id,
        subject=f"membership:{membership.public_id}",
    )
