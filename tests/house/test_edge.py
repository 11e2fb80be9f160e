"""What every request meets: headers, error pages, protection of forms, health, logs."""

from __future__ import annotations

import io
import json
import logging

import pytest
import sqlalchemy as sa

from govern import logs
from govern.app import create_app
from govern.config import Config
from govern.extensions import db
from govern.web import CONTENT_SECURITY_POLICY

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/there-is-no-such-page"])
def test_every_answer_carries_the_protecting_headers(client, path):
    answer = client.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    assert len(answer.headers["X-Request-Id"]) == 16
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_the_policy_allows_nothing_inline_and_nobody_else():
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_production_insists_on_encrypted_connections(config):
    production = config.with_changes(
        environment="production", public_url="https://example.org", mail_url="smtp://127.0.0.1:1"
    )
    app = create_app(production)
    answer = app.test_client().get("/healthz")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_HTTPONLY"]
    assert app.config["SQLALCHEMY_ENGINE_OPTIONS"]["hide_parameters"]


def test_a_form_that_was_not_sent_from_this_site_is_refused(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/sign-in", data={"identifier": "ana", "password": "x"})
    assert answer.status_code == 400
    assert "was not sent from this site" in answer.text


def test_a_zero_byte_is_refused_before_any_database_sees_it(client):
    for answer in (
        client.get("/sign-in?next=%00"),
        client.get("/%00/assemblies"),
        client.post("/sign-in", data={"identifier": "ana\x00", "password": "x"}),
        client.post("/sign-in", data={"file": (io.BytesIO(b"x"), "x\x00.csv")}),
    ):
        assert answer.status_code == 422
        assert "zero byte" in answer.text


def test_a_page_that_is_not_there_says_what_to_do(client):
    answer = client.get("/there/is/no/such/page")
    assert answer.status_code == 404
    assert "Check the address" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_whoever_asks_for_json_gets_errors_as_json(client):
    answer = client.get("/there/is/none", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json["error"]["detail"]


def test_an_unexpected_error_tells_no_secret_and_changes_nothing(
    app, client, session, cooperative, monkeypatch, caplog
):
    def stumble(*_args, **_kwargs):
        db.session.execute(sa.text("SELECT 1"))
        raise RuntimeError("the secret is 4711")

    app.config["TESTING"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    access = app.view_functions["home.index"].__govern_access__
    stumble.__govern_access__ = access
    monkeypatch.setitem(app.view_functions, "home.index", stumble)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "4711" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_reading_request_cannot_write(app, both_databases, cooperative):
    with app.test_request_context("/", method="GET"), pytest.raises(sa.exc.DBAPIError):
        db.session.execute(sa.text("UPDATE cooperative SET name = 'x'"))


# -- health ----------------------------------------------------------------------------------


def test_ready_means_the_newest_schema_and_redis(client, both_databases):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (200, "ok")


def test_a_schema_that_is_behind_is_not_ready(client, session):
    from govern import schema

    schema.downgrade(session.get_bind(), "0001_house")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["database"].startswith("at 0001_house, needs")


def test_a_database_that_is_away_is_not_ready_but_alive(config, tmp_path):
    away = config.with_changes(database_url="postgresql://nobody@127.0.0.1:1/none")
    app = create_app(away)
    app.config["GOVERN_NO_REDIS"] = True
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "unreachable")


def test_a_redis_that_is_away_is_not_ready(app, client):
    app.config["GOVERN_NO_REDIS"] = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["redis"]) == (503, "unreachable")


def test_rate_limits_do_not_need_redis(config):
    """Development, not testing: the limits are counted in a Redis that is not there."""
    app = create_app(config.with_changes(environment="development"))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    for _ in range(2):
        assert client.get("/sign-in").status_code == 200


# -- logs ------------------------------------------------------------------------------------


@pytest.fixture
def lines(caplog):
    """What was logged, as the JSON objects that are written."""
    caplog.set_level(logging.DEBUG, "govern")
    formatter = logs.JsonLines(with_error_messages=False)
    return lambda: [json.loads(formatter.format(record)) for record in caplog.records]


def test_a_request_is_logged_by_its_pattern_without_the_person(
    client, cooperative, make_account, sign_in, lines
):
    account = make_account("Ana", "ana@example.org")
    sign_in(client, account)
    public_id = account.public_id
    client.get("/smartcoop/?token=K7F3-secret", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    [line] = [line for line in lines() if line["logger"] == "govern.request"]
    assert line["route"] == "/<cooperative>/"
    assert line["method"] == "GET"
    assert line["status"] == 200
    assert set(line) == {
        "time", "level", "logger", "message", "request_id", "method", "route", "status", "ms",
    }  # fmt: skip
    text = json.dumps(lines())
    for personal in ("K7F3", "203.0.113.9", "ana@example.org", public_id, "smartcoop/?"):
        assert personal not in text


def test_an_address_that_fits_no_route_is_not_logged(client, lines):
    client.get("/sign-in-link/K7F3-secret-token")
    text = json.dumps(lines())
    assert "K7F3" not in text
    assert "(none)" in text


def test_in_production_the_message_of_an_error_stays_out_of_the_log(session, cooperative):
    try:
        session.execute(sa.text("INSERT INTO nothing VALUES (:v)"), {"v": "ana@example.org"})
    except sa.exc.DBAPIError as error:
        record = logging.LogRecord("govern", 40, "", 1, "unexpected", None, (None, error, None))
    quiet = json.loads(logs.JsonLines(with_error_messages=False).format(record))
    loud = json.loads(logs.JsonLines(with_error_messages=True).format(record))
    assert quiet["error"]["kind"] == "sqlalchemy.exc.OperationalError"
    assert "ana@example.org" not in json.dumps(quiet)
    assert "nothing" in loud["error"]["message"]


def test_a_line_break_in_a_message_does_not_make_a_second_line():
    record = logging.LogRecord("govern", 20, "", 1, "a\nb", None, None)
    assert "\n" not in logs.JsonLines(with_error_messages=False).format(record)


def test_the_configuration_never_shows_its_secrets(config: Config):
    shown = repr(config.with_changes(mail_url="smtp://u:hunter2@host", redis_url="redis://:pw@h"))
    for secret in (config.secret_key, "hunter2", ":pw@"):
        assert secret not in shown
