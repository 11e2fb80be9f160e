"""Casting in turn on SQLite, which wakes nobody who waits for its one write lock.

SQLite's own waiting is polling with growing pauses: with fifty voters some would wait for seconds
while later ones pass. A file lock beside the database is handed on by the kernel, across threads
and processes. PostgreSQL queues for row locks by itself and needs none of this.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine


@contextmanager
def take_turn(engine: Engine) -> Iterator[None]:
    """Wait until it is this thread's turn to write; the turn ends with the block.

    Begin it before the writing transaction and end it after the commit. Somebody who writes
    without a turn only meets SQLite's own lock: the turn is about order, not about safety.
    """
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        yield
        return
    # Each turn has a file handle of its own: a lock belongs to the handle, also among threads.
    handle = os.open(f"{name}.turn", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
