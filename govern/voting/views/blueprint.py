"""The blueprint of elections, and how a page finds its election."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO, Any

from flask import Blueprint, g, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.errors import GovernError
from govern.extensions import db
from govern.paths import find_folder
from govern.voting.models import Election
from govern.voting.services.reading import require_visible
from govern.voting.services.steps import find_election

blueprint = Blueprint("voting", __name__)

PIECE = 65_536
"""How many bytes of a download are read from its temporary file at a time."""


def load_election(uuid: str) -> Election:
    """The election of the address; its cooperative gives the page its name and time zone."""
    election = find_election(db.session(), uuid)
    g.cooperative = election.cooperative
    require_visible(g.actor, election)
    return election


def election_scope(view_args: dict[str, Any]) -> int:
    """The cooperative whose roles decide about the page."""
    election = find_election(db.session(), view_args["uuid"])
    g.cooperative = election.cooperative
    return election.cooperative_id


def stream(uuid: str, write: Callable[[Session, Election], Iterator[bytes]]) -> Iterator[bytes]:
    """What ``write`` yields, written to a temporary file first and sent from there.

    However slowly somebody downloads, no transaction is open meanwhile: it would keep deleted
    rows from being overwritten.
    """
    if request.method == "HEAD":
        return iter(())
    session = db.session()
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer has been sent
    try:
        for piece in write(session, find_election(session, uuid)):
            file.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


@lru_cache(maxsize=2)
def _english_strings(page: str) -> dict[str, str]:
    path = find_folder("frontend/strings") / f"{page}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def strings_of(page: str) -> dict[str, str]:
    """Every text that the script of ``page`` shows, in the reader's language.

    The catalogues hold them through ``tools/json_messages.py``; placeholders stay as they are.
    """
    return {key: _(text) for key, text in _english_strings(page).items()}


def error_body(error: GovernError, title: str) -> dict[str, Any]:
    """What the scripts of booth and trustee page show when something is refused."""
    return {"error": {"title": title, "detail": error.message, "remedy": error.remedy}}
