"""Calendars: a file per assembly, and a secret subscription per person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from govern.access import Role
from govern.accounts.services import actor_for
from govern.assemblies import services
from govern.assemblies.services.calendars import feed_token, find_feed, make_feed
from tests.assemblies.conftest import an_assembly

STREAM = "https://stream.example.org/ag"
LINKS = [
    {"kind": "stream", "url": STREAM},
    {"kind": "information", "url": "https://example.org/ag"},
]
FILE = "/smartcoop/assemblies/2018-06-19/calendar.ics"


@pytest.fixture
def streamed(session, secretary, published):
    services.edit_assembly(
        session, secretary, published,
        an_assembly(links=LINKS, ends_at=datetime(2018, 6, 19, 18, 0, tzinfo=UTC)),
    )  # fmt: skip
    session.commit()
    return published


@pytest.fixture
def member(session, make_member, make_account):
    account = make_account("Ana Sample", email="ana@example.org", language="fr")
    make_member("Ana", account=account)
    session.commit()
    return account


def events(data):
    return {str(event["SUMMARY"]): event for event in Calendar.from_ical(data).walk("VEVENT")}


def test_an_assembly_can_be_put_into_any_calendar(client, streamed):
    answer = client.get(FILE, headers={"Accept-Language": "fr"})
    assert answer.headers["Content-Type"].startswith("text/calendar")
    event = events(answer.data)["Assemblée générale 2018"]
    assert event.decoded("DTSTART") == datetime(2018, 6, 19, 15, 0, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2018, 6, 19, 18, 0, tzinfo=UTC)
    assert event["LOCATION"] == "Rue Émile Féron 70, Bruxelles"
    assert event["URL"] == "http://localhost/smartcoop/assemblies/2018-06-19"
    assert event["STATUS"] == "CONFIRMED"


def test_only_members_get_the_link_to_the_stream(client, sign_in, member, streamed):
    page = "/smartcoop/assemblies/2018-06-19"
    for path in (FILE, page):
        assert STREAM not in client.get(path).text
    sign_in(client, member)
    assert STREAM in client.get(page).text
    assert STREAM in client.get(FILE).data.replace(b"\r\n ", b"").decode()


def test_somebody_who_is_signed_in_but_no_member_does_not_see_the_stream(
    client, sign_in, make_account, make_cooperative, streamed
):
    other = make_cooperative("smartfr", "Smart France")
    sign_in(client, make_account("Eve", email="eve@example.org", roles=[(other, Role.SECRETARY)]))
    assert STREAM not in client.get("/smartcoop/assemblies/2018-06-19").text


def test_a_cancelled_assembly_is_cancelled_in_calendars_too(client, session, secretary, streamed):
    services.cancel_assembly(session, secretary, streamed, "The hall burnt down.")
    event = next(iter(events(client.get(FILE).data).values()))
    assert event["STATUS"] == "CANCELLED"
    assert int(event["SEQUENCE"]) == 1


def subscribe(client):
    client.post("/account/calendar")
    page = client.get("/account/calendar").text
    start = page.index("http://localhost/calendar/")
    return page[start : page.index(".ics", start) + 4].removeprefix("http://localhost")


def test_a_subscription_shows_the_assemblies_of_ones_cooperatives(
    app, client, sign_in, member, streamed
):
    sign_in(client, member)
    address = subscribe(client)
    # A calendar programme has no session: the address alone opens it.
    found = events(app.test_client().get(address).data)
    assert list(found) == ["Assemblée générale 2018"]  # the language of the account
    assert STREAM in found["Assemblée générale 2018"]["DESCRIPTION"]


def test_a_subscription_shows_no_draft_and_nothing_of_other_cooperatives(
    app, client, sign_in, session, member, draft, make_cooperative, secretary
):
    other = make_cooperative("smartfr", "Smart France")
    roles = {other.id: frozenset({Role.SECRETARY})}
    foreign = services.create_assembly(
        session, replace(secretary, roles=roles), other, an_assembly()
    )
    services.add_item(
        session, replace(secretary, roles=roles), foreign,
        services.ItemInput("information", {"fr": "A"}),
    )  # fmt: skip
    services.publish_assembly(session, replace(secretary, roles=roles), foreign)
    sign_in(client, member)
    assert events(app.test_client().get(subscribe(client)).data) == {}


def test_a_new_address_ends_the_old_one(app, client, sign_in, member, streamed):
    sign_in(client, member)
    old = subscribe(client)
    new = subscribe(client)
    assert app.test_client().get(old).status_code == 404
    assert app.test_client().get(new).status_code == 200


def test_the_name_without_the_code_opens_nothing(app, client, session, member):
    feed = make_feed(session, actor_for(session, member), "fr")
    token = feed_token(feed)
    session.commit()
    for wrong in (feed.public_id, feed.public_id + "0" * 32, token[:-1], token + "0", "é"):
        assert app.test_client().get(f"/calendar/{wrong}.ics").status_code == 404


def test_a_closed_account_has_no_calendar_any_more(app, clock, session, member):
    feed = make_feed(session, actor_for(session, member), "fr")
    member.disabled_at = clock.now
    session.commit()
    token = feed_token(find_feed(session, member.id))
    assert app.test_client().get(f"/calendar/{token}.ics").status_code == 404
    assert feed.account_id == member.id


def test_nobody_makes_a_calendar_by_opening_a_page(client, sign_in, session, member):
    sign_in(client, member)
    client.get("/account/calendar")
    assert find_feed(session, member.id) is None
