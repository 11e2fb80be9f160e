"""What data quality and privacy expect of people, for their home pages."""

from __future__ import annotations

import flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.home.hooks import HomeItem
from govern.register.models import Erasure, ErasureState
from govern.register.services.quality.addresses import problems_of
from govern.register.services.rolls import memberships_for_account


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """Of a member: an address that works. Of a registrar: an answer to who asks for erasure."""
    return [*_addresses(session, account_id), *_erasures(session, actor)]


def _addresses(session: Session, account_id: int) -> list[HomeItem]:
    memberships = {row.id: row for row in memberships_for_account(session, account_id)}
    return [
        HomeItem(
            title=_("Give another address to %(cooperative)s", cooperative=row.cooperative.name),
            detail=_("What it sends you comes back."),
            href=flask.url_for("register.me", cooperative=row.cooperative.code),
            tone="warn",
        )
        for row in (memberships[key] for key in problems_of(session, memberships))
    ]


def _erasures(session: Session, actor: Actor) -> list[HomeItem]:
    kept = [number for number in actor.roles if actor.may(Permission.REGISTER_WRITE, number)]
    if not kept:
        return []
    waiting = session.execute(
        select(Erasure.cooperative_id, func.count())
        .where(Erasure.cooperative_id.in_(kept), Erasure.state == ErasureState.REQUESTED.value)
        .group_by(Erasure.cooperative_id)
    ).all()
    counts = [(session.get_one(Cooperative, number), count) for number, count in waiting]
    return [
        HomeItem(
            title=ngettext(
                "Answer %(num)d request to erase", "Answer %(num)d requests to erase", count
            ),
            detail=cooperative.name,
            href=flask.url_for("register.erasure_list", cooperative=cooperative.code),
            tone="warn",
        )
        for cooperative, count in counts
    ]
