"""The strict verifier: an archive, from its first byte to its last, in numbered steps.

It needs no network, no database and no secret, and it trusts no field that it did not check.
Nothing is recomputed by halves: the tally is multiplied again from the ballots, the key from the
trustees, the result from the partial decryptions, and bytes are compared, not meanings.

The box is never in memory: ballots stream through processes on all cores, which hand back
products; per credential only the place of its last ballot is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import encoding
from .archive import BLOCK, ArchivedEvent, ArchiveReader, Event, EventType, read_setup_data
from .box import Box, count_cores
from .credentials import read_public_credentials
from .decryption import (
    EncryptedTally,
    PartialDecryption,
    Result,
    check_partial_decryption,
    compute_result,
    make_sized_tally,
    read_encrypted_tally,
    read_owned,
    read_result,
    read_sized_tally,
)
from .elections import Election, read_election
from .errors import ArchiveError, AuditError, ProtocolError, VerificationError
from .trustees import read_trustees

STEPS: dict[int, str] = {
    1: "archive and chain of events",
    2: "election",
    3: "trustees' keys",
    4: "public credentials",
    5: "ballots",
    6: "encrypted tally",
    7: "partial decryptions",
    8: "result",
    9: "extension of the older archive",
}
"""The steps by number; an `AuditError` names the one that failed."""

Progress = Callable[[int, str, int, int], None]
"""Called with the step's number, its title, and how many bytes of how many have been read."""

_INLINE_BYTES = 600_000


@dataclass(frozen=True)
class AuditReport:
    """What was proved. An election that is not counted yet has `result` None."""

    uuid: str
    name: str
    group: str
    fingerprint: str
    """φ"""
    election: Election = field(repr=False)
    timestamp: int
    state: EventType
    """The type of the last event."""
    height: int
    head: str
    """Hash of the last event."""
    setup: str
    """Hash of the `Setup` event."""
    trustees: int
    trustees_digest: str
    credentials: int
    credentials_digest: str
    """SHA-256 (hexadecimal) of the published list of public credentials."""
    ballots: int
    """Ballots in the box, replaced ones included."""
    counted: int
    """Distinct credentials that voted: ballots that count."""
    result: Result | None
    extends: str | None
    """Hash of the older archive's last event, if one was compared."""

    @property
    def sentence(self) -> str:
        """What was proved, in one line."""
        box = (
            f"election {self.uuid} ({self.group}): {self.ballots} valid ballots from "
            f"{self.counted} of {self.credentials} credentials"
        )
        older = f", an extension of the archive with head {self.extends}" if self.extends else ""
        if self.result is not None:
            ending = "counted completely; the published result is the content of the box"
        elif self.state in (EventType.SETUP, EventType.BALLOT):
            ending = "still open"
        else:
            ending = f"closed, not counted yet (last event: {self.state})"
        return f"{box}, {ending}{older}. Head of the chain: {self.head}"


@contextmanager
def _step(number: int) -> Iterator[None]:
    try:
        yield
    except AuditError:
        raise
    except ProtocolError as error:
        raise AuditError(number, STEPS[number], error) from error


class _Audit:
    """The state of one run, from `Setup` on; one method per kind of event."""

    def __init__(self, reader: ArchiveReader, setup: Event, workers: int) -> None:
        election_data, trustees_data, credentials_data, setup_data = setup.data
        with _step(1):
            hashes = tuple(encoding.sha256_hex(data) for data in setup.data[:3])
            if read_setup_data(setup_data) != hashes:
                raise ArchiveError(
                    "chain", "setup_data", "does not name the three records before it in order"
                )
        self.setup_hash = setup.hash
        with _step(2):
            self.election = read_election(election_data)
        with _step(3):
            self.trustees = read_trustees(self.election.group, trustees_data)
            if self.trustees.public_key != self.election.public_key:
                raise VerificationError(
                    "trustee_key", "election.public_key", "not the product of the trustees' keys"
                )
        with _step(4):
            self.credentials = read_public_credentials(credentials_data)
        self.credentials_digest = encoding.sha256_hex(credentials_data)
        self.box = Box(reader, self.election, self.credentials, workers)
        self._tally: EncryptedTally | None = None
        self._decryptions: list[PartialDecryption] = []
        self.result: Result | None = None

    def check_credentials(self) -> None:
        with _step(4):
            self.box.check_credentials(self.credentials)

    @property
    def tally(self) -> EncryptedTally:
        if self._tally is None:
            raise ArchiveError("order", "", "there is no encrypted tally yet")
        return self._tally

    def take(self, archived: ArchivedEvent) -> int:
        """Check one event after `Setup`; return the number of its step."""
        event = archived.event
        match event.type:
            case EventType.SETUP:
                raise ArchiveError("order", f"event {event.height}", "a second Setup")
            case EventType.BALLOT:
                with _step(5):
                    self.box.put(event.height, event.data[0], archived.offsets[0])
                return 5
            case EventType.END_BALLOTS:
                self.finish_ballots()
                return 5
            case EventType.ENCRYPTED_TALLY:
                self._take_tally(event)
                return 6
            case EventType.PARTIAL_DECRYPTION:
                self._take_decryption(event)
                return 7
            case EventType.RESULT:
                self._take_result(event)
                return 8

    def finish_ballots(self) -> None:
        with _step(5):
            self.box.finish()

    def _take_tally(self, event: Event) -> None:
        tally_data, sized_data = event.data
        with _step(6):
            read_sized_tally(sized_data)
            if sized_data != make_sized_tally(self.box.counted, tally_data):
                raise VerificationError(
                    "encrypted_tally",
                    "sized_encrypted_tally",
                    f"does not describe the tally of {self.box.counted} ballots before it",
                )
            self._tally = read_encrypted_tally(self.election, tally_data)
            if tally_data != self.box.tally.encrypted_tally():
                raise VerificationError(
                    "encrypted_tally", "encrypted_tally", "not the product of the ballots"
                )

    def _take_decryption(self, event: Event) -> None:
        decryption_data, owned_data = event.data
        with _step(7):
            owner, payload = read_owned(owned_data)
            if payload != encoding.sha256_hex(decryption_data):
                raise ArchiveError("chain", f"event {event.height}", "not the record before it")
            if any(decryption.owner == owner for decryption in self._decryptions):
                raise VerificationError("owner", f"event {event.height}", "decrypted twice")
            self._decryptions.append(
                check_partial_decryption(
                    self.election, self.trustees, self.tally, owner, decryption_data
                )
            )

    def _take_result(self, event: Event) -> None:
        with _step(8):
            published = read_result(self.election, event.data[0])
            computed = compute_result(
                self.election, self.trustees, self.tally, self.box.counted, self._decryptions
            )
            if published != computed:
                raise VerificationError("result", "result", f"the box holds {computed}")
            self.result = computed


def audit_archive(
    path: Path,
    *,
    extends: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Verify an archive completely. Raises `AuditError` naming the step that failed.

    `extends`: an older copy of the same archive, which must be its beginning. `workers`: how
    many processes check ballots; by default one per core, and none beside this one when the
    archive is small.
    """
    total = path.stat().st_size
    if workers is None:
        workers = count_cores() if total > _INLINE_BYTES else 1

    def report(number: int, position: int) -> None:
        if progress is not None:
            progress(number, STEPS[number], position, total)

    wanted = extends.stat().st_size if extends is not None else -1
    older: str | None = None
    with path.open("rb") as file:
        with _step(1):
            reader = ArchiveReader(file)
            events = reader.events()
            archived = next(events)  # there is one, and it is Setup, or `events` raises
        last = archived.event
        report(1, 0)
        audit = _Audit(reader, last, workers)
        try:
            audit.check_credentials()
            report(4, archived.end)
            while True:
                if archived.end == wanted:
                    older = last.hash
                with _step(1):
                    following = next(events, None)
                if following is None:
                    break
                archived, last = following, following.event
                report(audit.take(archived), archived.end)
            audit.finish_ballots()
        except BrokenProcessPool as error:
            cause = VerificationError("workers", "", "a checking process died; run it again")
            raise AuditError(5, STEPS[5], cause) from error
        finally:
            audit.box.close()
    if extends is not None:
        with _step(9):
            _check_extension(path, extends)
            if older is None:
                raise ArchiveError("extends", f"byte {wanted}", "the older archive is cut short")
        report(9, total)
    return AuditReport(
        uuid=audit.election.uuid,
        name=audit.election.name,
        group=audit.election.group.name,
        fingerprint=audit.election.fingerprint,
        election=audit.election,
        timestamp=reader.timestamp,
        state=last.type,
        height=last.height,
        head=last.hash,
        setup=audit.setup_hash,
        trustees=len(audit.trustees.verification_keys),
        trustees_digest=encoding.sha256_hex(audit.trustees.data),
        credentials=len(audit.credentials),
        credentials_digest=audit.credentials_digest,
        ballots=audit.box.ballots,
        counted=audit.box.counted,
        result=audit.result,
        extends=older,
    )


def _check_extension(path: Path, older: Path) -> None:
    """The older archive must be the beginning of this one, byte for byte."""
    with path.open("rb") as new, older.open("rb") as old:
        position = 0
        while block := old.read(BLOCK * 256):
            if new.read(len(block)) != block:
                raise ArchiveError(
                    "extends", f"byte {position}", "the older archive is not its beginning"
                )
            position += len(block)


__all__ = ["STEPS", "AuditError", "AuditReport", "Progress", "audit_archive"]
