"""Which elections an assembly had, and what was decided in them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from govern.assemblies.models.agenda import Resolution
from govern.assemblies.models.assemblies import Assembly
from govern.cooperatives.models import RuleSet
from govern.database import UtcDateTime
from govern.extensions import db
from govern.voting.models import Election


class AssemblyElection(db.Model):  # type: ignore[name-defined]
    """An election that was made from the resolutions of an assembly, trial or binding."""

    __tablename__ = "assembly_election"

    id: Mapped[int] = mapped_column(primary_key=True)
    assembly_id: Mapped[int] = mapped_column(ForeignKey("assembly.id"), index=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"), unique=True)
    is_trial: Mapped[bool]
    prepared_at: Mapped[datetime] = mapped_column(UtcDateTime)

    assembly: Mapped[Assembly] = relationship(back_populates="elections")
    election: Mapped[Election] = relationship()


class RecordedOutcome(db.Model):  # type: ignore[name-defined]
    """What became of one resolution: written once, never changed (append-only table).

    ``figures`` is canonical JSON: the counts, the presence, the rule as it was quoted. ``digest``
    is the SHA-256 of ``figures`` in hexadecimal. ``rule_set_id`` is the set that it was decided
    under. ``verdict`` and ``reason`` are codes of ``govern.assemblies.rules``.
    """

    __tablename__ = "outcome"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    resolution_id: Mapped[int] = mapped_column(ForeignKey("resolution.id"), unique=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"), index=True)
    rule_set_id: Mapped[int] = mapped_column(ForeignKey("rule_set.id"))
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(20))
    figures: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    resolution: Mapped[Resolution] = relationship(back_populates="outcome")
    rule_set: Mapped[RuleSet] = relationship()

    @property
    def data(self) -> dict[str, Any]:
        """What ``figures`` says, as a dictionary."""
        return dict(json.loads(self.figures))
