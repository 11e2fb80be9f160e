"""Roles in a cooperative are granted and ended by its administrator, with a date and a trace."""

from __future__ import annotations

from collections import defaultdict

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission, Role
from govern.accounts.hooks import role_sources
from govern.accounts.models import GRANTED_ROLES, Account, RoleGrant
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation


def actor_for(session: Session, account: Account) -> Actor:
    """``account`` with the roles that it holds now: granted ones, and those from other facts."""
    now = clock.now()
    roles: defaultdict[int, set[Role]] = defaultdict(set)
    query = select(RoleGrant.cooperative_id, RoleGrant.role).where(
        RoleGrant.account_id == account.id,
        RoleGrant.starts_at <= now,
        or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now),
    )
    for cooperative_id, role in session.execute(query):
        roles[cooperative_id].add(Role(role))
    for source in role_sources:
        for cooperative_id, held in source(session, account.id).items():
            roles[cooperative_id] |= held
    return Actor(
        account_id=account.id,
        name=account.name,
        roles={cooperative_id: frozenset(held) for cooperative_id, held in roles.items()},
    )


def open_grants(session: Session, cooperative_id: int) -> list[RoleGrant]:
    """Who holds which granted role in a cooperative now, by role and name."""
    query = (
        select(RoleGrant)
        .join(RoleGrant.account)
        .where(RoleGrant.cooperative_id == cooperative_id, RoleGrant.ends_at.is_(None))
        .order_by(RoleGrant.role, Account.name, RoleGrant.id)
    )
    return list(session.scalars(query))


def past_grants(session: Session, cooperative_id: int, limit: int = 50) -> list[RoleGrant]:
    """The roles that ended last in a cooperative, latest first."""
    query = (
        select(RoleGrant)
        .where(RoleGrant.cooperative_id == cooperative_id, RoleGrant.ends_at.is_not(None))
        .order_by(RoleGrant.ends_at.desc(), RoleGrant.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def grant_role(
    session: Session, actor: Actor, account: Account, cooperative_id: int, role: Role
) -> RoleGrant:
    """Give ``account`` a role in a cooperative from now on; a role that it has is left as it is.

    Raises InvalidInput for ``Role.MEMBER`` (membership follows from the register) and for an
    account that is closed; Forbidden without the permission.
    """
    actor.require(Permission.ROLES_MANAGE, cooperative_id)
    if role not in GRANTED_ROLES:
        raise InvalidInput(
            _("Nobody is made a member by granting a role."),
            remedy=_("Record a membership in the register."),
            field="role",
        )
    if account.disabled_at is not None:
        raise InvalidInput(
            _("The account of %(name)s is closed.", name=account.name),
            remedy=_("Choose somebody else."),
            field="identifier",
        )
    _lock_roles(session, cooperative_id)
    held = session.scalar(
        select(RoleGrant).where(
            RoleGrant.account_id == account.id,
            RoleGrant.cooperative_id == cooperative_id,
            RoleGrant.role == role.value,
            RoleGrant.ends_at.is_(None),
        )
    )
    if held is not None:
        return held
    grant = RoleGrant(
        account=account,
        cooperative_id=cooperative_id,
        role=role.value,
        starts_at=clock.now(),
        granted_by_id=actor.account_id,
    )
    session.add(grant)
    session.flush()
    _record(session, actor, "accounts:role:granted", grant)
    return grant


def read_grant(session: Session, cooperative_id: int, public_id: str) -> RoleGrant:
    """The grant with that public id in that cooperative; NotFound otherwise."""
    grant = session.scalar(
        select(RoleGrant).where(
            RoleGrant.public_id == public_id, RoleGrant.cooperative_id == cooperative_id
        )
    )
    if grant is None:
        raise NotFound(
            _("There is no such role in this cooperative."),
            remedy=_("Go back to the list of roles."),
        )
    return grant


def is_last_administrator(session: Session, grant: RoleGrant) -> bool:
    """Whether ending ``grant`` would leave its cooperative without any administrator."""
    if grant.role != Role.ADMINISTRATOR.value or grant.ends_at is not None:
        return False
    others = session.scalar(
        select(func.count())
        .select_from(RoleGrant)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(
            RoleGrant.cooperative_id == grant.cooperative_id,
            RoleGrant.role == Role.ADMINISTRATOR.value,
            RoleGrant.ends_at.is_(None),
            RoleGrant.id != grant.id,
            Account.disabled_at.is_(None),
        )
    )
    return others == 0


def end_role(session: Session, actor: Actor, grant: RoleGrant) -> RoleGrant:
    """End a role now. The last administrator of a cooperative cannot be removed.

    Raises RuleViolation for that, Conflict when the role has ended already.
    """
    actor.require(Permission.ROLES_MANAGE, grant.cooperative_id)
    # Of two administrators who remove each other at the same moment, the second must see the first.
    _lock_roles(session, grant.cooperative_id)
    session.refresh(grant)
    if grant.ends_at is not None:
        raise Conflict(_("This role has ended already."), remedy=_("Reload the list of roles."))
    if is_last_administrator(session, grant):
        raise RuleViolation(
            _("The last administrator of a cooperative cannot be removed."),
            remedy=_("Give somebody else the role of administrator first."),
        )
    grant.ends_at = clock.now()
    grant.ended_by_id = actor.account_id
    session.flush()
    _record(session, actor, "accounts:role:ended", grant)
    return grant


def _lock_roles(session: Session, cooperative_id: int) -> None:
    """One change of roles at a time in a cooperative (SQLite has one writer anyway)."""
    session.execute(
        select(Cooperative.id).where(Cooperative.id == cooperative_id).with_for_update()
    ).one()


def _record(session: Session, actor: Actor, tag: str, grant: RoleGrant) -> None:
    audit.record(
        session,
        actor,
        tag,
        cooperative_id=grant.cooperative_id,
        subject=grant.public_id,
        data={"account": grant.account_id, "role": grant.role},
    )
