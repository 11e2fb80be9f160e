"""``govern election``: how elections stand, and the few steps one may need without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select

from govern.access import SYSTEM
from govern.cli_tools import app_context
from govern.database import reading
from govern.errors import InvalidInput
from govern.extensions import db
from govern.i18n import joined_texts
from govern.voting.models import BoxState, Election
from govern.voting.rules import NEXT_STATE, missing_for
from govern.voting.services import box, closing, steps
from govern.voting.texts import missing_sentence


@click.group()
def election() -> None:
    """Elections held with sealed ballots."""


@election.command("list")
@app_context
def list_elections() -> None:
    """All elections: address, state, times."""
    for item in db.session.scalars(select(Election).order_by(Election.opens_at)):
        click.echo(
            f"{item.public_id}  {item.state:<12} {item.opens_at:%Y-%m-%d %H:%M} "
            f"{item.closes_at:%Y-%m-%d %H:%M} UTC  {joined_texts(item.title)}"
        )


@election.command()
@click.argument("uuid")
@app_context
def show(uuid: str) -> None:
    """How election UUID stands, and what its next step lacks."""
    item = steps.find_election(db.session(), uuid)
    click.echo(f"{joined_texts(item.title)}: {item.state}")
    click.echo(f"opens {item.opens_at.isoformat()}, closes {item.closes_at.isoformat()}")
    state = db.session.get(BoxState, item.id)
    if state is not None:
        click.echo(f"{state.ballots} ballots, {state.voters} count; head {state.head}")
    target = NEXT_STATE.get(item.stage)
    if target is not None:
        for missing in missing_for(target, steps.gather_facts(db.session(), item)):
            click.echo(f"missing for {target}: {missing_sentence(missing)}")


@election.command()
@click.argument("uuid")
@click.option("--until", required=True, help="New closing time, local: 2018-06-19T20:00")
@click.option("--reason", required=True, help="Shown in the public log.")
@app_context
def extend(uuid: str, until: str, reason: str) -> None:
    """Move the closing time later; after an outage, before the server is started again."""
    session = db.session()
    item = steps.find_election(session, uuid)
    closing.extend_election(session, SYSTEM, item, _instant(until, item), reason)
    session.commit()
    click.echo(f"closes {item.closes_at.isoformat()}")


def _instant(text: str, item: Election) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not a date and time.", remedy="Write it as 2018-06-19T20:00."
        ) from error
    if local.tzinfo is None:
        local = local.replace(tzinfo=ZoneInfo(item.cooperative.time_zone))
    return local.astimezone(UTC)


@election.command()
@click.argument("uuid")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@app_context
def archive(uuid: str, file: Path) -> None:
    """Write the public archive of election UUID into FILE."""
    with reading(db.session), file.open("wb") as output:
        session = db.session()
        for piece in box.stream_archive(session, steps.find_election(session, uuid)):
            output.write(piece)
    click.echo(f"{file}: {file.stat().st_size} bytes")


@election.command()
@click.argument("uuid")
@app_context
def check(uuid: str) -> None:
    """Recompute every hash and link of the ballot box of election UUID."""
    with reading(db.session):
        session = db.session()
        height = box.check_chain(session, steps.find_election(session, uuid))
    click.echo(f"the chain holds up to entry {height}")
