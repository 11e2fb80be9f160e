"""Takes archives apart and puts them together again, re-hashed and re-chained."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from govern.voting.protocol import archive, decryption, encoding
from govern.voting.protocol.archive import ArchiveReader, Event, EventType
from govern.voting.protocol.audit import AuditError, AuditReport, audit_archive

PRIMARY = {
    EventType.SETUP: ("election", "trustees", "public_credentials"),
    EventType.BALLOT: ("ballot",),
    EventType.END_BALLOTS: (),
    EventType.ENCRYPTED_TALLY: ("encrypted_tally",),
    EventType.PARTIAL_DECRYPTION: ("partial_decryption",),
    EventType.RESULT: ("result",),
}
"""The records of an event that are not mere references to others."""


@dataclass(frozen=True)
class Step:
    """An event without its place in the chain."""

    type: EventType
    data: tuple[bytes, ...]


def take_apart(data: bytes) -> tuple[int, list[Step]]:
    """The timestamp and the events of an archive."""
    reader = ArchiveReader(io.BytesIO(data))
    return reader.timestamp, [Step(a.event.type, a.event.data) for a in reader.events()]


def put_together(timestamp: int, steps: Sequence[Step], *, ordered: bool = True) -> bytes:
    """An archive of these events with right hashes, heights and parents, in any order."""
    written = archive.start_archive(timestamp)
    previous: Event | None = None
    for step in steps:
        if ordered:
            previous = archive.make_event(step.type, previous, step.data)
        else:
            message: dict[str, Any] = {"parent": previous.hash} if previous else {}
            message |= {"height": previous.height + 1 if previous else 0, "type": str(step.type)}
            if step.data:
                message["payload"] = encoding.sha256_hex(step.data[-1])
            previous = Event(step.type, message["height"], None, step.data, encoding.dump(message))
        written += previous.records(timestamp)
    return written


def refer_again(step: Step) -> Step:
    """The same event with its references (setup data, sizes, owners) made from its records."""
    if step.type is EventType.SETUP:
        event = archive.make_setup(*step.data[:3])
        return replace(step, data=event.data)
    if step.type is EventType.ENCRYPTED_TALLY:
        sized = json.loads(step.data[1])
        sized["encrypted_tally"] = encoding.sha256_hex(step.data[0])
        return replace(step, data=(step.data[0], encoding.dump(sized)))
    if step.type is EventType.PARTIAL_DECRYPTION:
        owner = json.loads(step.data[1])["owner"]
        return replace(step, data=(step.data[0], decryption.make_owned(owner, step.data[0])))
    return step


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all leaves of a JSON value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def mutate(leaf: Any) -> Any:
    """Another value of the same kind and, where it is a scalar or an element, the same form."""
    if isinstance(leaf, bool):
        return not leaf
    if isinstance(leaf, int):
        return leaf + 1
    assert isinstance(leaf, str)
    if leaf.isdigit():
        return str(int(leaf) - 1 if int(leaf) else 1)
    last = leaf[-1:] or "0"
    return leaf[:-1] + ("0" if last != "0" else "1")


def with_leaf(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A copy of the value in which the leaf at `path` is `change(leaf)`."""
    if not path:
        return change(value)
    copy = deepcopy(value)
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = change(inner[path[-1]])
    return copy


def audit_bytes(data: bytes, folder: Path, **options: Any) -> AuditReport:
    """Audit an archive that is held in memory."""
    path = folder / "election.bel"
    path.write_bytes(data)
    return audit_archive(path, **{"workers": 1, **options})


def refusal(data: bytes, folder: Path, **options: Any) -> AuditError:
    """The error with which an archive is refused; fails when it is accepted."""
    try:
        report = audit_bytes(data, folder, **options)
    except AuditError as error:
        return error
    raise AssertionError(f"accepted: {report.sentence}")
