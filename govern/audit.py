"""Who did what, and when: an append-only record, chained by hashes.

Each entry hashes its own content together with the hash of the entry before it, so that changing,
removing or inserting one breaks the chain at that place (``govern audit-log verify``). The newest
hash is what an outsider needs to keep in order to notice a rewritten past.

Entries hold identifiers, never personal data: a name or an address that must one day be erased
would otherwise break the chain. Nothing here may tie a member to a ballot: casting a vote writes
no entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from govern import clock
from govern.access import Actor
from govern.database import UtcDateTime
from govern.errors import GovernError
from govern.extensions import db

BEGINNING = "0" * 64
"""What the first entry has for its predecessor's hash."""


class AuditEntry(db.Model):  # type: ignore[name-defined]
    """One thing that was done. ``position`` counts from 1 without gaps."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("position > 0", name="position_positive"),
        CheckConstraint("length(hash) = 64 AND length(previous_hash) = 64", name="hash_length"),
    )

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tag: Mapped[str] = mapped_column(String(100), index=True)
    cooperative_id: Mapped[int | None] = mapped_column(ForeignKey("cooperative.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(200), default="")
    data: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str] = mapped_column(String(32), default="")
    previous_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)

    @property
    def details(self) -> dict[str, Any]:
        """What ``data`` says, as a dictionary."""
        return dict(json.loads(self.data))


class AuditHead(db.Model):  # type: ignore[name-defined]
    """The end of the chain: one row, locked while an entry is appended."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class BrokenChain(GovernError):
    """The audit log is not what was written."""

    status = 500


@dataclass(frozen=True)
class ChainState:
    """What a verification found: the number of entries and the newest hash."""

    entries: int
    head: str


def record(
    session: Session,
    actor: Actor,
    tag: str,
    *,
    cooperative_id: int | None,
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry in the caller's transaction and return it (flushed).

    ``tag`` is ``source:subject:action`` ("register:import:confirmed"); ``subject`` names the
    thing ("roll:17", a public id); ``data`` holds JSON values, identifiers and counts only.
    The end of the chain stays locked until the transaction ends: call this last.
    Raises ValueError for a tag of another form.
    """
    if len(tag.split(":")) != 3 or not all(tag.split(":")):
        raise ValueError(f"{tag!r} is not of the form source:subject:action")
    head = session.scalars(
        select(AuditHead)
        .where(AuditHead.id == 1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    entry = AuditEntry(
        position=head.position + 1,
        recorded_at=clock.now(),
        tag=tag,
        cooperative_id=cooperative_id,
        account_id=actor.account_id,
        subject=subject,
        data=_canonical(data or {}),
        request_id=flask.g.get("request_id", "") if flask.has_request_context() else "",
        previous_hash=head.hash,
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    head.position, head.hash = entry.position, entry.hash
    session.flush()
    return entry


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the canonical JSON list of everything that the entry says."""
    content = [
        entry.previous_hash,
        entry.position,
        entry.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.tag,
        entry.cooperative_id,
        entry.account_id,
        entry.subject,
        entry.data,
        entry.request_id,
    ]
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def verify_chain(session: Session) -> ChainState:
    """Recompute the whole chain; raise BrokenChain naming the first entry that does not fit."""
    position, expected = 0, BEGINNING
    for entry in _in_order(session):
        position += 1
        if entry.position != position:
            raise BrokenChain(
                f"Entry {position} of the audit log is missing.", remedy="Compare with a backup."
            )
        if entry.previous_hash != expected:
            raise BrokenChain(
                f"Entry {position} of the audit log does not follow the one before it.",
                remedy="Compare with a backup.",
            )
        if entry_hash(entry) != entry.hash:
            raise BrokenChain(
                f"Entry {position} of the audit log was changed after it was written.",
                remedy="Compare with a backup.",
            )
        expected = entry.hash
    head = session.get_one(AuditHead, 1)
    if (head.position, head.hash) != (position, expected):
        raise BrokenChain(
            f"The audit log ends at entry {position}, but entry {head.position} was written.",
            remedy="Compare with a backup.",
        )
    return ChainState(position, expected)


def _in_order(session: Session) -> Iterator[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.position).execution_options(yield_per=1000)
    yield from session.scalars(query)


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
