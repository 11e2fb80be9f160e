"""Assemblies."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.assemblies.rules import AssemblyKind, AssemblyMode, AssemblyState
from govern.cooperatives.models import Cooperative
from govern.database import UtcDateTime, make_public_id
from govern.extensions import db
from govern.register.models import Roll

if TYPE_CHECKING:
    from govern.assemblies.models.agenda import AgendaItem
    from govern.assemblies.models.documents import Document
    from govern.assemblies.models.notices import Notice
    from govern.assemblies.models.outcomes import AssemblyElection


def one_of(column: str, values: Any) -> str:
    """The SQL condition that ``column`` holds one of an enum's values."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Assembly(db.Model):  # type: ignore[name-defined]
    """One assembly of one cooperative.

    ``titles`` and ``introductions`` hold one text per language of ``languages`` (introductions in
    Markdown). ``links`` is a list of {"kind": a ``LinkKind``, "url": address}. The day
    of ``record_date`` and of ``objection_deadline`` are local calendar days.
    """

    __tablename__ = "assembly"
    __table_args__ = (
        UniqueConstraint("cooperative_id", "slug"),
        CheckConstraint(one_of("kind", AssemblyKind), name="kind_known"),
        CheckConstraint(one_of("mode", AssemblyMode), name="mode_known"),
        CheckConstraint(one_of("state", AssemblyState), name="state_known"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        CheckConstraint(
            "objection_deadline IS NULL OR objection_deadline >= record_date",
            name="objection_after_record",
        ),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_at"),
        CheckConstraint("state <> 'cancelled' OR cancel_reason <> ''", name="cancel_has_reason"),
        CheckConstraint(
            "state IN ('draft', 'cancelled') OR published_at IS NOT NULL", name="published_at"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    cooperative_id: Mapped[int] = mapped_column(ForeignKey("cooperative.id"), index=True)
    slug: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    mode: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default=AssemblyState.DRAFT.value)
    titles: Mapped[dict[str, str]] = mapped_column(JSON)
    introductions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    languages: Mapped[list[str]] = mapped_column(JSON)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    place: Mapped[str] = mapped_column(Text, default="")
    links: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    record_date: Mapped[date]
    objection_deadline: Mapped[date | None]
    second_of_id: Mapped[int | None] = mapped_column(ForeignKey("assembly.id"), unique=True)
    roll_id: Mapped[int | None] = mapped_column(ForeignKey("roll.id"), unique=True)
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    cooperative: Mapped[Cooperative] = relationship()
    second_of: Mapped[Assembly | None] = relationship(remote_side=[id])
    roll: Mapped[Roll | None] = relationship()
    items: Mapped[list[AgendaItem]] = relationship(
        back_populates="assembly", order_by="AgendaItem.position, AgendaItem.id"
    )
    documents: Mapped[list[Document]] = relationship(
        back_populates="assembly", order_by="Document.id"
    )
    notices: Mapped[list[Notice]] = relationship(back_populates="assembly", order_by="Notice.id")
    elections: Mapped[list[AssemblyElection]] = relationship(
        back_populates="assembly", order_by="AssemblyElection.id"
    )

    @property
    def is_public(self) -> bool:
        """Whether everyone may read it: published, even if cancelled since."""
        return self.published_at is not None
