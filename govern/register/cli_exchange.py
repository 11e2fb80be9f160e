"""``govern register export-full``, ``import-full``, ``programs``: the register out and in."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.errors import InvalidInput
from govern.extensions import db
from govern.register.importing.odoo.reading import OdooProblem
from govern.register.models import Severity
from govern.register.models.api import ApiScope
from govern.register.progress import bar
from govern.register.services import api
from govern.register.services.exchange import (
    OdooFiles,
    OdooImport,
    export_register,
    import_odoo,
    import_register,
)
from govern.register.texts import SEVERITY_NAMES
from govern.register.texts.odoo import odoo_text
from govern.web import cooperative_by_code

SHOWN = 40
HINTS = {
    "category_unknown": "--category TYPE=CODE",
    "class_unknown": "--class TYPE=CODE",
    "other_name": "--other-names",
}
"""Which option answers a problem of an Odoo export."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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


@click.command("import-odoo")
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@click.option("--partners", required=True, type=_FILE, help="Export of res.partner.")
@click.option(
    "--register", "operations", required=True, type=_FILE, help="Export of subscription.register."
)
@click.option("--lines", type=_FILE, help="Export of share.line, to compare with.")
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="TYPE=CODE",
    help="Category of the members who hold that type of share.",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="TYPE=CODE",
    help="Class of shares that the type is.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--good-rows",
    is_flag=True,
    help="Leave out members whom an error touches, and import the others.",
)
@click.option(
    "--other-names",
    is_flag=True,
    help="Trust the member numbers where a member is kept under another name here.",
)
@app_context
def import_odoo_command(
    code: str,
    partners: Path,
    operations: Path,
    lines: Path | None,
    categories: tuple[str, ...],
    classes: tuple[str, ...],
    dry_run: bool,
    good_rows: bool,
    other_names: bool,
) -> None:
    """Import a register kept in Odoo (OCA/cooperative): partners, operations, share lines.

    CSV or XLSX under technical names or labels. What came in before is recognised by the number
    of its operation: the same export again changes nothing. With errors nothing is imported,
    unless --good-rows.
    """
    session = db.session()
    try:
        done = import_odoo(
            session,
            SYSTEM,
            cooperative_by_code(code),
            OdooFiles(
                partners.read_bytes(),
                operations.read_bytes(),
                lines.read_bytes() if lines is not None else None,
            ),
            categories=_pairs(categories),
            classes=_pairs(classes),
            dry_run=dry_run,
            good_rows=good_rows,
            other_names=other_names,
        )
    except Exception:
        session.rollback()
        raise
    session.commit()
    _tell(done, dry_run)
    if done.plan.has_errors and not done.was_written and not dry_run:
        sys.exit(1)


def _pairs(said: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in said:
        share_type, equals, code = text.rpartition("=")
        if not equals or not share_type or not code:
            raise InvalidInput(
                f"“{text}” is not TYPE=CODE.", remedy="Write for example: --category “Part A”=A"
            )
        pairs[share_type] = code
    return pairs


def _tell(done: OdooImport, dry_run: bool) -> None:
    plan = done.plan
    ending = " (dry run: nothing was changed)" if dry_run else ""
    if plan.has_errors and not done.was_written and not dry_run:
        ending = " (nothing was imported: mend the errors, or give --good-rows)"
    click.echo(
        f"{plan.operations} operations, {plan.known_operations} known already, "
        f"{plan.left_out} left out: {len(plan.members)} new members, "
        f"{len(plan.entries)} entries{ending}"
    )
    if plan.ignored_partners:
        click.echo(f"{plan.ignored_partners} partners without a cooperator number were not needed")
    for share_type, in_register, in_lines in plan.totals:
        compared = "" if in_lines is None else f", share lines {in_lines}"
        differs = "" if in_lines in (None, in_register) else "  THEY DIFFER"
        click.echo(f"type {share_type}: register {in_register} shares{compared}{differs}")
    codes = {problem.code for problem in plan.problems}
    for code, option in HINTS.items():
        if code in codes:
            click.echo(f"{code.replace('_', ' ')}: see {option}")
    if plan.problems:
        Console(width=None if sys.stdout.isatty() else 200).print(_problem_table(plan.problems))


def _problem_table(problems: list[OdooProblem]) -> Table:
    order = {"error": 0, "warning": 1, "note": 2}
    first = sorted(problems, key=lambda item: (order[item.severity], item.file, item.row))
    left = len(first) - SHOWN
    table = Table(caption=f"and {left} more" if left > 0 else None)
    for title in ("File", "Row", "Column", "Value", "", "What", "Remedy"):
        table.add_column(title)
    for item in first[:SHOWN]:
        words = odoo_text(item.code, item.params)
        cells = [
            item.file,
            str(item.row),
            item.column,
            item.value,
            str(SEVERITY_NAMES[Severity(item.severity)]),
            words.sentence,
            words.remedy,
        ]
        # A cell of the file must not be read as the console's markup.
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
    return table


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
