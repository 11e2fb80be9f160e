"""``govern register book-pdf``: the complete book on paper."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from govern import audit
from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.config import LOCALES
from govern.extensions import db
from govern.register.progress import bar
from govern.register.services import book
from govern.register.services.book import documents
from govern.web import cooperative_by_code

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("book-pdf")
@click.option("--cooperative", "code", required=True, help="Code of the cooperative.")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the volumes; made if it is not there.",
)
@click.option("--on", type=_DAY, help="Holdings at the end of that day (default: today).")
@click.option("--known", type=_DAY, help="As known at the end of that day (default: now).")
@click.option("--language", type=click.Choice(LOCALES), help="Default: the cooperative's first.")
@click.option("--without-domiciles", is_flag=True, help="Leave the addresses out.")
@app_context
def book_pdf(
    code: str,
    folder: Path,
    on: datetime | None,
    known: datetime | None,
    language: str | None,
    without_domiciles: bool,
) -> None:
    """Write the complete book as PDF, in as many volumes as it needs.

    They hold personal data: they are readable by their owner only. Run again, the command finishes
    what was begun in the folder, of the same moment. volumes.json says which moment that is, and
    SHA256SUMS lists the digest of each file.
    """
    session = db.session()
    cooperative = cooperative_by_code(code)
    asked = documents.Asked(
        on=on.date() if on else None,
        known_at=book.end_of(cooperative, known.date()) if known else None,
        language=language or cooperative.languages[0],
        with_domicile=not without_domiciles,
    )
    audit.record(
        session,
        SYSTEM,
        "register:book:printed",
        cooperative_id=cooperative.id,
        data={
            "on": on.date().isoformat() if on else None,
            "known": known.date().isoformat() if known else None,
        },
    )
    session.commit()
    with bar(Console(stderr=True)) as show:
        extract = documents.write_volumes(
            session,
            cooperative,
            asked,
            folder,
            lambda done, total: show("writing volumes", done, total),
        )
    volumes = extract.volumes
    click.echo(
        f"{len(volumes.all)} volumes, {volumes.holders} holders, {volumes.entries} entries: "
        f"{folder}"
    )
    click.echo(f"digest {extract.digest}, verification code {extract.code}")
