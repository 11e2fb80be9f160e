"""The public archive `<uuid>.bel`: an append-only, hash-chained tar (specification 4.4).

The form is canonical to the byte: version-7 headers made by hand, every time stamp that of the
`BELENIOS` header, an order of events that the state machine below fixes, and nothing after the
last record. So an earlier state of an archive is a prefix of every later one.

Writing is functional: an `Event` knows its records and its place in the chain; the caller stores
them and streams `start_archive` followed by each event's `records`. Reading streams too and
holds one event at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, NamedTuple

from . import encoding
from .errors import ArchiveError, EncodingError

BLOCK = 512
MAXIMUM_RECORD_BYTES = 128_000_000
MAXIMUM_TIMESTAMP = 8**11 - 1

HEADER_NAME = "BELENIOS"
_NAME = re.compile(r"([0-9a-f]{64})\.(data|event)\.json")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,10}")


class EventType(StrEnum):
    """The events of an election with homomorphic questions."""

    SETUP = "Setup"
    BALLOT = "Ballot"
    END_BALLOTS = "EndBallots"
    ENCRYPTED_TALLY = "EncryptedTally"
    PARTIAL_DECRYPTION = "PartialDecryption"
    RESULT = "Result"


FOLLOWERS: dict[EventType | None, frozenset[EventType]] = {
    None: frozenset({EventType.SETUP}),
    EventType.SETUP: frozenset({EventType.BALLOT, EventType.END_BALLOTS}),
    EventType.BALLOT: frozenset({EventType.BALLOT, EventType.END_BALLOTS}),
    EventType.END_BALLOTS: frozenset({EventType.ENCRYPTED_TALLY}),
    EventType.ENCRYPTED_TALLY: frozenset({EventType.PARTIAL_DECRYPTION}),
    EventType.PARTIAL_DECRYPTION: frozenset({EventType.PARTIAL_DECRYPTION, EventType.RESULT}),
    EventType.RESULT: frozenset(),
}
"""Which event may follow which: Setup, Ballot*, EndBallots, EncryptedTally,
PartialDecryption+, Result, and nothing after."""

DATA_COUNT: dict[EventType, int] = {
    EventType.SETUP: 4,
    EventType.BALLOT: 1,
    EventType.END_BALLOTS: 0,
    EventType.ENCRYPTED_TALLY: 2,
    EventType.PARTIAL_DECRYPTION: 2,
    EventType.RESULT: 1,
}
"""How many data records stand before an event; the last one is its payload."""


@dataclass(frozen=True)
class Event:
    """One link of the chain with the data records that stand before it."""

    type: EventType
    height: int
    parent: str | None
    data: tuple[bytes, ...] = field(repr=False)
    content: bytes = field(repr=False)
    """The event's own JSON."""

    @property
    def hash(self) -> str:
        """SHA-256 of the event in hexadecimal: the chain's head once it is appended."""
        return encoding.sha256_hex(self.content)

    @property
    def payload(self) -> str | None:
        """SHA-256 of the payload, if the event has one."""
        return encoding.sha256_hex(self.data[-1]) if self.data else None

    def records(self, timestamp: int) -> bytes:
        """Exactly the bytes that this event appends to the archive."""
        data = b"".join(data_record(content, timestamp) for content in self.data)
        return data + event_record(self.content, timestamp)


def make_event(type: EventType, parent: Event | None, data: Sequence[bytes] = ()) -> Event:
    """Make the event that follows `parent`. Raises `ArchiveError` (step `order`)."""
    return link_event(
        type,
        parent.type if parent else None,
        parent.height if parent else -1,
        parent.hash if parent else None,
        data,
    )


def link_event(
    type: EventType,
    parent_type: EventType | None,
    parent_height: int,
    parent_hash: str | None,
    data: Sequence[bytes] = (),
) -> Event:
    """`make_event` for a caller that stores the head of the chain as type, height and hash."""
    check_order(parent_type, type)
    if len(data) != DATA_COUNT[type]:
        raise ArchiveError("order", type, f"{DATA_COUNT[type]} data records belong to it")
    height = parent_height + 1
    message: dict[str, str | int] = {}
    if parent_hash is not None:
        message["parent"] = parent_hash
    message["height"] = height
    message["type"] = str(type)
    if data:
        message["payload"] = encoding.sha256_hex(data[-1])
    return Event(type, height, parent_hash, tuple(data), encoding.dump(message))


def check_order(before: EventType | None, after: EventType) -> None:
    """Refuse an event out of order. Raises `ArchiveError` (step `order`)."""
    if after not in FOLLOWERS[before]:
        raise ArchiveError(
            "order", "", f"{after} may not follow {before or 'the beginning of the archive'}"
        )


def make_setup(election: bytes, trustees: bytes, public_credentials: bytes) -> Event:
    """The first event, from the three published structures."""
    setup_data = encoding.dump(
        {
            "election": encoding.sha256_hex(election),
            "trustees": encoding.sha256_hex(trustees),
            "credentials": encoding.sha256_hex(public_credentials),
        }
    )
    return make_event(EventType.SETUP, None, (election, trustees, public_credentials, setup_data))


def read_setup_data(data: bytes) -> tuple[str, str, str]:
    """Hashes of election, trustees and public credentials."""
    message = encoding.fields(
        encoding.parse(data, where="setup_data", limit=1000),
        ("election", "trustees", "credentials"),
        "setup_data",
    )
    election, trustees, credentials = (
        encoding.hexadecimal_hash(value, f"setup_data.{name}") for name, value in message.items()
    )
    return election, trustees, credentials


def tar_record(name: str, content: bytes, timestamp: int) -> bytes:
    """One member of the tar: its version-7 header, its content, padding to whole blocks."""
    return _tar_header(name, len(content), timestamp) + content + bytes(-len(content) % BLOCK)


def _tar_header(name: str, size: int, timestamp: int) -> bytes:
    if not 0 <= timestamp <= MAXIMUM_TIMESTAMP:
        raise ArchiveError("timestamp", name, "not a time that a tar header can hold")
    before = (
        name.encode("ascii").ljust(100, b"\0")
        + b"0000644\0"
        + b"0000000\0"
        + b"0000000\0"
        + b"%011o\0" % size
        + b"%011o\0" % timestamp
    )
    after = b"0".ljust(BLOCK - len(before) - 8, b"\0")
    checksum = sum(before) + sum(after) + 8 * 0x20
    return before + b"%06o\0 " % checksum + after


def start_archive(timestamp: int) -> bytes:
    """The archive's first record. `timestamp` is in seconds since 1970."""
    content = encoding.dump({"version": 1, "timestamp": str(timestamp)})
    return tar_record(HEADER_NAME, content, timestamp)


def data_record(content: bytes, timestamp: int) -> bytes:
    """The record of a data message."""
    return tar_record(f"{encoding.sha256_hex(content)}.data.json", content, timestamp)


def event_record(content: bytes, timestamp: int) -> bytes:
    """The record of an event."""
    return tar_record(f"{encoding.sha256_hex(content)}.event.json", content, timestamp)


class ArchivedEvent(NamedTuple):
    """An event as read, and where its data records' contents begin in the file."""

    event: Event
    offsets: tuple[int, ...]
    end: int
    """The position after the event's record."""


class ArchiveReader:
    """Streams an archive and checks its form and chain: canonical headers, names that are
    hashes, no member twice, heights, parents, payloads, the order of events.

    What the messages say is checked by `audit`, not here. Raises `ArchiveError` (steps `tar`,
    `header`, `record`, `chain`, `order`) or `EncodingError`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0
        self._seen: set[bytes] = set()
        name, content, _ = self._read_record(None)
        if name != HEADER_NAME:
            raise ArchiveError("header", name, "an archive begins with a record named BELENIOS")
        self.timestamp = _read_header(content)
        if content != encoding.dump({"version": 1, "timestamp": str(self.timestamp)}):
            raise ArchiveError("header", name, "the header is not canonical")
        if self._first_header != _tar_header(name, len(content), self.timestamp):
            raise ArchiveError("tar", name, "the tar header is not canonical")

    def read_at(self, offset: int, size: int) -> bytes:
        """Read a content again, by what `events` said of it."""
        self._file.seek(offset)
        content = self._file.read(size)
        self._file.seek(self._position)
        return content

    def _read_record(self, timestamp: int | None) -> tuple[str, bytes, int]:
        start = self._position
        header = self._file.read(BLOCK)
        where = f"byte {start}"
        if len(header) != BLOCK:
            raise ArchiveError("tar", where, "the archive ends in the middle of a record")
        try:
            name = header[:100].rstrip(b"\0").decode("ascii")
            size = int(header[124:135], 8)
        except ValueError:
            raise ArchiveError("tar", where, "not a tar header") from None
        if not 0 <= size <= MAXIMUM_RECORD_BYTES:
            raise ArchiveError("tar", where, "the record is larger than any that is legal")
        if timestamp is None:
            self._first_header = header
        elif header != _tar_header(name, size, timestamp):
            raise ArchiveError("tar", where, "the tar header is not canonical")
        content = self._file.read(size)
        padding = self._file.read(-size % BLOCK)
        if len(content) != size or len(padding) != -size % BLOCK:
            raise ArchiveError("tar", where, "the archive ends in the middle of a record")
        if padding.strip(b"\0"):
            raise ArchiveError("tar", where, "the padding is not empty")
        self._position = start + BLOCK + size + len(padding)
        return name, content, start + BLOCK

    def _at_end(self) -> bool:
        if self._file.read(1):
            self._file.seek(self._position)
            return False
        return True

    def events(self) -> Iterator[ArchivedEvent]:
        """Yield the events in order, each with the data that stands before it."""
        previous: Event | None = None
        data: list[bytes] = []
        offsets: list[int] = []
        while not self._at_end():
            where = f"byte {self._position}"
            name, content, offset = self._read_record(self.timestamp)
            match = _NAME.fullmatch(name)
            if match is None:
                raise ArchiveError("record", where, f"unexpected member {name[:80]!r}")
            if match[1] != encoding.sha256_hex(content):
                raise ArchiveError("record", where, "the name is not the hash of the content")
            key = bytes.fromhex(match[1])
            if key in self._seen:
                raise ArchiveError("record", where, "the same member stands twice")
            self._seen.add(key)
            if match[2] == "data":
                if len(data) >= max(DATA_COUNT.values()):
                    raise ArchiveError("order", where, "data to which no event refers")
                data.append(content)
                offsets.append(offset)
                continue
            event = _read_event(content, previous, tuple(data), where)
            yield ArchivedEvent(event, tuple(offsets), self._position)
            previous = Event(event.type, event.height, event.parent, (), event.content)
            data, offsets = [], []
        if data:
            raise ArchiveError("order", "end", "data to which no event refers")
        if previous is None:
            raise ArchiveError("order", "end", "the archive holds no event")


def _read_header(content: bytes) -> int:
    message = encoding.fields(
        encoding.parse(content, where="BELENIOS", limit=200), ("version", "timestamp"), "BELENIOS"
    )
    encoding.integer(message["version"], "BELENIOS.version", 1, 1)
    text = encoding.string(message["timestamp"], "BELENIOS.timestamp")
    if _TIMESTAMP.fullmatch(text) is None or int(text) > MAXIMUM_TIMESTAMP:
        raise ArchiveError("header", "BELENIOS.timestamp", "not a decimal number of seconds")
    return int(text)


def _read_event(
    content: bytes, previous: Event | None, data: tuple[bytes, ...], where: str
) -> Event:
    message = encoding.fields(
        encoding.parse(content, where=where, limit=2000),
        ("parent", "height", "type", "payload"),
        where,
        optional=("parent", "payload"),
    )
    text = encoding.string(message["type"], f"{where}.type")
    try:
        type = EventType(text)
    except ValueError:
        raise EncodingError("fields", f"{where}.type", f"unknown event {text[:40]!r}") from None
    try:
        expected = make_event(type, previous, data)
    except ArchiveError as error:
        raise ArchiveError(error.step, where, error.detail) from None
    for name in ("parent", "height", "payload"):
        wanted = encoding.parse(expected.content).get(name)
        if message.get(name) != wanted:
            raise ArchiveError(
                "chain", f"{where}.{name}", f"{message.get(name)!r} stands where {wanted!r} must"
            )
    if expected.content != content:
        raise ArchiveError("chain", where, "the event is not canonical")
    return expected
