"""The voting booth, and where its sealed ballots are sent.

A cast leaves no trace that ties a member to a ballot: no audit entry, no log line, no flash, no
mail; the rate limit counts refused ballots only.
"""

from __future__ import annotations

import hashlib
from typing import Any

import flask
from flask import Response, g, render_template, request
from flask_babel import gettext as _

from govern import clock, database
from govern.access import reads_first, signed_in
from govern.errors import GovernError, InvalidInput
from govern.extensions import db, limiter
from govern.voting import keys, slots
from govern.voting.rules import ElectionState
from govern.voting.services import box, casting, reading
from govern.voting.texts import STATE_TONES, state_label
from govern.voting.turns import take_turn
from govern.voting.views.blueprint import blueprint, error_body, load_election, strings_of

LARGEST_CREDENTIAL_LIST = 400_000
"""Bytes: above this the booth does not fetch the list to catch a mistyped code on the device."""


@blueprint.get("/elections/<uuid>/booth")
@signed_in
def booth(uuid: str) -> Any:
    """The questions and the script that seals; or for whom to vote, or why not now."""
    session, election = db.session(), load_election(uuid)
    standings = reading.standings(session, election, g.actor.account_id)
    common = {
        "election": election,
        "title": reading.in_language(election.title),
        "state": state_label(election.stage),
        "tone": STATE_TONES[election.stage],
        "standings": standings,
    }
    is_open = election.stage is ElectionState.OPEN and clock.now() < election.closes_at
    wanted = request.args.get("for", "")
    if not is_open or not standings:
        return render_template("voting/booth_closed.html", is_open=is_open, **common)
    if len(standings) > 1 and not wanted:
        choices = [(item, keys.seal_behalf(election, item.entry.id)) for item in standings]
        return render_template("voting/booth_choose.html", choices=choices, **common)
    entry = reading.own_entry(session, election, g.actor.account_id, _behalf(election, wanted))
    standing = next(item for item in standings if item.entry.id == entry.id)
    if standing.has_voted and not election.revote_allowed:
        return render_template("voting/booth_closed.html", is_open=True, voted=True, **common)
    behalf = keys.seal_behalf(election, entry.id) if len(standings) > 1 else ""
    size = (election.heads or 0) * (67 if election.group == "Ed25519" else 620)
    return render_template(
        "voting/booth.html",
        standing=standing,
        questions=[
            (question, slots.documents_of(session, question))
            for question in reading.questions_of(election)
        ],
        in_language=reading.in_language,
        cast_url=_cast_url(uuid, behalf),
        gives_credentials=size <= LARGEST_CREDENTIAL_LIST,
        strings=strings_of("booth"),
        **common,
    )


def _cast_url(uuid: str, behalf: str) -> str:
    address = flask.url_for("voting.cast", uuid=uuid)
    return f"{address}?for={behalf}" if behalf else address


def _behalf(election: Any, word: str) -> int | None:
    return keys.unseal_behalf(election, word) if word else None


def _sender_key() -> str:
    """Who sends, as far as the limit is concerned; it is asked before anybody is loaded."""
    sender = str(flask.session.get("_user_id") or request.remote_addr)
    return hashlib.sha256(sender.encode()).hexdigest()[:32]


def _was_refused(response: Response) -> bool:
    return response.status_code >= 400


@blueprint.post("/elections/<uuid>/cast")
@limiter.limit("30 per minute", key_func=_sender_key, deduct_when=_was_refused)
@reads_first
@signed_in
def cast(uuid: str) -> Any:
    """Take one sealed ballot. The proofs are checked before anything is locked."""
    try:
        receipt = _cast(uuid)
    except GovernError as error:
        db.session.rollback()
        return error_body(error, _("Your ballot was not accepted")), error.status
    g.leaves_no_line = True
    return flask.jsonify(receipt.as_dict())


def _cast(uuid: str) -> casting.Receipt:
    session, election = db.session(), load_election(uuid)
    data = _ballot_bytes(box.read_election(election).maximum_ballot_bytes)
    behalf = _behalf(election, request.args.get("for", ""))
    entry_id = reading.own_entry(session, election, g.actor.account_id, behalf).id
    checked = casting.check_ballot(session, election, data)
    time_zone = g.cooperative.time_zone
    database.begin_writing(db.session)
    with take_turn(db.engine):
        receipt = casting.cast_ballot(session, election, entry_id, checked, time_zone=time_zone)
        session.commit()
    return receipt


def _ballot_bytes(limit: int) -> bytes:
    """The exact bytes of the ballot in the request's body."""
    refusal = InvalidInput(
        _("The request holds no sealed ballot."), remedy=_("Reload the booth and vote again.")
    )
    if (request.content_length or 0) > 2 * limit + 1000:
        raise refusal
    body = request.get_json(silent=True)
    ballot = body.get("ballot") if isinstance(body, dict) else None
    if not isinstance(ballot, str):
        raise refusal
    try:
        return ballot.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refusal from error
