"""The front pages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from govern.access import Role
from govern.home import hooks
from govern.home.hooks import FrontSection, HomeItem


def test_a_stranger_sees_the_cooperatives_and_where_to_sign_in(client, make_cooperative):
    make_cooperative("smartcoop", "SmartCoop")
    make_cooperative("smartnl", "Smart NL", status="on_hold")
    page = client.get("/").text
    assert 'href="/smartcoop/"' in page
    assert "on hold" in page
    assert 'href="/sign-in"' in page


def test_an_empty_house_says_what_to_do_first(client):
    assert "govern cooperatives create" in client.get("/").text


@pytest.fixture
def items(monkeypatch):
    listed = []
    monkeypatch.setattr(
        hooks.home_items, "_functions", {"test": lambda session, actor, account_id: listed}
    )
    return listed


def test_what_is_due_first_stands_first(client, make_account, sign_in, items):
    items += [
        HomeItem("Someday"),
        HomeItem("On the 19th, by midnight", due=date(2018, 6, 19)),
        HomeItem("On the 19th at noon", due=datetime(2018, 6, 19, 10, tzinfo=UTC), href="/x"),
    ]
    sign_in(client, make_account("Ana"))
    page = client.get("/").text
    places = [page.index(item) for item in ("at noon", "by midnight", "Someday")]
    assert places == sorted(places)
    assert "until 19 June 2018" in page.replace("June 19, 2018", "19 June 2018")
    assert 'href="/x"' in page


def test_nothing_to_do_is_said_in_words(client, make_account, sign_in, items):
    sign_in(client, make_account("Ana"))
    assert "Nothing is expected of you now." in client.get("/").text


def test_the_home_page_shows_memberships_and_roles(
    client, make_account, make_cooperative, cooperative, register, sign_in
):
    make_cooperative("smartfr", "Smartfr")
    ana = make_account("Ana", roles=[(cooperative, Role.TRUSTEE)])
    register.add("Ana", (cooperative, "7"), account=ana)
    sign_in(client, ana)
    page = client.get("/").text
    own, others = page.split('id="others"')
    assert "Member, Trustee" in own
    assert "SmartCoop no. 7" in own
    assert "Smartfr" in others


def test_a_cooperative_shows_the_sections_of_its_features_in_order(
    client, cooperative, monkeypatch
):
    sections = [
        FrontSection("Later", "components/content.html", order=60),
        FrontSection("Sooner", "components/content.html", order=10),
    ]
    monkeypatch.setattr(
        hooks.cooperative_sections, "_functions", {"test": lambda session, actor, here: sections}
    )
    page = client.get("/smartcoop/").text
    assert page.index("Sooner") < page.index("Later")


def test_an_unknown_cooperative_is_not_found(client):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is no cooperative “nowhere” here." in answer.text


def test_a_source_registered_twice_counts_once():
    from govern.hooks import Hook

    hook = Hook("of the test")

    @hook.register
    def source():
        return 1

    hook.register(source)
    assert [fn() for fn in hook] == [1]
    assert "of the test" in repr(hook)
