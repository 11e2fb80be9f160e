"""The strict verifier: an archive, from its first byte to its last, in numbered steps.

It needs no network, no database and no secret, and it trusts no field that it did not check.
Nothing is recomputed by halves: the tally is multiplied again from the ballots, the key from the
trustees, the result from the partial decryptions, and bytes are compared, not meanings.

The box is never in memory: ballots stream through processes on all cores, which hand back
products; per credential only the place of its last ballot is kept.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import encoding
from .archive import BLOCK, ArchivedEvent, ArchiveReader, Event, EventType, read_setup_data
from .ballots import check_ballot, read_accepted_choices
from .credentials import check_public_credentials, read_public_credentials
from .decryption import (
    EncryptedTally,
    PartialDecryption,
    Result,
    RunningTally,
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
from .proofs import Ciphertext
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

CHUNK = 16
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


# What a worker process knows; set once per process by `_start_worker`.
_worker: dict[str, Any] = {}


def _start_worker(election: bytes, credentials: Sequence[str]) -> None:
    _worker["election"] = read_election(election)
    _worker["credentials"] = frozenset(credentials)


def _check_ballots(
    election: Election, credentials: frozenset[str], chunk: Sequence[tuple[int, bytes]]
) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Check some ballots; return their credentials and the product of their ciphertexts."""
    product = RunningTally(election)
    signers = []
    for height, data in chunk:
        try:
            ballot = check_ballot(election, data, credentials)
        except ProtocolError as error:
            raise type(error)(error.step, f"event {height}: {error.where}", error.detail) from None
        product.add(ballot.choices)
        signers.append(ballot.credential)
    return signers, [[(c.alpha.text, c.beta.text) for c in row] for row in product.ciphertexts]


def _check_ballots_in_worker(
    chunk: Sequence[tuple[int, bytes]],
) -> tuple[list[str], list[list[tuple[str, str]]]]:
    return _check_ballots(_worker["election"], _worker["credentials"], chunk)


def _check_credentials_in_worker(texts: Sequence[str], first: int) -> None:
    check_public_credentials(_worker["election"].group, texts, first)


def count_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Box:
    """Checks ballots as they stream by, in this process or in several."""

    def __init__(
        self, reader: ArchiveReader, election: Election, credentials: list[str], workers: int
    ) -> None:
        self._reader = reader
        self._election = election
        self._credentials = frozenset(credentials)
        self._workers = workers
        self._pool = (
            ProcessPoolExecutor(
                workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(election.data, credentials),
            )
            if workers > 1
            else None
        )
        self._chunk: list[tuple[int, bytes]] = []
        self._places: list[tuple[int, int]] = []
        self._pending: deque[tuple[Future[Any], list[tuple[int, int]]]] = deque()
        self._last: dict[str, tuple[int, int]] = {}
        self.tally = RunningTally(election)
        self.ballots = 0

    @property
    def counted(self) -> int:
        return len(self._last)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def check_credentials(self, texts: list[str]) -> None:
        if self._pool is None:
            check_public_credentials(self._election.group, texts)
            return
        size = 200
        futures = [
            self._pool.submit(_check_credentials_in_worker, texts[first : first + size], first)
            for first in range(0, len(texts), size)
        ]
        for future in futures:
            future.result()

    def put(self, height: int, data: bytes, offset: int) -> None:
        self._chunk.append((height, data))
        self._places.append((offset, len(data)))
        self.ballots += 1
        if len(self._chunk) >= CHUNK:
            self._submit()

    def _submit(self) -> None:
        if not self._chunk:
            return
        chunk, places = self._chunk, self._places
        self._chunk, self._places = [], []
        if self._pool is None:
            self._take(_check_ballots(self._election, self._credentials, chunk), places)
            return
        self._pending.append((self._pool.submit(_check_ballots_in_worker, chunk), places))
        while len(self._pending) > 3 * self._workers:
            self._take_first()

    def _take_first(self) -> None:
        future, places = self._pending.popleft()
        self._take(future.result(), places)

    def _take(
        self,
        checked: tuple[list[str], list[list[tuple[str, str]]]],
        places: list[tuple[int, int]],
    ) -> None:
        signers, product = checked
        decode = self._election.group.decode_trusted
        part = RunningTally(self._election)
        part.count = len(signers)
        part.ciphertexts = [[Ciphertext(decode(a), decode(b)) for a, b in row] for row in product]
        self.tally.merge(part)
        for signer, place in zip(signers, places, strict=True):
            replaced = self._last.get(signer)
            if replaced is not None:
                data = self._reader.read_at(*replaced)
                self.tally.remove(read_accepted_choices(self._election, data))
            self._last[signer] = place

    def finish(self) -> None:
        """Wait until every ballot that was put in has been checked."""
        self._submit()
        while self._pending:
            self._take_first()


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
        self.box = _Box(reader, self.election, self.credentials, workers)
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
