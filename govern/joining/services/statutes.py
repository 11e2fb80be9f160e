"""Recording the statutes, and which version somebody consents to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from govern import audit, clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.i18n import current_language
from govern.joining.models import Statutes, StatutesText
from govern.joining.models.statutes import MARKDOWN, PDF

MAX_BYTES = 10 * 1024 * 1024


def add_statutes(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    version: str,
    adopted_on: date,
    texts: Mapping[str, bytes],
) -> Statutes:
    """Record a version with its text per language (PDF or Markdown bytes; at least one).

    Raises InvalidInput naming the field, Conflict where the version exists, RuleViolation for a
    day to come.
    """
    actor.require(Permission.RULES_MANAGE, cooperative.id)
    name = " ".join(version.split())
    if not 1 <= len(name) <= 40:
        raise InvalidInput(
            _("A version has a name of 1 to 40 characters."),
            remedy=_("Use the number or the year by which people know it."),
            field="version",
        )
    if adopted_on > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("Statutes are in force from the day on which they were adopted."),
            remedy=_("Record them on that day or later."),
            field="adopted_on",
        )
    if not texts:
        raise InvalidInput(
            _("The text of the statutes is missing."),
            remedy=_("Give a PDF or a text in one language at least."),
            field="version",
        )
    known = select(Statutes.id).where(
        Statutes.cooperative_id == cooperative.id, Statutes.version == name
    )
    if session.scalar(known) is not None:
        raise Conflict(
            _("The version “%(version)s” is recorded already.", version=name),
            remedy=_("Give the new version another name."),
            field="version",
        )
    row = Statutes(
        cooperative_id=cooperative.id,
        version=name,
        adopted_on=adopted_on,
        recorded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    for language in LOCALES:
        if language in texts:
            _put_text(session, row, language, texts[language])
    session.expire(row, ["texts"])
    _record(session, actor, row, "added")
    return row


def add_statutes_text(
    session: Session, actor: Actor, statutes: Statutes, language: str, content: bytes
) -> StatutesText:
    """Add a translation to a version; a text that is there is never replaced (Conflict)."""
    actor.require(Permission.RULES_MANAGE, statutes.cooperative_id)
    if language not in LOCALES:
        raise InvalidInput(
            _("There is no such language."), remedy=_("Choose one from the list."), field="language"
        )
    if any(text.language == language for text in statutes.texts):
        raise Conflict(
            _("This version has a text in that language already."),
            remedy=_("People have consented to it: record a new version instead."),
            field="language",
        )
    text = _put_text(session, statutes, language, content)
    session.expire(statutes, ["texts"])
    _record(session, actor, statutes, "translated")
    return text


def _put_text(session: Session, statutes: Statutes, language: str, content: bytes) -> StatutesText:
    text = StatutesText(
        statutes_id=statutes.id,
        language=language,
        media_type=media_type_of(content, f"text_{language}"),
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        recorded_at=clock.now(),
    )
    session.add(text)
    session.flush()
    return text


def media_type_of(content: bytes, field: str) -> str:
    """PDF or Markdown, found in the content itself. Raises InvalidInput naming ``field``."""
    if not content.strip():
        raise InvalidInput(_("The text is empty."), remedy=_("Choose the file again."), field=field)
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than 10 MB."),
            remedy=_("Make it smaller, for example by reducing its pictures."),
            field=field,
        )
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise InvalidInput(
                _("The end of this PDF is missing."), remedy=_("Save it again."), field=field
            )
        return PDF
    try:
        is_text = "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise InvalidInput(
            _("This is neither a PDF nor a text."),
            remedy=_("Save the statutes as a PDF and choose that file."),
            field=field,
        )
    return MARKDOWN


def _record(session: Session, actor: Actor, row: Statutes, action: str) -> None:
    audit.record(
        session,
        actor,
        f"joining:statutes:{action}",
        cooperative_id=row.cooperative_id,
        subject=f"statutes:{row.public_id}",
        data={text.language: text.digest for text in row.texts},
    )


def list_statutes(session: Session, cooperative_id: int) -> list[Statutes]:
    """Every version, the newest first."""
    query = (
        select(Statutes)
        .where(Statutes.cooperative_id == cooperative_id)
        .order_by(Statutes.adopted_on.desc(), Statutes.id.desc())
        .options(selectinload(Statutes.texts))
    )
    return list(session.scalars(query))


def statutes_in_force(session: Session, cooperative_id: int, day: date) -> Statutes | None:
    """The version adopted last by ``day``, None where none is recorded."""
    return next(
        (row for row in list_statutes(session, cooperative_id) if row.adopted_on <= day), None
    )


def statutes_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Statutes:
    """That version of that cooperative; NotFound otherwise."""
    row = session.scalar(
        select(Statutes).where(
            Statutes.public_id == public_id, Statutes.cooperative_id == cooperative.id
        )
    )
    if row is None:
        raise NotFound(
            _("There is no such version of the statutes."), remedy=_("Choose one from the list.")
        )
    return row


def text_for(statutes: Statutes, language: str | None = None) -> StatutesText:
    """The text in ``language`` (default: that of the page), or in another where it is missing."""
    wanted = language or current_language()
    by_language = {text.language: text for text in statutes.texts}
    for code in (wanted, *LOCALES):
        if code in by_language:
            return by_language[code]
    raise NotFound(_("This version has no text."), remedy=_("Ask the cooperative for it."))
