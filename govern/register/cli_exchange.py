"""``govern register export-full``, ``import-full``, ``programs``: the register out and in."""

from __future__ import annotations

import os
import tempfile
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console

from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.extensions import db
from govern.register.models.api import ApiScope
from govern.register.progress import bar
from govern.register.services import api
from govern.register.services.exchange import export_register, import_register
from govern.web import cooperative_by_code


@click.command("export-full")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def export_full(file: Path, code: str) -> None:
    """Write the whole register to FILE (a ZIP of documented CSV and JSON files).

    It holds all personal data of the members: FILE is readable by its owner only.
    """
    session = db.session()
    cooperative = cooperative_by_code(code)
    # A name of its own until it is whole: an interrupted export leaves no half file under FILE.
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream, bar(Console(stderr=True)) as show:
            manifest = export_register(
                session, SYSTEM, cooperative, stream, lambda done, of: show("writing", done, of)
            )
        session.commit()
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    rows = manifest["rows"]
    click.echo(f"{rows['memberships.csv']} memberships, {rows['entries.csv']} entries: {file}")
    click.echo(f"head {manifest['head']['sequence']} {manifest['head']['hash']}")


@click.command("import-full")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--cooperative", "code", help="Code to import under (default: that of the export).")
@click.option("--dry-run", is_flag=True, help="Check everything; change nothing.")
@app_context
def import_full(file: Path, code: str | None, dry_run: bool) -> None:
    """Bring a full export into an empty register. All of it or nothing."""
    session = db.session()
    try:
        with bar(Console(stderr=True)) as show:
            found = import_register(
                session,
                SYSTEM,
                file,
                code=code,
                progress=lambda done, of: show("importing", done, of),
            )
    except Exception:
        session.rollback()
        raise
    click.echo(
        f"{found.rows['memberships.csv']} memberships, {found.state.entries} entries, "
        f"all in order; head {found.state.head}"
    )
    if not found.same_chain:
        click.echo("the code is another one: the chain was written anew")
    if dry_run:
        session.rollback()
        click.echo("dry run: nothing was changed")
    else:
        session.commit()


@click.group()
def programs() -> None:
    """Programs that read the register: make, list and end their tokens."""


@programs.command("create")
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@click.option("--name", required=True, help="What the program is and who runs it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in ApiScope]),
    help="What it may read; give it several times.",
)
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day it is no good."
)
@app_context
def create_program(code: str, name: str, scopes: tuple[str, ...], until: datetime) -> None:
    """Make a token; it is printed once and kept as a fingerprint only."""
    ends: date = until.date()
    issued = api.create_client(db.session(), SYSTEM, cooperative_by_code(code), name, scopes, ends)
    db.session.commit()
    click.echo(f"{issued.client.public_id}: {issued.client.scopes}", err=True)
    click.echo(issued.token)


@programs.command("list")
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def list_programs(code: str) -> None:
    """List the programs of a cooperative."""
    for item in api.clients_of(db.session(), cooperative_by_code(code)):
        state = "ended" if item.revoked_at else f"until {item.expires_on}"
        used = item.last_used_on or "never"
        click.echo(f"{item.public_id}  {item.name}  {item.scopes}  {state}  last used: {used}")


@programs.command("revoke")
@click.argument("program")
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def revoke_program(program: str, code: str) -> None:
    """End the token of PROGRAM (its identifier in the list)."""
    found = api.client_by_public_id(db.session(), cooperative_by_code(code), program)
    api.revoke_client(db.session(), SYSTEM, found)
    db.session.commit()
    click.echo(f"{found.name}: ended")
