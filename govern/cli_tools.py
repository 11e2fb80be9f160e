"""What every command of ``govern …`` shares: the application context, and errors in plain text."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from flask import Flask

from govern.errors import ConfigurationError, GovernError
from govern.extensions import db
from govern.schema import database_revision, newest_revision

Command = TypeVar("Command", bound=Callable[..., Any])


_app_factory: list[Callable[[], Flask]] = []


def use_app_factory(factory: Callable[[], Flask]) -> None:
    """Say how commands get their application (``govern.cli`` does: it stands above everything)."""
    _app_factory[:] = [factory]


def _make_app() -> Flask:
    if not _app_factory:
        raise RuntimeError("use_app_factory was not called")
    return _app_factory[0]()


def app_context(command: Command) -> Command:
    """Run ``command`` inside the application's context; turn a GovernError into two lines.

    The application is made from the environment, or taken from ``click``'s context object (tests
    hand theirs over that way). The database must be at the newest schema.
    """
    return _in_context(command, check_schema=True)


def bare_app_context(command: Command) -> Command:
    """Like ``app_context``, for commands that run before the database is migrated."""
    return _in_context(command, check_schema=False)


def _in_context(command: Command, *, check_schema: bool) -> Command:
    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with plain_errors():
            context = click.get_current_context()
            app = context.obj if context.obj is not None else _make_app()
            with app.app_context():
                if check_schema:
                    require_newest_schema()
                return command(*args, **kwargs)

    return run  # type: ignore[return-value]


def require_newest_schema() -> None:
    """Raise ConfigurationError unless the database is at the revision that the code expects."""
    with db.engine.connect() as connection:
        found, expected = database_revision(connection), newest_revision()
    if found != expected:
        raise ConfigurationError(
            f"The database is at {found or 'no schema yet'}, this version needs {expected}.",
            remedy="Run: govern db upgrade",
        )


@contextmanager
def plain_errors() -> Iterator[None]:
    """A context in which an expected error ends the program with its message and remedy."""
    try:
        yield
    except GovernError as error:
        click.echo(f"Error: {error.message}", err=True)
        if error.remedy:
            click.echo(error.remedy, err=True)
        sys.exit(1)
