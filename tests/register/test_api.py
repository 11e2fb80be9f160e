"""The read API: who is answered, what is told, and that its description says the same."""

from __future__ import annotations

import re
from datetime import date

import pytest

from govern.access import NOBODY, SYSTEM, Role
from govern.audit import AuditEntry
from govern.errors import Forbidden, InvalidInput, SignInRequired
from govern.register.models.api import ApiClient, ApiUse
from govern.register.openapi import openapi_document
from govern.register.services import api, ledger

NEXT_YEAR = date(2019, 6, 1)


@pytest.fixture(autouse=True)
def _standing(clock):
    """Everything happens on 1 June 2018 unless a test lets time pass."""


@pytest.fixture
def people(make_member):
    ann = make_member("1", shares=3, email="ann@example.org")
    bo = make_member("2/B", given_name="Bo", family_name="Claes")
    firm = make_member("3", organisation_name="Firm", shares=2)
    return ann, bo, firm


@pytest.fixture
def make_token(session, cooperative):
    def make(*scopes, where=None, until=NEXT_YEAR):
        scopes = scopes or ("members:read", "holdings:read")
        issued = api.create_client(session, SYSTEM, where or cooperative, "Test", scopes, until)
        session.commit()
        return issued.token

    return make


@pytest.fixture
def ask(client, cooperative):
    def get(path, token, **query):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.get(
            f"/api/v1/cooperatives/{cooperative.code}/{path}", headers=headers, query_string=query
        )

    return get


# -- what is told -----------------------------------------------------------------------------


def test_members_come_in_pages_until_the_cursor_ends(ask, people, make_token, both_databases):
    token, seen, cursor = make_token(), [], None
    for _page in range(3):
        answer = ask("members", token, limit=1, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200
        seen += [member["name"] for member in answer.json["data"]]
        cursor = answer.json["next_cursor"]
    assert seen == ["An Peeters", "Bo Claes", "Firm"]
    assert cursor is None


def test_addresses_are_told_with_their_own_scope_only(ask, people, make_token):
    plain = ask("members/1", make_token("members:read"))
    assert "contact" not in plain.json
    assert "ann@example.org" not in plain.text
    full = ask("members/1", make_token("members:read", "contact:read"))
    assert full.json["contact"]["email"] == "ann@example.org"


def test_a_member_number_may_contain_a_slash(ask, people, make_token):
    assert ask("members/2/B", make_token()).json["name"] == "Bo Claes"
    assert ask("members/4", make_token()).status_code == 404


def test_holdings_are_those_of_the_day_as_known_at_the_moment(
    session, ask, people, make_token, clock, both_databases
):
    ann, _bo, _firm = people
    then = clock.now
    clock.advance(days=1)
    ledger.subscribe_shares(session, SYSTEM, ann, 4, date(2018, 3, 1))
    session.commit()

    def held(**query):
        answer = ask("holdings", token, **query)
        assert answer.status_code == 200, answer.text
        return {row["number"]: row["shares"] for row in answer.json["data"]}

    token = make_token("holdings:read")
    assert held() == {"1": 7, "2/B": 1, "3": 2}
    assert held(on="2018-02-28")["1"] == 3
    assert held(on="2018-03-01")["1"] == 7
    assert held(on="2018-03-01", known_at=then.isoformat())["1"] == 3
    assert held(on="2018-01-09") == {}


def test_later_pages_of_holdings_show_the_book_of_the_first(
    session, ask, people, make_token, clock
):
    _ann, _bo, firm = people
    token = make_token("holdings:read")
    first = ask("holdings", token, limit=2).json
    ledger.subscribe_shares(session, SYSTEM, firm, 5, date(2018, 3, 1))
    session.commit()
    second = ask("holdings", token, limit=2, cursor=first["next_cursor"]).json
    assert [row["shares"] for row in second["data"]] == [2]
    assert second["head"] == first["head"]


# -- who is answered --------------------------------------------------------------------------


def test_without_a_good_token_nothing_is_told(ask, people, make_token, session, clock):
    good = make_token()
    for token in ("", "nonsense", good[:-1], good + "x"):
        answer = ask("members", token)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["error"]["remedy"]
    clock.set(clock.now.replace(year=2019))
    assert ask("members", good).status_code == 401


def test_a_revoked_token_is_refused_from_the_next_request_on(ask, people, make_token, session):
    token = make_token()
    assert ask("members", token).status_code == 200
    client = session.query(ApiClient).one()
    api.revoke_client(session, SYSTEM, client)
    api.revoke_client(session, SYSTEM, client)
    session.commit()
    assert ask("members", token).status_code == 401


def test_a_token_reads_its_own_cooperative_and_its_own_scopes_only(
    ask, people, make_token, make_cooperative
):
    elsewhere = make_cooperative(code="elsewhere", name="Elsewhere")
    assert ask("members", make_token(where=elsewhere)).status_code == 403
    assert ask("members", make_token("holdings:read")).status_code == 403
    assert ask("holdings", make_token("members:read")).status_code == 403


def test_a_session_is_no_token(ask, client, people, make_account, sign_in, cooperative):
    sign_in(client, make_account("Reg", roles=[(cooperative, Role.REGISTRAR)]))
    assert ask("members", "").status_code == 401


def test_only_a_fingerprint_of_the_token_is_kept(make_token, session):
    token = make_token()
    client = session.query(ApiClient).one()
    kept = " ".join(str(value) for value in vars(client).values())
    assert token not in kept
    assert len(client.token_hash) == 64


def test_each_day_of_use_is_noted_once_and_recorded(ask, people, make_token, session, clock):
    token = make_token()
    for _time in range(2):
        ask("members", token)
        ask("holdings", token)
    clock.advance(days=1)
    ask("members", token)
    uses = session.query(ApiUse).order_by(ApiUse.id).all()
    assert [(str(use.used_on), use.resource) for use in uses] == [
        ("2018-06-01", "members"), ("2018-06-01", "holdings"), ("2018-06-02", "members"),
    ]  # fmt: skip
    assert session.query(ApiClient).one().last_used_on == date(2018, 6, 2)
    assert session.query(AuditEntry).filter_by(tag="register:program:used").count() == 3


def test_parameters_that_cannot_be_read_are_named(ask, people, make_token):
    token = make_token()
    for path, query in (
        ("members", {"limit": "0"}),
        ("members", {"limit": "501"}),
        ("members", {"state": "odd"}),
        ("members", {"cursor": "%%%"}),
        ("members", {"cursor": "eyJhZnRlciI6MX0"}),
        ("holdings", {"on": "31/12/2018"}),
        ("holdings", {"on": "2030-01-01"}),
        ("holdings", {"known_at": "2018-06-01"}),
    ):
        answer = ask(path, token, **query)
        assert answer.status_code == 422, (path, query, answer.text)
        assert answer.json["error"]["field"] == next(iter(query))


def test_too_many_requests_are_put_off(ask, people, make_token, rate_limits):
    token = make_token()
    answers = {ask("members/1", token).status_code for _time in range(245)}
    assert answers == {200, 429}
    assert ask("members/1", make_token()).status_code == 200


@pytest.fixture
def rate_limits(app):
    from govern.extensions import limiter

    limiter.enabled = True
    limiter.reset()
    yield
    limiter.reset()
    limiter.enabled = False


def test_nobody_makes_a_token_without_the_role_or_for_longer_than_two_years(session, cooperative):
    with pytest.raises((Forbidden, SignInRequired)):
        api.create_client(session, NOBODY, cooperative, "Test", ["members:read"], NEXT_YEAR)
    for scopes, until in (
        ([], NEXT_YEAR),
        (["everything"], NEXT_YEAR),
        (["contact:read"], NEXT_YEAR),
        (["members:read"], date(2018, 6, 1)),
        (["members:read"], date(2020, 6, 3)),
    ):
        with pytest.raises(InvalidInput):
            api.create_client(session, SYSTEM, cooperative, "Test", scopes, until)


def test_the_administrator_makes_and_ends_a_token_on_a_page(
    client, cooperative, make_account, sign_in, session, ask, people
):
    sign_in(client, make_account("Admin", roles=[(cooperative, Role.ADMINISTRATOR)]))
    base = f"/{cooperative.code}/register/programs"
    assert client.get(base).status_code == 200
    bad = client.post(base, data={"name": "Accounting", "expires_on": "2019-01-01"})
    assert bad.status_code == 422
    page = client.post(
        base,
        data={"name": "Accounting", "members": "y", "expires_on": "2019-01-01"},
    )
    token = re.search(r"govern_[\w-]{43}", page.text).group()
    assert ask("members", token).status_code == 200
    assert token not in client.get(base).text
    made = session.query(ApiClient).one()
    assert "Accounting" in client.get(f"{base}/{made.public_id}").text
    client.post(f"{base}/{made.public_id}/revoke")
    assert ask("members", token).status_code == 401


# -- the description --------------------------------------------------------------------------


def _problems(value, schema, document, path="$"):
    """Where ``value`` does not fit ``schema``: as much of JSON Schema as the document uses."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = document["components"]["schemas"][name]
    known = {"string": str, "integer": int, "object": dict, "array": list, "null": type(None)}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, known[kind]) and not isinstance(value, bool) for kind in kinds):
        return [f"{path}: {value!r} is no {kinds}"]
    found = []
    if value is not None and value not in schema.get("enum", [value]):
        found.append(f"{path}: {value!r} is not among {schema['enum']}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        found.append(f"{path}: {value!r} is not {schema['pattern']}")
    if isinstance(value, int) and value < schema.get("minimum", value):
        found.append(f"{path}: {value} is too small")
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{path}: {name} is missing" for name in schema["required"] if name not in value]
        for name, item in value.items():
            if name not in schema["properties"]:
                found.append(f"{path}: {name} is not described")
            else:
                part = schema["properties"][name]
                found += _problems(item, part, document, f"{path}.{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += _problems(item, schema["items"], document, f"{path}[{number}]")
    return found


def test_every_route_of_the_api_is_described_and_every_described_one_is_there(app, client):
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix("/api/v1")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
    }
    assert routes == set(document["paths"])
    for path, operations in document["paths"].items():
        described = {p["name"] for p in operations["get"].get("parameters", ())}
        assert set(re.findall(r"{(\w+)}", path)) <= described, path


def test_what_is_answered_fits_the_description(client, ask, people, make_token, session):
    document = openapi_document("http://localhost")
    token = make_token("members:read", "contact:read", "holdings:read")
    base = "/cooperatives/{cooperative}"
    for path, described, query in (
        ("members", f"{base}/members", {"limit": 2}),
        ("members/3", f"{base}/members/{{number}}", {}),
        ("holdings", f"{base}/holdings", {"limit": 1}),
        ("members/nobody", f"{base}/members/{{number}}", {}),
        ("holdings", f"{base}/holdings", {"limit": "x"}),
    ):
        answer = ask(path, token, **query)
        responses = document["paths"][described]["get"]["responses"]
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        assert _problems(answer.json, schema, document) == []
    assert _problems({"number": 1}, {"$ref": "#/components/schemas/Member"}, document)
