"""Putting a ballot into the box: all of it or nothing, once, by the right member, in time."""

from __future__ import annotations

import base64
import logging
import random

import pytest
from nacl.signing import VerifyKey
from sqlalchemy import text

from govern.errors import Unavailable
from govern.extensions import db, limiter
from govern.register.models import RollEntry
from govern.voting import keys
from govern.voting.models import Attendance, BoxState, ElectionEvent, ElectionRecord
from govern.voting.protocol.decryption import RunningTally
from govern.voting.services import box, casting, reading, tally
from govern.voting.services.casting import (
    AlreadyVoted,
    BallotRefused,
    CredentialMismatch,
    NotOpen,
    Superseded,
)

FOR = ([1, 0, 0], [0, 1, 0, 0, 0])
AGAINST = ([0, 1, 0], [1, 0, 0, 0, 0])


def state_of(session, election):
    """Everything that a cast may change, to compare before and after."""
    session.expire_all()
    return (
        session.query(ElectionEvent).filter_by(election_id=election.id).count(),
        session.query(ElectionRecord).filter_by(election_id=election.id).count(),
        session.query(Attendance).filter_by(election_id=election.id).count(),
        [
            (row.height, row.head, row.ballots, row.voters, bytes(row.tally))
            for row in session.query(BoxState).filter_by(election_id=election.id)
        ],
    )


def all_rows(session):
    """Every row of every table, as text."""
    tables = db.metadata.sorted_tables
    return {
        table.name: sorted(repr(tuple(row)) for row in session.execute(table.select()))
        for table in tables
    }


def test_a_cast_changes_the_box_and_attendance_and_nothing_else(holding, both_databases):
    held = holding.opened()
    before = all_rows(held.session)
    held.cast(held.voters[0])
    after = all_rows(held.session)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "election_event",
        "election_record",
        "election_box",
        "election_attendance",
    }


def test_a_cast_writes_no_line_into_any_log(holding, client, sign_in, caplog):
    held = holding.opened()
    voter = held.voters[0]
    sign_in(client, holding.account_of(voter))
    ballot = held.seal(voter).decode()
    with caplog.at_level(logging.DEBUG):
        answer = client.post(f"/elections/{held.election.uuid}/cast", json={"ballot": ballot})
    said = " ".join(record.getMessage() for record in caplog.records)
    assert answer.json["tracker"] not in said
    assert str(voter.account.id) not in said
    assert voter.account.email not in said


def test_nothing_finer_than_a_day_is_kept_about_a_ballot(holding):
    held = holding.opened()
    receipt = held.cast(held.voters[0])
    event = held.session.query(ElectionEvent).filter_by(tracker=receipt.tracker).one()
    assert event.day.isoformat() == receipt.day.isoformat() == "2018-06-02"
    moment = holding.clock.now.strftime("%H:%M")
    assert moment.encode() not in bytes(event.data)


@pytest.mark.parametrize(
    "step", ["_latest", "_require_open", "_check_unused", "_count", "_receipt", "save"]
)
def test_a_cast_that_fails_at_any_step_leaves_nothing(holding, monkeypatch, step):
    held = holding.opened()
    held.cast(held.voters[0])
    before = state_of(held.session, held.election)

    def die(*_arguments, **_more):
        raise RuntimeError("the process died here")

    ballot = held.seal(held.voters[1], *FOR)
    with monkeypatch.context() as patch:
        patch.setattr(casting.Box, step, die)
        with pytest.raises(RuntimeError, match="died here"):
            held.cast(held.voters[1], data=ballot)
    held.session.rollback()
    assert state_of(held.session, held.election) == before
    receipt = held.cast(held.voters[1], data=ballot)
    assert held.cast(held.voters[1], data=ballot) == receipt


def test_the_same_ballot_again_gets_the_same_receipt_and_changes_nothing(holding, both_databases):
    held = holding.opened()
    ballot = held.seal(held.voters[0])
    receipt = held.cast(held.voters[0], data=ballot)
    before = state_of(held.session, held.election)
    assert held.cast(held.voters[0], data=ballot) == receipt
    assert state_of(held.session, held.election) == before


def test_a_retry_after_closing_still_gets_its_receipt(holding):
    held = holding.opened()
    ballot = held.seal(held.voters[0])
    receipt = held.cast(held.voters[0], data=ballot)
    held.cast(held.voters[1])
    holding.closed(held)
    assert held.cast(held.voters[0], data=ballot) == receipt
    with pytest.raises(CredentialMismatch):
        held.cast(held.voters[2], data=ballot)


def test_the_last_ballot_counts_and_an_older_one_answers_superseded(holding):
    held = holding.opened()
    first, second = held.seal(held.voters[0], *FOR), held.seal(held.voters[0], *AGAINST)
    held.cast(held.voters[0], data=first)
    held.cast(held.voters[0], data=second)
    before = state_of(held.session, held.election)
    with pytest.raises(Superseded):
        held.cast(held.voters[0], data=first)
    held.session.rollback()
    assert state_of(held.session, held.election) == before
    assert before[3][0][2:4] == (2, 1)


def test_without_revote_the_first_ballot_counts(holding):
    held = holding.opened(revote_allowed=False)
    ballot = held.seal(held.voters[0], *FOR)
    receipt = held.cast(held.voters[0], data=ballot)
    with pytest.raises(AlreadyVoted):
        held.cast(held.voters[0], *AGAINST)
    held.session.rollback()
    assert held.cast(held.voters[0], data=ballot) == receipt


def test_somebody_elses_ballot_of_the_box_is_refused(holding):
    held = holding.opened()
    ballot = held.seal(held.voters[0])
    held.cast(held.voters[0], data=ballot)
    for other in held.voters[1:3]:
        with pytest.raises(CredentialMismatch):
            held.cast(other, data=ballot)
        held.session.rollback()
        held.cast(other)
        with pytest.raises(CredentialMismatch):
            held.cast(other, data=ballot)
        held.session.rollback()


def test_one_code_serves_one_member_and_one_member_keeps_to_one_code(holding):
    held = holding.opened()
    mine, yours = held.voters[:2]
    held.cast(mine)
    with pytest.raises(CredentialMismatch):
        held.cast(yours, data=held.seal(mine))
    held.session.rollback()
    with pytest.raises(CredentialMismatch):
        held.cast(mine, data=held.seal(held.voters[2]))
    held.session.rollback()
    held.cast(yours)


def test_answers_copied_under_another_code_are_refused(holding):
    held = holding.opened()
    stolen = held.seal(held.voters[0])
    own = held.seal(held.voters[1])
    answers = stolen[stolen.index(b'"answers"') : stolen.index(b',"signature"')]
    own_answers = own[own.index(b'"answers"') : own.index(b',"signature"')]
    with pytest.raises(BallotRefused):
        held.cast(held.voters[1], data=own.replace(own_answers, answers))


def test_a_ballot_of_another_election_is_refused(holding):
    held, other = holding.opened(), holding.draft()
    other = holding.opened(holding.with_credentials(holding.with_keys(other)))
    other.voters[0].code = held.voters[0].code
    with pytest.raises(BallotRefused) as refused:
        casting.check_ballot(held.session, held.election, other.seal(other.voters[1]))
    assert refused.value.step == "election_uuid"


def test_an_unknown_code_is_refused(holding):
    held = holding.opened()
    held.voters[0].code = "11111-111111-11111-111111"
    with pytest.raises(BallotRefused) as refused:
        held.cast(held.voters[0])
    assert refused.value.step == "credential"


def test_a_ballot_is_refused_from_the_closing_time_on_whether_or_not_the_tick_has_run(holding):
    held = holding.opened()
    ballot = held.seal(held.voters[0])
    holding.clock.set(held.election.closes_at)
    assert held.election.state == "open"
    with pytest.raises(NotOpen):
        held.cast(held.voters[0], data=ballot)


def test_the_last_second_still_counts(holding):
    held = holding.opened()
    holding.clock.set(held.election.closes_at)
    holding.clock.advance(seconds=-1)
    assert held.cast(held.voters[0]).height == 1


def test_a_member_who_represents_a_firm_votes_once_for_each(holding, client, sign_in, session):
    person = holding.add_member(member_number="P1", given_name="Nora", family_name="Peeters")
    holding.add_member(
        member_number="F1",
        given_name="",
        family_name="",
        organisation_name="Peeters bv",
        enterprise_number="0403.170.701",
        representative_given_name="Nora",
        representative_family_name="Peeters",
        category="B",
    )
    held = holding.opened(members=4)
    numbers = {
        entry.member_number: entry.id
        for entry in session.query(RollEntry).filter_by(roll_id=held.election.roll_id)
    }
    own = next(voter for voter in held.voters if voter.entry_id == numbers["P1"])
    firm = next(voter for voter in held.voters if voter.entry_id == numbers["F1"])
    account = holding.account_of(own)
    organisation = session.get(RollEntry, firm.entry_id).membership.organisation
    organisation.representatives[0].person_id = person.person_id
    session.commit()
    sign_in(client, account)
    url = f"/elections/{held.election.uuid}"
    chooser = client.get(f"{url}/booth").get_data(as_text=True)
    assert "Peeters bv" in chooser
    assert client.post(f"{url}/cast", json={"ballot": held.seal(own).decode()}).status_code == 403
    for voter in (own, firm):
        word = keys.seal_behalf(held.election, voter.entry_id)
        page = client.get(f"{url}/booth", query_string={"for": word}).get_data(as_text=True)
        assert "data-questions" in page
        answer = client.post(
            f"{url}/cast", query_string={"for": word}, json={"ballot": held.seal(voter).decode()}
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
    other = next(voter for voter in held.voters if voter not in (own, firm))
    stranger = keys.seal_behalf(held.election, other.entry_id)
    for word in (stranger, "nonsense", "a" * 500):
        answer = client.post(
            f"{url}/cast", query_string={"for": word}, json={"ballot": held.seal(own).decode()}
        )
        assert answer.status_code in (403, 422)
    standings = reading.standings(session, held.election, account.id)
    assert [item.has_voted for item in standings] == [True, True]


def test_the_word_for_on_behalf_is_never_the_same_twice(holding):
    held = holding.opened()
    words = {keys.seal_behalf(held.election, 7) for _ in range(5)}
    assert len(words) == 5
    assert {keys.unseal_behalf(held.election, word) for word in words} == {7}


def test_a_receipt_is_signed_with_the_key_on_the_page(holding):
    held = holding.opened()
    receipt = held.cast(held.voters[0])
    message = (
        f"govern-receipt|{held.election.uuid}|{receipt.tracker}|{receipt.height}|"
        f"{receipt.event_hash}|{receipt.day.isoformat()}"
    )
    verify_key = VerifyKey(bytes.fromhex(held.election.receipt_key))
    verify_key.verify(message.encode(), base64.b64decode(receipt.signature))


def test_a_server_with_another_secret_accepts_nothing(holding, app):
    held = holding.opened()
    settings = app.config["GOVERN"]
    before = state_of(held.session, held.election)
    app.config["GOVERN"] = settings.with_changes(secret_key="another secret, long enough for it")
    with pytest.raises(Unavailable):
        held.cast(held.voters[0])
    held.session.rollback()
    assert state_of(held.session, held.election) == before


def test_after_a_restore_in_mid_vote_whoever_has_voted_cannot_vote_again(holding):
    held = holding.opened()
    ballot = held.seal(held.voters[0])
    held.cast(held.voters[0], data=ballot)
    # What a backup leaves out on purpose.
    held.election.attendance_salt = None
    held.session.query(Attendance).update({"tag": None})
    held.session.commit()
    held.cast(held.voters[1])
    with pytest.raises(CredentialMismatch):
        held.cast(held.voters[0])
    held.session.rollback()
    with pytest.raises(CredentialMismatch):
        held.cast(held.voters[2], data=held.seal(held.voters[0]))
    held.session.rollback()
    held.cast(held.voters[3])
    result = holding.published(held)
    assert tally.read_result(held.session, result.election).ballots == 3


def test_the_running_product_is_that_of_the_box_after_any_history(holding):
    held = holding.opened(members=5)
    chance = random.Random(7)
    for _ in range(14):
        held.cast(chance.choice(held.voters))
    counted = tally.count_again(held.session, held.election)
    state = held.session.get(BoxState, held.election.id)
    running = RunningTally.from_bytes(box.read_election(held.election), bytes(state.tally))
    assert counted.encrypted_tally() == running.encrypted_tally()
    assert counted.count == running.count == state.voters


def test_many_ballots_in_one_transaction_pass_the_same_checks(holding):
    held = holding.opened()
    checked = [
        (voter.entry_id, casting.check_ballot(held.session, held.election, held.seal(voter)))
        for voter in held.voters[:4]
    ]
    receipts = casting.append_ballots(held.session, held.election, checked)
    held.session.commit()
    assert [receipt.height for receipt in receipts] == [1, 2, 3, 4]
    assert box.check_chain(held.session, held.election) == 4
    swapped = [(held.voters[5].entry_id, checked[0][1])]
    with pytest.raises(CredentialMismatch):
        casting.append_ballots(held.session, held.election, swapped)


def test_a_member_sees_their_own_attendance_and_nobody_elses(holding, app, sign_in):
    held = holding.opened()
    voter, other = held.voters[:2]
    mine, theirs = app.test_client(), app.test_client()
    sign_in(mine, holding.account_of(voter))
    sign_in(theirs, holding.account_of(other))
    held.cast(voter)
    url = f"/elections/{held.election.uuid}"
    assert "a vote was cast" in mine.get(url).get_data(as_text=True)
    other_page = theirs.get(url).get_data(as_text=True)
    assert "no vote cast yet" in other_page
    name = held.session.get(RollEntry, voter.entry_id).display_name
    for page in (other_page, app.test_client().get(url).get_data(as_text=True)):
        assert name not in page


def test_nobody_reads_the_list_of_voters_before_the_vote_is_closed(holding):
    from govern.errors import Conflict
    from govern.voting.services import read_attendance

    held = holding.opened()
    held.cast(held.voters[0])
    with pytest.raises(Conflict):
        read_attendance(held.session, held.election)
    holding.closed(held)
    assert read_attendance(held.session, held.election) == [held.voters[0].entry_id]


def test_refused_ballots_are_limited_and_accepted_ones_are_not_counted(
    holding, client, sign_in, monkeypatch
):
    monkeypatch.setattr(limiter, "enabled", True)
    held = holding.opened()
    sign_in(client, holding.account_of(held.voters[0]))
    url = f"/elections/{held.election.uuid}/cast"
    accepted = held.seal(held.voters[0]).decode()
    for _ in range(31):
        assert client.post(url, json={"ballot": accepted}).status_code == 200
    answers = [client.post(url, json={"ballot": "{}"}).status_code for _ in range(61)]
    assert answers[:30] == [422] * 30
    assert 429 in answers
    monkeypatch.setattr(limiter, "enabled", False)
    assert client.post(url, json={"ballot": accepted}).status_code == 200


def test_two_members_may_not_share_one_place_in_attendance(holding):
    held = holding.opened()
    held.cast(held.voters[0])
    with pytest.raises(Exception, match=r"(?i)unique"):
        held.session.execute(
            text(
                "INSERT INTO election_attendance (election_id, key, roll_entry_id) "
                "SELECT election_id, x'00', roll_entry_id FROM election_attendance"
            )
        )
    held.session.rollback()
