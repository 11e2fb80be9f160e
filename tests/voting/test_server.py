"""A real server, many voters at once, and a kill -9 in the middle."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from govern.extensions import db
from govern.jobs import tick
from govern.voting.models import Attendance, BoxState, ElectionEvent
from govern.voting.services import box, tally
from tests.voting.server import WebServer, browser_of, cast, cast_all


@pytest.fixture
def server(config):
    made = WebServer(config)
    yield made
    made.kill()


@pytest.fixture
def vote_now(holding, clock):
    """An election that is open by the real clock, which the server's processes follow."""

    def make(members, **fields):
        clock.set(datetime.now(UTC) - timedelta(days=1))
        held = holding.opened(members=members, **fields)
        clock.set(datetime.now(UTC))
        return held

    return make


def ballots_of(app, held, holding, voters):
    return [
        (browser_of(app, held.session, holding.account_of(voter)), held.seal(voter))
        for voter in voters
    ]


def start(server, held):
    """Let go of the database, of which the test would hold SQLite's only write lock."""
    uuid = held.election.uuid
    held.session.commit()
    db.engine.dispose()
    server.start()
    return uuid


def check_box(held, acknowledged):
    """Every acknowledged tracker is in the box, the chain holds, attendance = distinct ballots."""
    session, election = held.session, held.election
    session.expire_all()
    events = session.query(ElectionEvent).filter_by(election_id=election.id, kind="Ballot").all()
    trackers = {event.tracker for event in events}
    assert {receipt["tracker"] for receipt in acknowledged} <= trackers
    state = session.get(BoxState, election.id)
    assert box.check_chain(session, election) == state.height == len(events)
    attendance = session.query(Attendance).filter_by(election_id=election.id).count()
    assert attendance == len({event.credential for event in events}) == state.voters
    assert tally.count_again(session, election).count == state.voters
    session.commit()
    return len(events)


@pytest.mark.slow
def test_a_kill_in_the_middle_of_200_casts_loses_no_acknowledged_ballot(
    app, holding, vote_now, server, both_databases
):
    held = vote_now(members=200)
    ballots = ballots_of(app, held, holding, held.voters)
    uuid = start(server, held)
    killed = threading.Event()

    def kill_after_80(count):
        if count >= 80 and not killed.is_set():
            killed.set()
            server.kill()

    first = cast_all(server, uuid, ballots, at_once=50, after_each=kill_after_80)
    acknowledged = [receipt for receipt in first if receipt is not None]
    assert 80 <= len(acknowledged) < 200
    stored = check_box(held, acknowledged)
    assert stored >= len(acknowledged)

    server.start()
    again = cast_all(server, uuid, ballots, at_once=50)
    assert None not in again
    for before, after in zip(first, again, strict=True):
        assert before in (None, after)
    assert check_box(held, again) == 200


def test_the_same_ballot_sent_many_times_at_once_is_stored_once(
    app, holding, vote_now, server, both_databases
):
    held = vote_now(members=6)
    (pair,) = ballots_of(app, held, holding, held.voters[:1])
    receipts = cast_all(server, start(server, held), [pair] * 24, at_once=24)
    assert Counter(str(receipt) for receipt in receipts) == {str(receipts[0]): 24}
    assert check_box(held, receipts) == 1


def test_different_ballots_of_one_voter_at_once_leave_one_that_counts(
    app, holding, vote_now, server, both_databases
):
    held = vote_now(members=6)
    voter = held.voters[0]
    browser = browser_of(app, held.session, holding.account_of(voter))
    ballots = [(browser, held.seal(voter)) for _ in range(10)]
    receipts = cast_all(server, start(server, held), ballots, at_once=10)
    assert sorted(receipt["height"] for receipt in receipts) == list(range(1, 11))
    check_box(held, receipts)
    assert held.session.get(BoxState, held.election.id).voters == 1


def test_without_revote_only_one_of_many_ballots_at_once_is_taken(
    app, holding, vote_now, server, both_databases
):
    held = vote_now(members=6, revote_allowed=False)
    voter = held.voters[0]
    browser = browser_of(app, held.session, holding.account_of(voter))
    ballots = [(browser, held.seal(voter)) for _ in range(10)]
    receipts = [
        receipt
        for receipt in cast_all(server, start(server, held), ballots, at_once=10)
        if receipt is not None
    ]
    assert len(receipts) == 1
    assert check_box(held, receipts) == 1


def test_closing_while_ballots_arrive_splits_them_cleanly(
    app, holding, vote_now, server, clock, both_databases
):
    held = vote_now(members=60)
    ballots = ballots_of(app, held, holding, held.voters)
    held_closes_at = held.election.closes_at
    uuid = start(server, held)
    closing = threading.Event()

    def close(count):
        if count >= 15 and not closing.is_set():
            closing.set()

    def clock_strikes():
        closing.wait(60)
        with app.app_context():
            clock.set(held_closes_at)
            tick()

    striker = threading.Thread(target=clock_strikes)
    striker.start()
    receipts = cast_all(server, uuid, ballots, at_once=12, after_each=close)
    striker.join()
    acknowledged = [receipt for receipt in receipts if receipt is not None]
    held.session.expire_all()
    assert held.election.state == "closed"
    events = held.session.query(ElectionEvent).filter_by(election_id=held.election.id).all()
    ballots_in_box = {event.tracker for event in events if event.kind == "Ballot"}
    assert {receipt["tracker"] for receipt in acknowledged} == ballots_in_box
    assert max(events, key=lambda event: event.height).kind == "EndBallots"
    assert box.check_chain(held.session, held.election) == len(events) - 1


def test_a_request_without_its_token_is_refused(app, holding, vote_now, server):
    held = vote_now(members=6)
    ((browser, ballot),) = ballots_of(app, held, holding, held.voters[:1])
    uuid = start(server, held)
    bare = type(browser)(browser.cookie, "")
    status, body = cast(server.connect(), uuid, bare, ballot)
    assert status == 400
    assert "error" in body
    stranger = type(browser)("", browser.csrf_token)
    assert cast(server.connect(), uuid, stranger, ballot)[0] in (400, 401)
