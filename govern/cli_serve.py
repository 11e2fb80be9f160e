"""The commands that run the processes: everything at once, or one kind of process by itself."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click
from flask import current_app

from govern import serve as serving
from govern.app import create_app
from govern.cli_tools import (
    app_context,
    bare_app_context,
    plain_errors,
    require_newest_schema,
)
from govern.config import Config, load_config
from govern.extensions import db
from govern.jobs.ticks import put_back_all_running
from govern.jobs.worker import run_ticks, run_worker
from govern.logs import configure_logging
from govern.schema import upgrade

HOST = click.option("--host", default="127.0.0.1", show_default=True, envvar="HOST")
PORT = click.option("--port", default=5000, show_default=True, envvar="PORT")
WORKERS = click.option("--workers", default=2, show_default=True, help="Web processes.")
THREADS = click.option("--threads", default=8, show_default=True, help="Threads in each of them.")


def _settings() -> Config:
    settings = load_config()
    configure_logging(settings)
    return settings


@click.command("serve")
@HOST
@PORT
@WORKERS
@THREADS
@click.option(
    "--prepare",
    is_flag=True,
    help="First bring the schema up to date and, with GOVERN_ENV=demo, make the demonstration.",
)
@bare_app_context
def serve(host: str, port: int, workers: int, threads: int, prepare: bool) -> None:
    """Run web server, worker, clock and (without REDIS_URL) a private Redis, until Ctrl-C."""
    # What we start below reads the same environment: links in mails must name this port.
    os.environ["PORT"] = str(port)
    settings = _settings()
    if prepare:
        upgrade(db.engine)
        _make_demonstration(settings)
    require_newest_schema()
    db.session.remove()
    db.engine.dispose()
    sys.exit(serving.serve(settings, host=host, port=port, workers=workers, threads=threads))


def _make_demonstration(settings: Config) -> None:
    """Call ``govern demo create --if-absent`` and ``demo show`` in this process: a second start
    must be quick."""
    context = click.get_current_context().find_root()
    root = context.command
    demo = root.get_command(context, "demo") if isinstance(root, click.Group) else None
    if settings.environment != "demo" or not isinstance(demo, click.Group):
        return
    application = current_app._get_current_object()  # type: ignore[attr-defined]
    for name, arguments in (("create", ["--if-absent"]), ("show", [])):
        demo.commands[name].main(arguments, obj=application, standalone_mode=False)


@click.command("web")
@HOST
@PORT
@WORKERS
@THREADS
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Run the web server alone."""
    with plain_errors():
        settings = _settings()
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        options = {"bind": bind, "workers": workers, "threads": threads}
        serving.WebServer(settings, create_app, options).run()


@click.command("worker")
@app_context
def worker() -> None:
    """Run one worker and its clock, until told to stop; more of them may run elsewhere."""
    db.engine.dispose()
    settings = _settings()
    sys.exit(serving.serve_jobs(settings))


@click.command("work-loop", hidden=True)
@click.option("--fresh", is_flag=True, help="No other worker can be alive: resume at once.")
def work_loop(fresh: bool) -> None:
    """One RQ worker (what ``serve`` and ``worker`` start)."""
    with plain_errors():
        app = create_app(_settings())
        if fresh:
            with app.app_context():
                put_back_all_running(db.session())
                db.session.commit()
                db.session.remove()
        run_worker(app)


@click.command("tick-loop", hidden=True)
def tick_loop() -> None:
    """The clock: looks every few seconds at what is due (what ``serve`` and ``worker`` start)."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with plain_errors():
        run_ticks(create_app(_settings()), stop)


COMMANDS = (serve, web, worker, work_loop, tick_loop)
