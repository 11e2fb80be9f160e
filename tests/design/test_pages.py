"""Every page of the application in a real browser: on a telephone and at a desk, light and dark.

The pages and what stands on them come from the examples of the access matrix
(``tests/access/examples.py``), so that a new route is looked at here without anybody thinking of
it. Each is opened by the first person who may, as a small page in one language and as a wide one
in another; the languages rotate over the pages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import url_for
from werkzeug.routing import Rule
from werkzeug.serving import make_server

from govern.access import Access
from govern.accounts.identity import session_values
from govern.config import LOCALES
from govern.extensions import db
from tests.access.example import given
from tests.access.examples import EXAMPLES
from tests.access.test_matrix import HOME, PERSONAS, ROUTES, Persona, World, standing_world
from tests.access.world import Side
from tests.browser import DESK, TELEPHONE, check_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = [
    pytest.param(number, endpoint, access, id=endpoint)
    for number, (endpoint, method, _rule, access) in enumerate(ROUTES)
    if method == "GET"
]


@pytest.fixture(scope="module")
def world(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with standing_world(_migrated_sqlite, tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[str]:
    made = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def _prepare(world: World, endpoint: str, persona: Persona) -> tuple[str, dict[str, Any]]:
    """The path of the page for that person, and who they are in the session cookie."""
    world.put_back()
    example = EXAMPLES[endpoint].for_method("GET")
    side = Side(**vars(world.sides[HOME]))
    account_id = world.sides[persona.side].accounts[persona.role] if persona.side else None
    with world.app.app_context():
        side.caller, side.session = account_id, db.session()
        arguments = {**given(example.arguments, side), **given(example.query, side)}
        db.session.commit()
        rule: Rule = world.app.url_map._rules_by_endpoint[endpoint][0]
        if "cooperative" in rule.arguments:
            arguments.setdefault("cooperative", side.code)
        with world.app.test_request_context():
            path = url_for(endpoint, **arguments)
    world.has_changed = True
    return path, dict(session_values(world.tokens[account_id])) if account_id is not None else {}


def _cookie(world: World, values: dict[str, Any]) -> str:
    client = world.app.test_client()
    with client.session_transaction() as session:
        session.update(values)
    found = client.get_cookie(world.app.config["SESSION_COOKIE_NAME"])
    return found.value if found else ""


@pytest.mark.parametrize(("number", "endpoint", "access"), PAGES)
def test_a_page_is_accessible_fits_and_asks_nobody_else(
    world: World,
    server: str,
    open_page: Callable[..., Any],
    number: int,
    endpoint: str,
    access: Access,
) -> None:
    for persona in [each for each in PERSONAS if each.may(access) and each.side in (None, HOME)]:
        path, who = _prepare(world, endpoint, persona)
        answer = _answer(world, path, who)
        if answer.status_code == 200 and answer.mimetype != "text/html":
            return  # a file or data, not a page
        if answer.status_code == 200:
            break
    else:
        return  # it leads elsewhere (a download, a step that is over): the matrix looks at that
    if b"<html" not in answer.data:
        return  # the body of a mail, shown in a frame of its own
    # axe-core takes the most time by far: it looks at the telephone's page, which has everything.
    schemes = ("dark", "light") if number % 2 else ("light", "dark")
    for width, scheme, shift in ((TELEPHONE, schemes[0], 0), (DESK, schemes[1], 1)):
        language = LOCALES[(number + shift) % len(LOCALES)]
        page = open_page(width=width, scheme=scheme, language=language)
        cookie = _cookie(world, {**who, "language": language})
        page.context.add_cookies(
            [{"name": world.app.config["SESSION_COOKIE_NAME"], "value": cookie, "url": server}]
        )
        check_page(page, f"{server}{path}", name=endpoint, axe=width == TELEPHONE)
        assert page.evaluate("document.documentElement.lang") == language


def _answer(world: World, path: str, who: dict[str, Any]) -> Any:
    client = world.app.test_client()
    with client.session_transaction() as session:
        session.update(who)
    return client.get(path, buffered=True)
