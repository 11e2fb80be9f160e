"""Opening and closing by the clock, also after a restart; extension; closing early."""

from __future__ import annotations

from datetime import timedelta

import pytest

from govern.access import SYSTEM, Role
from govern.errors import InvalidInput
from govern.jobs import tick
from govern.mail.models import OutboxMail
from govern.voting.models import Incident
from govern.voting.services import closing, elections

REASON = "The server was away for three hours."


def incidents(held, code):
    return held.session.query(Incident).filter_by(election_id=held.election.id, code=code).all()


def at(holding, held, moment):
    holding.clock.set(moment)
    tick()
    held.session.refresh(held.election)
    return held.election.state


def test_an_election_opens_and_closes_at_its_times(holding, both_databases):
    held = holding.with_credentials()
    election = held.election
    opens_at, closes_at = election.opens_at, election.closes_at
    second = timedelta(seconds=1)
    assert at(holding, held, opens_at - second) == "credentials"
    assert at(holding, held, opens_at) == "open"
    assert at(holding, held, closes_at - second) == "open"
    assert at(holding, held, closes_at) == "closed"
    assert [len(incidents(held, code)) for code in ("open", "closed")] == [1, 1]


def test_what_was_due_while_nothing_ran_happens_at_the_first_tick_after_the_restart(holding):
    held = holding.opened()
    held.cast(held.voters[0])
    assert at(holding, held, held.election.closes_at + timedelta(hours=9)) == "closed"
    late = holding.with_credentials(holding.with_keys())
    assert at(holding, late, late.election.opens_at + timedelta(hours=2)) == "open"


def test_an_election_that_nobody_opened_in_time_does_not_open_for_a_closed_vote(holding):
    held = holding.with_credentials()
    assert at(holding, held, held.election.closes_at + timedelta(hours=1)) == "credentials"
    assert [item.details["missing"] for item in incidents(held, "opening_failed")] == [
        ["future_closing"]
    ]


def test_an_opening_that_fails_is_reported_once_and_made_good_later(holding):
    held = holding.with_keys()
    officer = holding.make_account(
        "Odile",
        email="odile@example.org",
        roles=[(holding.cooperative, Role.RETURNING_OFFICER)],
    )
    for minutes in (0, 1, 2):
        moment = held.election.opens_at + timedelta(minutes=minutes)
        assert at(holding, held, moment) == "credentials"
    assert len(incidents(held, "opening_failed")) == 1
    mails = held.session.query(OutboxMail).filter_by(to_address=officer.email).all()
    assert len(mails) == 1
    assert "0 of 6" in mails[0].text_body
    holding.with_credentials(held)
    tick()
    held.session.refresh(held.election)
    assert held.election.state == "open"


def test_opening_lodges_the_digests_with_trustees_and_auditors(holding):
    auditor = holding.make_account(
        "Aline", email="aline@example.org", roles=[(holding.cooperative, Role.AUDITOR)]
    )
    held = holding.opened()
    for account in (auditor, *held.trustee_accounts):
        texts = [
            mail.text_body
            for mail in held.session.query(OutboxMail).filter_by(to_address=account.email)
        ]
        for number in (
            held.election.fingerprint,
            held.election.setup_hash,
            held.election.roll_digest,
            held.election.credentials_digest,
            held.election.receipt_key,
        ):
            assert any(number in text for text in texts)


def test_an_extension_moves_the_closing_time_and_says_why(holding):
    held = holding.opened()
    before = held.election.closes_at
    later = before + timedelta(hours=3)
    closing.extend_election(held.session, SYSTEM, held.election, later, REASON)
    held.session.commit()
    assert at(holding, held, before) == "open"
    held.cast(held.voters[0])
    assert at(holding, held, later) == "closed"
    (line,) = incidents(held, "extended")
    assert line.reason == REASON


def test_an_outage_over_the_closing_time_can_be_made_good_before_the_first_tick(holding):
    held = holding.opened()
    holding.clock.set(held.election.closes_at + timedelta(hours=1))
    later = holding.clock.now + timedelta(hours=1)
    closing.extend_election(held.session, SYSTEM, held.election, later, REASON)
    held.session.commit()
    tick()
    held.session.refresh(held.election)
    assert held.election.state == "open"
    held.cast(held.voters[0])


def test_an_extension_never_makes_the_vote_shorter(holding):
    held = holding.opened()
    with pytest.raises(InvalidInput):
        closing.extend_election(
            held.session,
            SYSTEM,
            held.election,
            held.election.closes_at - timedelta(hours=1),
            REASON,
        )


def test_a_vote_closed_early_says_so_in_public(holding):
    held = holding.opened()
    holding.clock.advance(minutes=10)
    closing.close_election(held.session, SYSTEM, held.election, early_reason="All have voted.")
    assert held.election.state == "closed"
    assert held.election.closes_at == holding.clock.now
    assert incidents(held, "closed_early")[0].reason == "All have voted."


def test_other_times_are_possible_until_it_opens(holding):
    held = holding.with_credentials()
    opens_at = held.election.opens_at + timedelta(hours=1)
    closes_at = held.election.closes_at + timedelta(hours=1)
    elections.reschedule_election(held.session, SYSTEM, held.election, opens_at, closes_at)
    held.session.commit()
    assert at(holding, held, opens_at - timedelta(seconds=1)) == "credentials"
    assert at(holding, held, opens_at) == "open"


def test_one_election_that_cannot_open_does_not_hold_up_another(holding, monkeypatch):
    broken, good = holding.with_credentials(), holding.with_credentials()
    holding.clock.set(good.election.opens_at)
    real = closing.open_election

    def stumble(session, actor, election):
        if election.id == broken.election.id:
            raise RuntimeError("something unforeseen")
        real(session, actor, election)

    monkeypatch.setattr(closing, "open_election", stumble)
    tick()
    good.session.refresh(good.election)
    assert good.election.state == "open"
