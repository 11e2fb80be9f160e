"""Every leaf of every message of an archive, changed, re-hashed and re-chained: refused.

A ballot's changes are tried twice: as they are, and signed again with the ballot's own
credential, so that the proof itself has to refuse and not only the signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from holding import HeldElection, Randomness, set_up
from make_vectors import SHORT_QUESTIONS
from mutations import refused_ballots, signed
from rebuilding import (
    PRIMARY,
    Step,
    leaves,
    mutate,
    put_together,
    refer_again,
    refusal,
    take_apart,
    with_leaf,
)

from govern.voting.protocol import ballots, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.audit import audit_archive
from govern.voting.protocol.credentials import derive_credential
from govern.voting.protocol.errors import ProtocolError
from govern.voting.protocol.groups import GROUP_NAMES, group_named


@pytest.fixture(scope="module", params=GROUP_NAMES)
def held(request: pytest.FixtureRequest) -> HeldElection:
    """One voter, who voted: so nothing published is without consequence."""
    held = set_up(group_named(request.param), SHORT_QUESTIONS, voters=1, trustee_count=2)
    held.cast(ballots.seal_ballot(held.election, held.codes[0], [[0, 1, 0], [0, 1]]).data)
    held.count(held.close())
    return held


@pytest.fixture(scope="module")
def steps(held: HeldElection) -> list[Step]:
    return take_apart(held.archive())[1]


def changes(steps: list[Step]) -> Iterator[tuple[str, int, int, tuple[Any, ...]]]:
    """(name, event, record, path) of every leaf of every record."""
    for place, step in enumerate(steps):
        for record, data in enumerate(step.data):
            names = PRIMARY[step.type]
            name = names[record] if record < len(names) else f"reference of {step.type}"
            for path in leaves(encoding.parse(data)):
                yield name, place, record, path


def changed_archive(
    held: HeldElection, steps: list[Step], place: int, record: int, data: bytes
) -> bytes:
    step = steps[place]
    records = (*step.data[:record], data, *step.data[record + 1 :])
    wrong = replace(step, data=records)
    if record < len(PRIMARY[step.type]):
        wrong = refer_again(wrong)
    return put_together(held.timestamp, [*steps[:place], wrong, *steps[place + 1 :]])


def test_no_leaf_can_be_changed(held: HeldElection, steps: list[Step], tmp_path: Path) -> None:
    counts: dict[str, int] = {}
    numbers: dict[str, set[int]] = {}
    for name, place, record, path in changes(steps):
        data = encoding.dump(with_leaf(encoding.parse(steps[place].data[record]), path, mutate))
        assert data != steps[place].data[record]
        error = refusal(changed_archive(held, steps, place, record, data), tmp_path)
        counts[name] = counts.get(name, 0) + 1
        numbers.setdefault(name, set()).add(error.number)
    proofs = (3 * 2 + 2 + 2) + (2 * 2 + 2)
    assert counts["ballot"] == 3 + 3 + 2 * 5 + 2 * proofs
    assert counts["trustees"] == 2 * 4
    assert counts["partial_decryption"] == 2 * 5 * 3
    assert numbers["ballot"] == {5}
    assert numbers["partial_decryption"] == {7}
    assert numbers["result"] == {8}
    assert numbers["encrypted_tally"] == {6}


def test_no_leaf_of_a_ballot_can_be_changed_and_signed_again(
    held: HeldElection, steps: list[Step], tmp_path: Path
) -> None:
    place = next(i for i, step in enumerate(steps) if step.type is EventType.BALLOT)
    message = encoding.parse(steps[place].data[0])
    credential = derive_credential(held.group, held.election.uuid, held.codes[0])
    source = Randomness(held.group, "again")
    seen = set()
    for path in leaves(message["answers"]):
        wrong = {**message, "answers": with_leaf(message["answers"], path, mutate)}
        data = signed(held.group, wrong, credential, source)
        error = refusal(changed_archive(held, steps, place, 0, data), tmp_path)
        assert error.number == 5
        seen.add(error.step)
        with pytest.raises(ProtocolError) as refused:
            ballots.check_ballot(held.election, data, held.known)
        assert refused.value.step == error.step
    assert seen == {"element", "individual_proof", "blank_proof", "overall_proof"}


def test_no_proof_can_be_replaced_by_another_ones(held: HeldElection) -> None:
    """All pairs of proofs of a ballot exchanged, signed again."""
    message = encoding.parse(held.events[1].data[0])
    credential = derive_credential(held.group, held.election.uuid, held.codes[0])
    source = Randomness(held.group, "exchanged")
    paths = [path[:-1] for path in leaves(message["answers"]) if path[-1] == "challenge"]

    def at(value: Any, path: tuple[Any, ...]) -> Any:
        for name in path:
            value = value[name]
        return value

    for index, left in enumerate(paths):
        right = paths[(index + 1) % len(paths)]
        answers = with_leaf(message["answers"], left, lambda _, r=right: at(message["answers"], r))
        answers = with_leaf(answers, right, lambda _, p=left: at(message["answers"], p))
        data = signed(held.group, {**message, "answers": answers}, credential, source)
        with pytest.raises(ProtocolError) as refused:
            ballots.check_ballot(held.election, data, held.known)
        assert refused.value.step.endswith("_proof")


def test_every_listed_bad_ballot_is_refused_at_its_step(held: HeldElection) -> None:
    held = set_up(held.group, SHORT_QUESTIONS, voters=2, seed="listed")
    other = set_up(held.group, SHORT_QUESTIONS, voters=2, seed="elsewhere")
    count = 0
    for bad in refused_ballots(held, other):
        with pytest.raises(ProtocolError) as refused:
            ballots.check_ballot(held.election, bad.data, held.known)
        assert refused.value.step == bad.step, (bad.note, str(refused.value))
        count += 1
    assert count > 70


def test_a_ballot_that_is_too_long_is_not_even_parsed(held: HeldElection) -> None:
    huge = b'{"election_uuid":"' + b"1" * held.election.maximum_ballot_bytes + b'"}'
    with pytest.raises(ProtocolError) as refused:
        ballots.check_ballot(held.election, huge, held.known)
    assert refused.value.step == "encoding"
    deep = b"[" * 5000 + b"]" * 5000
    with pytest.raises(ProtocolError) as refused:
        ballots.check_ballot(held.election, deep, held.known)
    assert refused.value.step == "encoding"


def test_the_longest_ballots_fit(held: HeldElection) -> None:
    sizes = [
        len(ballots.seal_ballot(held.election, held.codes[0], [[0, 1, 0], [0, 1]]).data)
        for _ in range(20)
    ]
    longest = max(sizes)
    assert 1.5 * longest < held.election.maximum_ballot_bytes < 3 * longest


def test_a_ballot_moved_to_another_credential_of_the_box_is_refused(tmp_path: Path) -> None:
    """Copied ballots: the answers of one voter under the signature of another, in the archive."""
    held = set_up(group_named("Ed25519"), SHORT_QUESTIONS, voters=2, seed="copy")
    first = ballots.seal_ballot(held.election, held.codes[0], [[0, 1, 0], [0, 1]])
    held.cast(first.data)
    second = derive_credential(held.group, held.election.uuid, held.codes[1])
    message = {**encoding.parse(first.data), "credential": second.public.text}
    copied = signed(held.group, message, second, Randomness(held.group, "copied"))
    held.append(EventType.BALLOT, copied)
    error = refusal(held.archive(), tmp_path)
    assert (error.number, error.step) == (5, "individual_proof")
    assert "event 2" in str(error)


def test_a_bad_ballot_is_found_by_the_worker_processes_too(tmp_path: Path) -> None:
    held = set_up(group_named("Ed25519"), SHORT_QUESTIONS, voters=40, seed="many")
    for code in held.codes:
        held.cast(ballots.seal_ballot(held.election, code, [[0, 1, 0], [0, 1]]).data)
    good = tmp_path / "good.bel"
    good.write_bytes(held.archive())
    assert audit_archive(good, workers=2).counted == 40
    credential = derive_credential(held.group, held.election.uuid, held.codes[7])
    message = encoding.parse(held.events[8].data[0])
    message["answers"][0]["choices"].reverse()
    bad = signed(held.group, message, credential, Randomness(held.group, "bad"))
    held.append(EventType.BALLOT, bad)
    error = refusal(held.archive(), tmp_path, workers=2)
    assert (error.number, error.step) == (5, "individual_proof")
    assert "event 41" in str(error)
