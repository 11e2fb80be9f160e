"""From the agenda to an election, and from its result to what was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from govern.access import SYSTEM, Role
from govern.assemblies import services
from govern.assemblies.models import RecordedOutcome
from govern.assemblies.services import CandidateInput, ItemInput, ResolutionInput, VoteInput
from govern.assemblies.services.elections import release_resolutions, texts_digest
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import rules_from_json, rules_to_json
from govern.errors import Forbidden, RuleViolation
from govern.i18n import speaking
from govern.voting.services import elections as voting
from tests.assemblies.conftest import an_assembly
from tests.voting.holding import Held, Holding

VOTE = VoteInput(
    opens_at=datetime(2018, 6, 4, 7, 0, tzinfo=UTC),
    closes_at=datetime(2018, 6, 19, 15, 0, tzinfo=UTC),
    credential_mode="offline",
    credential_authority="Notary of the tests",
)
FOR, AGAINST, ABSTAIN = [1, 0, 0], [0, 1, 0], [0, 0, 1]


@pytest.fixture
def agenda(session, secretary, draft, make_member, clock):
    """Two resolutions and an election of people; a roll of six with 1, 2, 3, 4, 5 and 6 shares."""
    item = services.add_item(
        session, secretary, draft, ItemInput("decision", {"fr": "Statuts", "en": "Statutes"})
    )
    services.add_resolution(
        session, secretary, item,
        ResolutionInput({"fr": "Nouveaux statuts", "en": "New statutes"}, "statutes"),
    )  # fmt: skip
    board = services.add_item(
        session, secretary, draft, ItemInput("election", {"fr": "CA", "en": "Board"})
    )
    services.add_resolution(
        session, secretary, board,
        ResolutionInput(
            {"fr": "Conseil d’administration", "en": "Board"}, "ordinary", seats=2,
            candidates=[CandidateInput(name) for name in ("Ann", "Bob", "Cem")],
        ),
    )  # fmt: skip
    for shares in range(1, 7):
        make_member(shares=shares)
    services.publish_assembly(session, secretary, draft)
    clock.set(datetime(2018, 6, 2, 8, 0, tzinfo=UTC))
    services.take_assembly_roll(session, secretary, draft)
    services.freeze_assembly_roll(session, secretary, draft)
    session.commit()
    return draft


@pytest.fixture
def holding(session, clock, cooperative, make_account):
    return Holding(session, clock, cooperative, make_account)


def open_vote(session, officer, agenda, holding, make_account, given=VOTE) -> Held:
    trustee = make_account(
        "Tess", email="tess@example.org", roles=[(agenda.cooperative, Role.TRUSTEE)]
    )
    election = services.prepare_election(session, officer, agenda, given, [trustee])
    session.commit()
    held = Held(session, election, trustee_accounts=[trustee])
    return holding.opened(holding.with_credentials(holding.with_keys(held)))


@pytest.fixture
def held(session, officer, agenda, holding, make_account) -> Held:
    return open_vote(session, officer, agenda, holding, make_account)


def outcomes(session):
    found = session.query(RecordedOutcome).order_by(RecordedOutcome.id).all()
    return {one.resolution.titles["en"]: one for one in found}


# -- what is asked ----------------------------------------------------------------------------


def test_each_resolution_becomes_one_question_in_all_its_languages(session, officer, agenda):
    election = services.prepare_election(session, officer, agenda, VOTE)
    asked = [(question.texts["fr"], question.texts["en"]) for question in election.questions]
    assert asked == [
        ("Approbation des comptes 2017", "Approval of the accounts 2017"),
        ("Nouveaux statuts", "New statutes"),
        ("Conseil d’administration", "Board"),
    ]
    text_question, _other, people = election.questions
    assert [answer["en"] for answer in text_question.answers] == ["For", "Against", "Abstention"]
    assert (text_question.minimum, text_question.maximum, text_question.blank) == (1, 1, False)
    assert (people.minimum, people.maximum, people.blank) == (1, 2, True)


def test_the_election_is_tied_to_the_full_texts_and_documents(session, officer, agenda):
    before = texts_digest(services.resolutions_of(agenda))
    election = services.prepare_election(session, officer, agenda, VOTE)
    assert election.description["en"] == f"SHA-256 of the texts and documents: {before}"
    assert set(election.description) == {"fr", "nl", "de", "en"}
    add_text(session, SYSTEM, agenda, agenda.items[0])
    assert texts_digest(services.resolutions_of(agenda)) != before


def test_a_document_is_taken_up_by_a_vote_that_is_not_fixed_yet(
    session, secretary, officer, agenda
):
    election = services.prepare_election(session, officer, agenda, VOTE)
    add_text(session, secretary, agenda, agenda.items[0])
    digest = texts_digest(services.resolutions_of(agenda))
    assert election.description["en"] == f"SHA-256 of the texts and documents: {digest}"
    assert set(election.description) == {"fr", "nl", "de", "en"}


def add_text(session, secretary, agenda, item, content=b"new"):
    return services.add_document(
        session, secretary, agenda, title="A", filename="a.txt", content=content, item=item
    )


def test_no_document_joins_or_leaves_an_item_whose_vote_is_fixed(
    session, secretary, officer, agenda, holding, make_account
):
    """Voters would find another digest than the one inside the election's fingerprint."""
    first = add_text(session, secretary, agenda, agenda.items[0])
    held = open_vote(session, officer, agenda, holding, make_account)
    digest = texts_digest(services.resolutions_of(agenda))
    assert digest in bytes(held.election.data).decode()
    for lead in (lambda held: held, holding.published):
        lead(held)
        with pytest.raises(RuleViolation, match="vote on this item is fixed"):
            add_text(session, secretary, agenda, agenda.items[0], b"newer")
        with pytest.raises(RuleViolation):
            services.remove_document(session, secretary, first)
        # The same content again is what is there; a document of the whole assembly decides nothing.
        assert add_text(session, secretary, agenda, agenda.items[0]) is first
        add_text(session, secretary, agenda, None, b"newer")
        session.commit()
        assert texts_digest(services.resolutions_of(agenda)) == digest


def test_a_resolution_in_a_vote_can_no_longer_be_changed(session, secretary, officer, agenda):
    election = services.prepare_election(session, officer, agenda, VOTE)
    resolution = agenda.items[0].resolutions[0]
    given = ResolutionInput({"fr": "Autre", "en": "Other"}, "ordinary")
    for change in (
        lambda: services.edit_resolution(session, secretary, resolution, given),
        lambda: services.remove_resolution(session, secretary, resolution),
        lambda: services.remove_item(session, secretary, resolution.item),
    ):
        with pytest.raises(RuleViolation, match="vote has been prepared"):
            change()
    voting.cancel_election(session, officer, election, "The texts were wrong.")
    session.expire_all()
    services.edit_resolution(session, secretary, agenda.items[0].resolutions[0], given)


def test_a_resolution_is_in_one_binding_vote_only(session, officer, agenda):
    services.prepare_election(session, officer, agenda, VOTE)
    with pytest.raises(RuleViolation) as refused:
        services.prepare_election(session, officer, agenda, VOTE)
    assert "every resolution already" in refused.value.remedy


def test_a_trial_binds_nobody_and_leaves_the_resolutions_free(session, officer, agenda):
    services.prepare_election(session, officer, agenda, replace(VOTE, is_trial=True))
    assert all(one.election_id is None for one in services.resolutions_of(agenda))
    services.prepare_election(session, officer, agenda, VOTE)
    services.prepare_election(session, officer, agenda, replace(VOTE, is_trial=True))


def test_without_a_frozen_roll_no_vote_is_prepared(session, secretary, officer, draft, make_member):
    make_member()
    services.publish_assembly(session, secretary, draft)
    with pytest.raises(RuleViolation) as refused:
        services.prepare_election(session, officer, draft, VOTE)
    assert "roll has not been taken" in refused.value.remedy
    services.take_assembly_roll(session, secretary, draft)
    with pytest.raises(RuleViolation) as refused:
        services.prepare_election(session, officer, draft, VOTE)
    assert "draft: freeze" in refused.value.remedy


def test_where_votes_are_weighed_per_college_no_vote_is_prepared(
    session, officer, agenda, cooperative
):
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    cooperative.rule_sets[0].rules = rules_to_json(replace(rules, vote_weighting="per_college"))
    session.flush()
    with pytest.raises(RuleViolation) as refused:
        services.prepare_election(session, officer, agenda, VOTE)
    assert "per college" in refused.value.remedy


def test_the_secretary_does_not_hold_the_vote(session, secretary, agenda):
    with pytest.raises(Forbidden):
        services.prepare_election(session, secretary, agenda, VOTE)


# -- what was decided -------------------------------------------------------------------------


def vote(held, *ballots):
    """Cast ballots of the first voters: a letter per question and the candidates by number."""
    letters = {"f": FOR, "a": AGAINST, "x": ABSTAIN}
    for voter, (first, second, people) in zip(held.voters, ballots, strict=False):
        chosen = [0, *(int(number in people) for number in range(3))] if people else [1, 0, 0, 0]
        held.cast(voter, letters[first], letters[second], chosen)


def by_shares(session, held, *wanted):
    """The voters holding these numbers of shares, in that order."""
    from govern.register.models import RollEntry

    shares = {session.get_one(RollEntry, one.entry_id).shares_issued: one for one in held.voters}
    held.voters = [shares[number] for number in wanted]


def test_the_published_result_decides_under_the_rules_of_the_day(
    both_databases, session, held, holding, cooperative
):
    # 6 + 5 of 21 shares take part: more than half, so the statutes may change.
    by_shares(session, held, 6, 5, 1)
    vote(held, ("f", "f", {0, 1}), ("f", "f", {0}), ("a", "f", set()))
    holding.published(held)
    decided = outcomes(session)
    accounts = decided["Approval of the accounts 2017"]
    assert (accounts.verdict, accounts.reason) == ("accepted", "majority_met")
    assert accounts.data["votes"] == {"for": 2, "against": 1, "abstain": 0}
    assert accounts.rule_set_id == cooperative.rule_sets[0].id
    statutes = decided["New statutes"]
    assert statutes.verdict == "accepted"
    assert statutes.data["quorum"] == {
        "state": "met", "basis": "shares_issued", "present": 12, "total": 21, "needed": 11,
    }  # fmt: skip
    board = decided["Board"]
    names = {one["key"]: one["name"] for one in board.data["candidates"]}
    assert [names[key] for key in board.data["elected"]] == ["Ann", "Bob"]
    assert (board.verdict, board.data["blank"]) == ("filled", 1)


def test_many_heads_with_few_shares_miss_a_quorum_in_shares(session, held, holding):
    by_shares(session, held, 1, 2, 3, 4)  # 10 of 21 shares, 4 of 6 heads
    vote(held, *[("x", "f", {2})] * 4)
    holding.published(held)
    decided = outcomes(session)
    assert decided["New statutes"].verdict == "no_quorum"
    accounts = decided["Approval of the accounts 2017"]
    assert (accounts.verdict, accounts.reason) == ("rejected", "no_votes")
    board = decided["Board"]
    assert (board.verdict, board.data["seats_empty"]) == ("vacant", 1)


def test_a_tie_between_candidates_leaves_the_seat_undecided_and_says_so(session, held, holding):
    by_shares(session, held, 6, 5, 4)
    vote(held, ("f", "f", {0, 1}), ("f", "f", {0, 2}), ("a", "f", {0}))
    holding.published(held)
    board = outcomes(session)["Board"]
    with speaking("en"):
        said = services.explain(board)
    assert said.label == "A seat is undecided"
    assert said.sentence == (
        "Elected: Ann. Bob, Cem have equally many votes for 1 more seat: it stays undecided, and "
        "the statutes say how to decide it."
    )


def test_a_trial_decides_nothing(session, officer, agenda, holding, make_account):
    held = open_vote(session, officer, agenda, holding, make_account, replace(VOTE, is_trial=True))
    vote(held, *[("f", "f", {0})] * 4)
    holding.published(held)
    assert outcomes(session) == {}


def test_the_outcome_is_recorded_once_and_never_changes(both_databases, session, held, holding):
    vote(held, *[("f", "f", {0})] * 4)
    holding.published(held)
    before = {title: one.digest for title, one in outcomes(session).items()}
    assert services.record_outcomes(session, held.election) == []
    for statement in ("UPDATE outcome SET verdict = 'rejected'", "DELETE FROM outcome"):
        with pytest.raises(DatabaseError, match="append-only"), session.begin_nested():
            session.execute(text(statement))
    session.expire_all()
    assert {title: one.digest for title, one in outcomes(session).items()} == before


def test_the_rules_of_the_day_of_the_assembly_decide_and_not_those_of_today(
    session, held, holding, cooperative
):
    from govern.cooperatives.services import add_rule_set

    # From the 20th on, the day after the assembly, accounts need three quarters.
    rules = rules_from_json(cooperative.rule_sets[0].rules)
    harder = replace(rules.majorities[0], majority_numerator=3, majority_denominator=4)
    add_rule_set(
        session, SYSTEM, cooperative,
        rules=replace(rules, majorities=(harder, *rules.majorities[1:])),
        starts_on=date(2018, 6, 20), source="New statutes",
    )  # fmt: skip
    vote(held, ("f", "f", {0}), ("f", "f", {0}), ("a", "f", {0}))
    holding.closed(held)
    holding.clock.set(datetime(2018, 6, 21, 8, 0, tzinfo=UTC))
    holding.run_jobs()
    session.refresh(held.election)
    holding.published(held)
    assert outcomes(session)["Approval of the accounts 2017"].verdict == "accepted"


def test_a_rule_recorded_after_the_vote_was_prepared_does_not_move_the_threshold(
    session, held, holding, cooperative
):
    cooperative.rule_sets[0].recorded_at = datetime(2017, 1, 1, tzinfo=UTC)
    data = dict(cooperative.rule_sets[0].rules)
    data["majorities"] = [
        {**rule, "majority_numerator": 9, "majority_denominator": 10} for rule in data["majorities"]
    ]
    session.add(
        RuleSet(
            cooperative_id=cooperative.id,
            starts_on=date(2018, 6, 1),
            source="Statutes found in a drawer",
            rules=data,
            recorded_at=datetime(2018, 6, 18, tzinfo=UTC),
        )
    )
    session.flush()
    by_shares(session, held, 6, 5, 4)
    vote(held, ("f", "f", {0}), ("f", "f", {0}), ("a", "f", {0}))
    holding.published(held)
    assert outcomes(session)["Approval of the accounts 2017"].verdict == "accepted"


def hold_second(session, secretary, officer, cooperative, agenda, holding, make_account):
    """What a second assembly of few shares decides on the statutes."""
    services.hold_assembly(session, secretary, agenda)
    second = services.create_assembly(
        session, secretary, cooperative,
        an_assembly(
            starts_at=datetime(2018, 7, 10, 15, 0, tzinfo=UTC), record_date=date(2018, 6, 19),
            objection_deadline=None, second_of_id=agenda.id,
        ),
    )  # fmt: skip
    item = services.add_item(session, secretary, second, ItemInput("decision", {"en": "Statutes"}))
    services.add_resolution(
        session, secretary, item, ResolutionInput({"en": "New statutes"}, "statutes")
    )
    services.publish_assembly(session, secretary, second)
    services.take_assembly_roll(session, secretary, second)
    services.freeze_assembly_roll(session, secretary, second)
    given = replace(
        VOTE,
        opens_at=datetime(2018, 6, 25, 7, 0, tzinfo=UTC),
        closes_at=datetime(2018, 7, 10, 15, 0, tzinfo=UTC),
    )
    held = open_vote(session, officer, second, holding, make_account, given)
    by_shares(session, held, 1, 2, 3)
    for voter in held.voters:
        held.cast(voter, FOR)
    holding.published(held)
    outcome = outcomes(session)["New statutes"]
    return outcome.verdict, outcome.data["quorum"]["state"]


def test_a_second_assembly_decides_without_the_quorum(
    session, secretary, officer, cooperative, agenda, holding, make_account, clock
):
    clock.set(agenda.starts_at)
    decided = hold_second(session, secretary, officer, cooperative, agenda, holding, make_account)
    assert decided == ("accepted", "waived")


@pytest.mark.parametrize(
    ("shares", "first_verdict", "second"),
    [
        ((6, 5, 4), "rejected", ("no_quorum", "missed")),
        ((1, 2, 3), "no_quorum", ("accepted", "waived")),
    ],
)
def test_what_the_first_assembly_rejected_with_its_quorum_is_not_passed_by_fewer(
    session, secretary, officer, cooperative, agenda, held, holding, make_account,
    shares, first_verdict, second,
):  # fmt: skip
    by_shares(session, held, *shares)
    vote(held, ("f", "a", {0}), ("f", "a", {0}), ("f", "a", {0}))
    holding.published(held)
    verdicts = {
        one.verdict
        for one in outcomes(session).values()
        if "statutes" in one.resolution.majority_rule
    }
    assert verdicts == {first_verdict}
    decided = hold_second(session, secretary, officer, cooperative, agenda, holding, make_account)
    assert decided == second


def test_a_cancelled_election_frees_its_resolutions(session, officer, agenda):
    election = services.prepare_election(session, officer, agenda, VOTE)
    release_resolutions(session, election)
    session.expire_all()
    assert all(one.election_id is None for one in services.resolutions_of(agenda))


# -- in words ---------------------------------------------------------------------------------


def test_the_page_explains_each_decision_and_quotes_its_rule(client, session, held, holding):
    by_shares(session, held, 6, 5, 1)
    vote(held, ("f", "f", {0, 1}), ("f", "f", {0}), ("x", "f", set()))
    holding.published(held)
    page = " ".join(client.get("/smartcoop/assemblies/2018-06-19?", headers={
        "Accept-Language": "en"}).text.split())  # fmt: skip
    assert (
        "Accepted: of 2 votes for or against, 2 were for, that is 100%; more than 50% was needed."
    ) in page
    assert "1 abstention (33.3% of all votes) counts neither for nor against." in page
    assert (
        "The quorum was reached: holders of 12 of all 21 issued shares took part, and 11 were "
        "needed."
    ) in page
    assert "Rule: Change of statutes (statutes of the tests)." in page


def test_a_rule_is_quoted_without_our_note_that_its_source_was_not_read(
    session, held, holding, cooperative
):
    rule_set = cooperative.rule_sets[0]
    data = dict(rule_set.rules)
    data["majorities"] = [
        {**rule, "citation": {"text": "art. 30", "confirmed": False}} for rule in data["majorities"]
    ]
    rule_set.rules = data
    session.flush()
    vote(held, *[("f", "f", {0})] * 3)
    holding.published(held)
    with speaking("en"):
        said = services.explain(outcomes(session)["New statutes"])
    assert said.rule.endswith("(art. 30).")


def test_the_result_page_of_the_election_gets_the_outcome_too(app, session, held, holding):
    from govern.assemblies.setup import outcome_views, question_documents, way_back

    by_shares(session, held, 6, 5, 4)
    vote(held, ("f", "f", {2}), ("f", "f", {2, 1}), ("a", "f", {2}))
    holding.published(held)
    with app.test_request_context():
        views = outcome_views(session, held.election)
        back = way_back(session, held.election)
        beside = question_documents(session, held.election.questions[0])
    assert [view.label for view in views] == ["Accepted", "Accepted", "All seats filled"]
    assert views[0].threshold == 0.5
    assert views[1].quorum is not None
    assert views[1].quorum.present == 15
    assert views[2].elected == (1, 2)
    assert back[0].href == "/smartcoop/assemblies/2018-06-19"
    assert "#resolution-" in beside[0].href


def test_the_booth_shows_texts_documents_and_plain_names(
    client, sign_in, session, secretary, agenda, officer, holding, make_account
):
    services.add_document(
        session, secretary, agenda, title="Comptes 2017", filename="c.txt", content=b"1",
        item=agenda.items[0],
    )  # fmt: skip
    held = open_vote(session, officer, agenda, holding, make_account)
    sign_in(client, holding.account_of(held.voters[0]))
    page = client.get(
        f"/elections/{held.election.public_id}/booth",
        headers={"Accept-Language": "en"},
        follow_redirects=True,
    ).text
    assert "Comptes 2017" in page
    assert "#resolution-" in page
    assert ">Ann<" in page
    assert "[FR]" not in page
