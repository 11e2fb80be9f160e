"""Resolutions and candidates: what the agenda puts to the vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor
from govern.assemblies.models import AgendaItem, Assembly, Candidate, Resolution
from govern.assemblies.rules import VOTED_ON, AgendaKind, ResolutionKind, check_majority_rule
from govern.assemblies.rules.outcomes import UnusableRule
from govern.assemblies.services.agenda import agenda_list
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.guards import (
    MAX_TITLE,
    SEPARATOR,
    check_texts,
    open_for_agenda,
    refuse_stale,
    revision,
)
from govern.cooperatives.rules import Rules
from govern.errors import InvalidInput, NotFound, RuleViolation

MAX_CANDIDATES = 100
MAX_RESOLUTIONS = 60


@dataclass(frozen=True)
class CandidateInput:
    """Somebody who stands. ``public_id`` names a candidate that is there already."""

    name: str
    statements: Mapping[str, str] = field(default_factory=dict)
    public_id: str = ""


@dataclass(frozen=True)
class ResolutionInput:
    """What is typed about a resolution. ``seats`` and ``candidates`` for elections of people."""

    titles: Mapping[str, str]
    majority_rule: str
    texts: Mapping[str, str] = field(default_factory=dict)
    seats: int | None = None
    candidates: Sequence[CandidateInput] = ()


def resolutions_of(assembly: Assembly) -> list[Resolution]:
    """All resolutions in the order of the agenda."""
    return [resolution for node in agenda_list(assembly) for resolution in node.item.resolutions]


def find_resolution(session: Session, assembly: Assembly, public_id: str) -> Resolution:
    """The resolution of ``assembly`` with that public id; NotFound otherwise."""
    found = session.scalar(
        select(Resolution)
        .join(AgendaItem)
        .where(AgendaItem.assembly_id == assembly.id, Resolution.public_id == public_id)
    )
    if found is None:
        raise NotFound(
            _("There is no such resolution."), remedy=_("It may have been removed meanwhile.")
        )
    return found


def kind_for(item: AgendaItem) -> ResolutionKind | None:
    """What may be put to the vote under ``item``: a text, people, or nothing."""
    return VOTED_ON.get(AgendaKind(item.kind))


def add_resolution(
    session: Session, actor: Actor, item: AgendaItem, given: ResolutionInput
) -> Resolution:
    """Put something to the vote under a decision or an election of people.

    Raises RuleViolation for an item of another kind, InvalidInput naming the field.
    """
    assembly = open_for_agenda(session, actor, item.assembly)
    kind = kind_for(item)
    if kind is None:
        raise RuleViolation(
            _("Only decisions and elections of people are voted on."),
            remedy=_("Change the kind of the agenda item first."),
        )
    if len(resolutions_of(assembly)) >= MAX_RESOLUTIONS:
        raise RuleViolation(
            _("An assembly has at most %(most)s resolutions.", most=MAX_RESOLUTIONS),
            remedy=_("Join some of them."),
        )
    resolution = Resolution(
        item_id=item.id,
        kind=kind.value,
        position=max((one.position for one in item.resolutions), default=0) + 1,
        **_checked(session, assembly, kind, given),
    )
    session.add(resolution)
    session.flush()
    _set_candidates(session, assembly, resolution, given)
    _done(session, actor, assembly, resolution, "added")
    return resolution


def edit_resolution(
    session: Session,
    actor: Actor,
    resolution: Resolution,
    given: ResolutionInput,
    *,
    seen: str | None = None,
) -> Resolution:
    """Change what is put to the vote; impossible once a vote was prepared on it."""
    assembly = open_for_agenda(session, actor, resolution.item.assembly)
    session.refresh(resolution)
    refuse_stale(seen, resolution_revision(resolution))
    _refuse_in_election(resolution)
    values = _checked(session, assembly, ResolutionKind(resolution.kind), given)
    for key, value in values.items():
        setattr(resolution, key, value)
    _set_candidates(session, assembly, resolution, given)
    _done(session, actor, assembly, resolution, "edited")
    return resolution


def put_candidate(
    session: Session,
    actor: Actor,
    resolution: Resolution,
    given: CandidateInput,
    *,
    seen: str | None = None,
) -> Resolution:
    """Add a candidate at the end, or change the one that ``given.public_id`` names."""
    present = resolution_input(resolution)
    candidates = list(present.candidates)
    for index, one in enumerate(candidates):
        if given.public_id and one.public_id == given.public_id:
            candidates[index] = given
            break
    else:
        candidates.append(replace(given, public_id=""))
    changed = replace(present, candidates=candidates)
    return edit_resolution(session, actor, resolution, changed, seen=seen)


def remove_candidate(
    session: Session, actor: Actor, resolution: Resolution, public_id: str
) -> Resolution:
    """Take a candidate off the list; one who is not on it any more is no error."""
    present = resolution_input(resolution)
    left = [one for one in present.candidates if one.public_id != public_id]
    return edit_resolution(session, actor, resolution, replace(present, candidates=left))


def remove_resolution(session: Session, actor: Actor, resolution: Resolution) -> None:
    """Take it off the agenda; impossible once a vote was prepared on it."""
    assembly = open_for_agenda(session, actor, resolution.item.assembly)
    session.refresh(resolution)
    _refuse_in_election(resolution)
    session.delete(resolution)
    _done(session, actor, assembly, resolution, "removed")


def resolution_revision(resolution: Resolution) -> str:
    """The mark of what an edit form shows of ``resolution``."""
    return revision(asdict(resolution_input(resolution)))


def resolution_input(resolution: Resolution) -> ResolutionInput:
    """The present values, as they would be typed."""
    return ResolutionInput(
        titles=dict(resolution.titles),
        majority_rule=resolution.majority_rule,
        texts=dict(resolution.texts),
        seats=resolution.seats,
        candidates=[
            CandidateInput(one.name, dict(one.statements), one.public_id)
            for one in resolution.candidates
        ],
    )


def resolution_obstacles(rules: Rules, resolution: Resolution) -> list[str]:
    """Sentences that say why ``resolution`` cannot be voted on under ``rules``."""
    title = next(iter(resolution.titles.values()), "")
    try:
        check_majority_rule(rules.majority_rule(resolution.majority_rule))
    except KeyError:
        return [
            _("“%(title)s” names a majority that the rules of that day do not know.", title=title)
        ]
    except UnusableRule:
        return [_("“%(title)s” names a majority that cannot decide anything.", title=title)]
    if resolution.is_about_people and not resolution.candidates:
        return [_("“%(title)s” has no candidates yet.", title=title)]
    return []


def _refuse_in_election(resolution: Resolution) -> None:
    if resolution.election_id is not None:
        raise RuleViolation(
            _("A vote has been prepared on this resolution: its text is sealed into it."),
            remedy=_("Have the returning officer cancel the vote first."),
        )


def _checked(
    session: Session, assembly: Assembly, kind: ResolutionKind, given: ResolutionInput
) -> dict[str, Any]:
    _row, rules = rules_of(session, assembly)
    try:
        check_majority_rule(rules.majority_rule(given.majority_rule))
    except (KeyError, UnusableRule) as error:
        raise InvalidInput(
            _("The rules of that day know no usable majority of this name."),
            remedy=_("Choose one from the list."),
            field="majority_rule",
        ) from error
    seats = given.seats
    if kind is ResolutionKind.TEXT:
        seats = None
    elif seats is None or not 1 <= seats <= MAX_CANDIDATES:
        raise InvalidInput(
            _("It is not said how many seats there are."),
            remedy=_("Write a number from 1 to %(most)s.", most=MAX_CANDIDATES),
            field="seats",
        )
    return {
        "titles": check_texts(
            given.titles,
            assembly.languages,
            "titles",
            longest=MAX_TITLE,
            required=True,
            is_title=True,
        ),
        "texts": check_texts(given.texts, assembly.languages, "texts"),
        "majority_rule": given.majority_rule,
        "seats": seats,
    }


def _set_candidates(
    session: Session, assembly: Assembly, resolution: Resolution, given: ResolutionInput
) -> None:
    """Make the candidates those of ``given``, in that order; rows that stay keep their ids."""
    if resolution.kind == ResolutionKind.TEXT.value:
        return
    wanted = [one for one in given.candidates if one.name.strip()]
    if len(wanted) > MAX_CANDIDATES:
        raise InvalidInput(
            _("There are more than %(most)s candidates.", most=MAX_CANDIDATES),
            remedy=_("Split the election of people into several."),
            field="candidates",
        )
    present = {one.public_id: one for one in resolution.candidates}
    names: set[str] = set()
    kept: list[Candidate] = []
    for number, one in enumerate(wanted):
        name = " ".join(one.name.split())
        where = f"candidates-{number}-name"
        if len(name) > 200 or SEPARATOR in name:
            raise InvalidInput(
                _("“%(name)s” cannot be the name of a candidate.", name=name[:60]),
                remedy=_("Use at most 200 characters and no slash between spaces."),
                field=where,
            )
        if name.casefold() in names:
            raise InvalidInput(
                _("“%(name)s” is on the list twice.", name=name),
                remedy=_("Remove one, or add what tells the two people apart."),
                field=where,
            )
        names.add(name.casefold())
        statements = check_texts(
            one.statements, assembly.languages, f"candidates-{number}-statements", longest=5000
        )
        row = present.get(one.public_id) or Candidate(resolution_id=resolution.id)
        row.name, row.statements, row.position = name, statements, number + 1
        kept.append(row)
    resolution.candidates = kept
    session.flush()


def _done(
    session: Session, actor: Actor, assembly: Assembly, resolution: Resolution, what: str
) -> None:
    session.flush()
    for item in assembly.items:
        session.expire(item, ["resolutions"])
    audit.record(
        session,
        actor,
        f"assemblies:resolution:{what}",
        cooperative_id=assembly.cooperative_id,
        subject=assembly.public_id,
        data={"resolution": resolution.public_id},
    )
