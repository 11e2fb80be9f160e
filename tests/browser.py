"""A real browser for tests: what every page must be, whoever made it.

``live_server`` serves the test's ``app`` on a free port; ``open_page`` gives pages of any width,
colour scheme and language; ``check_page`` goes to an address and asserts what holds for all pages:
axe-core finds nothing (WCAG 2.2 AA), nothing scrolls sideways, what is touched is large enough,
the console stays silent (which includes the Content-Security-Policy) and nothing was asked of
another origin. With ``GOVERN_SCREENSHOTS=folder`` each checked page is also photographed.

Without Chromium these tests fail under CI=true and are loudly skipped elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
WCAG_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LAUNCH_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TELEPHONE, DESK = 360, 1280
TOUCH = 44

SIDEWAYS = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const outside = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !element.closest(".visually-hidden, .skip");
  });
  const names = outside.slice(-5).map((element) => element.outerHTML.slice(0, 120));
  return names.length ? names : [`the page is ${document.documentElement.scrollWidth} wide`];
}"""

SMALL_TARGETS = """(least) => {
  const targets = "button, summary, select, textarea, nav a, a.button, " +
    "input:not([type=hidden], [type=checkbox], [type=radio])";
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const small = [...document.querySelectorAll(targets)].filter(shown).filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && (box.height < least - 0.5 || box.width < least - 0.5);
  });
  const boxes = [...document.querySelectorAll("[type=checkbox], [type=radio]")].filter(shown);
  for (const box of boxes) {
    const rows = [box, ...(box.labels || [])].map((each) => each.getBoundingClientRect());
    if (!rows.some((row) => row.height >= least - 0.5)) small.push(box);
  }
  return small.map((element) => {
    const box = element.getBoundingClientRect();
    return `${Math.round(box.width)}×${Math.round(box.height)} ${element.outerHTML.slice(0, 120)}`;
  });
}"""

RUN_AXE = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((each) => ({
    id: each.id, help: each.help,
    nodes: each.nodes.slice(0, 5).map((node) =>
      `${node.html.slice(0, 200)}\\n      ${(node.failureSummary || "").replace(/\\s+/g, " ")}`),
  }));
}"""


@dataclass
class Record:
    """What a page did that nobody sees: messages of the console, requests."""

    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


_records: dict[int, Record] = {}


def record_of(page: Page) -> Record:
    """What ``page`` (of ``open_page``) has done so far."""
    return _records[id(page)]


def missing(what: str) -> None:
    """Fail under CI=true, skip loudly elsewhere."""
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{what}, and with CI=true that is a failure", pytrace=False)
    pytest.skip(f"NO BROWSER TEST WAS RUN: {what}")


def find_chromium() -> str:
    """The browser of the machine, or the one that Playwright has installed.

    First the one without windows, which is Playwright's own choice too: it needs half the time.
    """
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run."""
    path = find_chromium()
    if not path:
        missing("there is no Chromium (Debian: apt install chromium)")
    if not AXE.exists():
        missing("axe-core is not installed (npm ci in frontend/)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``open_page(width=360, scheme="dark", language="fr")``: a fresh visitor with no cookies."""
    contexts = []

    def make(
        width: int = DESK, scheme: str = "light", language: str = "en", **options: Any
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 780 if width < 600 else 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale={"fr": "fr-BE", "nl": "nl-BE", "de": "de-DE", "en": "en-GB"}[language],
            reduced_motion="reduce",
            has_touch=width < 600,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        watch(page)
        return page

    yield make
    for context in contexts:
        context.close()


def watch(page: Page) -> Record:
    """Begin to record what ``page`` does."""
    record = _records[id(page)] = Record()

    def hear(message: Any) -> None:
        # Chromium reports each answer of 400 and above itself; pages of errors are tested too.
        if message.type == "error" and "Failed to load resource" not in message.text:
            record.problems.append(f"console: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: record.problems.append(f"script: {error}"))
    page.on("request", lambda request: record.requests.append(request.url))
    page.on(
        "requestfailed",
        lambda request: (
            record.problems.append(f"failed: {request.url} ({request.failure})")
            if "ERR_ABORTED" not in str(request.failure)
            else None
        ),
    )
    return record


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The address of a real, threaded server of ``app``, with protection against forged forms."""
    from werkzeug.serving import make_server

    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def press(page: Page, button: str = "main form .button.primary") -> None:
    """Press ``button`` and wait for the whole page that answers."""
    with page.expect_navigation():
        page.click(button)


def check_page(
    page: Page, url: str | None = None, *, name: str = "", status: int = 200, axe: bool = True
) -> None:
    """Go to ``url`` (or stay) and assert what holds for every page; see the module's docstring.

    ``name`` is that of the photograph (default: made from the path).
    """
    record = record_of(page)
    if url is not None:
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == status, f"{url} answered {answer.status}"
    # A click returns when the answer begins to arrive, and what is measured must not depend on how
    # busy the machine was while the page, its style sheet and its typeface came in.
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => null)")
    photograph(page, name)
    where = f"{page.url} ({page.viewport_size and page.viewport_size['width']} px)"
    problems = [f"scrolls sideways: {each}" for each in page.evaluate(SIDEWAYS)]
    problems += [f"too small to touch: {each}" for each in page.evaluate(SMALL_TARGETS, TOUCH)]
    if axe:
        problems += find_barriers(page)
    origin = urlsplit(page.url).netloc
    problems += [
        f"asked another origin: {address}"
        for address in record.requests
        if urlsplit(address).scheme not in ("data", "blob") and urlsplit(address).netloc != origin
    ]
    problems += record.problems
    assert not problems, f"{where}:\n  " + "\n  ".join(problems)


def find_barriers(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now."""
    # Through evaluate, not a script tag: the policy refuses one, and bypassing it changes results.
    page.evaluate(AXE.read_text())
    found = page.evaluate(RUN_AXE, WCAG_TAGS)
    return [
        f"axe {each['id']}: {each['help']}\n    " + "\n    ".join(each["nodes"]) for each in found
    ]


def photograph(page: Page, name: str = "") -> None:
    """Save a picture of the whole page if ``GOVERN_SCREENSHOTS`` names a folder."""
    folder = os.environ.get("GOVERN_SCREENSHOTS")
    if not folder or page.viewport_size is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    stem = name or re.sub(r"[^a-z0-9]+", "-", urlsplit(page.url).path.lower()).strip("-") or "home"
    scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else ""
    language = page.evaluate("document.documentElement.lang")
    parts = [stem, str(page.viewport_size["width"]), language, scheme]
    page.screenshot(path=Path(folder) / f"{'-'.join(filter(None, parts))}.png", full_page=True)
