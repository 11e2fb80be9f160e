"""`govern audit FILE.bel [--extends OLDER.bel]`: the strict verifier, offline.

Deliberately outside the application: it imports nothing of Flask and opens no database, so a
stranger can run it with this file, the protocol package and the archive.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from govern.voting.protocol.audit import STEPS, AuditError, AuditReport, audit_archive

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("archive", type=_FILE)
@click.option("--extends", type=_FILE, help="An older copy of the archive: must be its beginning.")
@click.option("--workers", type=click.IntRange(1, 512), help="Processes; by default one per core.")
def audit(archive: Path, extends: Path | None, workers: int | None) -> None:
    """Verify an election's ARCHIVE completely: keys, every ballot, the tally, the result.

    Ends with status 0 only if everything holds. Needs no network.
    """
    log = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=log,
        transient=True,
    )
    task = bar.add_task("", total=1)
    reached = 0

    def show(number: int, title: str, done: int, total: int) -> None:
        nonlocal reached
        if number != reached:
            for passed in range(max(reached, 1), number):
                if reached:
                    log.print(f"[green]✓[/] step {passed}: {STEPS[passed]}")
            reached = number
        bar.update(task, description=f"step {number}: {title}", completed=done, total=total)

    try:
        with bar:
            report = audit_archive(archive, extends=extends, workers=workers, progress=show)
    except AuditError as error:
        log.print(f"[red]✗ Refused:[/] {escape(_printable(str(error)))}", highlight=False)
        sys.exit(1)
    log.print(f"[green]✓[/] step {reached}: {STEPS[reached]}")
    for label, value in _details(report):
        click.echo(_printable(f"{label}: {value}"))
    click.echo(f"Proved: {report.sentence}")


def _printable(text: str) -> str:
    """What an archive says must not steer the reader's terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _details(report: AuditReport) -> Iterator[tuple[str, str]]:
    """What to compare with the minutes and with the opening mail, then the result."""
    yield "Election", f"{report.name} ({report.uuid}, {report.group})"
    yield "Fingerprint of the election", report.fingerprint
    yield "Hash of the Setup event", report.setup
    yield "Digest of the credentials", report.credentials_digest
    yield "Digest of the trustees' keys", report.trustees_digest
    yield "Trustees", str(report.trustees)
    yield "Credentials", str(report.credentials)
    yield "Ballots in the box", str(report.ballots)
    yield "Ballots that count", str(report.counted)
    if report.result is None:
        return
    for question, row in zip(report.election.questions, report.result, strict=True):
        answers = (["(blank)"] if question.blank else []) + list(question.answers)
        counts = zip(answers, row, strict=True)
        yield question.text, ", ".join(f"{answer}: {count}" for answer, count in counts)
