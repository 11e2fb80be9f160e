"""The worker: an RQ worker with settings under which a death is noticed within seconds.

RQ forks one process per job. It dies with the worker (Linux), so that a job never runs on without
anyone who watches it. What RQ forgets or keeps too long does not matter: the rows of
``background_job`` say what is to be done, and the ticks hand them over again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading

from flask import Flask, current_app
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from govern.extensions import db
from govern.jobs import broker
from govern.jobs.queue import run_job
from govern.jobs.ticks import TICK_SECONDS, push_due_jobs, tick

log = logging.getLogger("govern.jobs")

MONITORING_SECONDS = 5
MAINTENANCE_SECONDS = 30
WORKER_TTL_SECONDS = 30
PR_SET_PDEATHSIG = 1

_app: Flask | None = None


def work(job_id: int) -> None:
    """What RQ calls in the forked process: run one job in the application's context."""
    if _app is None:
        raise RuntimeError("jobs run in govern's own worker: govern worker")
    with _app.app_context():
        # Connections of the parent must not be used, nor closed, by the child.
        db.engine.dispose(close=False)
        current_app.extensions.pop("govern_redis", None)
        run_job(job_id)
        db.session.remove()
        db.engine.dispose()


def die_with_parent(expected_parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send signal ``number`` when the parent ends (Linux; elsewhere nothing)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != expected_parent:
        # It died before the line above took effect.
        os._exit(1)


class HouseWorker(Worker):
    """RQ's forking worker, whose children die with it."""

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        self._own_pid = os.getpid()
        super().fork_work_horse(job, queue)

    def register_death(self) -> None:
        """Say goodbye to Redis, without waiting for one that is away."""
        self.connection.set_retry(Retry(NoBackoff(), 0))
        try:
            super().register_death()
        except RedisError:
            log.warning("redis is away at the end of a worker")

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(self._own_pid)
        super().main_work_horse(job, queue)


def run_worker(app: Flask) -> None:
    """Work until told to stop (SIGTERM or SIGINT: the job in hand is finished first)."""
    global _app
    _app = app
    connection = broker.connect_patiently(app.config["GOVERN"])
    worker = HouseWorker(
        [broker.queue(connection)],
        connection=connection,
        serializer=JSONSerializer,
        job_monitoring_interval=MONITORING_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        worker_ttl=WORKER_TTL_SECONDS,
        log_job_description=False,
    )
    with app.app_context():
        push_due_jobs()
        db.session.remove()
        db.engine.dispose()
    worker.work(with_scheduler=False, logging_level="WARNING")


def run_ticks(app: Flask, stop: threading.Event) -> None:
    """Tick every few seconds until ``stop`` is set."""
    while not stop.is_set():
        with app.app_context():
            tick()
        stop.wait(TICK_SECONDS)
