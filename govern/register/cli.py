"""``govern register``: import a register, verify the share ledger, take a roll."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from govern import clock
from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.cooperatives.models import Cooperative
from govern.database import reading
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.register.cli_book import book_pdf
from govern.register.cli_exchange import (
    export_full,
    import_full,
    import_odoo_command,
    programs,
)
from govern.register.importing.comparing import Plan, make_plan
from govern.register.importing.headers import missing_columns, recognise_columns
from govern.register.importing.rows import Problem
from govern.register.models import Erasure, ImportState, Membership
from govern.register.privacy_table import privacy_table
from govern.register.progress import bar
from govern.register.services import imports, rolls
from govern.register.services.chain import count_entries
from govern.register.services.erasure import (
    complete_erasure,
    due_erasures,
    erase_member,
    expired_memberships,
)
from govern.register.services.import_register import import_context, load_register
from govern.register.services.verifying import verify_ledger
from govern.register.texts import FIELD_NAMES, SEVERITY_NAMES, file_text, problem_text

SHOWN = 40


@click.group()
def register() -> None:
    """The register of members: import, verify, roll."""


for command in (book_pdf, export_full, import_full, import_odoo_command, programs):
    register.add_command(command)


def _cooperative(code: str) -> Cooperative:
    found = db.session.scalar(select(Cooperative).where(Cooperative.code == code))
    if found is None:
        raise NotFound(
            f"There is no cooperative “{code}”.", remedy="List them with: govern cooperatives list"
        )
    return found


@register.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--hold-back-duplicates", is_flag=True, help="Keep out rows that are likely written twice."
)
@app_context
def import_command(file: Path, code: str, dry_run: bool, hold_back_duplicates: bool) -> None:
    """Import the members of FILE (CSV or XLSX). Rows with errors stay out.

    They are written beside FILE as NAME-mend.csv, with what to mend in each.
    """
    cooperative = _cooperative(code)
    content = file.read_bytes()
    console = Console(stderr=True)
    work = _try_out if dry_run else _bring_in
    plan, mend = work(cooperative, file.name, content, hold_back_duplicates, console)
    _report(plan, dry_run)
    if mend:
        target = file.with_name(f"{file.stem}-mend.csv")
        target.write_bytes(mend)
        click.echo(f"The rows to mend are in {target}", err=True)


def _try_out(
    cooperative: Cooperative, _name: str, content: bytes, hold_back: bool, console: Console
) -> tuple[Plan, bytes]:
    table = imports.read_file(content)
    mapping = _mapping(table.layout.headers)
    with bar(console) as show:
        parsed = imports.parse(
            content,
            mapping,
            import_context(db.session(), cooperative),
            lambda done, total: show("reading", done, total),
        )
        show("reading", len(parsed.rows), len(parsed.rows))
    plan = make_plan(
        parsed.reader,
        parsed.rows,
        load_register(db.session(), cooperative),
        hold_back_duplicates=hold_back,
    )
    db.session.rollback()
    return plan, b""


def _bring_in(
    cooperative: Cooperative, name: str, content: bytes, hold_back: bool, console: Console
) -> tuple[Plan, bytes]:
    session = db.session()
    batch = imports.start_import(session, SYSTEM, cooperative, name, content, later=False)
    if batch.state == ImportState.MAPPING.value:
        _mapping(tuple(batch.layout["headers"]))
    batch.hold_back_duplicates = hold_back
    session.commit()
    context, mapping = import_context(session, cooperative), dict(batch.mapping)
    session.commit()
    with bar(console) as show:
        parsed = imports.parse(
            content, mapping, context, lambda done, total: show("reading", done, total)
        )
        show("reading", len(parsed.rows), len(parsed.rows))
        imports.write_preview(session, batch, parsed)
        session.commit()
        imports.confirm_import(session, SYSTEM, batch, batch.plan_digest, later=False)
        session.commit()
        # Comparing leaves its marks on the rows: the second time they are read afresh.
        parsed = imports.parse(content, mapping, context)
        new = batch.counts["new"]
        plan = imports.write_import(
            session, SYSTEM, batch, parsed, lambda done: show("writing", done, new)
        )
        if plan is None:
            session.commit()
            raise GovernError(
                "The register changed while the file was being read; nothing was imported.",
                remedy="Run the command again.",
            )
        show("writing", new, new)
        session.commit()
    return plan, imports.mend_file(parsed, plan, batch) if plan.bad_rows else b""


def _mapping(headers: tuple[str, ...]) -> dict[str, int]:
    mapping = recognise_columns(headers)
    missing = missing_columns(mapping)
    if missing:
        names = ", ".join(str(FIELD_NAMES[name]) for name in missing)
        words = file_text("file_columns_missing", {"columns": names})
        raise GovernError(words.sentence, remedy="Rename the columns, or import on the web page.")
    return mapping


def _report(plan: Plan, dry_run: bool) -> None:
    counts = plan.counts()
    click.echo(
        f"{counts['rows']} rows: {counts['new']} new, {counts['changed']} changed, "
        f"{counts['unchanged']} unchanged, {counts['bad']} to mend"
        + (" (dry run: nothing was changed)" if dry_run else "")
    )
    if plan.problems:
        Console(width=None if sys.stdout.isatty() else 200).print(_problems(plan.problems))


def _problems(problems: list[Problem]) -> Table:
    order = {"error": 0, "warning": 1, "note": 2}
    first = sorted(problems, key=lambda item: (order[item.severity], item.row))
    left = len(first) - SHOWN
    table = Table(caption=f"and {left} more" if left > 0 else None)
    for title in ("Row", "Column", "Value", "", "What", "Remedy"):
        table.add_column(title)
    for item in first[:SHOWN]:
        words = problem_text(item.code, item.params)
        cells = [
            str(item.row),
            item.column,
            item.value,
            str(SEVERITY_NAMES[item.severity]),  # type: ignore[index]
            words.sentence,
            words.remedy,
        ]
        # A cell of the file must not be read as the console's markup.
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
    return table


@register.command()
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@app_context
def verify(code: str) -> None:
    """Recompute the chain of the share ledger; fail naming the first entry that does not fit."""
    session = db.session()
    with reading(session), bar(Console(stderr=True)) as show:
        if session.get_bind().dialect.name == "postgresql":
            # What is recorded meanwhile must not look like a misfit; SQLite reads one state anyway.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        cooperative = _cooperative(code)
        total = count_entries(session, cooperative.id)
        state = verify_ledger(session, cooperative, lambda done: show("verifying", done, total))
        show("verifying", state.entries, total)
    click.echo(f"{state.entries} entries, all in order; head {state.head}")
    if state.erased:
        click.echo(f"{state.erased} holders were erased: their commitments cannot be opened")


@register.command()
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@click.option(
    "--record-date", required=True, type=click.DateTime(["%Y-%m-%d"]), help="e.g. 2018-06-04"
)
@click.option("--label", required=True, help="What the roll is for.")
@app_context
def roll(code: str, record_date: datetime, label: str) -> None:
    """Take and freeze a roll; prints its figures and digest."""
    day: date = record_date.date()
    cooperative = _cooperative(code)
    taken = rolls.take_roll(db.session(), SYSTEM, cooperative, day, label)
    rolls.freeze_roll(db.session(), SYSTEM, taken)
    db.session.commit()
    click.echo(
        f"{taken.public_id}: {taken.heads} members, {taken.shares_issued} shares issued, "
        f"{taken.shares_paid} paid\n{taken.digest}"
    )


@register.command("privacy-table")
@app_context
def print_privacy_table() -> None:
    """Print docs/privacy.md."""
    click.echo(privacy_table(), nl=False)


@register.command("erase-due")
@click.option("--dry-run", is_flag=True, help="Say how many; erase nothing.")
@click.option("--everybody", is_flag=True, help="Also former members who never asked.")
@app_context
def erase_due(dry_run: bool, everybody: bool) -> None:
    """Erase the members whose data need not be kept any more (the job does it by itself)."""
    session, today = db.session(), clock.today()
    if everybody:
        for member_id in [row.id for row in expired_memberships(session, today)]:
            if not dry_run:
                erase_member(session, SYSTEM, session.get_one(Membership, member_id))
                session.commit()
            click.echo(f"membership {member_id} has expired")
    due = due_erasures(session, today)
    for number in due if not dry_run else ():
        try:
            complete_erasure(session, SYSTEM, session.get_one(Erasure, number))
            session.commit()
        except GovernError as error:
            session.rollback()
            click.echo(f"erasure {number} waits: {error.message}", err=True)
    click.echo(f"{len(due)} erasures were due" + (" (dry run)" if dry_run else ""))
