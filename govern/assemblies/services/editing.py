"""Making an assembly and changing what may still be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.assemblies.models import Assembly
from govern.assemblies.rules import (
    AssemblyKind,
    AssemblyMode,
    AssemblyState,
    EditScope,
    LinkKind,
    local_day,
)
from govern.assemblies.services.guards import (
    MAX_TITLE,
    check_texts,
    lock_assembly,
    refuse_on_hold,
    refuse_stale,
    revision,
    scope_of,
)
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Rules
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation

MAX_LINKS = 10


@dataclass(frozen=True)
class AssemblyInput:
    """What is typed about an assembly. Instants are aware; days are local calendar days."""

    kind: str
    mode: str
    titles: Mapping[str, str]
    languages: Sequence[str]
    starts_at: datetime
    record_date: date
    ends_at: datetime | None = None
    place: str = ""
    introductions: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[Mapping[str, str]] = ()
    objection_deadline: date | None = None
    second_of_id: int | None = None


def create_assembly(
    session: Session, actor: Actor, cooperative: Cooperative, given: AssemblyInput
) -> Assembly:
    """Make a draft. Its address names its day (``2018-06-19``, then ``2018-06-19-2``).

    Raises Forbidden, RuleViolation (on hold, no rule set), InvalidInput naming the field.
    """
    actor.require(Permission.ASSEMBLY_EDIT, cooperative.id)
    refuse_on_hold(cooperative)
    values = _checked(session, cooperative, given, assembly_id=None)
    assembly = Assembly(
        cooperative_id=cooperative.id,
        slug=_free_slug(session, cooperative, given.starts_at),
        created_at=clock.now(),
        **values,
    )
    session.add(assembly)
    session.flush()
    record(session, actor, assembly, "created")
    return assembly


def edit_assembly(
    session: Session,
    actor: Actor,
    assembly: Assembly,
    given: AssemblyInput,
    *,
    seen: str | None = None,
) -> Assembly:
    """Change what may still be changed; ``seen`` is the revision that the form showed.

    Raises Conflict when somebody else was faster, RuleViolation for a change that comes too late.
    """
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    refuse_stale(seen, assembly_revision(assembly))
    scope = scope_of(session, assembly)
    if scope in (EditScope.NOTHING, EditScope.DOCUMENTS):
        raise RuleViolation(
            _("This assembly can no longer be changed."),
            remedy=_("It was held, closed or cancelled."),
        )
    values = _checked(session, assembly.cooperative, given, assembly_id=assembly.id)
    if scope is EditScope.PRACTICAL:
        values = {key: values[key] for key in ("place", "links")}
    if scope is EditScope.ALL_BUT_THE_DAY:
        _refuse_other_day(assembly, given)
    if scope is EditScope.EVERYTHING and _day_of(assembly.cooperative, given.starts_at) != _day_of(
        assembly.cooperative, assembly.starts_at
    ):
        assembly.slug = _free_slug(session, assembly.cooperative, given.starts_at)
    if assembly.roll_id is not None and values.get("record_date", assembly.record_date) != (
        assembly.record_date
    ):
        raise RuleViolation(
            _("The roll has been taken: the record date stays."),
            remedy=_("Correct single entries of the roll instead."),
            field="record_date",
        )
    for key, value in values.items():
        setattr(assembly, key, value)
    session.flush()
    record(session, actor, assembly, "edited")
    return assembly


def assembly_revision(assembly: Assembly) -> str:
    """The mark of what an edit form shows of ``assembly``."""
    return revision(asdict(input_of(assembly)))


def input_of(assembly: Assembly) -> AssemblyInput:
    """The present values, as they would be typed."""
    return AssemblyInput(
        kind=assembly.kind,
        mode=assembly.mode,
        titles=dict(assembly.titles),
        languages=list(assembly.languages),
        starts_at=assembly.starts_at,
        record_date=assembly.record_date,
        ends_at=assembly.ends_at,
        place=assembly.place,
        introductions=dict(assembly.introductions),
        links=[dict(link) for link in assembly.links],
        objection_deadline=assembly.objection_deadline,
        second_of_id=assembly.second_of_id,
    )


# -- checks -----------------------------------------------------------------------------------


def rules_of(session: Session, assembly: Assembly) -> tuple[Any, Rules]:
    """The rule set of the day of ``assembly`` and what it says."""
    day = _day_of(assembly.cooperative, assembly.starts_at)
    return rules_on(session, assembly.cooperative_id, day)


def find_assembly(session: Session, cooperative: Cooperative, slug: str) -> Assembly:
    """The assembly with that address; NotFound otherwise."""
    found = session.scalar(
        select(Assembly).where(Assembly.cooperative_id == cooperative.id, Assembly.slug == slug)
    )
    if found is None:
        raise NotFound(
            _("There is no such assembly."), remedy=_("Choose one from the list of assemblies.")
        )
    return found


def _day_of(cooperative: Cooperative, instant: datetime) -> date:
    return local_day(instant, cooperative.time_zone)


def _free_slug(session: Session, cooperative: Cooperative, starts_at: datetime) -> str:
    day = _day_of(cooperative, starts_at).isoformat()
    taken = set(
        session.scalars(
            select(Assembly.slug).where(
                Assembly.cooperative_id == cooperative.id, Assembly.slug.startswith(day)
            )
        )
    )
    number = 1
    while (slug := day if number == 1 else f"{day}-{number}") in taken:
        number += 1
    return slug


def _refuse_other_day(assembly: Assembly, given: AssemblyInput) -> None:
    cooperative = assembly.cooperative
    if _day_of(cooperative, given.starts_at) != _day_of(cooperative, assembly.starts_at):
        raise RuleViolation(
            _("The day of a published assembly stays: its address names it."),
            remedy=_("Cancel this assembly with a reason and convene another one."),
            field="starts_on",
        )


def _checked(
    session: Session, cooperative: Cooperative, given: AssemblyInput, *, assembly_id: int | None
) -> dict[str, Any]:
    """The columns for ``given``; InvalidInput naming the field."""
    _choice(given.kind, AssemblyKind, "kind")
    _choice(given.mode, AssemblyMode, "mode")
    languages = [code for code in cooperative.languages if code in set(given.languages)]
    if not languages or len(languages) != len(set(given.languages)):
        raise InvalidInput(
            _("Choose at least one of the languages of the cooperative."),
            remedy=_("Tick one or more languages."),
            field="languages",
        )
    day = _day_of(cooperative, given.starts_at)
    rules_on(session, cooperative.id, day)
    if given.ends_at is not None and given.ends_at <= given.starts_at:
        raise InvalidInput(
            _("The assembly would end before it begins."),
            remedy=_("Correct the times."),
            field="ends_at",
        )
    if given.record_date > day:
        raise InvalidInput(
            _("The record date lies after the assembly."),
            remedy=_("Choose the day of the assembly or an earlier one."),
            field="record_date",
        )
    deadline = given.objection_deadline
    if deadline is not None and not given.record_date <= deadline <= day:
        raise InvalidInput(
            _("Objections must be possible from the record date on, and not after the assembly."),
            remedy=_("Choose a day between the two."),
            field="objection_deadline",
        )
    if len(given.place) > 1000:
        raise InvalidInput(
            _("The place is longer than 1,000 characters."), remedy=_("Shorten it."), field="place"
        )
    return {
        "kind": given.kind,
        "mode": given.mode,
        "titles": check_texts(
            given.titles, languages, "titles", longest=MAX_TITLE, required=True, is_title=True
        ),
        "introductions": check_texts(given.introductions, languages, "introductions"),
        "languages": languages,
        "starts_at": given.starts_at,
        "ends_at": given.ends_at,
        "place": given.place.strip(),
        "links": _checked_links(given.links),
        "record_date": given.record_date,
        "objection_deadline": deadline,
        "second_of_id": _checked_second(session, cooperative, given, assembly_id),
    }


def _choice(value: str, known: Any, name: str) -> None:
    if value not in {item.value for item in known}:
        raise InvalidInput(
            _("“%(value)s” is not one of the choices.", value=value),
            remedy=_("Choose one from the list."),
            field=name,
        )


def _checked_links(links: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    kept: list[dict[str, str]] = []
    if len(links) > MAX_LINKS:
        raise InvalidInput(
            _("There are more than %(most)s links.", most=MAX_LINKS),
            remedy=_("Keep the ones that people need."),
            field="links",
        )
    for number, link in enumerate(links):
        url = link.get("url", "").strip()
        if not url:
            continue
        _choice(link.get("kind", ""), LinkKind, f"links-{number}-kind")
        if not _is_web_address(url):
            raise InvalidInput(
                _("“%(url)s” is not the address of a web page.", url=url[:80]),
                remedy=_("It begins with https://."),
                field=f"links-{number}-url",
            )
        kept.append({"kind": link["kind"], "url": url})
    return kept


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= 500
    except ValueError:
        return False


def _checked_second(
    session: Session, cooperative: Cooperative, given: AssemblyInput, assembly_id: int | None
) -> int | None:
    if given.second_of_id is None:
        return None
    first = session.get(Assembly, given.second_of_id)
    if (
        first is None
        or first.id == assembly_id
        or first.cooperative_id != cooperative.id
        or first.state not in (AssemblyState.HELD.value, AssemblyState.CLOSED.value)
        or first.starts_at >= given.starts_at
    ):
        raise InvalidInput(
            _("A second assembly follows an earlier one of this cooperative that was held."),
            remedy=_("Choose that assembly, or none."),
            field="second_of",
        )
    other = session.scalar(
        select(Assembly.id).where(
            Assembly.second_of_id == first.id, Assembly.id != (assembly_id or 0)
        )
    )
    if other is not None:
        raise Conflict(
            _("That assembly already has a second one."),
            remedy=_("Choose another, or none."),
            field="second_of",
        )
    return first.id


def record(session: Session, actor: Actor, assembly: Assembly, what: str) -> None:
    """Write down in the audit log what happened to ``assembly``."""
    audit.record(
        session,
        actor,
        f"assemblies:assembly:{what}",
        cooperative_id=assembly.cooperative_id,
        subject=assembly.public_id,
    )
