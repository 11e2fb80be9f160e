"""What assemblies expect of a person, and by when: for the home page."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.assemblies.models import Assembly
from govern.assemblies.rules import AssemblyState, local_day
from govern.assemblies.services.deliveries import notice_progress
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.elections import binding_election, election_obstacles
from govern.assemblies.services.notices import check_days, find_notice
from govern.home.hooks import HomeItem
from govern.i18n import local_text
from govern.register.services import memberships_for_account


def expected_of(session: Session, actor: Actor, account_id: int) -> list[HomeItem]:
    """Assemblies to come, and an officer's next steps (open votes are offered by voting)."""
    cooperatives = {
        membership.cooperative_id
        for membership in memberships_for_account(session, account_id)
        if membership.ended_on is None
    }
    return [
        *_coming(session, cooperatives),
        *_officers_steps(session, actor),
    ]


def _coming(session: Session, cooperatives: set[int]) -> list[HomeItem]:
    coming = session.scalars(
        select(Assembly)
        .where(
            Assembly.cooperative_id.in_(cooperatives),
            Assembly.state == AssemblyState.CONVENED.value,
            Assembly.starts_at > clock.now(),
        )
        .order_by(Assembly.starts_at)
        .limit(5)
    )
    return [
        HomeItem(
            local_text(assembly.titles),
            _("%(name)s convenes you.", name=assembly.cooperative.name),
            assembly.starts_at,
            _page(assembly, "show"),
            "info",
        )
        for assembly in coming
    ]


def _officers_steps(session: Session, actor: Actor) -> list[HomeItem]:
    """The next step of each assembly that is not over, for whoever may take it."""
    open_states = (AssemblyState.DRAFT.value, AssemblyState.CONVENED.value)
    assemblies = session.scalars(
        select(Assembly)
        .where(Assembly.cooperative_id.in_(actor.roles), Assembly.state.in_(open_states))
        .order_by(Assembly.starts_at)
        .limit(20)
    )
    items = []
    for assembly in assemblies:
        for step in (_notice_step, _roll_step, _vote_step):
            item = step(session, actor, assembly)
            if item is not None:
                items.append(item)
    return items


def _notice_step(session: Session, actor: Actor, assembly: Assembly) -> HomeItem | None:
    if not actor.may(Permission.NOTICE_SEND, assembly.cooperative_id):
        return None
    title = local_text(assembly.titles)
    notice = find_notice(session, assembly)
    if notice is not None:
        failed = notice_progress(session, notice).failed
        if not failed:
            return None
        return HomeItem(
            _("Notices that could not be delivered: %(title)s", title=title),
            _("See which ones, and send them again."),
            None,
            _page(assembly, "notice"),
            "warn",
        )
    if assembly.starts_at <= clock.now():
        return None
    _row, rules = rules_of(session, assembly)
    return HomeItem(
        _("Send the notice: %(title)s", title=title),
        _("The rules ask for %(days)s days before the assembly.", days=rules.notice_days),
        check_days(assembly, rules).latest_day,
        _page(assembly, "notice" if assembly.is_public else "show"),
        "warn",
    )


def _roll_step(session: Session, actor: Actor, assembly: Assembly) -> HomeItem | None:
    if not actor.may(Permission.ROLL_TAKE, assembly.cooperative_id):
        return None
    if assembly.roll is not None and assembly.roll.is_frozen:
        return None
    if assembly.record_date > local_day(clock.now(), assembly.cooperative.time_zone):
        return None
    return HomeItem(
        _("Take the roll: %(title)s", title=local_text(assembly.titles)),
        _("The record date has come."),
        None,
        _page(assembly, "roll"),
        "warn",
    )


def _vote_step(session: Session, actor: Actor, assembly: Assembly) -> HomeItem | None:
    if not actor.may(Permission.ELECTION_MANAGE, assembly.cooperative_id):
        return None
    if binding_election(assembly) is not None or election_obstacles(session, assembly):
        return None
    return HomeItem(
        _("Prepare the vote: %(title)s", title=local_text(assembly.titles)),
        _("Agenda and roll are ready."),
        assembly.starts_at,
        _page(assembly, "vote"),
        "warn",
    )


def _page(assembly: Assembly, name: str) -> str:
    return url_for(f"assemblies.{name}", cooperative=assembly.cooperative.code, slug=assembly.slug)
