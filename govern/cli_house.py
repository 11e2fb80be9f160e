"""The commands of the house itself: schema, jobs, audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import sqlalchemy as sa
from alembic.util import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from govern import audit, jobs, schema
from govern.backup import HELD_BY_RESTORE, Report, restore_backup, write_backup
from govern.cli_tools import app_context, bare_app_context
from govern.errors import ConfigurationError
from govern.extensions import db as database
from govern.mail.models import OutboxMail


@click.group("db")
def schema_commands() -> None:
    """The schema of the database."""


@schema_commands.command("upgrade")
@click.argument("revision", default="head")
@bare_app_context
def upgrade(revision: str) -> None:
    """Bring the database up to REVISION (the newest by default)."""
    _migrate(schema.upgrade, revision)


@schema_commands.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This loses data. Go on?")
@bare_app_context
def downgrade(revision: str) -> None:
    """Take the database back to REVISION ("base" for an empty one)."""
    _migrate(schema.downgrade, revision)


def _migrate(step: object, revision: str) -> None:
    try:
        step(database.engine, revision)  # type: ignore[operator]
    except CommandError as error:
        raise ConfigurationError(
            f"The database cannot be migrated to {revision!r}: {error}",
            remedy="See the names in migrations/versions, or use head.",
        ) from error
    with database.engine.connect() as connection:
        click.echo(f"database: {schema.database_revision(connection) or 'empty'}")


@click.command("resume")
@app_context
def resume() -> None:
    """Hand over again whatever a crash left undone. Safe to repeat."""
    click.echo(f"{jobs.resume()} job(s) handed over")


@click.group("audit-log")
def audit_log() -> None:
    """The record of who did what."""


@audit_log.command("verify")
@app_context
def verify() -> None:
    """Recompute the chain of hashes; fails naming the first entry that does not fit."""
    state = audit.verify_chain(database.session())
    click.echo(f"{state.entries} entries, the chain holds; newest hash {state.head}")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@app_context
def backup(file: Path) -> None:
    """Write every row of the database to FILE (readable by you alone)."""
    with _bars() as report:
        manifest = write_backup(database.engine, file, report)
    click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables in {file}")
    click.echo(
        "The secret key is not in it: keep GOVERN_SECRET_KEY (or instance/secret_key) apart."
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@bare_app_context
def restore(file: Path) -> None:
    """Fill an empty database (of either kind) with the backup in FILE."""
    with _bars() as report:
        manifest = restore_backup(database.engine, file, report)
    click.echo(f"{manifest.rows} rows of {len(manifest.tables)} tables restored")
    state = audit.verify_chain(database.session())
    click.echo(f"audit log: {state.entries} entries, the chain holds")
    held = database.session.scalar(
        sa.select(sa.func.count()).where(OutboxMail.last_error == HELD_BY_RESTORE)
    )
    if held:
        click.echo(
            f"{held} mails were waiting when the backup was made. They are not sent by themselves, "
            "since they may have left meanwhile: decide in the outbox of each cooperative."
        )


@contextmanager
def _bars() -> Iterator[Report]:
    """A bar that moves table by table."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(table: str, done: int, total: int) -> None:
            progress.update(task, description=table, completed=done, total=total)

        yield report


COMMANDS = (schema_commands, resume, audit_log, backup, restore)
