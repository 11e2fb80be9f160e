"""The notice with a real Redis and a real worker that is killed in the middle."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from govern import jobs
from govern.assemblies import services
from govern.assemblies.services.deliveries import notice_progress
from govern.clock import system_clock
from govern.database import reading
from govern.jobs import broker
from govern.mail.models import OutboxMail
from tests.house.servers import PrivateRedis, start_govern, wait_until

pytestmark = pytest.mark.slow

PAUSES_IN_THE_MIDDLE = """
import os, pathlib, time
from govern.assemblies import jobs as assembly_jobs
folder = pathlib.Path(os.environ["GOVERN_INSTANCE"])
calls = 0

def pauses(*args, **values):
    global calls
    calls += 1
    if calls == 50 and (folder / "wait").exists():
        (folder / "halfway.txt").write_text(str(os.getpid()))
        while (folder / "wait").exists():
            time.sleep(0.02)
    return queue(*args, **values)

queue, assembly_jobs.queue_mail = assembly_jobs.queue_mail, pauses
"""


@pytest.fixture
def private_redis(app, config):
    app.config["GOVERN_NO_REDIS"] = False
    server = PrivateRedis(config)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def start_worker(config):
    """Start workers that end with the test."""
    started = []

    def begin():
        started.append(start_govern(config, "work-loop", imports=PAUSES_IN_THE_MIDDLE))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_worker_killed_half_way_through_a_notice_writes_to_everyone_once(
    private_redis, start_worker, session, config, clock, secretary, published, make_member,
    monkeypatch,
):  # fmt: skip
    monkeypatch.setattr(broker, "LONGEST_SILENCE", timedelta(seconds=1))
    monkeypatch.setattr(broker, "SIGN_OF_LIFE_SECONDS", 1)
    for number in range(90):
        make_member(email=None if number % 30 == 0 else "")
    (config.instance_dir / "wait").touch()
    halfway = config.instance_dir / "halfway.txt"
    notice = services.send_notice(session, secretary, published)
    session.commit()
    worker = start_worker()
    wait_until(halfway.exists, "the notice is in the middle")
    horse = int(halfway.read_text())
    with reading(session):
        before = notice_progress(session, notice)
    assert (before.total, before.waiting) == (90, 50), "the bar moves while the job runs"
    worker.kill()
    worker.wait()
    wait_until(lambda: _is_gone(horse), "no half-dead run goes on")
    (config.instance_dir / "wait").unlink()
    start_worker()

    def finished():
        clock.set(system_clock())  # the workers' clock, which is nobody's to set
        jobs.tick()
        with reading(session):
            return notice_progress(session, notice).waiting == 0

    wait_until(finished, "every delivery is handed over")
    assert session.query(OutboxMail).filter_by(category="notice").count() == 90
    assert len({mail.to_name for mail in session.query(OutboxMail)}) == 90


def _is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
