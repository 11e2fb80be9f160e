"""The real application: the command ``govern`` with a database, a worker and a Redis of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 90.0
STOP_SECONDS = 40.0
PR_SET_PDEATHSIG = 1
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "MAIL_URL", "GOVERN_SECRET_KEY", "HOST", "PORT")


def _end_with_the_test() -> None:
    """In the new process: stop as well when the tests are killed (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Govern:
    """``govern`` in an instance folder of its own, served on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = str(Path(sys.executable).with_name("govern"))
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in NOT_OURS},
            "GOVERN_ENV": "demo",
            "GOVERN_INSTANCE": str(folder),
            "PUBLIC_URL": self.url,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        path = self.folder / "serve.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *arguments: str, typed: str = "") -> str:
        """Run ``govern`` with ``arguments`` to its end; what it printed. It must end well."""
        done = subprocess.run(
            [self._command, *arguments],
            env=self._environment,
            cwd=self.folder,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"govern {arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self) -> None:
        """Serve, and wait until the first page answers."""
        with (self.folder / "serve.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._command, "serve", "--port", str(self.port)],
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_the_test,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"govern serve has ended:\n{self.log}"
            assert time.monotonic() < deadline, f"govern serve does not answer:\n{self.log}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
            return False

    def stop(self) -> int:
        """Stop everything as Ctrl-C does; the exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise
