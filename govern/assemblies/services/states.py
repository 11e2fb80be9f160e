"""Taking an assembly through its states: published, held, closed, or cancelled."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.assemblies.models import AgendaItem, Assembly
from govern.assemblies.rules import AssemblyMode, AssemblyState, allows
from govern.assemblies.services.editing import record, rules_of
from govern.assemblies.services.guards import lock_assembly, refuse_on_hold
from govern.assemblies.services.resolutions import resolution_obstacles
from govern.errors import ForbiddenTransition, InvalidInput, RuleViolation
from govern.voting.models import Election
from govern.voting.rules import ElectionState


@dataclass(frozen=True)
class MissingText:
    """A text that does not exist in one of the assembly's languages. ``what`` names it."""

    what: str
    language: str


def missing_texts(assembly: Assembly) -> list[MissingText]:
    """Titles and texts without a translation; pages show another language there, marked."""
    found: list[MissingText] = []
    for code in assembly.languages:
        if not assembly.titles.get(code):
            found.append(MissingText(_("Title of the assembly"), code))
        for item in assembly.items:
            found += _gaps(item, code)
    return found


def _gaps(item: AgendaItem, code: str) -> list[MissingText]:
    name = next(iter(item.titles.values()), "")
    found = [] if item.titles.get(code) else [MissingText(name, code)]
    if any(item.texts.values()) and not item.texts.get(code):
        found.append(MissingText(_("Text of “%(title)s”", title=name), code))
    for resolution in item.resolutions:
        title = next(iter(resolution.titles.values()), "")
        if not resolution.titles.get(code):
            found.append(MissingText(title, code))
        if any(resolution.texts.values()) and not resolution.texts.get(code):
            found.append(MissingText(_("Text of “%(title)s”", title=title), code))
    return found


def publication_obstacles(session: Session, assembly: Assembly) -> list[str]:
    """Sentences that say what a draft still lacks before it can be published."""
    lacks: list[str] = []
    if not assembly.items:
        lacks.append(_("The agenda is empty."))
    if assembly.starts_at <= clock.now():
        lacks.append(_("The assembly would already have begun."))
    if not assembly.place and assembly.mode != AssemblyMode.REMOTE.value:
        lacks.append(_("It is not said where the assembly takes place."))
    _row, rules = rules_of(session, assembly)
    for item in assembly.items:
        for resolution in item.resolutions:
            lacks += resolution_obstacles(rules, resolution)
    return lacks


def publish_assembly(session: Session, actor: Actor, assembly: Assembly) -> Assembly:
    """Show the assembly to everyone. Publishing twice is publishing once.

    Raises RuleViolation saying what is missing, ForbiddenTransition.
    """
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state == AssemblyState.CONVENED.value:
        return assembly
    refuse_on_hold(assembly.cooperative)
    _refuse_transition(assembly, AssemblyState.CONVENED)
    lacks = publication_obstacles(session, assembly)
    if lacks:
        raise RuleViolation(_("The assembly cannot be published yet."), remedy=" ".join(lacks))
    assembly.state, assembly.published_at = AssemblyState.CONVENED.value, clock.now()
    session.flush()
    record(session, actor, assembly, "published")
    return assembly


def hold_assembly(session: Session, actor: Actor, assembly: Assembly) -> Assembly:
    """Say that the assembly took place (not before it has begun)."""
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state == AssemblyState.HELD.value:
        return assembly
    _refuse_transition(assembly, AssemblyState.HELD)
    if clock.now() < assembly.starts_at:
        raise RuleViolation(
            _("The assembly has not begun yet."),
            remedy=_("Come back once it has begun, or cancel it."),
        )
    assembly.state, assembly.held_at = AssemblyState.HELD.value, clock.now()
    session.flush()
    record(session, actor, assembly, "held")
    return assembly


def close_assembly(session: Session, actor: Actor, assembly: Assembly) -> Assembly:
    """Close the file: nothing changes any more. Every election must be over."""
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state == AssemblyState.CLOSED.value:
        return assembly
    _refuse_transition(assembly, AssemblyState.CLOSED)
    running = _running_elections(assembly)
    if running:
        raise RuleViolation(
            _("A vote of this assembly is not finished."),
            remedy=_("Publish its result, or cancel it with a reason."),
        )
    assembly.state, assembly.closed_at = AssemblyState.CLOSED.value, clock.now()
    session.flush()
    record(session, actor, assembly, "closed")
    return assembly


def cancel_assembly(session: Session, actor: Actor, assembly: Assembly, reason: str) -> Assembly:
    """Call the assembly off. The page stays, with the reason; drafts are cancelled likewise.

    Raises RuleViolation while a vote of it is running (cancel that first), InvalidInput without
    a reason.
    """
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state == AssemblyState.CANCELLED.value:
        return assembly
    _refuse_transition(assembly, AssemblyState.CANCELLED)
    reason = reason.strip()
    if not 5 <= len(reason) <= 1000:
        raise InvalidInput(
            _("A reason is needed, from 5 to 1,000 characters."),
            remedy=_("Members will read it on the page and in the mail."),
            field="reason",
        )
    if _running_elections(assembly):
        raise RuleViolation(
            _("A vote of this assembly is being prepared or running."),
            remedy=_("Have the returning officer cancel it first."),
        )
    assembly.state, assembly.cancelled_at = AssemblyState.CANCELLED.value, clock.now()
    assembly.cancel_reason = reason
    session.flush()
    record(session, actor, assembly, "cancelled")
    return assembly


def _running_elections(assembly: Assembly) -> list[Election]:
    over = (ElectionState.PUBLISHED.value, ElectionState.CANCELLED.value)
    return [link.election for link in assembly.elections if link.election.state not in over]


def _refuse_transition(assembly: Assembly, wanted: AssemblyState) -> None:
    present = AssemblyState(assembly.state)
    if not allows(present, wanted):
        raise ForbiddenTransition(
            _("This step is not possible in the present state of the assembly."),
            remedy=_("Reload the page: it shows the steps that are possible now."),
        )
