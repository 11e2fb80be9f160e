"""The archive's form, chain and order: everything that stock verifiers let pass is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from holding import ONE_OF_THREE, HeldElection, set_up
from rebuilding import Step, audit_bytes, put_together, refusal, take_apart

from govern.voting.protocol import archive, ballots, decryption, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.errors import ArchiveError
from govern.voting.protocol.groups import group_named


@pytest.fixture(scope="module")
def held() -> HeldElection:
    held = set_up(group_named("Ed25519"), (ONE_OF_THREE,), voters=3)
    for index, code in enumerate(held.codes[:2]):
        vote = [0, 0, 0]
        vote[index] = 1
        held.cast(ballots.seal_ballot(held.election, code, [vote]).data)
    held.count(held.close())
    return held


@pytest.fixture(scope="module")
def whole(held: HeldElection) -> bytes:
    return held.archive()


@pytest.fixture(scope="module")
def steps(whole: bytes) -> list[Step]:
    return take_apart(whole)[1]


@pytest.fixture(scope="module")
def spare(held: HeldElection) -> Step:
    """A good ballot that is not in the box."""
    sealed = ballots.seal_ballot(held.election, held.codes[2], [[0, 0, 1]])
    return Step(EventType.BALLOT, (sealed.data,))


def rebuilt(steps: list[Step]) -> bytes:
    return put_together(1529409600, steps, ordered=False)


def find(steps: list[Step], type: EventType) -> int:
    return next(index for index, step in enumerate(steps) if step.type is type)


def test_taking_apart_and_putting_together_changes_nothing(
    whole: bytes, steps: list[Step], tmp_path: Path
) -> None:
    assert rebuilt(steps) == whole
    assert put_together(1529409600, steps) == whole
    assert audit_bytes(whole, tmp_path).result == ((1, 1, 0),)


def test_every_stage_is_accepted_as_a_prefix(held: HeldElection, tmp_path: Path) -> None:
    whole = held.archive()
    written = archive.start_archive(held.timestamp)
    stages = []
    for event in held.events:
        written += event.records(held.timestamp)
        older = tmp_path / "older.part"
        older.write_bytes(written)
        stages.append(audit_bytes(written, tmp_path).state)
        assert audit_bytes(whole, tmp_path, extends=older).extends == event.hash
    assert stages == [event.type for event in held.events]


def test_a_ballot_after_the_end_is_refused(steps: list[Step], spare: Step, tmp_path: Path) -> None:
    for place in range(find(steps, EventType.END_BALLOTS) + 1, len(steps) + 1):
        error = refusal(rebuilt([*steps[:place], spare, *steps[place:]]), tmp_path)
        assert (error.number, error.step) == (1, "order")


def test_a_second_setup_is_refused(steps: list[Step], tmp_path: Path) -> None:
    other = set_up(group_named("Ed25519"), (ONE_OF_THREE,), voters=3, seed="second")
    second = Step(EventType.SETUP, other.events[0].data)
    for place in range(1, len(steps) + 1):
        error = refusal(rebuilt([*steps[:place], second, *steps[place:]]), tmp_path)
        assert (error.number, error.step) == (1, "order")


def test_an_event_missing_or_exchanged_with_its_neighbour_is_refused(
    steps: list[Step], tmp_path: Path
) -> None:
    for place in range(len(steps) - 1):
        if steps[place].type is not steps[place + 1].type:
            exchanged = [*steps]
            exchanged[place], exchanged[place + 1] = exchanged[place + 1], exchanged[place]
            # A result before the last decryption lacks a trustee; that is found first.
            assert refusal(rebuilt(exchanged), tmp_path).step in ("order", "quorum")
        missing = refusal(rebuilt([*steps[:place], *steps[place + 1 :]]), tmp_path)
        assert missing.step in ("order", "encrypted_tally", "quorum")


def test_a_second_result_is_refused(steps: list[Step], tmp_path: Path) -> None:
    again = Step(EventType.RESULT, (b'{"result":[[2,0,0]]}',))
    assert refusal(rebuilt([*steps, again]), tmp_path).step == "order"
    assert refusal(rebuilt([*steps, Step(EventType.END_BALLOTS, ())]), tmp_path).step == "order"


def test_unknown_events_and_shuffles_are_refused(held: HeldElection, tmp_path: Path) -> None:
    last = held.events[0]
    for type in ("Shuffle", "EndShuffles", "setup", "Cancelled"):
        content = encoding.dump({"parent": last.hash, "height": 1, "type": type})
        written = (
            archive.start_archive(held.timestamp)
            + last.records(held.timestamp)
            + archive.event_record(content, held.timestamp)
        )
        assert refusal(written, tmp_path).step == "fields"


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"num_tallied": 3}, "encrypted_tally"),
        ({"num_tallied": 1}, "encrypted_tally"),
        ({"total_weight": 3}, "encrypted_tally"),
        ({"encrypted_tally": "0" * 64}, "encrypted_tally"),
        ({"num_tallied": "2"}, "fields"),
        ({"more": 1}, "fields"),
    ],
)
def test_a_wrong_size_of_the_tally_is_refused(
    steps: list[Step], tmp_path: Path, change: dict[str, object], step: str
) -> None:
    place = find(steps, EventType.ENCRYPTED_TALLY)
    tally, sized = steps[place].data
    changed = encoding.dump({**encoding.parse(sized), **change})
    wrong = [*steps]
    wrong[place] = replace(steps[place], data=(tally, changed))
    error = refusal(rebuilt(wrong), tmp_path)
    assert (error.number, error.step) == (6, step)


def test_a_tally_that_is_not_the_product_of_the_box_is_refused(
    held: HeldElection, steps: list[Step], spare: Step, tmp_path: Path
) -> None:
    place = find(steps, EventType.ENCRYPTED_TALLY)
    tally = decryption.RunningTally(held.election)
    for step in (*steps[1:2], spare):
        tally.add(ballots.read_accepted_choices(held.election, step.data[0]))
    data = tally.encrypted_tally()
    wrong = [*steps]
    wrong[place] = Step(EventType.ENCRYPTED_TALLY, (data, decryption.make_sized_tally(2, data)))
    error = refusal(rebuilt(wrong), tmp_path)
    assert (error.number, error.step) == (6, "encrypted_tally")


@pytest.mark.parametrize(
    "result", [[[1, 0, 1]], [[2, 0, 0]], [[1, 1, 1]], [[1, 1]], [], [[1, 1, -1]]]
)
def test_another_result_is_refused(
    steps: list[Step], tmp_path: Path, result: list[list[int]]
) -> None:
    wrong = [*steps[:-1], Step(EventType.RESULT, (encoding.dump({"result": result}),))]
    assert refusal(rebuilt(wrong), tmp_path).number == 8


def test_a_missing_trustee_or_one_twice_is_refused(steps: list[Step], tmp_path: Path) -> None:
    place = find(steps, EventType.PARTIAL_DECRYPTION)
    first, second = steps[place], steps[place + 1]
    before, after = steps[:place], steps[place + 2 :]
    assert refusal(rebuilt([*before, first, *after]), tmp_path).step == "quorum"
    stolen = Step(
        EventType.PARTIAL_DECRYPTION, (second.data[0], decryption.make_owned(1, second.data[0]))
    )
    assert refusal(rebuilt([*before, stolen]), tmp_path).step == "decryption_proof"
    assert refusal(rebuilt([*before, first, stolen]), tmp_path).step == "owner"
    for owner in (3, 99):
        nobody = Step(
            EventType.PARTIAL_DECRYPTION,
            (second.data[0], decryption.make_owned(owner, second.data[0])),
        )
        assert refusal(rebuilt([*before, nobody]), tmp_path).step == "owner"
    other_order = audit_bytes(rebuilt([*before, second, first, *after]), tmp_path)
    assert other_order.result == ((1, 1, 0),)


def test_the_same_ballot_twice_is_refused(steps: list[Step], tmp_path: Path) -> None:
    error = refusal(rebuilt([*steps[:2], steps[1], *steps[2:]]), tmp_path)
    assert (error.number, error.step) == (1, "record")


def test_setup_data_must_name_its_records(steps: list[Step], tmp_path: Path) -> None:
    election, trustees, credentials, setup = steps[0].data
    names = encoding.parse(setup)
    exchanged = encoding.dump(
        {**names, "election": names["trustees"], "trustees": names["election"]}
    )
    wrong = [Step(EventType.SETUP, (election, trustees, credentials, exchanged)), *steps[1:]]
    assert refusal(rebuilt(wrong), tmp_path).step == "chain"
    moved = [Step(EventType.SETUP, (trustees, election, credentials, setup)), *steps[1:]]
    assert refusal(rebuilt(moved), tmp_path).step == "chain"


def test_credentials_twice_with_weights_or_invalid_are_refused(
    held: HeldElection, tmp_path: Path
) -> None:
    texts = encoding.parse(held.public_credentials)
    for change, step in (
        ([*texts, texts[0]], "credentials"),
        ([f"{texts[0]},2", *texts[1:]], "credentials"),
        ([held.group.identity.text, *texts], "element"),
        ([texts[0].upper(), *texts], "element"),
        ([*texts, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"], "element"),
        ([*texts, 1], "fields"),
        ({"a": 1}, "fields"),
    ):
        event = archive.make_setup(held.election.data, held.trustees.data, encoding.dump(change))
        error = refusal(rebuilt([Step(EventType.SETUP, event.data)]), tmp_path)
        assert (error.number, error.step) == (4, step)


def test_the_key_must_be_the_product_of_the_trustees_keys(
    held: HeldElection, tmp_path: Path
) -> None:
    other = set_up(held.group, (ONE_OF_THREE,), voters=1, seed="third")
    event = archive.make_setup(held.election.data, other.trustees.data, held.public_credentials)
    error = refusal(rebuilt([Step(EventType.SETUP, event.data)]), tmp_path)
    assert (error.number, error.step) == (3, "trustee_key")


# The tar -------------------------------------------------------------------------------------


def test_whatever_stands_behind_the_last_record_is_refused(whole: bytes, tmp_path: Path) -> None:
    for garbage in (b"x", bytes(512), bytes(1024), whole[:1024], b"\n"):
        assert refusal(whole + garbage, tmp_path).step in ("tar", "record")


def test_data_to_which_no_event_refers_is_refused(
    held: HeldElection, whole: bytes, spare: Step, tmp_path: Path
) -> None:
    stray = archive.data_record(spare.data[0], held.timestamp)
    assert refusal(whole + stray, tmp_path).step == "order"
    start = archive.start_archive(held.timestamp)
    assert refusal(start + stray + whole[len(start) :], tmp_path).step == "order"


def test_a_second_header_and_strange_members_are_refused(
    held: HeldElection, whole: bytes, tmp_path: Path
) -> None:
    start = archive.start_archive(held.timestamp)
    assert refusal(start + whole, tmp_path).step == "record"
    for name in ("x", "../../etc/passwd", "0" * 64 + ".data.json", "0" * 64 + ".txt"):
        record = archive.tar_record(name, b"{}", held.timestamp)
        assert refusal(whole + record, tmp_path).step == "record"
    assert refusal(whole[len(start) :], tmp_path).step == "header"
    assert refusal(start, tmp_path).step == "order"


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (100, b"0000755"),  # mode
        (108, b"0001000"),  # owner
        (116, b"0001000"),  # group
        (136, b"15300000000"),  # time
        (148, b"000000"),  # checksum
        (156, b"5"),  # a folder
        (156, b"\0"),  # a file, the older way
        (157, b"link"),
        (257, b"ustar\00000"),
        (345, b"prefix"),
        (500, b"x"),
        (124, b"99999999999"),  # size, not octal
        (124, b"77777777777"),  # size, too large
    ],
)
@pytest.mark.parametrize("record", [0, 1])
def test_tar_headers_are_canonical(
    whole: bytes, tmp_path: Path, offset: int, value: bytes, record: int
) -> None:
    place = record * 1024 + offset
    changed = whole[:place] + value + whole[place + len(value) :]
    assert changed != whole
    assert refusal(changed, tmp_path).step == "tar"


def test_padding_is_empty(whole: bytes, tmp_path: Path) -> None:
    changed = whole[:1023] + b"x" + whole[1024:]
    assert refusal(changed, tmp_path).step == "tar"


def test_the_header_is_canonical(held: HeldElection, whole: bytes, tmp_path: Path) -> None:
    rest = whole[len(archive.start_archive(held.timestamp)) :]
    for content in (
        b'{"version":2,"timestamp":"1529409600"}',
        b'{"version":1,"timestamp":1529409600}',
        b'{"version":1,"timestamp":"01529409600"}',
        b'{"version":1,"timestamp":"-1"}',
        b'{"timestamp":"1529409600","version":1}',
        b'{"version":1,"timestamp":"1529409600","x":1}',
        b'{"version":1,"timestamp":"99999999999"}',
    ):
        record = archive.tar_record("BELENIOS", content, held.timestamp)
        assert refusal(record + rest, tmp_path).number == 1
    other = archive.tar_record(
        "BELENIOS", b'{"version":1,"timestamp":"1529409601"}', held.timestamp
    )
    assert refusal(other + rest, tmp_path).step == "tar"


@pytest.mark.parametrize("field", ["parent", "height", "payload"])
def test_a_broken_link_is_refused(held: HeldElection, tmp_path: Path, field: str) -> None:
    written = archive.start_archive(held.timestamp) + held.events[0].records(held.timestamp)
    event = held.events[1]
    message = encoding.parse(event.content)
    message[field] = 7 if field == "height" else "0" * 64
    written += archive.data_record(event.data[0], held.timestamp)
    written += archive.event_record(encoding.dump(message), held.timestamp)
    error = refusal(written, tmp_path)
    assert (error.number, error.step) == (1, "chain")


def test_the_chain_cannot_be_written_out_of_order(held: HeldElection) -> None:
    with pytest.raises(ArchiveError) as refused:
        archive.make_event(EventType.BALLOT, held.events[-1], (b"{}",))
    assert refused.value.step == "order"
    with pytest.raises(ArchiveError):
        archive.make_event(EventType.BALLOT, held.events[0], ())
    with pytest.raises(ArchiveError):
        archive.start_archive(-1)
    with pytest.raises(ArchiveError):
        archive.start_archive(8**11)


def test_an_empty_box_is_counted_as_zeros(tmp_path: Path) -> None:
    for name in ("Ed25519", "BELENIOS-2048"):
        empty = set_up(group_named(name), (ONE_OF_THREE,), voters=2)
        assert empty.count(empty.close()) == ((0, 0, 0),)
        assert audit_bytes(empty.archive(), tmp_path).result == ((0, 0, 0),)
