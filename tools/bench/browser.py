"""Sealing a standard ballot of twelve ciphertexts in Chromium, by the bundle voters receive."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import sync_playwright

from govern.voting.protocol.credentials import generate_code
from govern.voting.protocol.elections import generate_uuid, make_election
from govern.voting.protocol.groups import GROUP_NAMES, group_named
from govern.voting.protocol.questions import Question
from tests.browser import LAUNCH_ARGS, ROOT, find_chromium
from tests.frontend.harness import serve

CHOICE = [[1, 0, 0], [0, 1, 0, 0, 1, 0, 0, 1, 0]]
QUESTIONS = [
    Question("Accounts", ("For", "Against", "Abstain"), 1, 1, False),
    Question("Board", tuple("ABCDEFGH"), 0, 3, True),
]
SCRIPT = (ROOT / "frontend" / "bench" / "sealing.mjs").read_text(encoding="utf-8")


def bench_sealing() -> dict[str, Any]:
    """Milliseconds per ballot in each group: the first (what a voter waits for), and the median."""
    path = find_chromium()
    if not path:
        return {"skipped": "there is no Chromium"}
    with sync_playwright() as playwright, serve(group_named("Ed25519")) as harness:
        chromium = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGS)
        page = chromium.new_page()
        page.goto(harness.address("empty"))
        measured = {name: _measure(page, name) for name in GROUP_NAMES}
        chromium.close()
    return measured


def _measure(page: Any, group_name: str) -> dict[str, Any]:
    group = group_named(group_name)
    election = make_election(
        uuid=generate_uuid(),
        name="Measurement",
        description="",
        group=group,
        public_key=group.power_secret(group.generator, group.random_scalar()),
        questions=QUESTIONS,
    )
    task = {
        "election": election.data.decode(),
        "code": generate_code(),
        "plaintexts": CHOICE,
        "rounds": 30,
    }
    result: dict[str, Any] = page.evaluate(
        f"""async (task) => {{
          {SCRIPT.replace("export function", "function")}
          const {{ protocol }} = await import("/static/dist/booth.js");
          return measureSealing(protocol, task);
        }}""",
        task,
    )
    return result
