"""The two files between the server and the authority that makes the voting codes.

Imports nothing of Flask and no database: the authority's command uses it without a server. Both
are JSON lines: a header with ``kind`` and ``version``, then one line per entry.

* roll file (server → authority): the election, then per member number, name, language, e-mail
  or postal address;
* public file (authority → server): ``public-credentials.json``, one JSON object with the election,
  the digest of the roll that was used, and the public keys sorted by value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from govern.voting.protocol.credentials import read_public_credentials
from govern.voting.protocol.encoding import dump, hexadecimal_hash, uuid
from govern.voting.protocol.errors import ProtocolError
from govern.voting.protocol.groups import GROUP_NAMES

ROLL_KIND = "govern-roll"
PUBLIC_KIND = "govern-public-credentials"
VERSION = 1


class FileProblem(ValueError):
    """The file is not what it should be; the message says in what."""


@dataclass(frozen=True)
class Recipient:
    """One member of the roll who gets a code. ``email`` is empty for those who get a letter."""

    member_number: str
    name: str
    representative: str
    language: str
    email: str
    address: Mapping[str, str]


@dataclass(frozen=True)
class RollFile:
    """A roll file as read."""

    election_uuid: str
    group: str
    roll_digest: str
    title: Mapping[str, str]
    cooperative_name: str
    time_zone: str
    opens_at: str
    closes_at: str
    booth_url: str
    is_trial: bool
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True)
class PublicFile:
    """The public half of all codes, as uploaded."""

    election_uuid: str
    group: str
    roll_digest: str
    public_credentials: list[str]


def write_roll_file(header: Mapping[str, Any], recipients: Iterable[Recipient]) -> Iterator[bytes]:
    """The lines of a roll file."""
    yield _line({"kind": ROLL_KIND, "version": VERSION, **header})
    for recipient in recipients:
        yield _line(asdict(recipient))


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_roll_file(lines: Iterable[bytes]) -> RollFile:
    """Read a roll file. Raises FileProblem naming the line."""
    numbered = enumerate(lines, 1)
    header = _parse(*next(numbered, (1, b"")))
    if header.get("kind") != ROLL_KIND or header.get("version") != VERSION:
        raise FileProblem("line 1: this is not a roll file of this version of govern")
    recipients: list[Recipient] = []
    numbers = set()
    for number, line in numbered:
        value = _parse(number, line)
        try:
            recipient = Recipient(**value)
        except TypeError:
            raise FileProblem(f"line {number}: not an entry of a roll") from None
        if recipient.member_number in numbers:
            raise FileProblem(
                f"line {number}: member number {recipient.member_number!r} stands twice"
            )
        numbers.add(recipient.member_number)
        recipients.append(recipient)
    if len(recipients) != header.get("heads"):
        raise FileProblem(
            f"the header announces {header.get('heads')} members, the file has {len(recipients)}"
        )
    try:
        uuid(header["election_uuid"], "election_uuid")
        hexadecimal_hash(header["roll_digest"], "roll_digest")
        return RollFile(
            recipients=tuple(recipients),
            **{name: header[name] for name in RollFile.__annotations__ if name != "recipients"},
        )
    except (KeyError, ProtocolError) as error:
        raise FileProblem(f"line 1: {error}") from None


def _parse(number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise FileProblem(f"line {number}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise FileProblem(f"line {number}: an object is expected")
    return value


def write_public_file(
    election_uuid: str, group: str, roll_digest: str, public_credentials: bytes
) -> bytes:
    """The file that is uploaded; ``public_credentials`` is the protocol's sorted list."""
    return (
        dump(
            {
                "kind": PUBLIC_KIND,
                "version": VERSION,
                "election_uuid": election_uuid,
                "group": group,
                "roll_digest": roll_digest,
                "public_credentials": json.loads(public_credentials),
            }
        )
        + b"\n"
    )


def read_public_file(data: bytes) -> PublicFile:
    """Read ``write_public_file``'s output. Raises FileProblem."""
    value = _parse(1, data)
    if value.get("kind") != PUBLIC_KIND or value.get("version") != VERSION:
        raise FileProblem("it does not say that it is one")
    try:
        texts = read_public_credentials(dump(value["public_credentials"]))
        if value["group"] not in GROUP_NAMES:
            raise FileProblem("its group is unknown")
        limit = 64 if value["group"] == "Ed25519" else 617
        if any(len(text) > limit for text in texts):
            raise FileProblem("a public key is too long")
        return PublicFile(
            uuid(value["election_uuid"], "election_uuid"),
            value["group"],
            hexadecimal_hash(value["roll_digest"], "roll_digest"),
            texts,
        )
    except (KeyError, ProtocolError) as error:
        raise FileProblem(str(error)) from None
