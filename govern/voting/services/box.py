"""The ballot box: appending to the chain, reading it back, checking it.

Every append happens under the box's row lock, in the caller's transaction. The bytes of events
and records are the ones that are published; nothing is ever serialised again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Integer, func, insert, inspect, select
from sqlalchemy.orm import Session

from govern.errors import Conflict, NotFound
from govern.voting.models import BoxState, Election, ElectionEvent, ElectionRecord
from govern.voting.protocol import archive
from govern.voting.protocol import elections as protocol_elections
from govern.voting.protocol import trustees as protocol_trustees
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.credentials import read_public_credentials
from govern.voting.protocol.encoding import sha256_hex
from govern.voting.protocol.errors import ArchiveError
from govern.voting.protocol.groups import group_named

BATCH = 200
"""Events read at once when the box is streamed."""


KEPT = 16
"""How many elections are kept in memory, read: with the tables that their key is prepared into."""

_elections: dict[str, protocol_elections.Election] = {}
_trustees: dict[str, protocol_trustees.Trustees] = {}


def read_election(election: Election) -> protocol_elections.Election:
    """The election as the protocol reads it, kept in memory by its fingerprint."""
    if election.fingerprint is None:
        raise NotFound(
            _("This election is not fixed yet: not all keys are there."),
            remedy=_("Come back when the trustees have made their keys."),
        )
    found = _elections.get(election.fingerprint)
    if found is None:
        found = protocol_elections.read_election(bytes(election.data or b""))
        _keep(_elections, election.fingerprint, found)
    return found


def read_trustees(election: Election) -> protocol_trustees.Trustees:
    """The trustees' keys, verified; kept in memory by the election's fingerprint."""
    if election.fingerprint is None:
        raise NotFound(_("The trustees' keys are not complete yet."))
    found = _trustees.get(election.fingerprint)
    if found is None:
        group = group_named(election.group)
        found = protocol_trustees.read_trustees(group, bytes(election.trustees_data or b""))
        _keep(_trustees, election.fingerprint, found)
    return found


def _keep(store: dict[str, Any], key: str, value: Any) -> None:
    if len(store) >= KEPT:
        store.pop(next(iter(store)), None)
    store[key] = value


_credential_sets: dict[str, frozenset[str]] = {}


def read_credentials(session: Session, election: Election) -> frozenset[str]:
    """The public credentials of an opened election, as a set (kept in memory by digest)."""
    digest = election.credentials_digest or ""
    found = _credential_sets.get(digest)
    if found is None:
        found = frozenset(read_public_credentials(credentials_bytes(session, election)))
        _keep(_credential_sets, digest, found)
    return found


def credentials_bytes(session: Session, election: Election) -> bytes:
    """The published list of public credentials, byte for byte."""
    return record_bytes(session, election, election.credentials_digest or "")


def record_bytes(session: Session, election: Election, digest: str) -> bytes:
    """One data record of the archive by its hash; NotFound if the box has none."""
    data = session.scalar(
        select(ElectionRecord.data).where(
            ElectionRecord.election_id == election.id, ElectionRecord.hash == digest
        )
    )
    if data is None:
        raise NotFound(_("The ballot box of this election holds no such record."))
    return bytes(data)


def lock_box(session: Session, election: Election) -> BoxState:
    """The end of the chain, locked until the transaction ends; NotFound before opening.

    The election's row is read again: what it says may have changed while we waited.
    """
    election_id: int = inspect(election).identity[0]
    box = session.scalar(
        select(BoxState)
        .where(BoxState.election_id == election_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if box is None:
        raise NotFound(_("This election has no ballot box yet."))
    session.refresh(election)
    return box


def append_event(
    session: Session,
    box: BoxState,
    kind: EventType,
    data: Sequence[bytes] = (),
    *,
    singleton: str | None = None,
    tracker: str | None = None,
    credential: str | None = None,
    day: date | None = None,
) -> archive.Event:
    """Append one event with its records to a locked box. Raises ArchiveError out of order."""
    event = archive.link_event(kind, EventType(box.kind), box.height, box.head, data)
    _store(
        session,
        box.election_id,
        event,
        parent=event.parent or "",
        singleton=singleton,
        tracker=tracker,
        credential=credential,
        day=day,
    )
    box.height, box.head, box.kind = event.height, event.hash, event.type.value
    return event


def start_box(session: Session, election: Election, setup: archive.Event, tally: bytes) -> BoxState:
    """Store the Setup event and make the empty box."""
    _store(session, election.id, setup, parent=election.uuid, singleton=EventType.SETUP.value)
    box = BoxState(
        election_id=election.id,
        height=setup.height,
        head=setup.hash,
        kind=setup.type.value,
        tally=tally,
    )
    session.add(box)
    session.flush()
    return box


def _store(
    session: Session,
    election_id: int,
    event: archive.Event,
    *,
    parent: str,
    singleton: str | None = None,
    tracker: str | None = None,
    credential: str | None = None,
    day: date | None = None,
) -> None:
    if event.data:
        session.execute(
            insert(ElectionRecord),
            [
                {
                    "election_id": election_id,
                    "height": event.height,
                    "position": position,
                    "hash": sha256_hex(content),
                    "data": content,
                }
                for position, content in enumerate(event.data)
            ],
        )
    session.execute(
        insert(ElectionEvent),
        [
            {
                "hash": event.hash,
                "election_id": election_id,
                "height": event.height,
                "parent": parent,
                "kind": event.type.value,
                "payload": event.payload,
                "singleton": singleton,
                "tracker": tracker,
                "credential": credential,
                "day": day,
                "data": event.content,
            }
        ],
    )


@dataclass(frozen=True)
class ArchivePart:
    """One event with its records, as stored."""

    height: int
    kind: EventType
    hash: str
    parent: str
    payload: str | None
    credential: str | None
    content: bytes
    data: tuple[bytes, ...]


def read_parts(
    session: Session, election: Election, *, first: int = 0, last: int | None = None
) -> Iterator[ArchivePart]:
    """The events from height ``first`` to ``last`` (default: the end) with their records.

    Reads ``BATCH`` events at a time: the box is never in memory as a whole.
    """
    end = last if last is not None else box_height(session, election)
    for start in range(first, end + 1, BATCH):
        stop = min(start + BATCH - 1, end)
        records: dict[int, list[bytes]] = {}
        for height, data in session.execute(
            select(ElectionRecord.height, ElectionRecord.data)
            .where(
                ElectionRecord.election_id == election.id,
                ElectionRecord.height.between(start, stop),
            )
            .order_by(ElectionRecord.height, ElectionRecord.position)
        ):
            records.setdefault(height, []).append(bytes(data))
        events = session.execute(
            select(
                ElectionEvent.height,
                ElectionEvent.kind,
                ElectionEvent.hash,
                ElectionEvent.parent,
                ElectionEvent.payload,
                ElectionEvent.credential,
                ElectionEvent.data,
            )
            .where(
                ElectionEvent.election_id == election.id,
                ElectionEvent.height.between(start, stop),
            )
            .order_by(ElectionEvent.height)
        ).all()
        for height, kind, digest, parent, payload, credential, content in events:
            yield ArchivePart(
                height,
                EventType(kind),
                digest,
                parent,
                payload,
                credential,
                bytes(content),
                tuple(records.get(height, ())),
            )


def box_height(session: Session, election: Election) -> int:
    """The height of the newest event; -1 before opening."""
    height = session.scalar(select(BoxState.height).where(BoxState.election_id == election.id))
    return -1 if height is None else height


def stream_archive(
    session: Session, election: Election, *, last: int | None = None
) -> Iterator[bytes]:
    """The public archive ``<uuid>.bel`` as it stands, in pieces."""
    timestamp = _timestamp(election)
    yield archive.start_archive(timestamp)
    for part in read_parts(session, election, last=last):
        yield b"".join(archive.data_record(data, timestamp) for data in part.data)
        yield archive.event_record(part.content, timestamp)


def archive_size(session: Session, election: Election, *, last: int | None = None) -> int:
    """How many bytes ``stream_archive`` gives, without reading them."""
    end = last if last is not None else box_height(session, election)
    total = len(archive.start_archive(_timestamp(election)))
    for model in (ElectionEvent, ElectionRecord):
        size = func.length(model.data, type_=Integer)
        blocks = (size + (archive.BLOCK - 1)) // archive.BLOCK
        count, content = session.execute(
            select(func.count(), func.coalesce(func.sum(blocks), 0)).where(
                model.election_id == election.id, model.height <= end
            )
        ).one()
        total += archive.BLOCK * (int(count) + int(content))
    return total


def _timestamp(election: Election) -> int:
    if election.archive_timestamp is None:
        raise NotFound(
            _("This election has no ballot box yet."), remedy=_("Come back when it has opened.")
        )
    return election.archive_timestamp


class BrokenBox(Conflict):
    """What is stored is not the chain that was written."""


def check_chain(session: Session, election: Election, *, last: int | None = None) -> int:
    """Recompute every hash and every link of the chain up to ``last``; return that height.

    By default up to the end, which must then be what the box says. Raises BrokenBox naming the
    first event that does not fit.
    """
    box = session.get_one(BoxState, election.id)
    end = box.height if last is None else last
    previous: archive.Event | None = None
    for expected, part in enumerate(read_parts(session, election, last=end)):
        try:
            event = archive.make_event(part.kind, previous, part.data)
        except ArchiveError as error:
            raise _broken(expected) from error
        wanted_parent = previous.hash if previous is not None else election.uuid
        if (
            part.height != expected
            or event.content != part.content
            or event.hash != part.hash
            or part.parent != wanted_parent
            or event.payload != part.payload
        ):
            raise _broken(expected)
        previous = archive.Event(event.type, event.height, event.parent, (), event.content)
    if previous is None or previous.height != end:
        raise _broken(end)
    if last is None and previous.hash != box.head:
        raise _broken(end)
    return end


def _broken(height: int) -> BrokenBox:
    return BrokenBox(
        _("Entry %(height)s of the ballot box is not what was written.", height=height),
        remedy=_("Compare the box with the copies that others have downloaded."),
    )
