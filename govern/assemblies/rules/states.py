"""The kinds and states of assemblies and agenda items, and which state may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class AssemblyKind(StrEnum):
    ORDINARY = "ordinary"
    EXTRAORDINARY = "extraordinary"


class AssemblyMode(StrEnum):
    PHYSICAL = "physical"
    HYBRID = "hybrid"
    REMOTE = "remote"


class AssemblyState(StrEnum):
    """``convened``: published, everyone can read it. ``held``: the day is over."""

    DRAFT = "draft"
    CONVENED = "convened"
    HELD = "held"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class AgendaKind(StrEnum):
    """What an agenda item is for; votes belong to decisions and elections."""

    DECISION = "decision"
    INFORMATION = "information"
    TAKE_NOTE = "take_note"
    ELECTION = "election"
    DISCUSSION = "discussion"
    WORKSHOP = "workshop"


class LinkKind(StrEnum):
    """Where a link of an assembly leads. ``stream`` is shown to members only."""

    STREAM = "stream"
    REGISTRATION = "registration"
    INFORMATION = "information"

    @property
    def members_only(self) -> bool:
        return self is LinkKind.STREAM


class ResolutionKind(StrEnum):
    """``text``: for, against or abstain. ``people``: some of the candidates, or blank."""

    TEXT = "text"
    PEOPLE = "people"


ASSEMBLY_TRANSITIONS: Mapping[AssemblyState, frozenset[AssemblyState]] = {
    AssemblyState.DRAFT: frozenset({AssemblyState.CONVENED, AssemblyState.CANCELLED}),
    AssemblyState.CONVENED: frozenset({AssemblyState.HELD, AssemblyState.CANCELLED}),
    AssemblyState.HELD: frozenset({AssemblyState.CLOSED}),
    AssemblyState.CLOSED: frozenset(),
    AssemblyState.CANCELLED: frozenset(),
}


class EditScope(StrEnum):
    """What may still be changed. Documents may be added in every scope but ``nothing``."""

    EVERYTHING = "everything"
    ALL_BUT_THE_DAY = "all_but_the_day"
    PRACTICAL = "practical"  # place and links
    DOCUMENTS = "documents"
    NOTHING = "nothing"


def edit_scope(state: AssemblyState, *, notice_left: bool) -> EditScope:
    """What may be changed in an assembly of that ``state``.

    The address of a published page names its day, so the day is fixed by publication. What
    members were convened to is fixed when the notice leaves: agenda and resolutions then stand.
    """
    if state is AssemblyState.DRAFT:
        return EditScope.EVERYTHING
    if state is AssemblyState.CONVENED:
        return EditScope.PRACTICAL if notice_left else EditScope.ALL_BUT_THE_DAY
    if state is AssemblyState.HELD:
        return EditScope.DOCUMENTS
    return EditScope.NOTHING


VOTED_ON: Mapping[AgendaKind, ResolutionKind] = {
    AgendaKind.DECISION: ResolutionKind.TEXT,
    AgendaKind.ELECTION: ResolutionKind.PEOPLE,
}
"""The kind of resolution that an agenda item may carry; other kinds of item carry none."""

DEEPEST = 3
"""How deep agenda items nest: 1, 1.1, 1.1.1."""


def allows(present: AssemblyState, wanted: AssemblyState) -> bool:
    """Whether ``wanted`` may follow ``present``."""
    return wanted in ASSEMBLY_TRANSITIONS[present]
