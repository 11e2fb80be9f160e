"""What holds for all elections, looked for with Hypothesis."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from holding import HeldElection, set_up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govern.voting.protocol import ballots, decryption, encoding
from govern.voting.protocol.credentials import (
    check_code,
    generate_code,
    make_public_credentials,
    read_public_credentials,
)
from govern.voting.protocol.elections import generate_uuid, make_election, read_election
from govern.voting.protocol.errors import EncodingError, ProtocolError, VerificationError
from govern.voting.protocol.groups import GROUP_NAMES, Group, group_named
from govern.voting.protocol.questions import Question

SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=GROUP_NAMES)
def group(request: pytest.FixtureRequest) -> Group:
    return group_named(request.param)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    answers = tuple(draw(st.lists(texts, min_size=1, max_size=4)))
    minimum = draw(st.integers(0, len(answers)))
    maximum = draw(st.integers(minimum, len(answers)))
    return Question(draw(texts), answers, minimum, maximum, draw(st.booleans()))


@st.composite
def votes(draw: st.DrawFn, question: Question) -> list[int]:
    if question.blank and draw(st.booleans()):
        return [1] + [0] * len(question.answers)
    count = draw(st.integers(question.minimum, question.maximum))
    chosen = draw(st.permutations(range(len(question.answers))))[:count]
    plain = [int(index in chosen) for index in range(len(question.answers))]
    return [0, *plain] if question.blank else plain


@SLOW
@given(data=st.data())
def test_the_result_is_the_sum_of_the_last_votes(group: Group, data: st.DataObject) -> None:
    asked = data.draw(st.lists(questions(), min_size=1, max_size=2))
    held = set_up(group, asked, voters=3, seed="property")
    last: dict[str, list[list[int]]] = {}
    for code in data.draw(st.lists(st.sampled_from(held.codes), max_size=4)):
        vote = [data.draw(votes(question)) for question in asked]
        checked = held.cast(ballots.seal_ballot(held.election, code, vote).data)
        assert ballots.read_accepted_choices(held.election, checked.data) == checked.choices
        last[code] = vote
    expected = tuple(
        tuple(sum(vote[number][i] for vote in last.values()) for i in range(length))
        for number, length in enumerate(held.election.shape)
    )
    assert held.tally.count == len(last)
    counted = {e.data[0]: encoding.parse(e.data[0])["credential"] for e in held.events[1:]}
    box = {credential: data for data, credential in counted.items()}
    again = decryption.tally_ballots(held.election, box.items())
    assert again.to_bytes() == held.tally.to_bytes()
    if box:
        with pytest.raises(VerificationError):
            decryption.tally_ballots(held.election, [*box.items(), *box.items()])
    stored = decryption.RunningTally.from_bytes(held.election, held.tally.to_bytes())
    assert stored.to_bytes() == held.tally.to_bytes()
    assert held.count(held.close()) == expected


@QUICK
@given(asked=st.lists(questions(), min_size=1, max_size=3), name=texts, uuid_seed=st.integers())
def test_elections_are_read_as_they_were_written(
    group: Group, asked: list[Question], name: str, uuid_seed: int
) -> None:
    election = make_election(
        uuid=generate_uuid(),
        name=name,
        description=name,
        group=group,
        public_key=group.generator,
        questions=asked,
    )
    assert election.questions == tuple(asked)
    assert read_election(election.data) == election
    assert b"null" not in election.data or "null" in name + str(asked)


@QUICK
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )
)
def test_messages_have_one_spelling(value: Any) -> None:
    data = encoding.dump(value)
    assert encoding.parse(data) == value
    for other in (
        json.dumps(value, ensure_ascii=False).encode(),
        json.dumps(value, separators=(",", ":")).encode(),
        data + b" ",
    ):
        if other != data:
            with pytest.raises(EncodingError):
                encoding.parse(other)


@QUICK
@given(data=st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail_otherwise_than_by_refusing(data: bytes) -> None:
    held = _held()
    readers: list[Any] = [
        lambda: ballots.check_ballot(held.election, data, held.known),
        lambda: read_election(data),
        lambda: decryption.read_encrypted_tally(held.election, data),
        lambda: decryption.read_result(held.election, data),
        lambda: decryption.read_sized_tally(data),
        lambda: decryption.read_owned(data),
    ]
    for read in readers:
        with pytest.raises(ProtocolError):
            read()
    with suppress(ProtocolError):  # an empty list is a good one
        read_public_credentials(data)


@QUICK
@given(data=st.data())
def test_a_ballot_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    held = _held()
    ballot = _ballot()
    place = data.draw(st.integers(0, len(ballot) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != ballot[place]))
    changed = ballot[:place] + bytes([byte]) + ballot[place + 1 :]
    with pytest.raises(ProtocolError):
        ballots.check_ballot(held.election, changed, held.known)


_cache: dict[str, Any] = {}


def _held() -> HeldElection:
    if "held" not in _cache:
        question = Question("Q", ("A", "B"), 0, 1, blank=True)
        _cache["held"] = set_up(group_named("Ed25519"), (question,), voters=2, seed="bytes")
    held: HeldElection = _cache["held"]
    return held


def _ballot() -> bytes:
    if "ballot" not in _cache:
        held = _held()
        sealed = ballots.seal_ballot(held.election, held.codes[0], [[0, 1, 0]])
        _cache["ballot"] = sealed.data
    ballot: bytes = _cache["ballot"]
    return ballot


@QUICK
@given(left=st.integers(0, 2**260), right=st.integers(0, 2**260), exponent=st.integers(0, 2**260))
def test_the_groups_are_groups(group: Group, left: int, right: int, exponent: int) -> None:
    g = group.generator
    a, b = group.power(g, left), group.power(g, right)
    assert group.multiply(a, b) == group.power(g, left + right)
    assert group.divide(a, b) == group.power(g, left - right)
    assert group.power(a, exponent) == group.power(g, left * exponent)
    assert group.powers(a, [exponent, left]) == [group.power(a, exponent), group.power(a, left)]
    assert group.power_secret(a, exponent) == group.power(a, exponent)
    assert group.fixed_generator.power(left) == a
    if a != group.identity:
        assert group.decode(a.text) == group.decode_for_powers(a.text) == a


@QUICK
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_logarithms_are_found_up_to_the_bound_and_not_beyond(value: int, room: int) -> None:
    held = _held()
    group = held.group
    logarithms = decryption._Logarithms(held.election, value + room)
    assert logarithms.of(group.power(group.generator, value), "") == value
    for outside in (value + room + 1, -1):
        with pytest.raises(VerificationError):
            logarithms.of(group.power(group.generator, outside), "")


def test_codes_and_uuids_are_fresh_and_well_formed() -> None:
    codes = {generate_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(check_code(code) == code for code in codes)
    assert len({generate_uuid() for _ in range(200)}) == 200


def test_the_list_of_credentials_says_nothing_about_the_roll(group: Group) -> None:
    elements = [group.power(group.generator, exponent) for exponent in range(2, 30)]
    written = make_public_credentials(elements)
    assert written == make_public_credentials(reversed(elements))
    numbers = [int(text, 16 if group.name == "Ed25519" else 10) for text in json.loads(written)]
    assert numbers == sorted(numbers)
    with pytest.raises(ProtocolError):
        make_public_credentials([*elements, elements[0]])


def test_an_unsigned_ballot_opens_to_what_the_voter_chose(group: Group) -> None:
    """Cast as intended: with the revealed randomness anyone recomputes the ciphertexts."""
    question = Question("Q", ("A", "B", "C"), 1, 2)
    held = set_up(group, (question,), voters=1)
    public = group.decode(next(iter(held.known)))
    unsigned = ballots.encrypt_ballot(held.election, public, [[1, 0, 1]])
    assert "signature" not in json.loads(unsigned.data)
    choices = json.loads(unsigned.data)["answers"][0]["choices"]
    for choice, r, m in zip(choices, unsigned.randomness[0], unsigned.plaintexts[0], strict=True):
        masked = group.power(held.election.public_key, r)
        assert choice["alpha"] == group.power(group.generator, r).text
        beta = group.multiply(masked, group.power(group.generator, m))
        assert choice["beta"] == beta.text


def test_two_seals_of_the_same_vote_share_nothing(group: Group) -> None:
    held = set_up(group, (Question("Q", ("A",), 0, 1),), voters=1)
    first, second = (
        json.loads(ballots.seal_ballot(held.election, held.codes[0], [[1]]).data) for _ in range(2)
    )
    assert first["answers"][0]["choices"] != second["answers"][0]["choices"]
    assert first["signature"] != second["signature"]


@pytest.mark.parametrize("vote", [[[1, 1]], [[2, 0]], [[0]], [[0, 0, 0]], [], [[0, 0], [0, 0]]])
def test_a_vote_that_the_question_does_not_allow_is_not_sealed(vote: list[list[int]]) -> None:
    held = set_up(group_named("Ed25519"), (Question("Q", ("A", "B"), 1, 1),), voters=1)
    with pytest.raises(VerificationError) as refused:
        ballots.seal_ballot(held.election, held.codes[0], vote)
    assert refused.value.step == "plaintext"


def test_the_protocol_imports_nothing_of_the_application() -> None:
    """Importing the verifier must not import Flask, SQLAlchemy or another package of govern."""
    program = (
        "import sys\n"
        "import govern.voting.protocol.cli, govern.voting.cli_audit\n"
        "import govern.voting.protocol.audit\n"
        "roots = {name.split('.')[0] for name in sys.modules}\n"
        "bad = roots & {'flask', 'sqlalchemy', 'flask_sqlalchemy', 'flask_babel', 'redis'}\n"
        "allowed = ('govern', 'govern.voting', 'govern.voting.cli_audit')\n"
        "bad |= {n for n in sys.modules if n.split('.')[0] == 'govern' and n not in allowed\n"
        "        and not n.startswith('govern.voting.protocol')}\n"
        "print(sorted(bad))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
