"""The agenda, and what is put to the vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.assemblies.models.assemblies import Assembly, one_of
from govern.assemblies.rules import AgendaKind, ResolutionKind
from govern.database import make_public_id
from govern.extensions import db
from govern.voting.models import Election

if TYPE_CHECKING:
    from govern.assemblies.models.documents import Document
    from govern.assemblies.models.outcomes import RecordedOutcome


class AgendaItem(db.Model):  # type: ignore[name-defined]
    """One item of an agenda; items nest. ``position`` orders the items under one parent."""

    __tablename__ = "agenda_item"
    __table_args__ = (
        CheckConstraint(one_of("kind", AgendaKind), name="kind_known"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("duration_minutes IS NULL OR duration_minutes > 0", name="lasts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    assembly_id: Mapped[int] = mapped_column(ForeignKey("assembly.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    titles: Mapped[dict[str, str]] = mapped_column(JSON)
    texts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    duration_minutes: Mapped[int | None]
    presented_by: Mapped[str] = mapped_column(String(200), default="")

    assembly: Mapped[Assembly] = relationship(back_populates="items")
    parent: Mapped[AgendaItem | None] = relationship(remote_side=[id])
    resolutions: Mapped[list[Resolution]] = relationship(
        back_populates="item",
        order_by="Resolution.position, Resolution.id",
        cascade="all, delete-orphan",
    )
    documents: Mapped[list[Document]] = relationship(back_populates="item", order_by="Document.id")


class Resolution(db.Model):  # type: ignore[name-defined]
    """A text put to the vote (for, against, abstain), or seats to be filled.

    ``majority_rule`` is a code of the rule set of the assembly's day. ``election_id`` is the
    binding election that decides it; its question there is ``question_key``.
    """

    __tablename__ = "resolution"
    __table_args__ = (
        CheckConstraint(one_of("kind", ResolutionKind), name="kind_known"),
        CheckConstraint("(kind = 'people') = (seats IS NOT NULL)", name="people_fill_seats"),
        CheckConstraint("seats IS NULL OR seats > 0", name="seats_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    item_id: Mapped[int] = mapped_column(ForeignKey("agenda_item.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    titles: Mapped[dict[str, str]] = mapped_column(JSON)
    texts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    majority_rule: Mapped[str] = mapped_column(String(40))
    seats: Mapped[int | None]
    election_id: Mapped[int | None] = mapped_column(ForeignKey("election.id"), index=True)

    item: Mapped[AgendaItem] = relationship(back_populates="resolutions")
    election: Mapped[Election | None] = relationship()
    candidates: Mapped[list[Candidate]] = relationship(
        back_populates="resolution",
        order_by="Candidate.position, Candidate.id",
        cascade="all, delete-orphan",
    )
    outcome: Mapped[RecordedOutcome | None] = relationship(back_populates="resolution")

    @property
    def question_key(self) -> str:
        """The name of its question in every election that asks it, trial or binding."""
        return self.public_id

    @property
    def is_about_people(self) -> bool:
        return self.kind == ResolutionKind.PEOPLE.value


class Candidate(db.Model):  # type: ignore[name-defined]
    """Somebody who stands for a seat. ``statements`` are in Markdown, per language."""

    __tablename__ = "candidate"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=make_public_id)
    resolution_id: Mapped[int] = mapped_column(ForeignKey("resolution.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    statements: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    resolution: Mapped[Resolution] = relationship(back_populates="candidates")
