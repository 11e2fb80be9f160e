"""What every change of an assembly asks first: who, in which state, and on top of what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.assemblies.models import Assembly, Notice, NoticeKind
from govern.assemblies.rules import AssemblyState, EditScope, edit_scope
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative, CooperativeStatus
from govern.errors import Conflict, InvalidInput, RuleViolation

MAX_TITLE = 300
MAX_TEXT = 20_000
SEPARATOR = " / "
"""Joins the languages in the sealed election (protocol), so no title may hold it."""


def lock_assembly(session: Session, assembly: Assembly) -> Assembly:
    """Hold the row until the transaction ends and read it afresh: changes follow each other."""
    session.flush()
    session.expire(assembly)
    return session.scalars(
        select(Assembly)
        .where(Assembly.id == assembly.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def notice_left(session: Session, assembly: Assembly) -> bool:
    """Whether the notice that convenes this assembly has been sent off."""
    return (
        session.scalar(
            select(Notice.id).where(
                Notice.assembly_id == assembly.id, Notice.kind == NoticeKind.CONVENING.value
            )
        )
        is not None
    )


def scope_of(session: Session, assembly: Assembly) -> EditScope:
    """What may still be changed in ``assembly``."""
    return edit_scope(AssemblyState(assembly.state), notice_left=notice_left(session, assembly))


def open_for_agenda(session: Session, actor: Actor, assembly: Assembly) -> Assembly:
    """Lock ``assembly`` for a change of its agenda or resolutions.

    Raises Forbidden, or RuleViolation when what members were convened to is fixed.
    """
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    scope = scope_of(session, assembly)
    if scope not in (EditScope.EVERYTHING, EditScope.ALL_BUT_THE_DAY):
        raise RuleViolation(
            _("The agenda can no longer be changed."),
            remedy=_(
                "Members have been convened to it, or the assembly is over. You can still add "
                "documents until the assembly is closed."
            ),
        )
    return assembly


def refuse_on_hold(cooperative: Cooperative) -> None:
    """Raise RuleViolation where nothing can be convened."""
    if cooperative.status == CooperativeStatus.ON_HOLD.value:
        raise RuleViolation(
            _(
                "%(name)s is on hold: it can be read, but nothing can be convened.",
                name=cooperative.name,
            ),
            remedy=_("Have the cooperative made active again first."),
        )


def revision(values: Mapping[str, Any]) -> str:
    """A short mark of what a form showed, to notice that somebody else changed it meanwhile."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def refuse_stale(seen: str | None, current: str) -> None:
    """Raise Conflict when the form was made from other values than the present ones."""
    if seen is not None and seen != current:
        raise Conflict(
            _("Somebody else changed this while you were typing. Nothing was saved."),
            remedy=_(
                "Open this page in another window, compare, and send again what you want to keep."
            ),
        )


def check_texts(
    texts: Mapping[str, str],
    languages: Iterable[str],
    field: str,
    *,
    longest: int = MAX_TEXT,
    required: bool = False,
    is_title: bool = False,
) -> dict[str, str]:
    """The texts in known languages, in fixed order, trimmed, the empty ones left out.

    Raises InvalidInput naming ``field-<language>``.
    """
    allowed = set(languages)
    kept: dict[str, str] = {}
    for code in LOCALES:
        text = texts.get(code, "").replace("\r\n", "\n").strip()
        if not text or code not in allowed:
            continue
        where = f"{field}-{code}"
        if len(text) > longest:
            raise InvalidInput(
                _("The text is longer than %(longest)s characters.", longest=longest),
                remedy=_("Shorten it, or attach a document."),
                field=where,
            )
        if any(ord(character) < 32 and character not in "\n\t" for character in text):
            raise InvalidInput(
                _("The text holds characters that cannot be printed."),
                remedy=_("Type it again instead of pasting it."),
                field=where,
            )
        if is_title:
            text = " ".join(text.split())
            if SEPARATOR in text:
                raise InvalidInput(
                    _("A title cannot hold a slash between spaces."),
                    remedy=_("Write “and” or a comma: the slash separates the languages."),
                    field=where,
                )
        kept[code] = text
    if required and not kept:
        first = next((code for code in LOCALES if code in allowed), "en")
        raise InvalidInput(
            _("A text is needed in at least one language."),
            remedy=_("Fill in one of the fields."),
            field=f"{field}-{first}",
        )
    return kept
