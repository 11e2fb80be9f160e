"""Who the trustees are, and the keys that they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from govern.access import Actor, Permission
from govern.accounts.models import Account
from govern.accounts.services.roles import actor_for
from govern.config import LOCALES
from govern.cooperatives.models import Cooperative
from govern.errors import InvalidInput
from govern.i18n import speaking
from govern.register.models import Roll
from govern.register.services.rolls import copy_frozen_roll
from govern.voting.models import Election, ElectionTrustee, TrusteeState
from govern.voting.rules import ElectionState
from govern.voting.services import notices
from govern.voting.services.steps import (
    check_step,
    lock_election,
    log_incident,
    require_reason,
    require_state,
    take_step,
)

MAXIMUM_TRUSTEES = 20


def name_trustees(
    session: Session, actor: Actor, election: Election, accounts: Sequence[Account]
) -> None:
    """Name the trustees of a draft, in place of those named before. Each key will be needed."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.DRAFT)
    if len({account.id for account in accounts}) != len(accounts):
        raise InvalidInput(_("One person is named twice as trustee."), field="trustees")
    if not 1 <= len(accounts) <= MAXIMUM_TRUSTEES:
        raise InvalidInput(
            _("Name between 1 and %(limit)s trustees.", limit=MAXIMUM_TRUSTEES), field="trustees"
        )
    for account in accounts:
        _check_trustee(session, election, account)
    session.execute(delete(ElectionTrustee).where(ElectionTrustee.election_id == election.id))
    for position, account in enumerate(accounts, 1):
        session.add(
            ElectionTrustee(
                election_id=election.id,
                account_id=account.id,
                position=position,
                name=account.name,
                state=TrusteeState.INVITED.value,
            )
        )
    session.flush()
    session.refresh(election, ["trustees"])
    log_incident(session, actor, election, "trustees_named", details={"count": len(accounts)})


def _check_trustee(session: Session, election: Election, account: Account) -> None:
    if not actor_for(session, account).may(Permission.TRUSTEE_ACT, election.cooperative_id):
        raise InvalidInput(
            _("%(name)s does not hold the role of trustee in this cooperative.", name=account.name),
            remedy=_("Ask an administrator to give the role first."),
            field="trustees",
        )


def start_keys(session: Session, actor: Actor, election: Election) -> None:
    """Ask the trustees to make their keys (draft → keys).

    From here on a trial has a copy of its roll: opening it locks the copy, so that the roll that
    it shared can still be corrected for the vote that binds.
    """
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    check_step(session, election, ElectionState.KEYS)
    if election.is_trial:
        labels = _labels_of_copy(election.roll)
        label = labels[session.get_one(Cooperative, election.cooperative_id).languages[0]]
        election.roll = copy_frozen_roll(session, actor, election.roll, label, labels)
    take_step(session, actor, election, ElectionState.KEYS)
    for trustee in election.trustees:
        notices.ask_for_key(session, election, trustee)
    session.flush()


def _labels_of_copy(roll: Roll) -> dict[str, str]:
    """What the copy of ``roll`` is for, in every language."""
    labels = {}
    for code in LOCALES:
        with speaking(code):
            labels[code] = _("Copy for a trial election: %(label)s", label=roll.title)
    return labels


def find_trustee(session: Session, election: Election, position: int) -> ElectionTrustee:
    """The trustee with that number."""
    for trustee in election.trustees:
        if trustee.position == position:
            return trustee
    raise InvalidInput(
        _("This election has no trustee number %(number)s.", number=position), field="position"
    )


def reset_key(
    session: Session, actor: Actor, election: Election, position: int, reason: str
) -> None:
    """Let a trustee make another key, because the first one was lost before it was needed."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.KEYS)
    trustee = find_trustee(session, election, position)
    _forget_key(trustee)
    log_incident(
        session,
        actor,
        election,
        "key_reset",
        reason=require_reason(reason),
        details={"position": position},
    )
    notices.ask_for_key(session, election, trustee)


def replace_trustee(
    session: Session, actor: Actor, election: Election, position: int, account: Account, reason: str
) -> None:
    """Name somebody else in the place of a trustee, while keys are being made."""
    actor.require(Permission.ELECTION_MANAGE, election.cooperative_id)
    lock_election(session, election)
    require_state(election, ElectionState.KEYS)
    trustee = find_trustee(session, election, position)
    _check_trustee(session, election, account)
    if any(other.account_id == account.id for other in election.trustees):
        raise InvalidInput(_("One person is named twice as trustee."), field="account")
    _forget_key(trustee)
    trustee.account_id, trustee.name = account.id, account.name
    session.flush()
    session.refresh(trustee)
    log_incident(
        session,
        actor,
        election,
        "trustee_replaced",
        reason=require_reason(reason),
        details={"position": position},
    )
    notices.ask_for_key(session, election, trustee)


def _forget_key(trustee: ElectionTrustee) -> None:
    trustee.key_message = trustee.public_key = trustee.key_registered_at = None
    trustee.state = TrusteeState.INVITED.value
