"""The page of an assembly: agenda, documents, vote, decisions, and one's own place on the roll."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, render_template
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Permission, public
from govern.assemblies import services
from govern.assemblies.labels import (
    AGENDA_KINDS,
    KINDS,
    LINK_KINDS,
    MODES,
    STATE_TONES,
    STATES,
)
from govern.assemblies.links import election_page
from govern.assemblies.models import Assembly, AssemblyElection, Resolution
from govern.assemblies.rules import (
    AgendaKind,
    AssemblyKind,
    AssemblyMode,
    AssemblyState,
    LinkKind,
    Verdict,
)
from govern.assemblies.services.explanations import OutcomeText, explain
from govern.assemblies.services.notice_texts import (
    late_sentence,
    local_span,
    resolution_requirement,
)
from govern.assemblies.services.notices import find_notice
from govern.assemblies.views.blueprint import blueprint, load, may
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Rules
from govern.extensions import db
from govern.i18n import local_text
from govern.markdown import render_markdown
from govern.register.services import entries_for_account, memberships_for_account
from govern.register.texts import obstacle_text
from govern.voting.rules import ElectionState
from govern.voting.services import read_turnout


@dataclass(frozen=True)
class ShownResolution:
    """A resolution with what the page says about it."""

    row: Resolution
    requirement: str
    outcome: OutcomeText | None


@blueprint.get("/<cooperative>/assemblies/<slug>")
@public
def show(cooperative: str, slug: str) -> Any:
    """Everything that people may know; officers also see their next steps."""
    session = db.session()
    assembly = load(slug)
    _row, rules = services.rules_of(session, assembly)
    notice = find_notice(session, assembly)
    member = is_member(session, g.cooperative)
    state = AssemblyState(assembly.state)
    return render_template(
        "assemblies/show.html",
        assembly=assembly,
        state=state,
        state_label=STATES[state],
        state_tone=STATE_TONES[state],
        kind_label=KINDS[AssemblyKind(assembly.kind)],
        mode_label=MODES[AssemblyMode(assembly.mode)],
        span=local_span(assembly),
        place_lines=Markup("<br>").join(escape(line) for line in assembly.place.splitlines()),
        introduction=render_markdown(local_text(assembly.introductions)),
        nodes=services.agenda_list(assembly),
        agenda_kinds=AGENDA_KINDS,
        kind_of=AgendaKind,
        resolutions={
            resolution.id: _shown(resolution, rules)
            for resolution in services.resolutions_of(assembly)
        },
        own_documents=[one for one in assembly.documents if one.item_id is None],
        links=_links(assembly, member),
        is_member=member,
        notice=notice,
        late=late_sentence(notice) if notice is not None else "",
        elections=[link for link in assembly.elections if _is_shown(link)],
        election_page=election_page,
        may_vote_in={link.election_id for link in assembly.elections if _may_vote(session, link)},
        turnouts={
            link.election_id: read_turnout(session, link.election)
            for link in assembly.elections
            if link.election.state == ElectionState.PUBLISHED.value
        },
        lacked_quorum=[
            resolution
            for resolution in services.resolutions_of(assembly)
            if resolution.outcome is not None
            and resolution.outcome.verdict == Verdict.NO_QUORUM.value
        ],
        standings=services.standings_for(session, assembly, g.actor.account_id),
        obstacle_text=obstacle_text,
        now=clock.now(),
        markdown=render_markdown,
        steps=_officers_steps(session, assembly),
        may_edit=may(Permission.ASSEMBLY_EDIT),
        may_see_roll=may(Permission.ASSEMBLY_READ),
    )


def is_member(session: Session, cooperative: Cooperative) -> bool:
    """Whether the one who asks is a member, or represents one, now (officers count as well)."""
    if g.actor.account_id is None:
        return False
    if g.actor.roles.get(cooperative.id):
        return True
    return any(
        one.ended_on is None
        for one in memberships_for_account(session, g.actor.account_id, cooperative.id)
    )


def _shown(resolution: Resolution, rules: Rules) -> ShownResolution:
    requirement = "" if resolution.is_about_people else resolution_requirement(resolution, rules)
    outcome = explain(resolution.outcome) if resolution.outcome is not None else None
    return ShownResolution(resolution, requirement, outcome)


def _links(assembly: Assembly, member: bool) -> list[tuple[str, str]]:
    return [
        (str(LINK_KINDS[LinkKind(link["kind"])]), link["url"])
        for link in assembly.links
        if member or not LinkKind(link["kind"]).members_only
    ]


def _is_shown(link: Any) -> bool:
    """Elections are public once their keys are made; officers see drafts as well."""
    early = (ElectionState.DRAFT.value, ElectionState.KEYS.value)
    return link.election.state not in early or may(Permission.ELECTION_MANAGE)


def _may_vote(session: Session, link: AssemblyElection) -> bool:
    """Whether the one who asks stands on the roll of an open vote, or represents one who does."""
    if g.actor.account_id is None or link.election.state != ElectionState.OPEN.value:
        return False
    return bool(entries_for_account(session, link.election.roll, g.actor.account_id))


@dataclass(frozen=True)
class Step:
    """One step of convening, for officers. ``state`` is done, current or todo."""

    name: str
    done: bool
    allowed: bool


def _officers_steps(session: Session, assembly: Assembly) -> list[Step]:
    """Where the preparation stands; only for those who take part in it."""
    may_edit, may_send = may(Permission.ASSEMBLY_EDIT), may(Permission.NOTICE_SEND)
    may_take, may_vote = may(Permission.ROLL_TAKE), may(Permission.ELECTION_MANAGE)
    if not (may_edit or may_send or may_take or may_vote):
        return []
    frozen = assembly.roll is not None and assembly.roll.is_frozen
    return [
        Step("agenda", bool(assembly.items), may_edit),
        Step("documents", bool(assembly.documents), may_edit),
        Step("publish", assembly.is_public, may_edit),
        Step("notice", find_notice(session, assembly) is not None, may_send),
        Step("roll", frozen, may_take),
        Step("vote", services.binding_election(assembly) is not None, may_vote),
    ]
