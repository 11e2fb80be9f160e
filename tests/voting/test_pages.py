"""The pages of an election, as a stranger, a member, a trustee and a returning officer see them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from govern.access import Role
from govern.voting.models import Election
from govern.voting.rules import ElectionState

# A form that will not work with the next version of a library is a mistake today.
pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning")


@pytest.fixture
def officer(make_account, cooperative):
    return make_account(
        "Odile", email="odile@example.org", roles=[(cooperative, Role.RETURNING_OFFICER)]
    )


def page(client, election, path=""):
    # Buffered: a streamed answer must end inside the request's own context.
    return client.get(f"/elections/{election.public_id}{path}", buffered=True)


@pytest.mark.parametrize("state", ["draft", "keys", "credentials", "open", "tallying", "published"])
def test_every_page_of_every_state_opens_for_its_people(
    holding, app, sign_in, officer, state, session
):
    held = holding.draft(trustees=2)
    if state != "draft":
        held = holding.with_credentials(holding.with_keys(held)) if state != "keys" else held
    if state in ("open", "tallying", "published"):
        holding.opened(held)
        for voter in held.voters[:4]:
            held.cast(voter)
    if state == "tallying":
        holding.tallied(held)
    if state == "published":
        holding.published(held)
    election = held.election
    stranger, boss, trustee = app.test_client(), app.test_client(), app.test_client()
    sign_in(boss, officer)
    sign_in(trustee, held.trustee_accounts[0])
    expected = 404 if election.state == "draft" else 200
    assert page(stranger, election).status_code == expected
    assert page(boss, election).status_code == 200
    assert page(boss, election, "/manage").status_code == 200
    assert page(stranger, election, "/manage").status_code == 302
    assert page(trustee, election, "/manage").status_code == 403
    assert page(stranger, election, "/board").status_code == (
        200 if state in ("open", "tallying", "published") else 404
    )
    if election.state != "draft":
        assert page(trustee, election, "/trustee").status_code == 200
    for step in (
        "schedule",
        "trustees",
        "keys",
        "fix",
        "codes",
        "codes/discard",
        "codes/lost",
        "extend",
        "close",
        "cancel",
        "roll-file",
        "codes/progress",
        "trustees/1",
    ):
        assert page(boss, election, f"/manage/{step}").status_code in (200, 302), step


def test_the_booth_shows_the_questions_in_the_readers_language(holding, client, sign_in):
    held = holding.opened()
    account = holding.account_of(held.voters[0])
    account.language = "fr"
    sign_in(client, account)
    answer = page(client, held.election, "/booth")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<span data-question-text>Comptes annuels 2017</span>" in text
    assert "<span data-answer-text>Pour</span>" in text
    assert f'data-fingerprint="{held.election.fingerprint}"' in text


def test_the_election_is_served_byte_for_byte(holding, client):
    held = holding.opened()
    assert page(client, held.election, "/election.json").data == held.election.data


def test_a_ballot_sent_by_the_booth_is_answered_with_a_receipt(holding, client, sign_in):
    held = holding.opened()
    voter = held.voters[0]
    sign_in(client, holding.account_of(voter))
    ballot = held.seal(voter).decode()
    url = f"/elections/{held.election.public_id}/cast"
    first = client.post(url, json={"ballot": ballot})
    assert first.status_code == 200, first.get_data(as_text=True)
    assert set(first.json) == {"tracker", "height", "event_hash", "signature", "received_at_day"}
    assert client.post(url, json={"ballot": ballot}).json == first.json
    board = client.get(
        f"/elections/{held.election.public_id}/board",
        query_string={"tracker": first.json["tracker"]},
    ).get_data(as_text=True)
    assert "it counts" in board


def test_a_ballot_that_is_refused_is_explained(holding, client, sign_in):
    held = holding.opened()
    sign_in(client, holding.account_of(held.voters[0]))
    url = f"/elections/{held.election.public_id}/cast"
    broken = json.loads(held.seal(held.voters[0]))
    broken["answers"][0]["choices"].reverse()
    answer = client.post(url, json={"ballot": json.dumps(broken, separators=(",", ":"))})
    assert answer.status_code == 422
    assert set(answer.json["error"]) == {"title", "detail", "remedy"}
    for body in ({}, {"ballot": 3}, {"ballot": "\ud800"}, [], "x"):
        assert client.post(url, json=body).status_code == 422


def test_somebody_who_is_not_on_the_roll_cannot_cast(holding, client, sign_in, make_account):
    held = holding.opened()
    sign_in(client, make_account("Stranger"))
    ballot = held.seal(held.voters[0]).decode()
    url = f"/elections/{held.election.public_id}/cast"
    assert client.post(url, json={"ballot": ballot}).status_code == 403
    assert client.get(f"/elections/{held.election.public_id}/booth").status_code == 200


def test_the_archive_is_downloaded_at_any_moment_with_its_exact_size(holding, client):
    held = holding.opened()
    held.cast(held.voters[0])
    for path in ("/archive.bel", f"/{held.election.public_id}.bel"):
        answer = page(client, held.election, path)
        assert answer.data == held.archive()
        assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_the_record_of_the_count_is_a_pdf(holding, client):
    held = holding.opened()
    for voter in held.voters[:4]:
        held.cast(voter)
    assert page(client, held.election, "/record.pdf").status_code == 404
    holding.published(held)
    answer = page(client, held.election, "/record.pdf")
    assert answer.data.startswith(b"%PDF")


def test_the_officer_leads_an_election_through_the_pages(
    holding, client, sign_in, officer, session, clock
):
    held = holding.draft(credential_mode="server")
    uuid = held.election.public_id
    sign_in(client, officer)
    trustee = held.trustee_accounts[0]

    def send(path, **fields):
        answer = client.post(f"/elections/{uuid}/manage/{path}", data=fields)
        assert answer.status_code == 302, answer.get_data(as_text=True)

    send("trustees", trustees=[trustee.id])
    send("keys")
    from govern.accounts.services import actor_for
    from govern.voting.protocol.groups import group_named
    from govern.voting.protocol.trustees import make_trustee_key
    from govern.voting.services import register_public_key

    group = group_named(held.election.group)
    held.keys[1] = group.random_scalar()
    register_public_key(
        session, actor_for(session, trustee), held.election, make_trustee_key(group, held.keys[1])
    )
    send("fix")
    send("codes", passphrase="correct horse battery", again="correct horse battery")
    holding.run_jobs()
    holding.opened(held)
    sign_in(client, officer)
    later = (held.election.closes_at + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    send("extend", closes_at=later, reason="The server was away for three hours.")
    send("close", reason="The chair closes the vote.")
    holding.run_jobs()
    assert session.get(Election, held.election.id).stage is ElectionState.TALLYING
    send("cancel", reason="Too few ballots were cast.")
    assert session.get(Election, held.election.id).stage is ElectionState.CANCELLED
