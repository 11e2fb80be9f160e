"""How an election stands, what is missing, and the next step."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from govern import clock
from govern.access import Permission, requires
from govern.extensions import db
from govern.voting.models import Election
from govern.voting.rules import (
    BEFORE_OPENING,
    NEXT_STATE,
    CredentialMode,
    ElectionState,
    missing_for,
)
from govern.voting.services import box, notices, reading, steps
from govern.voting.services.credentials import count_done
from govern.voting.texts import (
    STATE_TONES,
    incident_sentence,
    missing_sentence,
    mode_label,
    mode_sentence,
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
