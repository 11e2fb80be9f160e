"""The agenda: a tree of items, moved up, down, in and out one step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor
from govern.assemblies.models import AgendaItem, Assembly
from govern.assemblies.rules import DEEPEST, VOTED_ON, AgendaKind
from govern.assemblies.services.guards import (
    MAX_TITLE,
    check_texts,
    open_for_agenda,
    refuse_stale,
    revision,
)
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation

MAX_ITEMS = 200
MOVES = ("up", "down", "in", "out")


@dataclass(frozen=True)
class ItemInput:
    """What is typed about an agenda item."""

    kind: str
    titles: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    duration_minutes: int | None = None
    presented_by: str = ""


@dataclass(frozen=True)
class AgendaNode:
    """An item in its place: its ``number`` ("2.1") and the ``moves`` that it can make."""

    item: AgendaItem
    number: str
    depth: int
    children: tuple[AgendaNode, ...]
    moves: frozenset[str]

    def walk(self) -> Iterator[AgendaNode]:
        """This node and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


def agenda_tree(assembly: Assembly) -> tuple[AgendaNode, ...]:
    """The agenda of ``assembly``, numbered."""
    below: dict[int | None, list[AgendaItem]] = {}
    for item in assembly.items:
        below.setdefault(item.parent_id, []).append(item)
    return _nodes(below, None, "", 1)


def agenda_list(assembly: Assembly) -> list[AgendaNode]:
    """All nodes in reading order."""
    return [node for top in agenda_tree(assembly) for node in top.walk()]


def _nodes(
    below: Mapping[int | None, Sequence[AgendaItem]], parent: int | None, prefix: str, depth: int
) -> tuple[AgendaNode, ...]:
    items = below.get(parent, ())
    nodes = []
    for index, item in enumerate(items):
        number = f"{prefix}{index + 1}"
        children = _nodes(below, item.id, f"{number}.", depth + 1)
        moves = set()
        if index > 0:
            moves.add("up")
            if depth + _height(children) < DEEPEST:
                moves.add("in")
        if index < len(items) - 1:
            moves.add("down")
        if depth > 1:
            moves.add("out")
        nodes.append(AgendaNode(item, number, depth, children, frozenset(moves)))
    return tuple(nodes)


def _height(children: Sequence[AgendaNode]) -> int:
    return max((1 + _height(child.children) for child in children), default=0)


def find_item(session: Session, assembly: Assembly, public_id: str) -> AgendaItem:
    """The item of ``assembly`` with that public id; NotFound otherwise."""
    found = session.scalar(
        select(AgendaItem).where(
            AgendaItem.assembly_id == assembly.id, AgendaItem.public_id == public_id
        )
    )
    if found is None:
        raise NotFound(
            _("There is no such agenda item."), remedy=_("It may have been removed meanwhile.")
        )
    return found


def add_item(
    session: Session,
    actor: Actor,
    assembly: Assembly,
    given: ItemInput,
    *,
    under: AgendaItem | None = None,
) -> AgendaItem:
    """Append an item to the agenda, or below another item.

    Raises RuleViolation once the agenda is fixed, InvalidInput naming the field.
    """
    assembly = open_for_agenda(session, actor, assembly)
    values = _checked(assembly, given)
    if len(assembly.items) >= MAX_ITEMS:
        raise RuleViolation(
            _("An agenda has at most %(most)s items.", most=MAX_ITEMS),
            remedy=_("Put details into the text of an item."),
        )
    if under is not None and _depth(session, under) >= DEEPEST:
        raise RuleViolation(
            _("Items nest at most %(deepest)s levels deep.", deepest=DEEPEST),
            remedy=_("Add it one level higher."),
        )
    parent_id = under.id if under is not None else None
    item = AgendaItem(
        assembly_id=assembly.id,
        parent_id=parent_id,
        position=_last_position(session, assembly, parent_id) + 1,
        **values,
    )
    session.add(item)
    _done(session, actor, assembly, item, "added")
    return item


def edit_item(
    session: Session,
    actor: Actor,
    item: AgendaItem,
    given: ItemInput,
    *,
    seen: str | None = None,
) -> AgendaItem:
    """Change an item. Raises Conflict when somebody else was faster.

    The kind stays while resolutions hang on it that the new kind could not carry.
    """
    assembly = open_for_agenda(session, actor, item.assembly)
    session.refresh(item)
    refuse_stale(seen, item_revision(item))
    values = _checked(assembly, given)
    carried = VOTED_ON.get(AgendaKind(given.kind))
    if any(carried is None or resolution.kind != carried.value for resolution in item.resolutions):
        raise RuleViolation(
            _("An item of this kind cannot carry the resolutions that hang on it."),
            remedy=_("Remove the resolutions first, or keep the kind."),
            field="kind",
        )
    for key, value in values.items():
        setattr(item, key, value)
    _done(session, actor, assembly, item, "edited")
    return item


def item_revision(item: AgendaItem) -> str:
    """The mark of what an edit form shows of ``item``."""
    return revision(asdict(item_input(item)))


def item_input(item: AgendaItem) -> ItemInput:
    """The present values, as they would be typed."""
    return ItemInput(
        kind=item.kind,
        titles=dict(item.titles),
        texts=dict(item.texts),
        duration_minutes=item.duration_minutes,
        presented_by=item.presented_by,
    )


def move_item(session: Session, actor: Actor, item: AgendaItem, move: str) -> None:
    """Move ``item`` one step: up, down, in (below the one before) or out (after its parent).

    A step that is not possible any more (somebody else moved it) is a Conflict.
    """
    assembly = open_for_agenda(session, actor, item.assembly)
    session.refresh(assembly, ["items"])
    node = next(node for node in agenda_list(assembly) if node.item.id == item.id)
    if move not in node.moves:
        raise Conflict(
            _("The item cannot be moved that way."),
            remedy=_("Reload the page: somebody else may have moved it."),
        )
    siblings = [other for other in assembly.items if other.parent_id == item.parent_id]
    place = siblings.index(item)
    if move in ("up", "down"):
        other = place - 1 if move == "up" else place + 1
        siblings[place], siblings[other] = siblings[other], siblings[place]
    elif move == "in":
        parent = siblings[place - 1]
        siblings.remove(item)
        item.position = _last_position(session, assembly, parent.id) + 1
        item.parent_id = parent.id
    else:
        parent = next(other for other in assembly.items if other.id == item.parent_id)
        siblings.remove(item)
        above = [other for other in assembly.items if other.parent_id == parent.parent_id]
        above.insert(above.index(parent) + 1, item)
        item.parent_id = parent.parent_id
        _number(above)
    _number(siblings)
    _done(session, actor, assembly, item, "moved")


@dataclass(frozen=True)
class Removal:
    """What goes when an item is removed: itself and everything below it."""

    items: int
    resolutions: int
    documents: int


def removal_of(assembly: Assembly, item: AgendaItem) -> Removal:
    """Count what ``remove_item`` would take away."""
    gone = [node.item for node in _subtree(assembly, item)]
    return Removal(
        items=len(gone),
        resolutions=sum(len(one.resolutions) for one in gone),
        documents=sum(len(one.documents) for one in gone),
    )


def remove_item(session: Session, actor: Actor, item: AgendaItem) -> None:
    """Remove an item with everything below it.

    RuleViolation while one of its resolutions is in an election that was not cancelled.
    """
    assembly = open_for_agenda(session, actor, item.assembly)
    session.refresh(assembly, ["items"])
    gone = [node.item for node in _subtree(assembly, item)]
    if any(resolution.election_id for one in gone for resolution in one.resolutions):
        raise RuleViolation(
            _("A vote has been prepared on this item."),
            remedy=_("Have the returning officer cancel the vote first."),
        )
    siblings = [
        other for other in assembly.items if other.parent_id == item.parent_id and other != item
    ]
    for one in reversed(gone):
        for document in list(one.documents):
            session.delete(document)
        session.flush()
        session.delete(one)
        session.flush()
    _number(siblings)
    _done(session, actor, assembly, item, "removed")


def _subtree(assembly: Assembly, item: AgendaItem) -> list[AgendaNode]:
    node = next(node for node in agenda_list(assembly) if node.item.id == item.id)
    return list(node.walk())


def _depth(session: Session, item: AgendaItem) -> int:
    depth, parent = 1, item.parent
    while parent is not None:
        depth, parent = depth + 1, parent.parent
    return depth


def _number(siblings: Sequence[AgendaItem]) -> None:
    for position, sibling in enumerate(siblings, start=1):
        sibling.position = position


def _last_position(session: Session, assembly: Assembly, parent_id: int | None) -> int:
    return (
        session.scalar(
            select(func.max(AgendaItem.position)).where(
                AgendaItem.assembly_id == assembly.id,
                AgendaItem.parent_id.is_not_distinct_from(parent_id),
            )
        )
        or 0
    )


def _checked(assembly: Assembly, given: ItemInput) -> dict[str, object]:
    if given.kind not in {kind.value for kind in AgendaKind}:
        raise InvalidInput(
            _("“%(value)s” is not one of the choices.", value=given.kind),
            remedy=_("Choose one from the list."),
            field="kind",
        )
    minutes = given.duration_minutes
    if minutes is not None and not 1 <= minutes <= 1440:
        raise InvalidInput(
            _("An item lasts between 1 minute and a day."),
            remedy=_("Write the number of minutes, or nothing."),
            field="duration_minutes",
        )
    if len(given.presented_by) > 200:
        raise InvalidInput(
            _("The names are longer than 200 characters."),
            remedy=_("Shorten them."),
            field="presented_by",
        )
    return {
        "kind": given.kind,
        "titles": check_texts(
            given.titles,
            assembly.languages,
            "titles",
            longest=MAX_TITLE,
            required=True,
            is_title=True,
        ),
        "texts": check_texts(given.texts, assembly.languages, "texts"),
        "duration_minutes": minutes,
        "presented_by": " ".join(given.presented_by.split()),
    }


def _done(session: Session, actor: Actor, assembly: Assembly, item: AgendaItem, what: str) -> None:
    session.flush()
    session.expire(assembly, ["items", "documents"])
    audit.record(
        session,
        actor,
        f"assemblies:agenda:{what}",
        cooperative_id=assembly.cooperative_id,
        subject=assembly.public_id,
        data={"item": item.public_id},
    )
