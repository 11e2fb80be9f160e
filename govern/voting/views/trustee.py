"""The trustee's page: the key is made, and the part of the count opened, on their own device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern import database
from govern.access import Actor, Permission, reads_first, requires
from govern.errors import GovernError, InvalidInput
from govern.extensions import db
from govern.submitting import put_error
from govern.voting.forms import UploadForm
from govern.voting.models import Election, ElectionTrustee, TrusteeState
from govern.voting.rules import ElectionState, missing_for_decryption
from govern.voting.services import reading, steps, trustees
from govern.voting.texts import STATE_TONES, missing_sentence, state_label
from govern.voting.views.blueprint import (
    blueprint,
    election_scope,
    error_body,
    load_election,
    strings_of,
)

MAXIMUM_KEY_BYTES = 8_000
MAXIMUM_DECRYPTION_BYTES = 4_000_000


@blueprint.get("/elections/<uuid>/trustee")
@requires(Permission.TRUSTEE_ACT, scope=election_scope)
def trustee(uuid: str) -> str:
    """What this trustee has to do now."""
    return _page(load_election(uuid), UploadForm(formdata=None))


def _page(election: Election, form: UploadForm) -> str:
    session = db.session()
    own = next((item for item in election.trustees if item.account_id == g.actor.account_id), None)
    stage = _stage(election, own) if own else None
    missing = []
    if stage == "decrypt":
        missing = missing_for_decryption(steps.gather_facts(session, election))
    form.file.label.text = _("File made by govern trustee")
    form.file.description = (
        _("public-key-….json, as written by govern trustee keygen.")
        if stage == "generate"
        else _("partial-decryption-….json, as written by govern trustee decrypt.")
    )
    return render_template(
        "voting/trustee.html",
        election=election,
        title=reading.in_language(election.title),
        state=state_label(election.stage),
        tone=STATE_TONES[election.stage],
        trustee=own,
        stage=None if missing else stage,
        is_recounting=any(item.code == "recount" for item in missing),
        missing=[missing_sentence(item) for item in missing if item.code != "recount"],
        strings=strings_of("trustee"),
        total=len(election.trustees),
        form=form,
    )


def _stage(election: Election, own: ElectionTrustee) -> str | None:
    """The word for the script: generate, waiting, decrypt, done; None where it has no part."""
    if own.state == TrusteeState.DECRYPTED.value:
        return "done"
    if election.stage is ElectionState.KEYS and own.state == TrusteeState.INVITED.value:
        return "generate"
    if election.stage is ElectionState.TALLYING:
        return "decrypt"
    if election.stage in (ElectionState.CANCELLED, ElectionState.DRAFT, ElectionState.PUBLISHED):
        return None
    return "waiting"


@blueprint.post("/elections/<uuid>/trustee")
@reads_first
@requires(Permission.TRUSTEE_ACT, scope=election_scope)
def trustee_upload(uuid: str) -> Any:
    """A file that ``govern trustee`` has made away from any browser."""
    session, election = db.session(), load_election(uuid)
    form = UploadForm()
    if not form.validate():
        return _page(election, form), 422
    is_key = election.stage is ElectionState.KEYS
    limit = MAXIMUM_KEY_BYTES if is_key else MAXIMUM_DECRYPTION_BYTES
    service = trustees.register_public_key if is_key else trustees.register_partial_decryption
    message = form.file.data.read(limit + 1)
    try:
        database.begin_writing(db.session)
        service(session, g.actor, election, message)
    except GovernError as error:
        session.rollback()
        put_error(form, error, "file")
        return _page(load_election(uuid), form), error.status
    session.commit()
    flash(_("The file was accepted. Thank you."), "good")
    return flask.redirect(flask.url_for("voting.trustee", uuid=uuid))


Registering = Callable[[Any, Actor, Election, bytes], ElectionTrustee]


def _register(uuid: str, name: str, limit: int, service: Registering) -> Any:
    """Read one JSON string from the body and hand its bytes to a service."""
    session, election = db.session(), load_election(uuid)
    try:
        message = _message(name, limit)
        database.begin_writing(db.session)
        service(session, g.actor, election, message)
    except GovernError as error:
        session.rollback()
        return error_body(error, _("This was not accepted")), error.status
    session.commit()
    return {}


def _message(name: str, limit: int) -> bytes:
    refusal = InvalidInput(
        _("The request does not hold what this page sends."), remedy=_("Reload the page.")
    )
    if (request.content_length or 0) > 2 * limit:
        raise refusal
    body = request.get_json(silent=True)
    text = body.get(name) if isinstance(body, dict) else None
    if not isinstance(text, str) or len(text) > limit:
        raise refusal
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refusal from error


@blueprint.post("/elections/<uuid>/trustee/public-key")
@reads_first
@requires(Permission.TRUSTEE_ACT, scope=election_scope)
def public_key(uuid: str) -> Any:
    """The public half of a key that the trustee's device has just made."""
    return _register(uuid, "public_key", MAXIMUM_KEY_BYTES, trustees.register_public_key)


@blueprint.post("/elections/<uuid>/trustee/partial-decryption")
@reads_first
@requires(Permission.TRUSTEE_ACT, scope=election_scope)
def partial_decryption(uuid: str) -> Any:
    """The trustee's part of the count."""
    return _register(
        uuid,
        "partial_decryption",
        MAXIMUM_DECRYPTION_BYTES,
        trustees.register_partial_decryption,
    )
