"""The very files that voters and trustees receive, run in Chromium."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest

from govern.voting.protocol import decryption, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.ballots import seal_ballot
from govern.voting.protocol.groups import group_named
from tests.browser import ROOT, record_of
from tests.frontend.harness import Harness, serve

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = pytest.mark.browser

RUNNER = ROOT / "frontend" / "tests" / "vectors-runner.mjs"
VECTORS = ROOT / "tests" / "protocol" / "vectors.json"


@pytest.fixture
def harness() -> Iterator[Harness]:
    with serve(group_named("Ed25519")) as running:
        yield running


@pytest.mark.parametrize("bundle", ["booth.js", "seal-worker.js", "trustee-worker.js"])
def test_the_served_bundle_passes_the_shared_vectors(
    bundle: str,
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.goto(harness.address("empty"))
    runner = RUNNER.read_text(encoding="utf-8").replace("export async function", "async function")
    outcome: dict[str, Any] = page.evaluate(
        f"""async ([vectors, bundle]) => {{
          {runner}
          const {{ protocol }} = await import(`/static/dist/${{bundle}}`);
          return runVectors(protocol, JSON.parse(vectors));
        }}""",
        [VECTORS.read_text(encoding="utf-8"), bundle],
    )
    assert outcome["failures"] == []
    assert outcome["checks"] > 200
    assert record_of(page).problems == []


def choose(page: Page) -> None:
    """Make a choice in both questions of the harness and go to the code."""
    page.get_by_label("Contre", exact=True).check()
    page.get_by_label("Réseaux").check()
    page.get_by_label("Impact").check()
    page.get_by_role("button", name="Review my choices").click()
    page.get_by_role("button", name="These are my choices").click()


def seal(page: Page, code: str) -> None:
    """Choose, enter the code and seal."""
    choose(page)
    page.get_by_label("Voting code").fill(code)
    page.get_by_role("button", name="Seal my vote").click()
    page.get_by_role("heading", name="sealed, and not yet cast").wait_for()


def cast_at_fault(page: Page, harness: Harness, fault: str) -> None:
    """Seal and cast a vote; the server then misbehaves once."""
    page.goto(harness.address("booth"))
    seal(page, harness.held.codes[0])
    harness.misbehave = [fault]
    page.get_by_role("button", name="Cast my vote").click()


def test_a_vote_is_sealed_cast_and_receipted_and_only_the_ballot_travels(
    harness: Harness,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    page = open_page(width=360)
    page.goto(harness.address("booth"))
    banner = page.locator("[data-booth-banner]")
    assert banner.inner_text() == "Your vote is not yet cast."
    code = harness.held.codes[0]
    seal(page, code.replace("-", " "))
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert harness.cast == []
    signed_hash = page.locator("[data-booth-hash]").inner_text()
    page.get_by_role("button", name="Cast my vote").click()
    tracker = page.locator("[data-receipt=tracker]")
    tracker.wait_for()
    assert banner.inner_text() == "Your vote is in the ballot box."
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the receipt").click()
    receipt = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert receipt["tracker"] == tracker.inner_text()
    assert len(harness.cast) == 1
    assert json.loads(harness.cast[0])["signature"]["hash"] == signed_hash
    assert page.locator("svg.booth-qr").is_visible()
    sent = "\n".join(f"{one.path}\n{one.headers}\n{one.body.decode()}" for one in harness.requests)
    assert code not in sent
    assert code.replace("-", "") not in sent
    assert [one.path.rsplit("/", 1)[1] for one in harness.requests if one.method == "POST"] == [
        "cast"
    ]
    assert "q0" not in sent
    assert page.locator("input:checked").count() == 0
    assert record_of(page).problems == []


@pytest.mark.parametrize("fault", ["before", "after", "broken"])
def test_a_ballot_survives_a_failed_connection_and_counts_once(
    fault: str,
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    cast_at_fault(page, harness, fault)
    again = page.get_by_role("button", name="Try again")
    again.wait_for()
    assert "do not know yet" in page.locator("[data-booth-banner]").inner_text()
    again.click()
    page.locator("[data-receipt=tracker]").wait_for()
    bodies = {one.body for one in harness.requests if one.method == "POST"}
    assert len(bodies) == 1
    assert len(harness.cast) == 1


def test_a_refusal_is_shown_and_the_ballot_kept(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    cast_at_fault(page, harness, "refuse")
    page.get_by_text("It is too late.").wait_for()
    assert page.locator("[data-booth-banner]").inner_text() == "Your vote is not yet cast."
    page.get_by_role("button", name="Try again").click()
    page.locator("[data-receipt=tracker]").wait_for()


def test_a_vote_can_be_cast_where_workers_cannot_start(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.route("**/seal-worker.js*", lambda route: route.abort())
    page.goto(harness.address("booth"))
    seal(page, harness.held.codes[0])
    page.get_by_role("button", name="Cast my vote").click()
    page.locator("[data-receipt=tracker]").wait_for()
    assert len(harness.cast) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [("other", "confirmed another ballot"), ("forged", "does not carry the signature")],
)
def test_a_confirmation_that_does_not_fit_is_not_believed(
    fault: str,
    said: str,
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    cast_at_fault(page, harness, fault)
    page.get_by_text(said).wait_for()
    banner = page.locator("[data-booth-banner]").inner_text()
    assert banner != "Your vote is in the ballot box."


def test_a_mistyped_code_is_noticed_before_anything_is_sent(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.goto(harness.address("booth"))
    choose(page)
    field, button = (
        page.get_by_label("Voting code"),
        page.get_by_role("button", name="Seal my vote"),
    )
    code = harness.held.codes[0]
    swapped = (
        code.swapcase().replace("l", "k").replace("I", "J").replace("O", "P").replace("o", "p")
    )
    for typed, said in [
        ("", "Enter your voting code."),
        (code[:-1], "this one has 21"),
        ("0" + code[1:], "“0” never stands"),
        (swapped, "does not belong to this election"),
    ]:
        field.fill(typed)
        button.click()
        page.get_by_text(said).wait_for()
        assert page.evaluate("document.activeElement.id") == "booth-code"
    assert all(one.method == "GET" for one in harness.requests)


def test_limits_are_explained_and_hold(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.goto(harness.address("booth"))
    page.get_by_role("button", name="Review my choices").click()
    page.get_by_text("Some questions are not answered").wait_for()
    for label in ("Réseaux", "Achats", "Impact"):
        page.get_by_label(label).check()
    page.get_by_text("Choose at most 2 here: untick 1.").wait_for()
    page.get_by_label("Blank vote").check()
    assert not page.get_by_label("Achats").is_checked()
    page.get_by_text("Blank vote chosen.").wait_for()
    page.get_by_label("Pour", exact=True).check()
    page.get_by_role("button", name="Review my choices").click()
    review = page.locator(".booth-review").inner_text()
    assert "Pour" in review
    assert "Blank vote" in review


def test_the_booth_refuses_a_page_whose_texts_differ_from_the_election(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    yes, no = harness.held.election.questions[0].answers[:2]
    harness.texts = {yes: no.split(" / ")[0], no: yes.split(" / ")[0]}
    page = open_page()
    page.goto(harness.address("booth"))
    page.get_by_text("differs from the text of the election").wait_for()
    assert page.get_by_role("button").count() == 0


def test_leaving_with_a_choice_made_asks_first(
    harness: Harness,
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    page.goto(harness.address("booth"))
    page.get_by_label("Contre", exact=True).check()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.goto(harness.address("empty"))
    assert asked == ["beforeunload"]


def test_a_trustee_makes_a_key_reads_it_back_and_opens_the_count(
    harness: Harness,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    page = open_page()
    page.goto(harness.address("trustee"))
    phrase = "four words without link"
    page.get_by_label("Passphrase", exact=True).fill(phrase)
    page.get_by_label("The same passphrase again").fill(phrase + "!")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("The two passphrases differ.").wait_for()
    page.get_by_label("The same passphrase again").fill(phrase)
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the key").click()
    file = tmp_path / "key.age"
    download.value.save_as(file)
    page.get_by_role("heading", name="Read the file back").wait_for()
    page.get_by_label("Key file").set_input_files(file)
    page.get_by_label("Passphrase", exact=True).fill("something else")
    page.get_by_role("button", name="Read the file back").click()
    page.get_by_text("could not be opened").wait_for()
    assert harness.public_keys == []
    page.get_by_label("Passphrase", exact=True).fill(phrase)
    harness.misbehave = ["after"]
    page.get_by_role("button", name="Read the file back").click()
    page.get_by_text("The connection failed").wait_for()
    page.get_by_role("button", name="Read the file back").click()
    page.get_by_role("heading", name="Your public key is registered").wait_for()
    assert len({one.body for one in harness.requests if one.method == "POST"}) == 1
    sent = b"".join(one.body for one in harness.requests).decode()
    assert phrase not in sent
    inside = json.loads(pyrage.passphrase.decrypt(file.read_bytes(), phrase))
    assert inside["election_uuid"] == harness.uuid
    assert inside["private_key"] not in sent
    [lost] = record_of(page).problems
    assert "public-key (net::ERR_EMPTY_RESPONSE)" in lost


PHRASE = "four words without link"


def write_key_file(harness: Harness, folder: Path, private: int | None = None) -> Path:
    """The trustee's key file as `govern trustee` writes it, not as the page does."""
    private = harness.held.private_keys[0] if private is None else private
    group = harness.held.group
    text = json.dumps(
        {
            "kind": "govern-trustee-key",
            "version": 1,
            "election_uuid": harness.uuid,
            "group": group.name,
            "private_key": str(private),
            "public_key": group.power_secret(group.generator, private).text,
        },
        separators=(",", ":"),
    )
    file = folder / "key.age"
    file.write_bytes(pyrage.passphrase.encrypt(text.encode(), PHRASE))
    return file


def cast_some(harness: Harness) -> None:
    """Three ballots, one of them replaced."""
    choices = [[[1, 0, 0], [0, 1, 1, 0]], [[0, 1, 0], [1, 0, 0, 0]], [[0, 0, 1], [0, 0, 0, 1]]]
    for code, choice in zip(
        [*harness.held.codes, harness.held.codes[0]], [*choices, choices[1]], strict=True
    ):
        harness.held.cast(seal_ballot(harness.held.election, code, choice).data)


def open_count(page: Page, harness: Harness, file: Path) -> None:
    """Go through the trustee's second visit up to the last button."""
    page.goto(harness.address("trustee"))
    page.get_by_label("Key file").set_input_files(file)
    page.get_by_label("Passphrase", exact=True).fill(PHRASE)
    page.get_by_role("button", name="Check the box").click()


def test_a_trustee_checks_the_box_and_sends_a_part_that_opens_the_result(
    harness: Harness,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    harness.stage = "decrypt"
    cast_some(harness)
    sealed = harness.held.close()
    page = open_page(width=360)
    harness.misbehave = ["before"]
    open_count(page, harness, write_key_file(harness, tmp_path))
    page.get_by_text("The connection failed").wait_for()
    page.get_by_role("button", name="Check the box").click()
    page.get_by_role("heading", name="Your part of the count is sent").wait_for()
    assert "Ballots counted: 3." in page.locator("#trustee").inner_text()
    [part] = harness.parts
    held = harness.held
    checked = decryption.check_partial_decryption(
        held.election, held.trustees, sealed, 1, part.encode()
    )
    result = decryption.compute_result(held.election, held.trustees, sealed, 3, [checked])
    assert json.loads(decryption.make_result(result)) == {"result": [[0, 2, 1], [2, 0, 0, 1]]}
    sent = b"".join(one.body for one in harness.requests).decode()
    assert str(held.private_keys[0]) not in sent
    assert PHRASE not in sent


def test_a_trustee_does_not_open_a_box_that_was_tampered_with_or_is_still_open(
    harness: Harness,
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    harness.stage = "decrypt"
    cast_some(harness)
    file = write_key_file(harness, tmp_path)
    page = open_page()
    open_count(page, harness, file)
    page.get_by_text("the election is not closed").wait_for()

    # One ballot's proof changed, everything else made to fit: only checking the proofs shows it.
    forged = copy.deepcopy(harness.held)
    ballot = json.loads(forged.events[1].data[0])
    ballot["answers"][0]["overall_proof"][0]["response"] = "1"
    forged.events = forged.events[:1]
    forged.append(EventType.BALLOT, encoding.dump(ballot))
    for event in harness.held.events[2:]:
        forged.append(event.type, *event.data)
    forged.close()
    harness.archive = forged.archive()
    page.get_by_role("button", name="Check the box").click()
    page.get_by_text("The ballot box was refused").wait_for()

    harness.archive = None
    harness.held.close()
    other = write_key_file(harness, tmp_path, private=12345)
    page.get_by_label("Key file").set_input_files(other)
    page.get_by_role("button", name="Check the box").click()
    page.get_by_text("is not the one that you registered").wait_for()
    assert harness.parts == []
    assert not [one for one in harness.requests if one.method == "POST"]
