"""Times, trustees and keys, until the election is fixed."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from govern.access import Permission, Role, requires
from govern.accounts.models import Account
from govern.accounts.services import open_grants
from govern.errors import NotFound
from govern.extensions import db
from govern.voting.forms import PlainForm, ReplaceTrusteeForm, ScheduleForm, TrusteesForm
from govern.voting.models import Election, TrusteeState
from govern.voting.rules import BEFORE_OPENING, ElectionState
from govern.voting.services import elections
from govern.voting.views.blueprint import blueprint, election_scope
from govern.voting.views.manage.step import Step, take


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
            session, g.actor, election, form.opens_at.instant(zone), form.closes_at.instant(zone)
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
            _("Freeze the election"),
            [
                ngettext(
                    "One question and its answers are fixed as they stand.",
                    "%(num)s questions and their answers are fixed as they stand.",
                    len(election.questions),
                ),
                _("The keys of the trustees are fixed: a trustee cannot be replaced any more."),
                _("The fingerprint of the election is computed and shown on its page."),
            ],
            _("Freeze the election"),
            _("The election is fixed. Now the voting codes can be made."),
        )

    def work(session: Session, election: Election) -> None:
        elections.fix_election(session, g.actor, election)

    return take(uuid, PlainForm(), (ElectionState.KEYS,), describe, work)
