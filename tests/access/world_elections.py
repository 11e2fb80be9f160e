"""Elections of a side in every state, held by ``tests.voting.holding`` on one roll."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.models import Account
from govern.accounts.services import actor_for
from govern.cooperatives.models import Cooperative
from govern.jobs import tick
from govern.register.models import Membership, RollEntry
from govern.register.services import freeze_roll, take_roll
from govern.voting import rollfile
from govern.voting.protocol.credentials import (
    derive_credential,
    generate_code,
    make_public_credentials,
)
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import make_trustee_key
from govern.voting.services import credentials, elections, trustees
from tests.access import world_register  # noqa: F401  (members come before elections)
from tests.access.world import BUILDERS, NOW, Side
from tests.voting.holding import Held, Holding

PASSPHRASE = "four quiet herons walk"
DAY = timedelta(days=1)


class _Officers(Holding):
    """Elections of a side: its trustee holds the key, its members are on the roll."""

    def __init__(self, session: Session, side: Side) -> None:
        trustee = session.get_one(Account, side.accounts[Role.TRUSTEE])
        cooperative = session.get_one(Cooperative, side.cooperative_id)
        super().__init__(session, side.clock, cooperative, lambda *args, **more: trustee)
        self.roll = take_roll(session, SYSTEM, cooperative, date(2018, 5, 19), "Votes")
        freeze_roll(session, SYSTEM, self.roll)
        session.commit()

    def draft(self, *args: Any, **fields: Any) -> Held:
        return super().draft(roll=self.roll, **fields)


def make_elections(session: Session, side: Side) -> None:
    """From the draft to the published result, each ready for its next step."""
    side.clock.set(NOW - 6 * DAY)
    officers = _Officers(session, side)
    past = {"opens_at": NOW - 5 * DAY, "closes_at": NOW - 3 * DAY}
    present = {"opens_at": NOW - 2 * DAY, "closes_at": NOW + 5 * DAY}
    coming = {"opens_at": NOW + 5 * DAY, "closes_at": NOW + 8 * DAY}

    tallying, published = (officers.with_credentials(**past) for _ in range(2))
    opened = officers.with_credentials(**present)
    lost = officers.with_keys(credential_mode="server", credential_authority="", **present)
    key = credentials.make_list_key(PASSPHRASE)
    credentials.start_server_run(session, SYSTEM, lost.election, key)
    officers.run_jobs()

    side.clock.set(NOW - 5 * DAY)
    tick()
    for held in (tallying, published):
        session.refresh(held.election)
        for voter in held.voters[:4]:
            held.cast(voter)
    side.clock.set(NOW - 3 * DAY)
    tick()
    officers.run_jobs()
    officers.published(published)
    side.clock.set(NOW)
    tick()

    draft = officers.draft(**coming)
    keys = officers.draft(**coming)
    elections.start_keys(session, SYSTEM, keys.election)
    keyed = officers.draft(**coming)
    elections.start_keys(session, SYSTEM, keyed.election)
    group = group_named(keyed.election.group)
    trustees.register_public_key(
        session,
        actor_for(session, keyed.trustee_accounts[0]),
        keyed.election,
        make_trustee_key(group, group.random_scalar()),
    )
    fixed = officers.with_keys(**coming)
    coded = officers.with_credentials(**coming)
    session.commit()

    for name, held in {
        "draft": draft,
        "keys": keys,
        "keyed": keyed,
        "fixed": fixed,
        "coded": coded,
        "open": opened,
        "lost": lost,
        "tallying": tallying,
        "published": published,
    }.items():
        session.refresh(held.election)
        setattr(side, f"election_{name}", held.election.uuid)
    assert opened.election.state == lost.election.state == "open"
    assert (tallying.election.state, published.election.state) == ("tallying", "published")
    assert coded.election.state == fixed.election.state == "credentials"

    side.new_key = make_trustee_key(group, group.random_scalar()).decode()
    side.partial_decryption = tallying.part_of(1).decode()
    side.ballot = opened.seal(_own_voter(session, side, opened)).decode()
    side.credentials_file = _credentials_file(session, fixed)


def _own_voter(session: Session, side: Side, held: Held) -> Any:
    """The voter behind the account with the member's role."""
    entry_id = session.scalar(
        select(RollEntry.id)
        .join(Membership, Membership.id == RollEntry.membership_id)
        .where(
            RollEntry.roll_id == held.election.roll_id,
            Membership.public_id == side.own_membership,
        )
    )
    return next(voter for voter in held.voters if voter.entry_id == entry_id)


def _credentials_file(session: Session, held: Held) -> bytes:
    """What the authority that makes the codes elsewhere sends back."""
    election = held.election
    group = group_named(election.group)
    public = make_public_credentials(
        derive_credential(group, election.uuid, generate_code()).public
        for _ in range(election.roll.heads)
    )
    return rollfile.write_public_file(election.uuid, election.group, election.roll.digest, public)


BUILDERS.append(make_elections)
