"""Real helpers for the tests of the house: a private Redis, and processes that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis

from govern.config import Config
from govern.jobs import broker
from govern.serve import private_redis_command

PATIENCE = 60.0


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Poll until ``condition()`` holds; fail saying what was waited for."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.02)


class PrivateRedis:
    """A Valkey server on the instance's socket, to start, stop and kill."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = broker.private_socket(self._config)
        path.unlink(missing_ok=True)
        log = self._config.instance_dir / "redis.log"
        self._process = subprocess.Popen(private_redis_command(path, log))
        wait_until(self._answers, "Redis answers")

    def _answers(self) -> bool:
        try:
            return bool(broker.connect_briefly(self._config).ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def start_govern(config: Config, *arguments: str, imports: str = "") -> subprocess.Popen[bytes]:
    """Start ``govern <arguments>`` as a process of its own session, with ``imports`` imported."""
    environment = {
        **os.environ,
        "GOVERN_ENV": "development",
        "GOVERN_INSTANCE": str(config.instance_dir),
        "GOVERN_SECRET_KEY": config.secret_key,
        "DATABASE_URL": config.database_url,
        "MAIL_URL": config.mail_url or "",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    program = f"{imports}\nimport sys; from govern.cli import main; main(sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=(config.instance_dir / "output.txt").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    """Send a signal and wait for the end; the exit status."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
