"""Checks the ballots of a box as they stream by, on all cores, without ever holding the box.

Worker processes check chunks of ballots and hand back the product of the ciphertexts; per
credential only the place of its last ballot is kept, which is read again when it is replaced.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from .archive import ArchiveReader
from .ballots import check_ballot, read_accepted_choices
from .credentials import check_public_credentials
from .decryption import RunningTally
from .elections import Election, read_election
from .errors import ProtocolError
from .proofs import Ciphertext

CHUNK = 16
"""Ballots per task."""

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


class Box:
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
