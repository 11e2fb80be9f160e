"""Trustees: whose key is taken, when a part of the count is taken, and whose."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from govern import clock
from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.errors import Conflict, Forbidden, ForbiddenTransition, InvalidInput
from govern.jobs import tick
from govern.mail.models import OutboxMail
from govern.voting import jobs
from govern.voting.models import BoxState
from govern.voting.protocol.decryption import (
    RunningTally,
    make_partial_decryption,
    read_encrypted_tally,
)
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import make_trustee_key
from govern.voting.services import box, elections, read_result, reading, trustees
from govern.voting.services.steps import NotReady


@pytest.fixture
def asked(holding):
    """An election whose two trustees were asked for their keys."""
    held = holding.draft(trustees=2)
    elections.start_keys(holding.session, SYSTEM, held.election)
    holding.session.commit()
    return held


def key_message(held, private=None):
    group = group_named(held.election.group)
    return make_trustee_key(group, private or group.random_scalar())


def register(held, position, message):
    actor = actor_for(held.session, held.trustee_accounts[position - 1])
    trustees.register_public_key(held.session, actor, held.election, message)


def test_trustees_are_asked_by_mail(asked):
    addresses = {mail.to_address for mail in asked.session.query(OutboxMail)}
    assert {account.email for account in asked.trustee_accounts} <= addresses


def test_a_key_whose_proof_does_not_hold_is_refused(asked):
    message = json.loads(key_message(asked))
    message["pok"]["response"] = str(int(message["pok"]["response"]) + 1)
    with pytest.raises(InvalidInput, match="proof_of_knowledge"):
        register(asked, 1, json.dumps(message, separators=(",", ":")).encode())


@pytest.mark.parametrize("message", [b"", b"{}", b"[1", b"\xff", b'{"pok":1,"public_key":"x"}'])
def test_what_is_not_a_key_is_refused(asked, message):
    with pytest.raises(InvalidInput):
        register(asked, 1, message)


def test_the_same_key_twice_is_accepted_and_another_one_is_not(asked):
    message = key_message(asked)
    register(asked, 1, message)
    register(asked, 1, message)
    with pytest.raises(Conflict):
        register(asked, 1, key_message(asked))


def test_two_trustees_cannot_register_one_key(asked):
    message = key_message(asked)
    register(asked, 1, message)
    with pytest.raises(InvalidInput):
        register(asked, 2, message)


def test_somebody_who_is_no_trustee_of_this_election_is_refused(holding, asked):
    other = holding.make_account(
        "Other", email="other@example.org", roles=[(holding.cooperative, Role.TRUSTEE)]
    )
    with pytest.raises(Forbidden):
        trustees.register_public_key(
            asked.session, actor_for(asked.session, other), asked.election, key_message(asked)
        )


def test_a_key_is_taken_back_with_a_reason_and_made_again(asked):
    register(asked, 1, key_message(asked))
    elections.reset_key(asked.session, SYSTEM, asked.election, 1, "The file was lost.")
    register(asked, 1, key_message(asked))
    mails = asked.session.query(OutboxMail).filter(OutboxMail.dedupe_key.like("%:key-%")).count()
    assert mails == 3


def test_all_keys_are_needed_before_the_election_is_fixed(asked):
    register(asked, 1, key_message(asked))
    with pytest.raises(NotReady, match="1 of 2"):
        elections.fix_election(asked.session, SYSTEM, asked.election)


@pytest.fixture
def counted(holding):
    held = holding.opened(trustees=2)
    for voter in held.voters[:3]:
        held.cast(voter, [1, 0, 0], [0, 1, 0, 0, 0])
    return held


def test_no_part_of_the_count_is_taken_before_the_end(holding, counted):
    session, election = counted.session, counted.election
    actor = actor_for(session, counted.trustee_accounts[0])
    running = box.read_election(election)
    state = session.get(BoxState, election.id)
    early = RunningTally.from_bytes(running, bytes(state.tally)).encrypted_tally()
    part = make_partial_decryption(running, read_encrypted_tally(running, early), counted.keys[1])
    for lead in (lambda held: held, holding.closed):
        lead(counted)
        with pytest.raises(ForbiddenTransition):
            trustees.register_partial_decryption(session, actor, election, part)
        session.rollback()


def test_no_part_is_taken_nor_asked_for_before_the_box_was_recounted(
    holding, counted, client, sign_in, monkeypatch
):
    """A wrong tally must not be opened: of one ballot it would tell how its voter voted."""
    session, election = counted.session, counted.election
    monkeypatch.setattr(jobs, "_recount", lambda session, election: None)
    holding.tallied(counted)
    assert election.recounted_at is None
    actor = actor_for(session, counted.trustee_accounts[0])
    with pytest.raises(NotReady) as refused:
        trustees.register_partial_decryption(session, actor, election, counted.part_of(1))
    session.rollback()
    assert [item.code for item in refused.value.missing] == ["recount"]
    assert "counted again" in refused.value.message
    account_id = counted.trustee_accounts[0].id
    assert reading.trustee_tasks(session, account_id) == []
    sign_in(client, counted.trustee_accounts[0])
    url = f"/elections/{election.uuid}/trustee"
    page = client.get(url).get_data(as_text=True)
    assert "being recounted" in page
    assert "data-stage" not in page
    mails = session.query(OutboxMail).filter(OutboxMail.dedupe_key.like("%:count:%"))
    assert mails.count() == 0
    monkeypatch.undo()
    holding.clock.set(clock.now() + timedelta(minutes=1))
    tick()
    holding.run_jobs()
    assert mails.count() == 2
    assert len(reading.trustee_tasks(session, account_id)) == 1
    assert 'data-stage="decrypt"' in client.get(url).get_data(as_text=True)
    counted.decrypt(1)


def test_a_part_made_with_another_key_is_refused(holding, counted):
    holding.tallied(counted)
    session, election = counted.session, counted.election
    actor = actor_for(session, counted.trustee_accounts[0])
    with pytest.raises(InvalidInput, match="decryption_proof"):
        trustees.register_partial_decryption(session, actor, election, counted.part_of(2))


def test_every_field_of_a_part_is_checked(holding, counted):
    holding.tallied(counted)
    session, election = counted.session, counted.election
    actor = actor_for(session, counted.trustee_accounts[0])
    good = json.loads(counted.part_of(1))
    for name in ("decryption_factors", "decryption_proofs"):
        bad = dict(good)
        bad[name] = [list(reversed(row)) for row in bad[name]]
        message = json.dumps(bad, separators=(",", ":")).encode()
        with pytest.raises(InvalidInput):
            trustees.register_partial_decryption(session, actor, election, message)
        session.rollback()


def test_the_same_part_twice_is_accepted_and_stands_in_the_box_once(holding, counted):
    holding.tallied(counted)
    session, election = counted.session, counted.election
    actor = actor_for(session, counted.trustee_accounts[0])
    part = counted.part_of(1)
    trustees.register_partial_decryption(session, actor, election, part)
    height = box.box_height(session, election)
    trustees.register_partial_decryption(session, actor, election, part)
    assert box.box_height(session, election) == height
    with pytest.raises(Conflict):
        trustees.register_partial_decryption(session, actor, election, counted.part_of(1))


def test_there_is_no_result_until_every_trustee_has_opened_their_part(holding, counted, client):
    holding.tallied(counted)
    counted.decrypt(1)
    holding.run_jobs()
    assert counted.election.state == "tallying"
    page = client.get(f"/elections/{counted.election.uuid}").get_data(as_text=True)
    assert "All keys are needed" in page
    assert "Turnout" not in page
    counted.decrypt(2)
    holding.run_jobs()
    assert counted.election.state == "published"
    assert read_result(counted.session, counted.election).question("accounts").counts == [3, 0, 0]


@pytest.mark.parametrize("ballots", [1, 2])
def test_too_few_ballots_are_never_opened(holding, ballots):
    held = holding.opened()
    for voter in held.voters[:ballots]:
        held.cast(voter)
    holding.tallied(held)
    with pytest.raises(NotReady):
        held.decrypt(1)
    held.session.rollback()
    elections.cancel_election(held.session, SYSTEM, held.election, "Too few ballots were cast.")


def test_an_empty_box_is_counted_as_zero(holding):
    held = holding.published(holding.opened())
    result = read_result(held.session, held.election)
    assert (result.ballots, result.question("accounts").counts) == (0, [0, 0, 0])


def test_the_trustee_page_takes_key_and_part_over_http(holding, client, sign_in):
    held = holding.draft()
    elections.start_keys(holding.session, SYSTEM, held.election)
    sign_in(client, held.trustee_accounts[0])
    url = f"/elections/{held.election.uuid}/trustee"
    assert 'data-stage="generate"' in client.get(url).get_data(as_text=True)
    group = group_named(held.election.group)
    held.keys[1] = group.random_scalar()
    message = make_trustee_key(group, held.keys[1]).decode()
    bad = message.replace('"challenge":"', '"challenge":"1')
    refused = client.post(f"{url}/public-key", json={"public_key": bad})
    assert refused.status_code == 422
    assert set(refused.json["error"]) == {"title", "detail", "remedy"}
    for _ in range(2):
        assert client.post(f"{url}/public-key", json={"public_key": message}).json == {}
    assert 'data-stage="waiting"' in client.get(url).get_data(as_text=True)
    elections.fix_election(holding.session, SYSTEM, held.election)
    holding.opened(holding.with_credentials(held))
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.tallied(held)
    sign_in(client, held.trustee_accounts[0])
    assert 'data-stage="decrypt"' in client.get(url).get_data(as_text=True)
    body = {"partial_decryption": held.part_of(1).decode()}
    for _ in range(2):
        assert client.post(f"{url}/partial-decryption", json=body).json == {}
    assert 'data-stage="done"' in client.get(url).get_data(as_text=True)


def test_files_made_without_a_browser_are_uploaded_on_the_same_page(holding, client, sign_in):
    held = holding.draft()
    elections.start_keys(holding.session, SYSTEM, held.election)
    sign_in(client, held.trustee_accounts[0])
    url = f"/elections/{held.election.uuid}/trustee"
    group = group_named(held.election.group)
    held.keys[1] = group.random_scalar()

    def upload(message):
        return client.post(url, data={"file": (io.BytesIO(message), "file.json")})

    refused = upload(b"not a key")
    assert refused.status_code == 422
    assert "is not valid" in refused.get_data(as_text=True)
    assert upload(make_trustee_key(group, held.keys[1])).status_code == 302
    elections.fix_election(holding.session, SYSTEM, held.election)
    holding.opened(holding.with_credentials(held))
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.tallied(held)
    sign_in(client, held.trustee_accounts[0])
    assert upload(held.part_of(1)).status_code == 302
    holding.run_jobs()
    holding.session.refresh(held.election)
    assert held.election.state == "published"


def test_a_trustee_whose_part_is_not_wanted_is_told_why(holding, client, sign_in):
    held = holding.opened()
    held.cast(held.voters[0])
    holding.tallied(held)
    sign_in(client, held.trustee_accounts[0])
    page = client.get(f"/elections/{held.election.uuid}/trustee").get_data(as_text=True)
    assert "Only one ballot was counted" in page
    assert "data-stage" not in page
