"""Jobs for the tests, run by real workers in other processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.errors import RuleViolation
from govern.jobs import job, report_progress


def _add(session: Session, code: str) -> None:
    session.execute(
        insert(Cooperative).values(
            code=code, name=code, country="BE", legal_form="", enterprise_number="", seat="",
            email="", time_zone="Europe/Brussels", languages=["fr"], accent="red",
            status="active", is_demonstration=False, created_at=clock.now(),
        )
    )  # fmt: skip


@job("tests.write_rows")
def write_rows(session: Session, count: int) -> None:
    """Write ``count`` rows in one transaction; wait in the middle while a file says so."""
    folder = Path(os.environ["GOVERN_INSTANCE"])
    for number in range(count):
        _add(session, f"row-{number}")
        report_progress(number + 1, count)
        if number == count // 2:
            session.flush()
            with (folder / "halfway.txt").open("a") as file:
                file.write(f"{os.getpid()}\n")
            while (folder / "wait").exists():
                time.sleep(0.01)


@job("tests.add_one")
def add_one(session: Session, number: int) -> None:
    """Write one row."""
    _add(session, f"one-{number}")


@job("tests.fail")
def fail(session: Session) -> None:
    """Write something, then stumble."""
    _add(session, "half-done")
    session.flush()
    raise RuntimeError("the address ana@example.org is not for logs")


@job("tests.refuse")
def refuse(session: Session) -> None:
    """Find that a rule says no."""
    raise RuleViolation("Eleven days are too few.", remedy="Choose a later day.")


@job("tests.ask_for_more")
def ask_for_more(session: Session, number: int) -> None:
    """Ask for the same job again until it has run three times."""
    from govern.jobs import enqueue

    rows = session.scalars(select(Cooperative.id)).all()
    _add(session, f"more-{len(rows)}")
    if len(rows) < 2:
        enqueue(session, "tests.ask_for_more", number)
