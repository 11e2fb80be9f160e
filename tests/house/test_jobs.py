"""Background jobs: a row first, done once and completely, whoever dies in between."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from govern import jobs
from govern.config import Config
from govern.cooperatives.models import Cooperative
from govern.database import reading
from govern.jobs import BackgroundJob, JobState, broker, ticks
from govern.jobs.queue import run_job
from tests.house import sample_jobs
from tests.house.servers import PrivateRedis, start_govern, stop, wait_until

WITH_SAMPLE_JOBS = """
import tests.house.sample_jobs
from govern.jobs import broker
broker.SIGN_OF_LIFE_SECONDS = 1
"""


def _count(session) -> int:
    with reading(session):
        return session.scalar(select(func.count()).select_from(Cooperative))


def _state(session, row) -> str:
    with reading(session):
        return session.scalar(select(BackgroundJob.state).where(BackgroundJob.id == row.id))


# -- rows ------------------------------------------------------------------------------------


def test_a_job_is_a_row_in_the_transaction_that_asks_for_it(session, both_databases):
    jobs.enqueue(session, "tests.add_one", 1)
    session.rollback()
    assert session.scalars(select(BackgroundJob)).all() == []
    row = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    assert (row.state, row.arguments) == ("queued", [1])


def test_asking_twice_before_it_runs_is_asking_once(session, both_databases, run_jobs):
    first = jobs.enqueue(session, "tests.add_one", 1)
    second = jobs.enqueue(session, "tests.add_one", 1)
    other = jobs.enqueue(session, "tests.add_one", 2)
    assert first.id == second.id != other.id
    assert run_jobs() == 2
    assert _count(session) == 2


def test_the_work_and_its_done_mark_are_one_transaction(session, both_databases, run_jobs):
    row = jobs.enqueue(session, "tests.add_one", 1)
    run_jobs()
    assert _state(session, row) == "done"
    assert _count(session) == 1
    assert not run_job(row.id), "a job that is done is not run again"
    assert _count(session) == 1


def test_asking_again_while_it_runs_makes_it_run_again(session, run_jobs):
    jobs.enqueue(session, "tests.ask_for_more", 1)
    assert run_jobs() == 3
    assert _count(session) == 3


def test_a_failure_leaves_nothing_half_done_and_is_tried_again_later(session, clock, run_jobs):
    row = jobs.enqueue(session, "tests.fail")
    for attempt in range(1, 5):
        assert run_jobs() == 1
        assert (_state(session, row), row.attempts) == ("queued", attempt)
        assert run_jobs() == 0, "not before its time"
        clock.advance(seconds=2**attempt)
    assert run_jobs() == 1
    assert _state(session, row) == "failed"
    assert _count(session) == 0


def test_what_went_wrong_is_kept_without_quoting_values(session, run_jobs):
    row = jobs.enqueue(session, "tests.fail")
    run_jobs()
    session.refresh(row)
    assert row.error == "RuntimeError"


def test_a_rule_that_says_no_is_final_and_says_why(session, run_jobs):
    row = jobs.enqueue(session, "tests.refuse")
    run_jobs()
    assert _state(session, row) == "failed"
    assert row.error == "Eleven days are too few. Choose a later day."


def test_a_job_asked_for_with_a_delay_waits(session, clock, run_jobs):
    jobs.enqueue(session, "tests.add_one", 1, delay=timedelta(minutes=5))
    assert run_jobs() == 0
    clock.advance(minutes=5)
    assert run_jobs() == 1


def test_an_unknown_job_is_refused_when_it_is_asked_for(session):
    with pytest.raises(LookupError, match=r"tests\.nothing"):
        jobs.enqueue(session, "tests.nothing")
    with pytest.raises(LookupError, match="not a job of govern"):
        jobs.enqueue(session, "os:remove", "file")


def test_a_run_that_was_given_up_cannot_finish(session, both_databases, monkeypatch, run_jobs):
    row = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    original = sample_jobs.add_one

    def slow(inner, number):
        original(inner, number)
        inner.rollback()
        stolen = inner.get_one(BackgroundJob, row.id)
        ticks.put_back(stolen, "given up")
        inner.commit()
        original(inner, number)

    from govern.jobs import queue

    registered = queue.find_job("tests.add_one")
    monkeypatch.setitem(
        queue._registered, "tests.add_one", queue.RegisteredJob(registered.name, slow, 5)
    )
    run_job(row.id)
    assert _state(session, row) == "queued"
    assert _count(session) == 0


# -- ticks -----------------------------------------------------------------------------------


@pytest.fixture
def own_ticks(monkeypatch):
    monkeypatch.setattr(ticks, "_functions", {})
    return ticks


def test_a_tick_calls_each_function_with_the_time_and_commits(
    session, both_databases, clock, own_ticks
):
    seen = []

    @jobs.every_tick
    def open_what_is_due(inner, now):
        seen.append(now)
        jobs.enqueue(inner, "tests.add_one", 1)

    jobs.tick()
    assert seen == [clock.now]
    assert session.scalars(select(BackgroundJob.name)).all() == ["tests.add_one"]


def test_one_function_that_fails_does_not_stop_the_others(session, own_ticks):
    seen = []

    @jobs.every_tick
    def stumbles(inner, now):
        raise RuntimeError

    @jobs.every_tick
    def goes_on(inner, now):
        seen.append(now)

    jobs.tick()
    assert len(seen) == 1


def test_only_one_process_ticks_at_a_time(app, postgresql_url, request):
    """On PostgreSQL; SQLite has one writer anyway."""
    import sqlalchemy as sa

    engine = sa.create_engine(postgresql_url)
    with engine.connect() as first, engine.connect() as second:
        query = sa.text("SELECT pg_try_advisory_xact_lock(:n)")
        assert first.scalar(query, {"n": ticks.LOCK_NUMBER})
        assert not second.scalar(query, {"n": ticks.LOCK_NUMBER})
        first.rollback()
        assert second.scalar(query, {"n": ticks.LOCK_NUMBER})
    engine.dispose()


# -- with a real Redis and a real worker -----------------------------------------------------


@pytest.fixture
def private_redis(app, config: Config):
    app.config["GOVERN_NO_REDIS"] = False
    server = PrivateRedis(config)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def start(config: Config, monkeypatch):
    """Start ``govern …`` processes that end with the test."""
    monkeypatch.setenv("GOVERN_INSTANCE", str(config.instance_dir))
    started = []

    def begin(*arguments: str):
        process = start_govern(config, *arguments, imports=WITH_SAMPLE_JOBS)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_worker_runs_what_was_committed(session, both_databases, private_redis, start):
    row = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    worker = start("work-loop")
    wait_until(lambda: _state(session, row) == "done", "the job is done")
    assert _count(session) == 1
    assert stop(worker) == 0


def test_a_savepoint_hands_nothing_over(session, private_redis):
    with session.begin_nested():
        jobs.enqueue(session, "tests.add_one", 1)
    assert broker.queue(broker.client()).count == 0
    session.commit()
    assert broker.queue(broker.client()).count == 1


def test_redis_carries_a_number_and_nothing_else(session, private_redis):
    row = jobs.enqueue(session, "tests.add_one", 987_654)
    session.commit()
    connection = broker.client()
    everything = b"".join(connection.dump(key) for key in connection.scan_iter("*"))
    message = broker.queue(connection).jobs[0]
    assert list(message.args) == [row.id]
    assert b"987654" not in everything
    assert b"987654" not in str(message.to_dict()).encode()


@pytest.mark.parametrize("victim", ["horse", "worker"])
def test_killing_the_worker_in_the_middle_does_the_job_once_and_completely(
    session, both_databases, private_redis, start, config, victim, monkeypatch
):
    monkeypatch.setattr(broker, "LONGEST_SILENCE", timedelta(seconds=1))
    monkeypatch.setattr(broker, "SIGN_OF_LIFE_SECONDS", 1)
    (config.instance_dir / "wait").touch()
    halfway = config.instance_dir / "halfway.txt"
    row = jobs.enqueue(session, "tests.write_rows", 40)
    session.commit()
    worker = start("work-loop")
    wait_until(lambda: halfway.exists() and halfway.read_text().split(), "the job is in the middle")
    horse = int(halfway.read_text().split()[0])
    with reading(session):
        progress = jobs.read_progress(row)
    assert (progress.done, progress.total) == (21, 40), "progress shows from outside"
    os.kill(horse if victim == "horse" else worker.pid, signal.SIGKILL)
    wait_until(lambda: not _exists(horse), "no half-dead run goes on")
    assert _count(session) == 0
    (config.instance_dir / "wait").unlink()
    if victim == "worker":
        worker.wait()
        start("work-loop")
    # The clock of the supervisor ticks here.
    wait_until(lambda: (jobs.tick(), _state(session, row))[1] == "done", "the job is done")
    assert _count(session) == 40
    assert row.attempts == 2


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_killing_redis_loses_nothing(session, private_redis, start):
    first = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    private_redis.kill()
    second = jobs.enqueue(session, "tests.add_one", 2)
    session.commit()
    private_redis.start()
    start("work-loop")
    wait_until(
        lambda: (
            (jobs.tick(), _state(session, first), _state(session, second))[1:] == ("done", "done")
        ),
        "both jobs are done",
    )
    assert _count(session) == 2


def test_a_worker_survives_a_restart_of_redis(session, private_redis, start):
    worker = start("work-loop")
    first = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    wait_until(lambda: _state(session, first) == "done", "the first job is done")
    private_redis.kill()
    private_redis.start()
    second = jobs.enqueue(session, "tests.add_one", 2)
    session.commit()
    wait_until(
        lambda: (jobs.tick(), _state(session, second))[1] == "done", "the second job is done"
    )
    assert worker.poll() is None


def test_the_web_process_does_not_wait_for_a_redis_that_is_away(session, app):
    app.config["GOVERN_NO_REDIS"] = False
    started = time.monotonic()
    row = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    assert time.monotonic() - started < 5, "this is not a measurement: it waits for nothing"
    assert row.state == JobState.QUEUED.value


def test_resume_hands_over_what_waits_and_repeats_harmlessly(
    session, app, config, private_redis, start
):
    app.config["GOVERN_NO_REDIS"] = True
    row = jobs.enqueue(session, "tests.add_one", 1)
    session.commit()
    app.config["GOVERN_NO_REDIS"] = False
    assert jobs.resume() == 1
    assert jobs.resume() == 0, "it is with the workers already"
    start("work-loop")
    wait_until(lambda: _state(session, row) == "done", "the job is done")
    assert _count(session) == 1


def test_a_long_instance_path_gets_a_short_socket(tmp_path):
    long = tmp_path / ("x" * 100)
    settings = Config("testing", long, "s" * 32, "sqlite://")
    path = broker.private_socket(settings)
    assert len(str(path)) <= broker.LONGEST_SOCKET_PATH
    assert path == broker.private_socket(settings)
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_foreign_folder_is_not_used_for_the_socket(tmp_path, monkeypatch):
    from govern.errors import ConfigurationError

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = Config("testing", tmp_path / ("x" * 100), "s" * 32, "sqlite://")
    broker.private_socket(settings).parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match="somebody else"):
        broker.private_socket(settings)


def test_the_clock_goes_on_when_the_database_is_away(session, private_redis, monkeypatch):
    import sqlalchemy as sa

    def away(*_args, **_kwargs):
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(type(session()), "scalars", away)
    monkeypatch.setattr(type(session()), "execute", away)
    jobs.tick()
