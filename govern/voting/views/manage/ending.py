"""The vote is extended, closed or cancelled."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern.access import Permission, requires
from govern.extensions import db
from govern.i18n import instant
from govern.voting.forms import ExtendForm, ReasonForm
from govern.voting.models import Election
from govern.voting.rules import ElectionState
from govern.voting.services import box, closing, elections, reading, steps
from govern.voting.views.blueprint import blueprint, election_scope
from govern.voting.views.manage.step import Step, take, tell_of_withdrawn


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
