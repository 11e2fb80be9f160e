"""What anyone may see of an election: its page, the board, the archive, the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.access import Permission, public
from govern.errors import NotFound
from govern.extensions import db
from govern.voting import records, slots
from govern.voting.models import Election
from govern.voting.rules import GROUP_READERS, CredentialMode, ElectionState
from govern.voting.services import box, reading, steps, tally
from govern.voting.services.attendance import count_attendance
from govern.voting.texts import (
    STATE_TONES,
    incident_sentence,
    mode_label,
    mode_sentence,
    state_label,
)
from govern.voting.views.blueprint import blueprint, load_election, stream

ARCHIVE_TYPE = "application/x-tar"


@blueprint.get("/<cooperative>/elections")
@public
def elections(cooperative: str) -> str:
    """The elections of a cooperative."""
    found = reading.elections_of(db.session(), g.actor, g.cooperative)
    return render_template(
        "voting/elections.html",
        lines=[(election, state_label(election.stage)) for election in found],
        tones=STATE_TONES,
    )


@blueprint.get("/elections/<uuid>")
@public
def election(uuid: str) -> str:
    """What is voted, when, how it is made sure, and how it stands."""
    session, found = db.session(), load_election(uuid)
    return render_template("voting/election.html", **_page_context(session, found))


def _page_context(session: Any, election: Election) -> dict[str, Any]:
    has_box = box.box_height(session, election) >= 0
    is_published = election.stage is ElectionState.PUBLISHED
    result = tally.read_result(session, election) if is_published else None
    mode = CredentialMode(election.credential_mode)
    return {
        "election": election,
        "title": reading.in_language(election.title),
        "description": reading.in_language(election.description),
        "state": state_label(election.stage),
        "tone": STATE_TONES[election.stage],
        "standings": reading.standings(session, election, g.actor.account_id),
        "questions": [
            (question, slots.documents_of(session, question))
            for question in reading.questions_of(election)
        ],
        "in_language": reading.in_language,
        "context_links": slots.context_of(session, election),
        "board": reading.read_board(session, election) if has_box else None,
        "archive_size": box.archive_size(session, election) if has_box else 0,
        "result": result,
        "outcomes": slots.outcomes_of(session, election) if is_published else {},
        "attendance": count_attendance(session, election) if election.closed_at else None,
        "mode": mode_label(mode),
        "mode_sentence": mode_sentence(mode),
        "facts": steps.gather_facts(session, election),
        "incidents": [
            {
                "at": item.recorded_at,
                "title": incident_sentence(item.code, item.details),
                "text": item.reason,
            }
            for item in steps.incidents_of(session, election)
        ],
        "peer_version": GROUP_READERS[election.group],
        "may_manage": g.actor.may(Permission.ELECTION_MANAGE, election.cooperative_id),
        "is_trustee": any(item.account_id == g.actor.account_id for item in election.trustees),
    }


@blueprint.get("/elections/<uuid>/board")
@public
def board(uuid: str) -> str:
    """The public board: every ballot in the box, searchable by tracker."""
    session, found = db.session(), load_election(uuid)
    typed = request.args.get("tracker", "").strip()[:100]
    tracker = reading.find_tracker(typed)
    return render_template(
        "voting/board.html",
        election=found,
        title=reading.in_language(found.title),
        state=state_label(found.stage),
        tone=STATE_TONES[found.stage],
        typed=typed,
        tracker=tracker,
        board=reading.read_board(session, found, tracker) if tracker or not typed else None,
        archive_size=box.archive_size(session, found),
    )


@blueprint.get("/elections/<uuid>/election.json")
@public
def election_json(uuid: str) -> Response:
    """The election, byte for byte as published: the fingerprint is computed from them."""
    found = load_election(uuid)
    box.read_election(found)
    return Response(bytes(found.data or b""), content_type="application/json")


@blueprint.get("/elections/<uuid>/credentials.json")
@public
def credentials_json(uuid: str) -> Response:
    """The public credentials, byte for byte as published."""
    found = load_election(uuid)
    if found.credentials_digest is None:
        raise NotFound(
            _("The public halves of the voting codes are published when the election opens."),
            remedy=_("Come back when it has opened."),
        )
    data = box.credentials_bytes(db.session(), found)
    return Response(data, content_type="application/json")


@blueprint.get("/elections/<uuid>/archive.bel")
@public
def archive(uuid: str) -> Response:
    """The public archive as it stands."""
    return _stream(load_election(uuid))


@blueprint.get("/elections/<uuid>/<name>.bel")
@public
def named_archive(uuid: str, name: str) -> Response:
    """The archive under the name that the peer's tool expects."""
    found = load_election(uuid)
    if name != found.uuid:
        raise NotFound(_("There is no such page."))
    return _stream(found)


def _stream(election: Election) -> Response:
    """Send the box as it stands now, a few ballots at a time."""
    session = db.session()
    last = box.box_height(session, election)
    size = box.archive_size(session, election, last=last)

    def write(session: Session, election: Election) -> Iterator[bytes]:
        return box.stream_archive(session, election, last=last)

    response = Response(stream(election.uuid, write), content_type=ARCHIVE_TYPE)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = f'attachment; filename="{election.uuid}.bel"'
    return response


@blueprint.get("/elections/<uuid>/record.pdf")
@public
def record(uuid: str) -> Response:
    """The printable record of the count."""
    session, found = db.session(), load_election(uuid)
    if found.stage is not ElectionState.PUBLISHED:
        raise NotFound(
            _("The result is not published yet."), remedy=_("Come back when it is published.")
        )
    response = Response(records.render_record(session, found), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{found.uuid}.pdf"'
    return response
