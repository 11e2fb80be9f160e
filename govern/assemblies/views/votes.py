"""Preparing the vote: from the resolutions of an assembly to the draft of an election."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import flask
from flask import flash, g, render_template
from flask_babel import gettext as _

from govern import clock
from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.forms import VoteForm
from govern.assemblies.links import election_page
from govern.assemblies.models import Assembly
from govern.assemblies.rules import local_instant
from govern.assemblies.services.elections import (
    VoteInput,
    election_obstacles,
    open_resolutions,
    question_for,
)
from govern.assemblies.views.blueprint import address, blueprint, load
from govern.errors import GovernError, InvalidInput
from govern.extensions import db
from govern.submitting import put_error

USUAL_DAYS = timedelta(days=14)
"""How long before the assembly a vote usually opens (2024: from 3 to 18 June)."""


@blueprint.route("/<cooperative>/assemblies/<slug>/vote", methods=["GET", "POST"])
@requires(Permission.ELECTION_MANAGE)
def vote(cooperative: str, slug: str) -> Any:
    """What will be asked and how; then the draft of the election."""
    session = db.session()
    assembly = load(slug)
    form = VoteForm()
    if flask.request.method == "GET":
        _suggest(form, assembly)
        return _page(form, assembly)
    if not form.validate():
        return _page(form, assembly), 422
    try:
        election = services.prepare_election(session, g.actor, assembly, _typed(form))
        session.commit()
    except GovernError as error:
        session.rollback()
        put_error(form, error)
        return _page(form, load(slug)), error.status
    flash(_("The draft of the vote is made. Now name the trustees."), "good")
    return flask.redirect(election_page(election, "manage"), 303)


def _typed(form: VoteForm) -> VoteInput:
    return VoteInput(
        opens_at=_instant(form.opens_at.data, "opens_at"),
        closes_at=_instant(form.closes_at.data, "closes_at"),
        group=form.group.data,
        is_trial=form.is_trial.data,
        revote_allowed=form.revote_allowed.data,
        credential_mode=form.credential_mode.data,
        credential_authority=form.credential_authority.data or "",
    )


def _instant(local: datetime, name: str) -> datetime:
    try:
        return local_instant(local.date(), local.time(), g.cooperative.time_zone)
    except ValueError as error:
        raise InvalidInput(
            _("On that day the clocks skip this time."),
            remedy=_("Choose a time one hour later."),
            field=name,
        ) from error


def _suggest(form: VoteForm, assembly: Assembly) -> None:
    """Open two weeks before (not before tomorrow), close when the assembly begins."""
    zone = ZoneInfo(g.cooperative.time_zone)
    now = clock.now().astimezone(zone).replace(tzinfo=None)
    tomorrow = (now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    starts = assembly.starts_at.astimezone(zone).replace(tzinfo=None)
    form.opens_at.data = max(starts - USUAL_DAYS, tomorrow)
    form.closes_at.data = starts


def _page(form: VoteForm, assembly: Assembly) -> str:
    session = db.session()
    resolutions = open_resolutions(assembly, is_trial=False)
    return render_template(
        "assemblies/vote.html",
        form=form,
        assembly=assembly,
        obstacles=election_obstacles(session, assembly),
        questions=[
            (resolution, question_for(resolution))
            for resolution in resolutions
            if not resolution.is_about_people or resolution.candidates
        ],
        elections=assembly.elections,
        election_page=election_page,
        back=address(assembly),
    )
