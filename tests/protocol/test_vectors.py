"""The JSON vectors, which the JavaScript twin runs too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import make_vectors
import pytest

from govern.voting.protocol import archive, ballots, decryption, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.credentials import (
    check_code,
    derive_credential,
    make_public_credentials,
    read_public_credentials,
)
from govern.voting.protocol.elections import read_election
from govern.voting.protocol.errors import EncodingError, ProtocolError
from govern.voting.protocol.groups import GROUP_NAMES, Group, group_named
from govern.voting.protocol.trustees import make_trustee_key, read_trustee_key, read_trustees

Vectors = dict[str, Any]


@pytest.fixture(params=GROUP_NAMES)
def group(request: pytest.FixtureRequest) -> Group:
    return group_named(request.param)


@pytest.fixture
def vector(group: Group, vectors: Vectors) -> Vectors:
    found: Vectors = vectors["groups"][group.name]
    return found


def given(scalars: list[str]) -> Callable[[], int]:
    """A source that gives exactly these scalars and fails when asked for more."""
    return iter([int(scalar) for scalar in scalars]).__next__


def elections(vector: Vectors) -> Iterator[Vectors]:
    yield from vector["elections"]


def test_the_committed_vectors_are_what_the_generator_writes() -> None:
    committed = make_vectors.VECTORS.read_text(encoding="utf-8")
    assert committed == make_vectors.render(make_vectors.make_vectors())


def test_strict_json_has_one_spelling(vectors: Vectors) -> None:
    for text in vectors["json"]["valid"]:
        assert encoding.dump(encoding.parse(text.encode())) == text.encode()
    for case in vectors["json"]["invalid"]:
        with pytest.raises(EncodingError) as refused:
            encoding.parse(case["text"].encode())
        assert refused.value.step == "encoding", case


def test_credential_codes_have_one_form(vectors: Vectors) -> None:
    for code in vectors["credential_codes"]["valid"]:
        assert check_code(code) == code
    for case in vectors["credential_codes"]["invalid"]:
        with pytest.raises(EncodingError):
            check_code(case["code"])


def test_elements_decode_once_or_never(group: Group, vector: Vectors) -> None:
    assert group.generator.text == vector["generator"]
    assert group.identity.text == vector["identity"]
    for case in vector["elements"]["valid"]:
        assert group.decode(case["text"]).text == case["text"]
    for case in vector["elements"]["invalid"]:
        with pytest.raises(EncodingError) as refused:
            group.decode(case["text"])
        assert refused.value.step == "element", case
        if case["reason"] == "identity":
            assert group.decode_or_identity(case["text"]) == group.identity
        else:
            with pytest.raises(EncodingError):
                group.decode_or_identity(case["text"])


def test_scalars_have_one_spelling_below_the_order(group: Group, vector: Vectors) -> None:
    assert str(group.order) == vector["order"]
    for text in vector["scalars"]["valid"]:
        assert str(encoding.scalar(text, group.order, "")) == text
    for case in vector["scalars"]["invalid"]:
        with pytest.raises(EncodingError) as refused:
            encoding.scalar(case["text"], group.order, "")
        assert refused.value.step == "scalar", case


def test_arithmetic(group: Group, vector: Vectors) -> None:
    for case in vector["powers"]:
        base, scalar = group.decode(case["base"]), int(case["scalar"])
        expected = group.decode_or_identity(case["result"])
        assert group.power(base, scalar) == expected
        assert group.power_secret(base, scalar) == expected
        assert group.fix(base).power(scalar) == expected
        assert group.powers(base, [scalar, 3])[0] == expected
    for case in vector["products"]:
        left, right, product, quotient = (
            group.decode_or_identity(case[name])
            for name in ("left", "right", "product", "quotient")
        )
        assert group.multiply(left, right) == product
        assert group.divide(left, right) == quotient


def test_hashes_to_scalars(group: Group, vector: Vectors) -> None:
    for case in vector["hashes"]:
        assert str(group.hash_to_scalar(case["input"])) == case["scalar"]


def test_credentials_derive(group: Group, vector: Vectors) -> None:
    for case in vector["credentials"]:
        credential = derive_credential(group, case["uuid"], case["code"])
        assert str(credential.private) == case["private"]
        assert credential.public.text == case["public"]


def test_trustee_keys(group: Group, vector: Vectors) -> None:
    for case in vector["trustee_keys"]:
        key = make_trustee_key(group, int(case["private"]), given(case["randomness"]))
        assert key.decode() == case["json"]
        assert read_trustee_key(group, key).public_key.text == case["public"]
    for case in vector["trustee_keys_refused"]:
        with pytest.raises(ProtocolError) as refused:
            read_trustee_key(group, case["json"].encode())
        assert refused.value.step == case["step"], case["note"]


def test_elections_are_read(group: Group, vector: Vectors) -> None:
    for case in elections(vector):
        election = read_election(case["election"].encode())
        assert election.uuid == case["uuid"]
        assert election.fingerprint == case["fingerprint"]
        trustees = read_trustees(group, case["trustees"].encode())
        assert trustees.public_key == election.public_key
        listed = read_public_credentials(case["public_credentials"].encode())
        again = make_public_credentials(group.decode(text) for text in reversed(listed))
        assert again.decode() == case["public_credentials"]


def test_ballots_are_sealed_to_the_byte(group: Group, vector: Vectors) -> None:
    for case in elections(vector):
        election = read_election(case["election"].encode())
        listed = read_public_credentials(case["public_credentials"].encode())
        for ballot in case["ballots"]:
            source = given(ballot["randomness"])
            credential = derive_credential(group, election.uuid, ballot["code"])
            unsigned = ballots.encrypt_ballot(
                election, credential.public, ballot["plaintexts"], source
            )
            assert unsigned.data.decode() == ballot["unsigned"]
            assert unsigned.hash == ballot["hash"]
            assert [[str(r) for r in row] for row in unsigned.randomness] == (
                ballot["choices_randomness"]
            )
            sealed = ballots.sign_ballot(group, unsigned, credential.private, source)
            assert sealed.data.decode() == ballot["ballot"]
            assert sealed.tracker == ballot["tracker"]
            with pytest.raises(StopIteration):
                source()
            checked = ballots.check_ballot(election, sealed.data, listed)
            assert checked.tracker == ballot["tracker"]
            assert checked.credential == credential.public.text


def test_bad_ballots_are_refused_at_the_named_step(group: Group, vector: Vectors) -> None:
    seen = set()
    for case in elections(vector):
        election = read_election(case["election"].encode())
        listed = read_public_credentials(case["public_credentials"].encode())
        for bad in case["refused_ballots"]:
            with pytest.raises(ProtocolError) as refused:
                ballots.check_ballot(election, bad["ballot"].encode(), listed)
            assert refused.value.step == bad["step"], (bad["note"], str(refused.value))
            seen.add(bad["step"])
    assert seen >= {
        "scalar",
        "election_uuid",
        "election_hash",
        "credential",
        "signature_hash",
        "signature",
        "element",
        "individual_proof",
        "blank_proof",
        "overall_proof",
    }


def test_partial_decryptions(group: Group, vector: Vectors) -> None:
    for case in elections(vector):
        election = read_election(case["election"].encode())
        trustees = read_trustees(group, case["trustees"].encode())
        sealed = decryption.read_encrypted_tally(election, case["encrypted_tally"].encode())
        parts = []
        for part in case["partial_decryptions"]:
            source = given(part["randomness"])
            made = decryption.make_partial_decryption(
                election, sealed, int(part["private"]), source
            )
            assert made.decode() == part["json"]
            assert decryption.make_owned(part["owner"], made).decode() == part["owned"]
            parts.append(
                decryption.check_partial_decryption(election, trustees, sealed, part["owner"], made)
            )
        for bad in case["refused_partial_decryptions"]:
            with pytest.raises(ProtocolError) as refused:
                decryption.check_partial_decryption(
                    election, trustees, sealed, bad["owner"], bad["json"].encode()
                )
            assert refused.value.step == bad["step"], (bad["note"], str(refused.value))
        result = decryption.compute_result(election, trustees, sealed, case["num_tallied"], parts)
        assert decryption.make_result(result).decode() == case["result"]


def test_archives_are_written_to_the_byte(vector: Vectors) -> None:
    for case in elections(vector):
        parts = case["partial_decryptions"]
        data = {
            EventType.SETUP: [
                [
                    case[name]
                    for name in ("election", "trustees", "public_credentials", "setup_data")
                ]
            ],
            EventType.BALLOT: [[ballot["ballot"]] for ballot in case["ballots"]],
            EventType.END_BALLOTS: [[]],
            EventType.ENCRYPTED_TALLY: [[case["encrypted_tally"], case["sized_encrypted_tally"]]],
            EventType.PARTIAL_DECRYPTION: [[part["json"], part["owned"]] for part in parts],
            EventType.RESULT: [[case["result"]]],
        }
        timestamp = int(case["timestamp"])
        written = archive.start_archive(timestamp)
        previous: archive.Event | None = None
        for expected in case["events"]:
            texts = data[EventType(expected["type"])].pop(0)
            records = [text.encode() for text in texts]
            assert [hashlib.sha256(record).hexdigest() for record in records] == expected["data"]
            event = archive.make_event(EventType(expected["type"]), previous, records)
            assert event.content.decode() == expected["event"]
            assert event.hash == expected["hash"]
            assert json.loads(expected["event"])["height"] == event.height
            written += event.records(timestamp)
            previous = event
        assert not any(data.values())
        assert len(written) == case["archive_size"]
        assert hashlib.sha256(written).hexdigest() == case["archive_sha256"]
