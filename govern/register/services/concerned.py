"""Whom a membership concerns: the member, or who represents an organisation."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.errors import Forbidden
from govern.register.models import Membership
from govern.register.services.rolls import memberships_for_account


def require_own(session: Session, actor: Actor, membership: Membership) -> None:
    """Raise Forbidden unless the actor is the person concerned."""
    if actor.account_id is not None:
        own = memberships_for_account(session, actor.account_id, membership.cooperative_id)
        if any(item.id == membership.id for item in own):
            return
    raise Forbidden(
        _("Only the member can do this."), remedy=_("Sign in as the person whom it is about.")
    )


def require_own_or(
    session: Session, actor: Actor, membership: Membership, permission: Permission
) -> None:
    """Raise Forbidden unless the actor is the person concerned or holds ``permission``."""
    if not actor.may(permission, membership.cooperative_id):
        require_own(session, actor, membership)
