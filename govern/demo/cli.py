"""``govern demo``: make the demonstration, and say how to use it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
from flask import current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from govern.app import create_app
from govern.cli_tools import app_context
from govern.config import Config
from govern.cooperatives.models import Cooperative
from govern.demo import scene
from govern.demo.create import FULL_SIZE, SAMPLES, DemoSize, create_demonstration, is_created
from govern.errors import Conflict
from govern.extensions import db
from govern.schema import upgrade
from govern.voting.models import Election
from govern.voting.rules import ElectionState


@click.group()
def demo() -> None:
    """The demonstration cooperatives, with invented people."""


@demo.command()
@click.option(
    "--members",
    type=click.IntRange(200, 100_000),
    default=FULL_SIZE,
    envvar="DEMO_MEMBERS",
    show_default=True,
    help="Members in Belgium; the rest follows in proportion.",
)
@click.option("--if-absent", is_flag=True, help="Do nothing where it exists already.")
@app_context
def create(members: int, if_absent: bool) -> None:
    """Make the demonstration in an empty database."""

    settings: Config = current_app.config["GOVERN"]
    if is_created(db.session()):
        if not if_absent:
            raise Conflict("The demonstration exists already.", remedy="Start “govern serve”.")
        return
    if db.session.scalar(select(func.count(Cooperative.id))):
        raise Conflict(
            "The database is not empty, so the demonstration is not made in it.",
            remedy="Name another instance folder with GOVERN_INSTANCE, or an empty DATABASE_URL.",
        )
    db.session.rollback()
    # Redis starts later: that jobs wait in the database is what is wanted here.
    logging.getLogger("govern.jobs").setLevel(logging.ERROR)
    with ProgressReport() as report:
        if settings.is_sqlite:
            _create_aside(settings, members, report)
        else:
            create_demonstration(db.session(), DemoSize(members), _folder(settings), report)


def _folder(settings: Config) -> Path:
    return settings.instance_dir / "demonstration"


def _create_aside(settings: Config, members: int, report: ProgressReport) -> None:
    """Make it in a file next to the database and put that in its place when it is whole."""
    target = Path(make_url(settings.database_url).database or "")
    aside = target.with_name(target.name + ".building")
    for leftover in aside.parent.glob(aside.name + "*"):
        leftover.unlink()
    app = create_app(settings.with_changes(database_url=f"sqlite:///{aside}"))
    with app.app_context():
        upgrade(db.engine)
        create_demonstration(db.session(), DemoSize(members), _folder(settings), report)
        db.session.remove()
        db.engine.dispose()
    db.session.remove()
    db.engine.dispose()
    # The last connection has folded the write-ahead log into the file; what is left of the old
    # one's must not be read as if it belonged to the new one.
    for side in ("-wal", "-shm"):
        target.with_name(target.name + side).unlink(missing_ok=True)
    os.replace(aside, target)


class ProgressReport:
    """Shows (label, done, total) as bars."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, object] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        if label not in self._tasks:
            self._tasks[label] = self._progress.add_task(label, total=total)
        self._progress.update(self._tasks[label], completed=done, total=total)  # type: ignore[arg-type]

    def __enter__(self) -> ProgressReport:
        self._progress.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._progress.stop()


@demo.command()
@app_context
def show() -> None:
    """Print the sample accounts and where to begin."""

    settings: Config = current_app.config["GOVERN"]
    session = db.session()
    if not is_created(session):
        click.echo("There is no demonstration here: “govern demo create” makes it.")
        return
    click.echo("\nSample accounts, all with the password: " + scene.PASSWORD)
    for sample in SAMPLES.values():
        name = f"{sample.given_name} {sample.family_name}"
        click.echo(f"  {sample.email:44} member {sample.number} of SmartCoop, {name}")
    for code in session.scalars(select(Cooperative.code).order_by(Cooperative.code)):
        for role in scene.OFFICER_NAMES:
            click.echo(f"  {scene.officer_email(role, code):44} {role.value.replace('_', ' ')}")
    for election in session.scalars(select(Election).order_by(Election.opens_at)):
        state = "open now" if election.stage is ElectionState.OPEN else election.state
        click.echo(f"\n{state}: {settings.public_url}/elections/{election.uuid}")
        path = _folder(settings) / f"govern-trustee-key-{election.uuid}.age"
        if path.exists():
            click.echo(f"  the trustee's key file, opened by the same password: {path}")
    click.echo(
        f"\nMails, with each member's voting code: {settings.public_url}/mailbox"
        f"\nThe coming assembly: {settings.public_url}/smartcoop/"
    )
