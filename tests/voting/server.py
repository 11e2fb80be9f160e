"""A real web server over the test's database, and voters who cast at it over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session

from govern.accounts.identity import session_values
from govern.accounts.services import start_session
from govern.config import Config
from tests.house.servers import start_govern, wait_until
from tests.house.smtp_server import free_port


@dataclass(frozen=True)
class Browser:
    """The cookie and the token of one signed-in person."""

    cookie: str
    csrf_token: str


def browser_of(app: Flask, session: Session, account: Any) -> Browser:
    """Sign ``account`` in without a password; the session is committed."""
    token = start_session(session, account, method="password", device="tests")
    session.commit()
    raw = "csrf" + os.urandom(16).hex()
    values = {**session_values(token), "csrf_token": raw}
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    secret = str(app.config["SECRET_KEY"])
    return Browser(
        f"{app.config['SESSION_COOKIE_NAME']}={serializer.dumps(values)}",
        str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw)),
    )


@dataclass
class WebServer:
    """``govern web`` in processes of their own."""

    config: Config
    workers: int = 2
    threads: int = 8
    port: int = field(default_factory=free_port)
    process: Any = None

    def start(self) -> None:
        self.process = start_govern(
            self.config,
            "web",
            "--port",
            str(self.port),
            "--workers",
            str(self.workers),
            "--threads",
            str(self.threads),
        )
        wait_until(self._answers, "the web server answers")

    def _answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9 of the server and all its workers at once."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def cast(
    connection: http.client.HTTPConnection, uuid: str, browser: Browser, ballot: bytes
) -> tuple[int, dict[str, Any]]:
    """Send one sealed ballot; status and body. OSError or HTTPException if no answer came."""
    connection.request(
        "POST",
        f"/elections/{uuid}/cast",
        body=json.dumps({"ballot": ballot.decode()}),
        headers={
            "Content-Type": "application/json",
            "Cookie": browser.cookie,
            "X-CSRFToken": browser.csrf_token,
        },
    )
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def cast_all(
    server: WebServer,
    uuid: str,
    ballots: Sequence[tuple[Browser, bytes]],
    *,
    at_once: int,
    after_each: Callable[[int], None] = lambda count: None,
) -> list[dict[str, Any] | None]:
    """Cast all ballots, ``at_once`` in parallel; the receipts, None where no answer came."""
    local = threading.local()
    counted = iter(range(1, len(ballots) + 1))

    def one(pair: tuple[Browser, bytes]) -> dict[str, Any] | None:
        # A kept connection may have been closed by the server meanwhile: try once with a new one.
        for _ in range(2):
            if not hasattr(local, "connection"):
                local.connection = server.connect()
            try:
                status, body = cast(local.connection, uuid, *pair)
            except (OSError, http.client.HTTPException) as error:
                local.connection.close()
                del local.connection
                print("no answer:", repr(error))
                continue
            if status != 200:
                print("refused:", status, body)
                return None
            after_each(next(counted))
            return body
        return None

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, ballots))
