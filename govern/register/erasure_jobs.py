"""The second step of an erasure happens by itself, on the day from which nothing need be kept."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM
from govern.errors import GovernError
from govern.jobs import enqueue, every_tick, job
from govern.register.models import Erasure
from govern.register.services.erasure import complete_erasure, due_erasures

COMPLETE_JOB = "register.complete_erasure"

log = logging.getLogger("govern.register")


@job(COMPLETE_JOB)
def complete_one(session: Session, erasure_id: int) -> None:
    """Erase the rest of one member; what stands against it keeps the book for one more day."""
    erasure = session.get(Erasure, erasure_id)
    if erasure is None or erasure.id not in due_erasures(session, clock.today()):
        return
    try:
        complete_erasure(session, SYSTEM, erasure)
    except GovernError as error:
        session.rollback()
        log.warning(
            "an erasure waits", extra={"erasure": erasure_id, "reason": type(error).__name__}
        )
        session.get_one(Erasure, erasure_id).keep_until = clock.today() + timedelta(days=1)


@every_tick
def ask_for_due_erasures(session: Session, _now: datetime) -> None:
    """Ask for the erasures that are due, a few at a time."""
    for erasure_id in due_erasures(session, clock.today(), limit=20):
        enqueue(session, COMPLETE_JOB, erasure_id)
