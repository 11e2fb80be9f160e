"""The returning officer's pages about voting codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
from flask import Response, flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import database
from govern.access import Permission, reads_first, requires
from govern.errors import GovernError
from govern.extensions import db
from govern.register.models import RollEntry
from govern.submitting import put_error
from govern.voting.forms import LostCodeForm, PassphraseForm, ReasonForm, UploadForm
from govern.voting.models import CredentialRunState, Election
from govern.voting.rules import CredentialMode, ElectionState
from govern.voting.services import credentials, reading, steps
from govern.voting.texts import mode_sentence, state_label
from govern.voting.views.blueprint import blueprint, election_scope, load_election, stream
from govern.voting.views.manage import Step, take, tell_of_withdrawn


def _back(uuid: str) -> Any:
    return flask.redirect(flask.url_for("voting.manage", uuid=uuid))


def _not_now(election: Election) -> Any:
    flash(
        _(
            "This step is not possible now: the election is “%(state)s”.",
            state=state_label(election.stage),
        ),
        "warn",
    )
    return _back(election.uuid)


@blueprint.route("/elections/<uuid>/manage/codes", methods=["GET", "POST"])
@reads_first
@requires(Permission.CREDENTIALS_MANAGE, scope=election_scope)
def codes(uuid: str) -> Any:
    """Let the server make the codes, or upload the public half of codes made elsewhere."""
    session, election = db.session(), load_election(uuid)
    if election.stage is not ElectionState.CREDENTIALS:
        return _not_now(election)
    if steps.current_run(session, election) is not None:
        return _back(uuid)
    is_server = election.credential_mode == CredentialMode.SERVER.value
    form: Any = PassphraseForm() if is_server else UploadForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                _start(session, election, form, is_server)
            except GovernError as error:
                session.rollback()
                put_error(form, error)
                election = load_election(uuid)
            else:
                session.commit()
                flash(_("The work has begun; this page shows how far it is."), "good")
                return _back(uuid)
    by_mail, by_letter = _channels(session, election)
    page = render_template(
        "voting/codes.html",
        election=election,
        title=reading.in_language(election.title),
        form=form,
        is_server=is_server,
        mode_sentence=mode_sentence(CredentialMode(election.credential_mode)),
        consequences=[
            ngettext(
                "One code is made.",
                "%(num)s codes are made, one per member on the roll.",
                by_mail + by_letter,
            ),
            *_deliveries(by_mail, by_letter),
            _("What has been sent cannot be called back."),
        ],
    )
    return page, status


def _deliveries(by_mail: int, by_letter: int) -> list[str]:
    """How many mails and letters there will be; nothing is said about none."""
    mails = ngettext("One mail goes out at once.", "%(num)s mails go out at once.", by_mail)
    letters = ngettext(
        "One letter waits to be printed.", "%(num)s letters wait to be printed.", by_letter
    )
    return [text for text, count in ((mails, by_mail), (letters, by_letter)) if count]


def _start(session: Any, election: Election, form: Any, is_server: bool) -> None:
    """Everything slow first, then one short transaction."""
    if is_server:
        key = credentials.make_list_key(form.passphrase.data)
        database.begin_writing(session)
        credentials.start_server_run(session, g.actor, election, key)
        return
    data = form.file.data.read()
    database.begin_writing(session)
    credentials.upload_public_credentials(session, g.actor, election, data)


def _channels(session: Session, election: Election) -> tuple[int, int]:
    """How many members get a mail, and how many a letter."""
    on_roll = select(func.count()).where(RollEntry.roll_id == election.roll_id)
    total = session.scalar(on_roll) or 0
    by_mail = session.scalar(on_roll.where(RollEntry.email.is_not(None))) or 0
    return by_mail, total - by_mail


@blueprint.get("/elections/<uuid>/manage/codes/progress")
@requires(Permission.CREDENTIALS_MANAGE, scope=election_scope)
def codes_progress(uuid: str) -> Any:
    """How far the making (or checking) of the codes is, for the progress bar."""
    session, election = db.session(), load_election(uuid)
    run = steps.current_run(session, election)
    is_over = run is None or run.state != CredentialRunState.RUNNING.value
    return {
        "done": credentials.count_done(session, run) if run else 0,
        "total": run.total if run else 0,
        "label": _("Voting codes"),
        "next": _("The election opens by itself at its time."),
        "finished": is_over,
        "href": flask.url_for("voting.manage", uuid=uuid),
    }


@blueprint.get("/elections/<uuid>/manage/roll-file")
@requires(Permission.CREDENTIALS_MANAGE, scope=election_scope)
def roll_file(uuid: str) -> Any:
    """The roll for the authority that makes the codes outside this server."""
    election, actor = load_election(uuid), g.actor
    if election.stage is not ElectionState.CREDENTIALS:
        return _not_now(election)

    def write(session: Session, election: Election) -> Iterator[bytes]:
        return credentials.write_roll_file(session, actor, election)

    response = Response(stream(uuid, write), content_type="application/x-ndjson; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="roll-{uuid}.jsonl"'
    return response


@blueprint.route("/elections/<uuid>/manage/codes/discard", methods=["GET", "POST"])
@requires(Permission.CREDENTIALS_MANAGE, scope=election_scope)
def discard_codes(uuid: str) -> Any:
    """Declare all codes void, to make them again."""
    form = ReasonForm()

    def describe(election: Election) -> Step:
        run = steps.current_run(db.session(), election)
        return Step(
            _("Declare the codes void"),
            [
                ngettext(
                    "One voting code becomes void.",
                    "%(num)s voting codes become void.",
                    run.total if run else 0,
                ),
                _("Mails and letters that have not left yet are stopped."),
                _("New codes must be made, and members told that only the new one counts."),
            ],
            _("Declare the codes void"),
            _("The codes are void. Make new ones."),
            kind="danger",
        )

    def work(session: Session, election: Election) -> None:
        withdrawn = credentials.discard_run(session, g.actor, election, form.reason.data or "")
        tell_of_withdrawn(withdrawn)

    return take(uuid, form, (ElectionState.CREDENTIALS,), describe, work)


@blueprint.route("/elections/<uuid>/manage/codes/lost", methods=["GET", "POST"])
@reads_first
@requires(Permission.CREDENTIALS_MANAGE, scope=election_scope)
def lost_code(uuid: str) -> Any:
    """Send a member's own code again."""
    form = LostCodeForm()

    def describe(election: Election) -> Step:
        return Step(
            _("Send a lost code again"),
            [
                _("The member receives the same code again, by mail or letter as before."),
                _(
                    "That a code was sent again stands in the public log, for whom only in the "
                    "audit log."
                ),
                _("Make sure that it is the member who asks."),
            ],
            _("Send the code again"),
            _("The code is on its way."),
            is_irreversible=False,
        )

    def work(session: Session, election: Election) -> None:
        entry = credentials.find_entry(session, election, form.member_number.data or "")
        entry_id, passphrase = entry.id, form.passphrase.data or ""
        code = credentials.find_code(session, g.actor, election, entry, passphrase)
        database.begin_writing(session)
        entry = session.get_one(RollEntry, entry_id)
        credentials.send_code_again(session, g.actor, election, entry, code)

    return take(uuid, form, credentials.NEEDS_CODES, describe, work)
