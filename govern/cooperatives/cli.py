"""``govern cooperatives``: add a legal entity with its first rule sets, list what there is."""

from __future__ import annotations

import click
from sqlalchemy import select

from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.cooperatives.presets import PRESETS
from govern.cooperatives.services import add_rule_set, create_cooperative
from govern.extensions import db


@click.group()
def cooperatives() -> None:
    """Legal entities and their rule sets."""


@cooperatives.command()
@click.option("--code", required=True, help="Short name used in addresses, e.g. smartcoop.")
@click.option("--name", required=True)
@click.option("--country", required=True, help="Two letters, e.g. BE.")
@click.option("--enterprise-number", default="")
@click.option("--email", default="")
@click.option("--seat", default="")
@click.option("--time-zone", default="Europe/Brussels", show_default=True)
@click.option("--language", "languages", multiple=True, type=click.Choice(LOCALES), default=LOCALES)
@click.option(
    "--rules",
    "presets",
    multiple=True,
    required=True,
    type=click.Choice(sorted(PRESETS)),
    help="Rule sets to start from, one or more.",
)
@app_context
def create(presets: tuple[str, ...], **fields: str) -> None:
    """Add a cooperative with its rule sets."""
    cooperative = create_cooperative(db.session(), SYSTEM, **fields)  # type: ignore[arg-type]
    for make, starts_on, source in sorted((PRESETS[p] for p in presets), key=lambda item: item[1]):
        add_rule_set(
            db.session(), SYSTEM, cooperative, rules=make(), starts_on=starts_on, source=source
        )
    db.session.commit()
    click.echo(f"{cooperative.code}: added with {len(presets)} rule set(s)")


@cooperatives.command("list")
@app_context
def list_cooperatives() -> None:
    """List code, country, state and name."""
    for row in db.session.scalars(select(Cooperative).order_by(Cooperative.code)):
        click.echo(f"{row.code}\t{row.country}\t{row.status}\t{row.name}")
