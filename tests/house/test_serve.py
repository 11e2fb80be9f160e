"""``govern serve``: everything starts together, and stops together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import select

from govern import mail
from govern.database import reading
from tests.house.servers import start_govern, stop, wait_until
from tests.house.smtp_server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("servers")]


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _family(pid: int) -> set[int]:
    """The processes that descend from ``pid``."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = dict(map(int, line.split()) for line in listed.splitlines())
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def _children_named(parent: int, name: str) -> list[int]:
    """The processes that ``parent`` itself has started and whose command holds ``name``."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == parent and name in row[2]]


def _alive(pids: set[int]) -> set[int]:
    alive = set()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "Z":
                    alive.add(pid)
        except FileNotFoundError:
            continue
    return alive


@pytest.fixture
def serve(app, config):
    """Start ``govern serve`` on a free port; gives (process, port) once it answers."""
    started = []

    def begin(*more: str, port: int | None = None) -> tuple[subprocess.Popen[bytes], int]:
        port = port or free_port()
        process = start_govern(
            config, "serve", "--port", str(port), "--workers", "1", *more,
        )  # fmt: skip
        started.append(process)
        wait_until(
            lambda: _get(port, "/readyz")[0] == 200 or process.poll() is not None, "it answers"
        )
        return process, port

    yield begin
    for process in started:
        if process.poll() is None:
            stop(process)


def _output(config) -> str:
    return (config.instance_dir / "output.txt").read_text()


def test_one_signal_stops_everything(serve, config):
    process, port = serve()
    wait_until(lambda: len(_family(process.pid)) >= 4, "Redis, worker, clock and web are there")
    family = _family(process.pid)
    names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in family}
    assert any("valkey" in name for name in names)
    ready = json.loads(_get(port, "/readyz")[1])
    assert ready == {"status": "ok", "database": "ok", "redis": "ok"}
    assert stop(process, signal.SIGINT) == 0
    wait_until(lambda: not _alive(family), "nothing is left over")
    assert f"govern runs at http://127.0.0.1:{port}" in _output(config)


def test_killing_the_supervisor_leaves_nothing_behind(serve):
    process, _port = serve()
    family = _family(process.pid)
    stop(process, signal.SIGKILL)
    wait_until(lambda: not _alive(family), "nothing is left over")


@pytest.mark.parametrize("victim", ["valkey", "work-loop"])
def test_when_one_process_dies_all_stop_and_it_is_named(serve, config, victim):
    process, _port = serve()
    # The web server answers first; the others are started after it.
    wait_until(lambda: _children_named(process.pid, victim), f"there is a process {victim}")
    family = _family(process.pid)
    os.kill(_children_named(process.pid, victim)[0], signal.SIGKILL)
    assert process.wait(60) == 1
    wait_until(lambda: not _alive(family), "nothing is left over")
    assert "process ended" in _output(config)


def test_what_waited_before_the_start_is_done_after_it(serve, session, config):
    mail.queue_mail(
        session, cooperative_id=None, to_address="ana@example.org", to_name="Ana", language="en",
        template="password_changed", context={}, dedupe_key="k", category="test",
    )  # fmt: skip
    session.commit()
    process, port = serve()

    def state() -> str | None:
        with reading(session):
            return session.scalar(select(mail.OutboxMail.state))

    wait_until(lambda: state() == "sent", "the mail is in the mailbox")
    _get(port, "/sign-in?secret=K7F3")
    with socket.create_connection(("127.0.0.1", port)) as rude:
        rude.sendall(b"\x00\x01 this is no HTTP\r\n\r\n")
        assert b"400" in rude.recv(1000)
    assert stop(process) == 0
    assert "from ip" not in _output(config)
    lines = [line for line in _output(config).splitlines() if line.startswith("{")]
    assert "/sign-in" in [json.loads(line).get("route") for line in lines]
    assert "K7F3" not in _output(config)
    assert not [line for line in lines if "127.0.0.1" in line or "ana@example.org" in line]


def test_a_taken_port_is_named(serve, config):
    _process, port = serve()
    other = config.with_changes(instance_dir=config.instance_dir / "other")
    other.instance_dir.mkdir()
    second = start_govern(other, "serve", "--port", str(port))
    assert second.wait(60) == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in _output(other)
    assert "--port" in _output(other)


def test_the_same_instance_is_not_served_twice(serve, config):
    serve()
    second = start_govern(config, "serve", "--port", str(free_port()))
    assert second.wait(60) == 1
    assert "is already being served" in _output(config)


def test_a_database_that_was_not_migrated_is_named(config, tmp_path):
    empty = config.with_changes(
        database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}", instance_dir=tmp_path
    )
    process = start_govern(empty, "serve", "--port", str(free_port()))
    assert process.wait(60) == 1
    assert "govern db upgrade" in _output(empty)


def test_prepare_migrates_first(config, tmp_path):
    empty = config.with_changes(
        database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}", instance_dir=tmp_path
    )
    port = free_port()
    process = start_govern(empty, "serve", "--prepare", "--port", str(port), "--workers", "1")
    wait_until(lambda: _get(port, "/readyz")[0] == 200 or process.poll() is not None, "it answers")
    assert stop(process, signal.SIGINT) == 0, _output(empty)
