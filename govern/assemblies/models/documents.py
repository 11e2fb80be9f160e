"""Documents of an assembly: the content is kept once, under its digest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.assemblies.models.assemblies import Assembly
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db

if TYPE_CHECKING:
    from govern.assemblies.models.agenda import AgendaItem


class DocumentContent(db.Model):  # type: ignore[name-defined]
    """The bytes of a document, named by their SHA-256 in hexadecimal."""

    __tablename__ = "document_content"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_length"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Document(db.Model):  # type: ignore[name-defined]
    """One document in one language ("" for a document that serves all), for an item or the whole.

    ``media_type`` was found in the content, not in the name.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("assembly_id", "item_id", "language", "digest"),
        CheckConstraint("size > 0", name="not_empty"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    assembly_id: Mapped[int] = mapped_column(ForeignKey("assembly.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id"), index=True)
    language: Mapped[str] = mapped_column(String(2), default="")
    title: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(ForeignKey("document_content.digest"), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    assembly: Mapped[Assembly] = relationship(back_populates="documents")
    item: Mapped[AgendaItem | None] = relationship(back_populates="documents")
    content: Mapped[DocumentContent] = relationship()
