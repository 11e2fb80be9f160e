"""Documents of an assembly: put in, read, taken out again."""

from __future__ import annotations

import hashlib

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.assemblies.filetypes import ENDINGS, MAX_BYTES, FileType, detect_type, safe_filename
from govern.assemblies.models import AgendaItem, Assembly, Document, DocumentContent
from govern.assemblies.rules import EditScope
from govern.assemblies.services.elections import describe_votes_again, vote_is_fixed
from govern.assemblies.services.guards import lock_assembly, scope_of
from govern.errors import InvalidInput, NotFound, RuleViolation

MAX_DOCUMENTS = 200


def add_document(
    session: Session,
    actor: Actor,
    assembly: Assembly,
    *,
    title: str,
    filename: str,
    content: bytes,
    language: str = "",
    item: AgendaItem | None = None,
) -> Document:
    """Add a document. The same content for the same item and language again is the same row.

    ``language`` "" means that it serves all. Raises InvalidInput for a file that is empty, too
    large or of a kind that is not accepted; RuleViolation once the assembly is closed, and for an
    item on which a vote is fixed: the election's fingerprint covers the digest of its documents.
    Before that, the vote takes up the document.
    """
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if scope_of(session, assembly) is EditScope.NOTHING:
        raise RuleViolation(
            _("Documents can no longer be added."),
            remedy=_("The assembly was closed or cancelled."),
        )
    if item is not None and item.assembly_id != assembly.id:
        raise NotFound(_("There is no such agenda item."), remedy=_("Reload the page."))
    if language and language not in assembly.languages:
        raise InvalidInput(
            _("The assembly is not held in that language."),
            remedy=_("Choose one of its languages."),
            field="language",
        )
    title = " ".join(title.split())
    if not 1 <= len(title) <= 200:
        raise InvalidInput(
            _("A document needs a title of at most 200 characters."),
            remedy=_("Write what members will see in the list."),
            field="title",
        )
    kind = _checked_kind(content)
    digest = hashlib.sha256(content).hexdigest()
    item_id = item.id if item is not None else None
    same = session.scalar(
        select(Document).where(
            Document.assembly_id == assembly.id,
            Document.item_id.is_not_distinct_from(item_id),
            Document.language == language,
            Document.digest == digest,
        )
    )
    if same is not None:
        return same
    if item is not None and vote_is_fixed(item):
        raise RuleViolation(
            _("The vote on this item is fixed, with the documents that it has now."),
            remedy=_(
                "Add the document to the assembly as a whole, or have the returning officer "
                "cancel the vote first."
            ),
            field="item",
        )
    if len(assembly.documents) >= MAX_DOCUMENTS:
        raise RuleViolation(
            _("An assembly has at most %(most)s documents.", most=MAX_DOCUMENTS),
            remedy=_("Join some of them into one file."),
        )
    if session.get(DocumentContent, digest) is None:
        session.add(DocumentContent(digest=digest, size=len(content), content=content))
        session.flush()
    document = Document(
        assembly_id=assembly.id,
        item_id=item_id,
        language=language,
        title=title,
        filename=safe_filename(filename, kind),
        media_type=kind.media_type,
        size=len(content),
        digest=digest,
        added_at=clock.now(),
    )
    session.add(document)
    session.flush()
    session.expire(assembly, ["documents"])
    if item is not None:
        session.expire(item, ["documents"])
        describe_votes_again(session, item)
    _record(session, actor, assembly, document, "added")
    return document


def _checked_kind(content: bytes) -> FileType:
    if not content:
        raise InvalidInput(
            _("The file is empty."), remedy=_("Choose the file again."), field="file"
        )
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            _("The file is larger than 20 MB."),
            remedy=_("Make it smaller, for example by reducing its pictures."),
            field="file",
        )
    kind = detect_type(content)
    if kind is None:
        raise InvalidInput(
            _("A file of this kind is not accepted, or it is damaged."),
            remedy=_("Accepted are: %(endings)s.", endings=", ".join(ENDINGS)),
            field="file",
        )
    return kind


def remove_document(session: Session, actor: Actor, document: Document) -> None:
    """Take a document out, before the notice has left; afterwards members count on it."""
    assembly = document.assembly
    actor.require(Permission.ASSEMBLY_EDIT, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if scope_of(session, assembly) not in (EditScope.EVERYTHING, EditScope.ALL_BUT_THE_DAY):
        raise RuleViolation(
            _("Documents that members were convened with stay."),
            remedy=_("Add a corrected version; its date will show."),
        )
    if document.item is not None and any(one.election_id for one in document.item.resolutions):
        raise RuleViolation(
            _("A vote has been prepared on this item, with this document."),
            remedy=_("Have the returning officer cancel the vote first."),
        )
    digest, item = document.digest, document.item
    session.delete(document)
    session.flush()
    if item is not None:
        session.expire(item, ["documents"])
    used = session.scalar(select(Document.id).where(Document.digest == digest).limit(1))
    if used is None:
        content = session.get(DocumentContent, digest)
        if content is not None:
            session.delete(content)
    session.flush()
    session.expire(assembly, ["documents"])
    _record(session, actor, assembly, document, "removed")


def read_document(session: Session, actor: Actor, public_id: str) -> tuple[Document, bytes]:
    """A document and its bytes; NotFound for one of a draft, unless the actor may edit it."""
    document = session.scalar(select(Document).where(Document.public_id == public_id))
    if document is None or not (
        document.assembly.is_public
        or actor.may(Permission.ASSEMBLY_EDIT, document.assembly.cooperative_id)
    ):
        raise NotFound(
            _("There is no such document."), remedy=_("It may have been removed meanwhile.")
        )
    return document, document.content.content


def _record(
    session: Session, actor: Actor, assembly: Assembly, document: Document, what: str
) -> None:
    audit.record(
        session,
        actor,
        f"assemblies:document:{what}",
        cooperative_id=assembly.cooperative_id,
        subject=assembly.public_id,
        data={"document": document.public_id, "digest": document.digest},
    )
