"""The returning officer's pages: how an election stands, what is missing, what comes next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import flask
from flask import flash, g, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from govern import clock
from govern.access import Permission, Role, requires
from govern.accounts.models import Account
from govern.accounts.services import open_grants
from govern.errors import GovernError, NotFound
from govern.extensions import db
from govern.i18n import instant
from govern.voting.forms import (
    ExtendForm,
    PlainForm,
    ReasonForm,
    ReplaceTrusteeForm,
    ScheduleForm,
    TrusteesForm,
    put_error,
)
from govern.voting.models import Election, TrusteeState
from govern.voting.rules import (
    BEFORE_OPENING,
    NEXT_STATE,
    CredentialMode,
    ElectionState,
    missing_for,
)
from govern.voting.services import box, closing, elections, notices, reading, steps
from govern.voting.services.credentials import count_done
from govern.voting.texts import (
    STATE_TONES,
    incident_sentence,
    missing_sentence,
    mode_label,
    mode_sentence,
    possibly_out_sentence,
    state_label,
)
from govern.voting.views.blueprint import blueprint, election_scope, load_election

REGULAR_WAY = (
    ElectionState.DRAFT,
    ElectionState.KEYS,
    ElectionState.CREDENTIALS,
    ElectionState.OPEN,
    ElectionState.CLOSED,
    ElectionState.TALLYING,
    ElectionState.PUBLISHED,
)


@blueprint.get("/elections/<uuid>/manage")
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def manage(uuid: str) -> str:
    """Where the election stands, what is missing, and the next step."""
    session, election = db.session(), load_election(uuid)
    target = NEXT_STATE.get(election.stage)
    facts = steps.gather_facts(session, election)
    run = steps.current_run(session, election)
    mode = CredentialMode(election.credential_mode)
    return render_template(
        "voting/manage.html",
        election=election,
        title=reading.in_language(election.title),
        state=state_label(election.stage),
        tone=STATE_TONES[election.stage],
        way=_timeline(election),
        target=state_label(target) if target else None,
        missing=[missing_sentence(item) for item in missing_for(target, facts)] if target else [],
        facts=facts,
        run=run,
        run_done=count_done(session, run) if run else 0,
        deliveries=notices.count_codes(session, election, run.number) if run else {},
        mode=mode_label(mode),
        mode_sentence=mode_sentence(mode),
        has_box=box.box_height(session, election) >= 0,
        is_before_opening=election.stage in BEFORE_OPENING,
        incidents=[
            {
                "at": item.recorded_at,
                "title": incident_sentence(item.code, item.details),
                "text": item.reason,
            }
            for item in reversed(steps.incidents_of(session, election))
        ],
        may_make_codes=g.actor.may(Permission.CREDENTIALS_MANAGE, election.cooperative_id),
        now=clock.now(),
    )


def _timeline(election: Election) -> list[dict[str, Any]]:
    """The regular way, with what is behind, what is now and what is to come."""
    times = {
        ElectionState.DRAFT: election.created_at,
        ElectionState.OPEN: election.opened_at or election.opens_at,
        ElectionState.CLOSED: election.closed_at or election.closes_at,
        ElectionState.PUBLISHED: election.published_at,
    }
    if election.stage is ElectionState.CANCELLED:
        return [
            {
                "title": state_label(ElectionState.CANCELLED),
                "at": election.cancelled_at,
                "text": election.cancel_reason,
                "state": "current",
                "tone": "bad",
            }
        ]
    place = REGULAR_WAY.index(election.stage)
    return [
        {
            "title": state_label(state),
            "at": times.get(state),
            "state": "done" if number < place else "current" if number == place else "todo",
        }
        for number, state in enumerate(REGULAR_WAY)
    ]


@dataclass(frozen=True)
class Step:
    """A page before a step: what it will do, in sentences, and the words on its button."""

    title: str
    consequences: Sequence[str]
    action: str
    done: str
    kind: str = "primary"
    is_irreversible: bool = True


Work = Callable[[Session, Election], None]


def tell_of_withdrawn(withdrawn: notices.Withdrawn) -> None:
    """Tell the officer of codes that may have gone out although they were withdrawn."""
    if withdrawn.possibly_out:
        flash(possibly_out_sentence(withdrawn.possibly_out), "warn")


def take(
    uuid: str,
    form: Any,
    states: Collection[ElectionState],
    describe: Callable[[Election], Step],
    work: Work,
    prepare: Callable[[Election], None] = lambda election: None,
    template: str = "voting/manage_step.html",
) -> Any:
    """Show the page of a step; on POST do it, commit and go back to the management page."""
    session, election = db.session(), load_election(uuid)
    if election.stage not in states:
        flash(
            _(
                "This step is not possible now: the election is “%(state)s”.",
                state=state_label(election.stage),
            ),
            "warn",
        )
        return flask.redirect(flask.url_for("voting.manage", uuid=uuid))
    prepare(election)
    step = describe(election)
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                work(session, election)
            except GovernError as error:
                session.rollback()
                put_error(form, error)
                election = load_election(uuid)
            else:
                session.commit()
                flash(step.done, "good")
                return flask.redirect(flask.url_for("voting.manage", uuid=uuid))
    page = render_template(
        template,
        election=election,
        title=reading.in_language(election.title),
        form=form,
        step=step,
    )
    return page, status


@blueprint.route("/elections/<uuid>/manage/schedule", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def schedule(uuid: str) -> Any:
    """Set the times."""
    form = ScheduleForm()

    def prepare(election: Election) -> None:
        if request.method == "GET":
            zone = election.cooperative.time_zone
            form.opens_at.show(election.opens_at, zone)
            form.closes_at.show(election.closes_at, zone)

    def work(session: Session, election: Election) -> None:
        zone = election.cooperative.time_zone
        elections.reschedule_election(
            session,
            g.actor,
            election,
            form.opens_at.instant(zone),
            form.closes_at.instant(zone),
        )

    def describe(election: Election) -> Step:
        return Step(
            _("Opening and closing"),
            [
                _("The election opens and closes by itself at these times."),
                _("Times are those of %(zone)s.", zone=election.cooperative.time_zone),
                _("Members who have received a voting code were told the earlier times."),
            ],
            _("Set the times"),
            _("The times are set."),
            is_irreversible=False,
        )

    return take(uuid, form, BEFORE_OPENING, describe, work, prepare)


def _possible_trustees(session: Session, election: Election) -> list[Account]:
    return [
        grant.account
        for grant in open_grants(session, election.cooperative_id)
        if grant.role == Role.TRUSTEE.value and grant.account.disabled_at is None
    ]


@blueprint.route("/elections/<uuid>/manage/trustees", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def trustees(uuid: str) -> Any:
    """Name the trustees of a draft."""
    form = TrusteesForm()
    found: dict[int, Account] = {}

    def prepare(election: Election) -> None:
        for account in _possible_trustees(db.session(), election):
            found[account.id] = account
        form.trustees.choices = [SelectChoice(key, account.name) for key, account in found.items()]
        if request.method == "GET":
            form.trustees.data = [item.account_id for item in election.trustees]

    def work(session: Session, election: Election) -> None:
        chosen = [found[key] for key in form.trustees.data or []]
        elections.name_trustees(session, g.actor, election, chosen)

    def describe(election: Election) -> Step:
        return Step(
            _("Trustees"),
            [
                _("Each trustee makes a key; together they can open the result, and nobody alone."),
                _("All keys are needed: if one is lost, the result can never be opened."),
                _("Name people who do not depend on each other, two or three are usual."),
            ],
            _("Name these trustees"),
            _("The trustees are named."),
            is_irreversible=False,
        )

    return take(uuid, form, (ElectionState.DRAFT,), describe, work, prepare)


@blueprint.route("/elections/<uuid>/manage/keys", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def keys(uuid: str) -> Any:
    """Ask the trustees to make their keys."""

    def describe(election: Election) -> Step:
        return Step(
            _("Ask for the keys"),
            [
                ngettext(
                    "One trustee is asked by mail to make a key.",
                    "%(num)s trustees are asked by mail to make a key each.",
                    len(election.trustees),
                ),
                _("The number of trustees cannot change any more."),
                _("The election becomes visible to everybody who has its address."),
            ],
            _("Ask for the keys"),
            _("The trustees are asked to make their keys."),
        )

    def work(session: Session, election: Election) -> None:
        elections.start_keys(session, g.actor, election)

    return take(uuid, PlainForm(), (ElectionState.DRAFT,), describe, work)


@blueprint.route("/elections/<uuid>/manage/trustees/<int:position>", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def trustee_key(uuid: str, position: int) -> Any:
    """Take a key back, so that it is made again by the same or by another person."""
    form = ReplaceTrusteeForm()

    def prepare(election: Election) -> None:
        own = next((item for item in election.trustees if item.position == position), None)
        if own is None:
            raise NotFound(_("This election has no trustee number %(number)s.", number=position))
        others = {item.account_id for item in election.trustees} - {own.account_id}
        choices = {own.account_id: own.name}
        for account in _possible_trustees(db.session(), election):
            if account.id not in others:
                choices[account.id] = account.name
        form.account.choices = [SelectChoice(key, name) for key, name in choices.items()]
        if request.method == "GET":
            form.account.data = own.account_id

    def work(session: Session, election: Election) -> None:
        own = elections.find_trustee(session, election, position)
        reason = form.reason.data or ""
        if form.account.data == own.account_id:
            elections.reset_key(session, g.actor, election, position, reason)
            return
        account = session.get_one(Account, form.account.data)
        elections.replace_trustee(session, g.actor, election, position, account, reason)

    def describe(election: Election) -> Step:
        registered = any(
            item.position == position and item.state != TrusteeState.INVITED.value
            for item in election.trustees
        )
        return Step(
            _("Key of trustee %(number)s", number=position),
            [
                _("The key that was registered is void.")
                if registered
                else _("No key has been registered yet."),
                _("Whoever you choose is asked by mail to make a key."),
            ],
            _("Ask for a new key"),
            _("A new key was asked for."),
            kind="danger",
        )

    return take(uuid, form, (ElectionState.KEYS,), describe, work, prepare)


@blueprint.route("/elections/<uuid>/manage/fix", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def fix(uuid: str) -> Any:
    """Fix texts and keys for good."""

    def describe(election: Election) -> Step:
        return Step(
            _("Fix the election"),
            [
                ngettext(
                    "One question and its answers are fixed as they stand.",
                    "%(num)s questions and their answers are fixed as they stand.",
                    len(election.questions),
                ),
                _("The keys of the trustees are fixed: a trustee cannot be replaced any more."),
                _("The fingerprint of the election is computed and shown on its page."),
            ],
            _("Fix the election"),
            _("The election is fixed. Now the voting codes can be made."),
        )

    def work(session: Session, election: Election) -> None:
        elections.fix_election(session, g.actor, election)

    return take(uuid, PlainForm(), (ElectionState.KEYS,), describe, work)


@blueprint.route("/elections/<uuid>/manage/extend", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def extend(uuid: str) -> Any:
    """Move the closing time later."""
    form = ExtendForm()

    def prepare(election: Election) -> None:
        if request.method == "GET":
            form.closes_at.show(election.closes_at, election.cooperative.time_zone)

    def work(session: Session, election: Election) -> None:
        closing.extend_election(
            session,
            g.actor,
            election,
            form.closes_at.instant(election.cooperative.time_zone),
            form.reason.data or "",
        )

    def describe(election: Election) -> Step:
        return Step(
            _("Extend the vote"),
            [
                _("The vote now closes on %(time)s.", time=instant(election.closes_at)),
                _("It can only be made longer, never shorter."),
                _("The new time and the reason stand in the public log."),
            ],
            _("Extend the vote"),
            _("The vote is extended."),
        )

    return take(uuid, form, (ElectionState.OPEN,), describe, work, prepare)


@blueprint.route("/elections/<uuid>/manage/close", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def close(uuid: str) -> Any:
    """Close the vote before its time, as the chair of an assembly may."""
    form = ReasonForm()

    def work(session: Session, election: Election) -> None:
        closing.close_election(
            session, g.actor, election, early_reason=steps.require_reason(form.reason.data or "")
        )

    def describe(election: Election) -> Step:
        board = reading.read_board(db.session(), election)
        return Step(
            _("Close the vote now"),
            [
                _("The vote was to close on %(time)s.", time=instant(election.closes_at)),
                ngettext(
                    "One member has voted so far, of %(heads)s on the roll.",
                    "%(num)s members have voted so far, of %(heads)s on the roll.",
                    board.voters,
                    heads=election.heads,
                ),
                _("Whoever has not voted cannot vote any more."),
            ],
            _("Close the vote now"),
            _("The vote is closed; the count begins."),
            kind="danger",
        )

    return take(uuid, form, (ElectionState.OPEN,), describe, work)


CANCELLABLE = frozenset(ElectionState) - {ElectionState.PUBLISHED, ElectionState.CANCELLED}


@blueprint.route("/elections/<uuid>/manage/cancel", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE, scope=election_scope)
def cancel(uuid: str) -> Any:
    """Stop the election for good."""
    form = ReasonForm()

    def work(session: Session, election: Election) -> None:
        withdrawn = elections.cancel_election(session, g.actor, election, form.reason.data or "")
        tell_of_withdrawn(withdrawn)

    def describe(election: Election) -> Step:
        consequences = [
            _("No result will ever be published by this server."),
            _("The reason stands on the page of the election."),
        ]
        if box.box_height(db.session(), election) >= 0:
            board = reading.read_board(db.session(), election)
            consequences.insert(
                0,
                ngettext(
                    "One vote that was cast will not be counted.",
                    "%(num)s votes that were cast will not be counted.",
                    board.voters,
                ),
            )
        return Step(
            _("Cancel the election"),
            consequences,
            _("Cancel the election"),
            _("The election is cancelled."),
            kind="danger",
        )

    return take(uuid, form, CANCELLABLE, describe, work)
