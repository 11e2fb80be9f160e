"""The schema: every table of every feature, and the migrations that lead there.

``load_models`` finds the models of all features, so that adding a feature needs no list here.
Migrations run on the application's own engine, in one transaction each, on both databases.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, text
from sqlalchemy.engine import Connection

import govern
from govern.database import Base
from govern.paths import MIGRATIONS


def load_models() -> MetaData:
    """Import the models of every feature and return the metadata that then holds all tables."""
    importlib.import_module("govern.audit")
    for package in pkgutil.iter_modules(govern.__path__):
        if package.ispkg:
            name = f"govern.{package.name}.models"
            if importlib.util.find_spec(name) is not None:
                _import_with_submodules(name)
    return Base.metadata


def _import_with_submodules(name: str) -> None:
    module = importlib.import_module(name)
    for part in pkgutil.iter_modules(getattr(module, "__path__", [])):
        importlib.import_module(f"{name}.{part.name}")


def alembic_config() -> AlembicConfig:
    """Alembic's configuration, made in code: there is no ini file to forget."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """The revision that the code expects (the head of the linear chain)."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


def database_revision(connection: Connection) -> str:
    """The revision that the database is at, "" before the first migration."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database up to ``revision``; nothing happens when it is there already."""
    with _migrating(engine) as config:
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to ``revision`` ("base" for an empty one). Data is lost."""
    with _migrating(engine) as config:
        command.downgrade(config, revision)


@contextmanager
def _migrating(engine: Engine) -> Iterator[AlembicConfig]:
    """A configuration whose connection holds the lock: of two that start at once, one waits."""
    config = alembic_config()
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            # Batch mode recreates tables; with foreign keys on that would cascade into others.
            # The setting cannot change inside a transaction, hence the raw cursor.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(7311982)"))
                config.attributes["connection"] = connection
                yield config
                if sqlite:
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                    if broken:
                        raise RuntimeError(f"the migration breaks foreign keys: {broken[:5]}")
        finally:
            if sqlite:
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
