"""What a trustee sends: the public half of a key, and later their part of the count."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.errors import Conflict, Forbidden, InvalidInput
from govern.jobs import enqueue
from govern.voting.models import (
    BoxState,
    Election,
    ElectionEvent,
    ElectionTrustee,
    TrusteeState,
)
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.decryption import (
    EncryptedTally,
    check_partial_decryption,
    make_owned,
    read_encrypted_tally,
    read_owned,
    read_sized_tally,
)
from govern.voting.protocol.errors import ProtocolError
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import read_trustee_key
from govern.voting.rules import ElectionState, missing_for_decryption
from govern.voting.services import notices
from govern.voting.services.box import (
    append_event,
    lock_box,
    read_election,
    read_trustees,
    record_bytes,
)
from govern.voting.services.steps import (
    NotReady,
    gather_facts,
    lock_election,
    log_incident,
    require_state,
)


def trustee_of(session: Session, actor: Actor, election: Election) -> ElectionTrustee:
    """The actor's own place among the election's trustees; Forbidden for anybody else."""
    actor.require(Permission.TRUSTEE_ACT, election.cooperative_id)
    found = session.scalar(
        select(ElectionTrustee).where(
            ElectionTrustee.election_id == election.id,
            ElectionTrustee.account_id == actor.account_id,
        )
    )
    if found is None:
        raise Forbidden(
            _("You are not a trustee of this election."),
            remedy=_("The page of the election names its trustees."),
        )
    return found


def register_public_key(
    session: Session, actor: Actor, election: Election, message: bytes
) -> ElectionTrustee:
    """Store the public key that the actor's own device made, once its proof holds.

    The same key twice is accepted; another one is refused, whoever sends it.
    """
    lock_election(session, election)
    trustee = trustee_of(session, actor, election)
    if trustee.key_message is not None and bytes(trustee.key_message) == message:
        return trustee
    require_state(election, ElectionState.KEYS)
    if trustee.key_message is not None:
        raise Conflict(
            _("You have registered another key for this election."),
            remedy=_(
                "Use the first key file. If it is lost, ask the returning officer to take "
                "the key back; then make a new one."
            ),
        )
    try:
        key = read_trustee_key(group_named(election.group), message)
    except ProtocolError as error:
        raise InvalidInput(
            _("The public key is not valid (%(step)s).", step=error.step),
            remedy=_("Make the key again on the trustee page. Nothing was stored."),
            field="public_key",
        ) from error
    text = key.public_key.text
    if any(other.public_key == text for other in election.trustees):
        raise InvalidInput(
            _("Another trustee of this election has registered the same key."),
            remedy=_("Each trustee makes a key of their own. Tell the returning officer."),
            field="public_key",
        )
    trustee.key_message, trustee.public_key = message, text
    trustee.key_registered_at = clock.now()
    trustee.state = TrusteeState.KEY_REGISTERED.value
    log_incident(session, actor, election, "key_registered", details={"position": trustee.position})
    session.flush()
    return trustee


def published_tally(session: Session, election: Election) -> tuple[EncryptedTally, int]:
    """The encrypted tally of the box and the number of ballots in it."""
    payload = session.scalar(
        select(ElectionEvent.payload).where(
            ElectionEvent.election_id == election.id,
            ElectionEvent.singleton == EventType.ENCRYPTED_TALLY.value,
        )
    )
    sized = read_sized_tally(record_bytes(session, election, payload or ""))
    data = record_bytes(session, election, sized.encrypted_tally)
    return read_encrypted_tally(read_election(election), data), sized.num_tallied


def read_decryptions(session: Session, election: Election) -> dict[int, bytes]:
    """The partial decryptions in the box, by trustee."""
    found = {}
    for payload in session.scalars(
        select(ElectionEvent.payload)
        .where(
            ElectionEvent.election_id == election.id,
            ElectionEvent.kind == EventType.PARTIAL_DECRYPTION.value,
        )
        .order_by(ElectionEvent.height)
    ):
        owner, digest = read_owned(record_bytes(session, election, payload or ""))
        found[owner] = record_bytes(session, election, digest)
    return found


def register_partial_decryption(
    session: Session, actor: Actor, election: Election, message: bytes
) -> ElectionTrustee:
    """Store the actor's part of the count, once its proofs hold for the tally in the box.

    Refused before the sealed ballots are added up, and for fewer ballots than the minimum group.
    The same part twice is accepted.
    """
    box = lock_box(session, election) if session.get(BoxState, election.id) else None
    trustee = trustee_of(session, actor, election)
    if trustee.state == TrusteeState.DECRYPTED.value:
        if read_decryptions(session, election).get(trustee.position) == message:
            return trustee
        raise Conflict(
            _("You have sent another part of the count for this election."),
            remedy=_("There is nothing more to do."),
        )
    missing = missing_for_decryption(gather_facts(session, election))
    if missing or box is None:
        raise NotReady(missing)
    tally, _count = published_tally(session, election)
    try:
        check_partial_decryption(
            read_election(election), read_trustees(election), tally, trustee.position, message
        )
    except ProtocolError as error:
        raise InvalidInput(
            _("The part of the count is not valid (%(step)s).", step=error.step),
            remedy=_("Use the key file of this election and try again. Nothing was stored."),
            field="partial_decryption",
        ) from error
    append_event(
        session,
        box,
        EventType.PARTIAL_DECRYPTION,
        [message, make_owned(trustee.position, message)],
        singleton=f"{EventType.PARTIAL_DECRYPTION.value}:{trustee.position}",
    )
    trustee.state = TrusteeState.DECRYPTED.value
    trustee.decrypted_at = clock.now()
    log_incident(
        session, actor, election, "partial_decryption", details={"position": trustee.position}
    )
    session.flush()
    if all(other.state == TrusteeState.DECRYPTED.value for other in election.trustees):
        enqueue(session, "voting.advance", election.id)
    return trustee


def remind_trustees(session: Session, election: Election) -> None:
    """Tell every trustee who has not opened their part that it is time to."""
    for trustee in election.trustees:
        if trustee.state != TrusteeState.DECRYPTED.value:
            notices.ask_for_decryption(session, election, trustee)
