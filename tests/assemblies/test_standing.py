"""A member and the roll; and what the home page expects of each person."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from govern.accounts.services import actor_for
from govern.assemblies import services
from govern.errors import RuleViolation
from govern.home.hooks import home_items
from govern.i18n import speaking
from tests.assemblies.conftest import an_assembly
from tests.assemblies.test_elections import VOTE, agenda, held, holding, vote  # noqa: F401
from tests.voting.holding import Holding

PAGE = "/smartcoop/assemblies/2018-06-19"


@pytest.fixture
def people(session, published, make_member, make_account):
    """Ana with two paid shares, and Bob who has not paid."""
    accounts = {
        name: make_account(name, email=f"{name}@example.org".lower()) for name in ("Ana", "Bob")
    }
    make_member("Ana", account=accounts["Ana"], shares=2)
    make_member("Bob", account=accounts["Bob"], paid=0)
    session.commit()
    return accounts


def freeze(session, secretary, assembly, clock):
    clock.set(datetime(2018, 6, 2, 8, 0, tzinfo=UTC))
    services.take_assembly_roll(session, secretary, assembly)
    services.freeze_assembly_roll(session, secretary, assembly)
    session.commit()


def test_the_roll_is_not_taken_before_its_day(session, secretary, cooperative, clock):
    assembly = services.create_assembly(
        session, secretary, cooperative,
        an_assembly(record_date=date(2018, 6, 5), objection_deadline=None),
    )  # fmt: skip
    with pytest.raises(RuleViolation, match="lies ahead"):
        services.take_assembly_roll(session, secretary, assembly)


def test_a_draft_of_the_roll_can_be_taken_again_a_frozen_one_not(
    session, secretary, published, people, make_member, clock
):
    clock.set(datetime(2018, 6, 2, 8, 0, tzinfo=UTC))
    first = services.take_assembly_roll(session, secretary, published)
    assert first.heads == 1
    for language, title in published.titles.items():
        with speaking(language):
            assert first.title == f"{title} ({published.slug})"
    make_member("Forgotten")
    assert services.take_assembly_roll(session, secretary, published).heads == 2
    services.freeze_assembly_roll(session, secretary, published)
    with pytest.raises(RuleViolation, match="frozen"):
        services.take_assembly_roll(session, secretary, published)


def test_the_record_date_stays_once_the_roll_is_taken(session, secretary, published, people, clock):
    freeze(session, secretary, published, clock)
    with pytest.raises(RuleViolation, match="record date stays"):
        services.edit_assembly(
            session, secretary, published, an_assembly(record_date=date(2018, 5, 30))
        )


def test_a_member_reads_that_they_are_on_the_roll(
    client, sign_in, session, secretary, published, people, clock
):
    freeze(session, secretary, published, clock)
    sign_in(client, people["Ana"])
    page = client.get(PAGE).text
    assert "You are on the roll, with 2 paid shares. You have one vote." in page
    assert published.roll.digest in page


def test_a_member_reads_why_they_are_not_and_until_when_to_object(
    client, sign_in, session, secretary, published, people, clock
):
    freeze(session, secretary, published, clock)
    sign_in(client, people["Bob"])
    page = client.get(PAGE).text
    assert "You are not on the roll" in page
    assert "No share was paid in full on the record date" in page
    assert "If this is wrong, say so until 12 June 2018." in page
    clock.set(datetime(2018, 6, 12, 22, 1, tzinfo=UTC))
    sign_in(client, people["Bob"])  # nobody stays signed in for ten days
    assert "Objections were possible until 12 June 2018." in client.get(PAGE).text


def test_a_stranger_reads_nothing_about_anybody_on_the_roll(
    client, session, secretary, published, people, clock
):
    freeze(session, secretary, published, clock)
    page = client.get(PAGE).text
    assert "You are" not in page
    assert "Ana" not in page


def test_only_who_stands_on_the_roll_is_led_into_the_booth(
    client,
    sign_in,
    session,
    agenda,  # noqa: F811
    held,  # noqa: F811
    holding,  # noqa: F811
    make_account,
):
    page, booth = f"/smartcoop/assemblies/{agenda.slug}", f"/elections/{held.election.uuid}/booth"
    stranger = client.get(page).text
    assert "Vote now" not in stranger
    assert f'href="/elections/{held.election.uuid}"' in stranger
    sign_in(client, make_account("Eva", email="eva@example.org"))
    assert booth not in client.get(page).text
    sign_in(client, holding.account_of(held.voters[0]))
    member = client.get(page).text
    assert "Vote now" in member
    assert booth in member


# -- what is expected -------------------------------------------------------------------------


def titles(app, session, account):
    session.commit()  # what a reading request begins cannot write
    with app.test_request_context():
        actor = actor_for(session, account)
        items = [item for source in home_items for item in source(session, actor, account.id)]
    session.commit()
    return [(item.title, item.due) for item in items]


def test_the_secretary_reads_by_when_the_notice_must_leave(app, session, officers, published):
    expected = dict(titles(app, session, officers["secretary"]))
    assert expected["Send the notice: General assembly 2018"] == date(2018, 6, 4)
    assert "Take the roll: General assembly 2018" in expected


def test_a_member_is_told_of_the_assembly_to_come(app, session, published, people):
    assert titles(app, session, people["Ana"]) == [("General assembly 2018", published.starts_at)]


def test_a_member_is_asked_to_vote_until_they_have(app, session, agenda, held, holding):  # noqa: F811
    voter = held.voters[0]
    account = holding.account_of(voter)
    wanted = ("Vote: General assembly 2018", held.election.closes_at)
    assert wanted in titles(app, session, account)
    vote(held, ("f", "f", {0}))
    assert wanted not in titles(app, session, account)


def test_the_returning_officer_is_told_when_the_vote_can_be_prepared(
    app,
    session,
    officers,
    officer,
    agenda,  # noqa: F811
):
    title = "Prepare the vote: General assembly 2018"
    assert title in dict(titles(app, session, officers["officer"]))
    services.prepare_election(session, officer, agenda, VOTE)
    assert title not in dict(titles(app, session, officers["officer"]))


def test_the_home_page_shows_it(client, sign_in, people, published):
    sign_in(client, people["Ana"])
    assert "General assembly 2018" in client.get("/").text


def test_the_front_page_of_the_cooperative_shows_the_next_assembly(client, published):
    assert "General assembly 2018" in client.get("/smartcoop/").text


assert Holding  # the fixture's type
