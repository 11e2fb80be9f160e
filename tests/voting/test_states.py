"""Every step in every state: possible exactly where the table says so, and logged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from govern.access import SYSTEM
from govern.accounts.services import actor_for
from govern.audit import AuditEntry
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.errors import ForbiddenTransition, GovernError, InvalidInput, RuleViolation
from govern.register.models import RollEntry
from govern.register.services.rolls import correct_roll
from govern.voting import signals
from govern.voting.models import Incident
from govern.voting.protocol.groups import group_named
from govern.voting.protocol.trustees import make_trustee_key
from govern.voting.rules import ElectionState
from govern.voting.services import closing, credentials, elections, steps, tally
from govern.voting.services.steps import NotReady
from govern.voting.services.trustees import register_public_key

REASON = "A reason for the tests."
LIST_KEY = credentials.ListKey("age1" + "0" * 58, b"identity")

STEPS = {
    "name_trustees": (
        lambda s, h: elections.name_trustees(s, SYSTEM, h.election, h.trustee_accounts),
        {"draft"},
    ),
    "start_keys": (lambda s, h: elections.start_keys(s, SYSTEM, h.election), {"draft"}),
    "reset_key": (lambda s, h: elections.reset_key(s, SYSTEM, h.election, 1, REASON), {"keys"}),
    "fix_election": (lambda s, h: elections.fix_election(s, SYSTEM, h.election), {"keys"}),
    "reschedule": (
        lambda s, h: elections.reschedule_election(
            s, SYSTEM, h.election, h.election.opens_at, h.election.closes_at + timedelta(hours=1)
        ),
        {"draft", "keys", "credentials"},
    ),
    "discard_codes": (
        lambda s, h: credentials.discard_run(s, SYSTEM, h.election, REASON),
        {"credentials"},
    ),
    "open": (lambda s, h: closing.open_election(s, SYSTEM, h.election), {"credentials"}),
    "extend": (
        lambda s, h: closing.extend_election(
            s, SYSTEM, h.election, h.election.closes_at + timedelta(hours=1), REASON
        ),
        {"open"},
    ),
    "close": (
        lambda s, h: closing.close_election(s, SYSTEM, h.election, early_reason=REASON),
        {"open"},
    ),
    "tally": (lambda s, h: tally.tally_election(s, SYSTEM, h.election), {"closed"}),
    "publish": (lambda s, h: tally.publish_result(s, SYSTEM, h.election), {"tallying"}),
    "cancel": (
        lambda s, h: elections.cancel_election(s, SYSTEM, h.election, REASON),
        {"draft", "keys", "credentials", "open", "closed", "tallying"},
    ),
}


def lead_to(holding, state):
    """An election in ``state`` of which the next step lacks nothing."""
    held = holding.draft()
    if state == "draft":
        return held
    if state == "keys":
        elections.start_keys(holding.session, SYSTEM, held.election)
        group = group_named(held.election.group)
        register_public_key(
            holding.session,
            actor_for(holding.session, held.trustee_accounts[0]),
            held.election,
            make_trustee_key(group, group.random_scalar()),
        )
        return held
    holding.with_credentials(holding.with_keys(held))
    if state == "credentials":
        holding.clock.set(held.election.opens_at)
        return held
    holding.opened(held)
    for voter in held.voters[:3]:
        held.cast(voter)
    if state == "cancelled":
        elections.cancel_election(holding.session, SYSTEM, held.election, REASON)
    if state in ("open", "cancelled"):
        return held
    holding.closed(held)
    if state == "closed":
        return held
    holding.tallied(held)
    held.decrypt(1)
    if state == "published":
        holding.run_jobs()
    return held


@pytest.mark.parametrize("state", [state.value for state in ElectionState])
def test_each_step_is_possible_exactly_in_its_states(holding, state):
    held = lead_to(holding, state)
    session = holding.session
    session.commit()
    assert held.election.state == state
    for name, (take, states) in STEPS.items():
        assert is_possible(session, take, held) == (state in states), name
        session.rollback()
        assert held.election.state == state


def is_possible(session, take, held) -> bool:
    try:
        take(session, held)
    except GovernError:
        return False
    return True


def test_every_step_stands_in_the_public_log_and_in_the_audit_log(holding):
    held = holding.published(lead_to(holding, "open"))
    session = holding.session
    codes = [item.code for item in steps.incidents_of(session, held.election)]
    assert set(codes) == {
        "created",
        "trustees_named",
        "keys",
        "key_registered",
        "credentials",
        "credentials_uploaded",
        "credentials_made",
        "open",
        "closed",
        "attendance_scrubbed",
        "tallying",
        "recounted",
        "partial_decryption",
        "published",
        "audited",
    }
    tags = session.query(AuditEntry.tag).filter(AuditEntry.tag.like("voting:%")).all()
    assert {tag.split(":")[2] for (tag,) in tags} == set(codes)


def test_the_public_log_cannot_be_rewritten(holding):
    held = holding.draft()
    session = holding.session
    with pytest.raises(Exception, match="append-only"):
        session.query(Incident).filter_by(election_id=held.election.id).update({"reason": "x"})
    session.rollback()


def test_the_features_above_are_told(holding):
    told = []

    def note(name):
        def receive(sender, **more):
            assert more["session"] is not None
            told.append((name, sender.state))

        return receive

    receivers = [note(name) for name in ("opened", "closed", "published", "cancelled")]
    for name, receiver in zip(
        ("opened", "closed", "published", "cancelled"), receivers, strict=True
    ):
        getattr(signals, f"election_{name}").connect(receiver)
    held = holding.published(lead_to(holding, "open"))
    other = lead_to(holding, "draft")
    elections.cancel_election(holding.session, SYSTEM, other.election, REASON)
    assert told == [
        ("opened", "open"),
        ("closed", "closed"),
        ("published", "published"),
        ("cancelled", "cancelled"),
    ]
    assert held.election.state == "published"


def test_what_is_missing_is_said_in_a_sentence(holding):
    held = holding.with_keys(members=4)
    holding.clock.set(held.election.opens_at)
    with pytest.raises(NotReady) as refused:
        closing.open_election(holding.session, SYSTEM, held.election)
    assert "0 of 4" in refused.value.message


def test_a_roll_that_was_corrected_after_the_codes_were_made_stops_the_opening(holding):
    held = holding.with_credentials()
    session, election = holding.session, held.election
    roll = election.roll
    entry = session.query(RollEntry).filter_by(roll_id=roll.id).first()
    correct_roll(session, SYSTEM, roll, entry.membership, "Left before then.", remove=True)
    correct_roll(session, SYSTEM, roll, holding.add_member(), "Was forgotten.")
    session.commit()
    holding.clock.set(election.opens_at)
    with pytest.raises(NotReady) as refused:
        closing.open_election(session, SYSTEM, election)
    assert [item.code for item in refused.value.missing] == ["credentials_of_this_roll"]


def test_opening_locks_the_roll(holding):
    held = holding.opened()
    newcomer = holding.add_member()
    with pytest.raises(GovernError):
        correct_roll(holding.session, SYSTEM, held.election.roll, newcomer, "Was forgotten.")


def test_too_small_a_roll_does_not_even_get_keys(holding):
    held = holding.draft(members=2)
    with pytest.raises(NotReady) as refused:
        elections.start_keys(holding.session, SYSTEM, held.election)
    assert [item.code for item in refused.value.missing] == ["group"]


def test_a_trial_may_be_smaller_and_says_so_inside_the_fingerprint(holding):
    held = holding.with_keys(members=1, is_trial=True)
    assert held.election.minimum_group == 1
    assert "Trial election, binds nobody" in bytes(held.election.data).decode()


def test_the_minimum_group_of_the_rules_cannot_be_undercut(holding):
    with pytest.raises(RuleViolation):
        holding.draft(minimum_group=2)


def test_the_rules_in_force_on_the_local_day_of_opening_set_the_minimum_group(holding):
    """At half past midnight in Brussels it is still the day before in UTC."""
    cooperative = holding.cooperative
    first = cooperative.rule_sets[0]
    stricter = rules_to_json(replace(rules_from_json(first.rules), minimum_group=5))
    cooperative.rule_sets.append(
        RuleSet(
            starts_on=date(2018, 7, 1),
            source="statutes of the tests, second version",
            source_confirmed=True,
            rules=stricter,
            recorded_at=first.recorded_at,
        )
    )
    holding.session.commit()
    midnight = datetime(2018, 6, 30, 22, 0, tzinfo=UTC)
    for minutes, least in ((-30, 3), (30, 5)):
        opens_at = midnight + timedelta(minutes=minutes)
        held = holding.draft(opens_at=opens_at, closes_at=opens_at + timedelta(days=1))
        assert held.election.minimum_group == least


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"group": "Curve99"}, "group"),
        ({"title": {}}, "title"),
        ({"title": {"fr": "Oui / Non"}}, "title"),
        ({"credential_authority": ""}, "credential_authority"),
        ({"questions": ()}, "questions"),
    ],
)
def test_a_draft_with_a_wrong_input_is_refused_naming_it(holding, fields, field):
    with pytest.raises(InvalidInput) as refused:
        holding.draft(**fields)
    assert refused.value.field == field


def test_somebody_who_is_not_a_trustee_of_the_cooperative_cannot_be_named(holding):
    stranger = holding.make_account("Stranger", email="stranger@example.org")
    held = holding.draft()
    with pytest.raises(InvalidInput):
        elections.name_trustees(holding.session, SYSTEM, held.election, [stranger])


def test_a_reason_is_asked_for(holding):
    held = holding.draft()
    with pytest.raises(InvalidInput):
        elections.cancel_election(holding.session, SYSTEM, held.election, "  ")
    holding.session.rollback()
    with pytest.raises(ForbiddenTransition):
        steps.require_state(held.election, ElectionState.OPEN)
