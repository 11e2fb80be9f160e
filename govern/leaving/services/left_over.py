"""Shares and capital in the book of whose value nobody is owed: their owners have left.

They come from imports, from endings that were written down without paying back, and from deaths
after which nobody has said yet who gets them.
"""

from __future__ import annotations

import flask
from flask_babel import ngettext
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import HomeItem
from govern.register.models import Membership, RegisterHead, ShareEntry


def left_over(cooperative: Cooperative) -> Select[Membership, int, int]:
    """(membership, shares, capital in cents) of every ended membership that still has some, those
    that ended first at the top."""
    shares, cents = func.sum(ShareEntry.shares), func.sum(ShareEntry.amount_cents)
    return (
        select(Membership, shares, cents)
        .join(ShareEntry, ShareEntry.membership_id == Membership.id)
        .where(
            Membership.cooperative_id == cooperative.id,
            Membership.ended_on <= clock.today(cooperative.time_zone),
        )
        .group_by(Membership.id)
        .having(or_(shares > 0, cents > 0))
        .order_by(Membership.ended_on, Membership.id)
    )


_COUNTED: dict[int, tuple[tuple[object, ...], int]] = {}
"""Cooperative → what the count rested on, and the count: home pages ask for it all the time, and
adding up every former member of a large register takes a second."""


def count_left_over(session: Session, cooperative: Cooperative) -> int:
    """How many former members still have shares or capital in the book."""
    today = clock.today(cooperative.time_zone)
    ended = select(func.count()).where(
        Membership.cooperative_id == cooperative.id, Membership.ended_on <= today
    )
    head = session.get(RegisterHead, cooperative.id)
    rests_on = (
        cooperative.code,
        today,
        session.scalar(ended),
        (head.sequence, head.hash) if head is not None else None,
    )
    known = _COUNTED.get(cooperative.id)
    if known is None or known[0] != rests_on:
        found = left_over(cooperative).order_by(None).subquery()
        known = rests_on, session.scalar(select(func.count()).select_from(found)) or 0
        _COUNTED[cooperative.id] = known
    return known[1]


def expected_of(session: Session, actor: Actor, _account_id: int) -> list[HomeItem]:
    """For registrars: decide what becomes of them."""
    items = []
    for cooperative_id in actor.roles:
        if not actor.may(Permission.REGISTER_WRITE, cooperative_id):
            continue
        cooperative = session.get_one(Cooperative, cooperative_id)
        count = count_left_over(session, cooperative)
        if count:
            items.append(
                HomeItem(
                    title=ngettext(
                        "%(num)s former member of %(cooperative)s still has shares in the book",
                        "%(num)s former members of %(cooperative)s still have shares in the book",
                        count,
                        cooperative=cooperative.name,
                    ),
                    href=flask.url_for("leaving.left_shares", cooperative=cooperative.code),
                    tone="warn",
                )
            )
    return items
