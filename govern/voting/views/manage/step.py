"""The page before a step: what it will do, and then doing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import flask
from flask import flash, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.errors import GovernError
from govern.extensions import db
from govern.submitting import put_error
from govern.voting.models import Election
from govern.voting.rules import ElectionState
from govern.voting.services import notices, reading
from govern.voting.texts import possibly_out_sentence, state_label
from govern.voting.views.blueprint import load_election


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
        template, election=election, title=reading.in_language(election.title), form=form, step=step
    )
    return page, status
