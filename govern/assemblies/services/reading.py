"""Lists of assemblies for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.assemblies.models import Assembly
from govern.assemblies.rules import AssemblyState
from govern.cooperatives.models import Cooperative

A_YEAR = timedelta(days=366)
OVER = (AssemblyState.HELD.value, AssemblyState.CLOSED.value)


def assemblies_query(actor: Actor, cooperative: Cooperative, *, coming: bool) -> Select[Assembly]:
    """The assemblies that the actor may see, those to come soonest first, others latest first.

    Drafts, and drafts that were cancelled, are for whoever may edit.
    """
    is_coming = Assembly.state.in_((AssemblyState.DRAFT.value, AssemblyState.CONVENED.value))
    query = select(Assembly).where(
        Assembly.cooperative_id == cooperative.id, is_coming if coming else ~is_coming
    )
    if not actor.may(Permission.ASSEMBLY_EDIT, cooperative.id):
        query = query.where(Assembly.published_at.is_not(None))
    return query.order_by(Assembly.starts_at if coming else Assembly.starts_at.desc())


@dataclass(frozen=True)
class FrontPage:
    """What a cooperative's front page shows of its assemblies."""

    coming: Sequence[Assembly]
    past: Sequence[Assembly]


def front_page(session: Session, cooperative: Cooperative) -> FrontPage:
    """Published assemblies to come, and the last ones that were held."""
    published = select(Assembly).where(
        Assembly.cooperative_id == cooperative.id, Assembly.published_at.is_not(None)
    )
    convened = Assembly.state == AssemblyState.CONVENED.value
    coming = session.scalars(published.where(convened).order_by(Assembly.starts_at).limit(3))
    past = session.scalars(
        published.where(Assembly.state.in_(OVER)).order_by(Assembly.starts_at.desc()).limit(3)
    )
    return FrontPage(coming.all(), past.all())


def second_assembly_choices(session: Session, cooperative: Cooperative) -> Sequence[Assembly]:
    """Assemblies held in the last year, of which another may be the second."""
    return session.scalars(
        select(Assembly)
        .where(
            Assembly.cooperative_id == cooperative.id,
            Assembly.state.in_(OVER),
            Assembly.starts_at > clock.now() - A_YEAR,
        )
        .order_by(Assembly.starts_at.desc())
        .limit(20)
    ).all()
