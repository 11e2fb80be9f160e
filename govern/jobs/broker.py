"""Redis: how the numbers of jobs travel, and the small facts that may be lost with it.

Nothing here is needed to know what must be done; the rows of ``background_job`` say that. So the
web process tries once, briefly, and goes on when Redis is away.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import redis
from flask import current_app
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from govern.config import Config
from govern.errors import ConfigurationError

log = logging.getLogger("govern.jobs")

QUEUE_NAME = "govern"
JOB_TIMEOUT_SECONDS = 3600
SIGN_OF_LIFE_SECONDS = 10
PROGRESS_SECONDS = 86_400
LONGEST_SOCKET_PATH = 100
"""Unix socket paths must stay under 108 bytes (104 on macOS)."""

_EXTENSION = "govern_redis"


def redis_url(settings: Config) -> str:
    """Where Redis is: the operator's, or the private one's Unix socket."""
    return settings.redis_url or f"unix://{private_socket(settings)}"


def private_socket(settings: Config) -> Path:
    """The private Redis's socket; in a folder of its own when the instance's path is too long."""
    wanted = settings.redis_socket
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
        return wanted
    name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"govern-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Anyone may create folders there: only one that is really ours keeps others out.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigurationError(
            f"{folder} exists and belongs to somebody else.",
            remedy="Use a shorter instance folder (GOVERN_INSTANCE) or set REDIS_URL.",
        )
    return folder / "redis.sock"


def connect_briefly(settings: Config) -> redis.Redis:
    """A client that gives up at once: for whoever must not wait (the web process)."""
    return redis.Redis.from_url(
        redis_url(settings),
        socket_timeout=1.0,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )


def connect_patiently(settings: Config) -> redis.Redis:
    """A client that survives a restart of Redis: for the worker."""
    return redis.Redis.from_url(
        redis_url(settings),
        socket_connect_timeout=2.0,
        retry=Retry(ExponentialBackoff(cap=5, base=0.2), 12),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
        health_check_interval=30,
    )


def is_connected() -> bool:
    """Whether this application uses Redis at all (the tests' usual one does not)."""
    return not current_app.config.get("GOVERN_NO_REDIS", False)


def client() -> redis.Redis:
    """The application's own brief client."""
    if _EXTENSION not in current_app.extensions:
        current_app.extensions[_EXTENSION] = connect_briefly(current_app.config["GOVERN"])
    found: redis.Redis = current_app.extensions[_EXTENSION]
    return found


def ping() -> bool:
    """Whether Redis answers now."""
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False


def queue(connection: redis.Redis) -> Queue:
    """The one queue, with JSON in its messages (never pickles)."""
    return Queue(QUEUE_NAME, connection=connection, serializer=JSONSerializer)


def push_all(job_ids: Iterable[int]) -> int:
    """Hand the numbers of jobs to the workers; the number handed over.

    When Redis is away the rest stays in the database, to be handed over by the next tick.
    """
    pushed = 0
    try:
        target = queue(client())
        for job_id in job_ids:
            pushed += push(target, job_id)
    except redis.RedisError:
        log.warning("redis is away: jobs wait in the database")
    return pushed


def push(target: Queue, job_id: int) -> int:
    """Put one job number on ``target`` unless it is there already; 1 if it was put, else 0.

    A message whose worker died is replaced: RQ itself would keep it for minutes.
    """
    name = f"job-{job_id}"
    for _attempt in range(2):
        try:
            target.enqueue_call(
                "govern.jobs.worker.work",
                args=[job_id],
                job_id=name,
                unique=True,
                timeout=JOB_TIMEOUT_SECONDS,
                result_ttl=0,
                failure_ttl=0,
                description=name,
            )
        except DuplicateJobError:
            if not _drop_if_dead(target, name, job_id):
                return 0
        else:
            return 1
    return 0


def _drop_if_dead(target: Queue, name: str, job_id: int) -> bool:
    try:
        message = Job.fetch(name, connection=target.connection, serializer=JSONSerializer)
        waiting = message.get_status() == JobStatus.QUEUED and name in target.job_ids
    except NoSuchJobError:
        return True
    if waiting or is_alive(target.connection, job_id) or not _seen_before(target, name):
        return False
    message.delete(remove_from_queue=True)
    target.remove(name)
    return True


def _seen_before(target: Queue, name: str) -> bool:
    """Whether this message looked dead a moment ago, too (it may just be between two states)."""
    mark = f"govern:{name}:doubt"
    first = target.connection.set(mark, 1, nx=True, ex=60)
    return not first


# -- signs of life and progress --------------------------------------------------------------


def _life_key(job_id: int) -> str:
    return f"govern:job-{job_id}:alive"


def is_alive(connection: redis.Redis, job_id: int) -> bool:
    """Whether a run of that job gave a sign of life within the last seconds."""
    return bool(connection.exists(_life_key(job_id)))


@contextmanager
def sign_of_life(job_id: int) -> Iterator[None]:
    """Keep saying that this job is being worked on, until the block ends or the process dies."""
    if not is_connected():
        yield
        return
    connection = client()
    stop = threading.Event()

    def beat() -> None:
        while True:
            try:
                connection.set(_life_key(job_id), 1, ex=SIGN_OF_LIFE_SECONDS)
            except redis.RedisError:
                log.warning("redis is away while a job runs", extra={"job_id": job_id})
            if stop.wait(SIGN_OF_LIFE_SECONDS / 4):
                return

    thread = threading.Thread(target=beat, name="sign-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2)
        try:
            connection.delete(_life_key(job_id))
        except redis.RedisError:
            log.warning("redis is away after a job", extra={"job_id": job_id})


def keep_progress(job_id: int, done: int, total: int) -> None:
    """Remember how far a job is."""
    try:
        client().set(f"govern:job-{job_id}:progress", f"{done}/{total}", ex=PROGRESS_SECONDS)
    except redis.RedisError:
        log.warning("redis is away: progress is not shown", extra={"job_id": job_id})


def kept_progress(job_id: int) -> tuple[int, int] | None:
    """How far a job is, as far as Redis knows."""
    try:
        kept = client().get(f"govern:job-{job_id}:progress")
    except redis.RedisError:
        return None
    if not isinstance(kept, bytes):
        return None
    done, _, total = kept.decode().partition("/")
    return int(done), int(total)


LONGEST_SILENCE = timedelta(seconds=2 * SIGN_OF_LIFE_SECONDS)
"""A job that runs and has given no sign of life for so long is given to another run."""
