"""Two at once, and things that break at the worst moment: closing, cancelling, correcting."""

from __future__ import annotations

import pytest

from govern.access import SYSTEM
from govern.jobs import tick
from govern.jobs.models import BackgroundJob, JobState
from govern.register.models import RollEntry
from govern.register.services.rolls import correct_roll
from govern.voting import jobs
from govern.voting.models import Attendance, BoxState, CredentialIssue, Incident
from govern.voting.services import box, closing, credentials, elections, steps
from govern.voting.services.casting import NotOpen
from govern.voting.services.elections import cancelling
from govern.voting.services.steps import NotReady

REASON = "A reason for the tests."


def test_a_cancelled_vote_loses_the_order_of_voting_like_a_closed_one(holding, both_databases):
    held = holding.opened()
    for voter in held.voters:
        held.cast(voter)
    elections.cancel_election(held.session, SYSTEM, held.election, REASON)
    held.session.commit()
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is not None
    assert held.session.query(Attendance).filter(Attendance.tag.is_not(None)).count() == 0


def test_a_crash_after_a_cancellation_is_made_good_at_the_next_tick(holding):
    held = holding.opened()
    held.cast(held.voters[0])
    elections.cancel_election(held.session, SYSTEM, held.election, REASON)
    held.session.query(BackgroundJob).delete()
    held.session.commit()
    tick()
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is not None


def test_an_election_cancelled_before_it_opened_has_nothing_to_scrub(holding):
    held = holding.with_credentials()
    elections.cancel_election(held.session, SYSTEM, held.election, REASON)
    held.session.commit()
    tick()
    holding.run_jobs()
    assert held.election.attendance_scrubbed_at is None


def test_a_cancellation_waits_for_the_ballot_that_is_being_cast(holding, monkeypatch):
    """Casting holds the box: whoever ends the vote must hold it too."""
    held = holding.opened()
    locked = []

    def lock_box(session, election):
        locked.append(election.id)
        return box.lock_box(session, election)

    monkeypatch.setattr(cancelling, "lock_box", lock_box)
    elections.cancel_election(held.session, SYSTEM, held.election, REASON)
    held.session.commit()
    assert locked == [held.election.id]
    with pytest.raises(NotOpen):
        held.cast(held.voters[0])


def test_a_product_that_does_not_fit_the_voters_is_said_once_and_not_tried_again(holding):
    held = holding.opened()
    for voter in held.voters:
        held.cast(voter)
    held.session.get(BoxState, held.election.id).voters -= 1
    held.session.commit()
    holding.closed(held)
    holding.run_jobs()
    for _ in range(3):
        tick()
        holding.run_jobs()
    assert held.election.state == "closed"
    assert held.election.unsound_since is not None
    assert held.session.query(Incident).filter_by(code="box_unsound").count() == 1
    failed = held.session.query(BackgroundJob).filter_by(state=JobState.FAILED.value)
    assert failed.count() == 0


def test_a_process_that_dies_after_publishing_still_has_the_archive_audited(holding, monkeypatch):
    held = holding.tallied(holding.opened())
    for position in held.keys:
        held.decrypt(position)
    jobs.advance(held.session, held.election.id)
    # What was not committed by the step itself is lost with the process.
    held.session.rollback()
    holding.run_jobs()
    assert held.election.state == "published"
    assert held.session.query(Incident).filter_by(code="audited").count() == 1


def test_a_correction_in_the_very_moment_of_opening_is_noticed(holding, monkeypatch):
    """Between the first look at the roll and its lock somebody else may commit a correction."""
    held = holding.with_credentials()
    session, election = held.session, held.election
    roll = election.roll
    entry = session.query(RollEntry).filter_by(roll_id=roll.id).first()
    newcomer = holding.add_member()
    session.commit()
    lock_roll = closing.lock_roll

    def correct_first(session, roll):
        correct_roll(session, SYSTEM, roll, entry.membership, "Left before then.", remove=True)
        correct_roll(session, SYSTEM, roll, newcomer, "Was forgotten.")
        return lock_roll(session, roll)

    monkeypatch.setattr(closing, "lock_roll", correct_first)
    holding.clock.set(election.opens_at)
    with pytest.raises(NotReady) as refused:
        closing.open_election(session, SYSTEM, election)
    assert [item.code for item in refused.value.missing] == ["credentials_of_this_roll"]


@pytest.mark.usefixtures("light_passphrases")
def test_a_member_can_be_taken_off_the_roll_after_the_codes_were_made(holding, both_databases):
    held = holding.with_keys(holding.draft(members=5, credential_mode="server"))
    session, election = held.session, held.election
    key = credentials.make_list_key("correct horse battery staple")
    credentials.start_server_run(session, SYSTEM, election, key)
    holding.run_jobs()
    entry = session.query(RollEntry).filter_by(roll_id=election.roll_id).first()
    entry_id = entry.id
    correct_roll(session, SYSTEM, election.roll, entry.membership, "Left before then.", remove=True)
    session.commit()
    assert session.query(CredentialIssue).filter_by(roll_entry_id=entry_id).count() == 0
    assert not steps.gather_facts(session, election).credentials_fit_roll
    credentials.discard_run(session, SYSTEM, election, "The roll was corrected.")
    credentials.start_server_run(session, SYSTEM, election, key)
    holding.run_jobs()
    holding.opened(held)
    assert election.heads == 4
