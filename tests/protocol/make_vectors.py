"""Writes `vectors.json` (see VECTORS.md). Run: `python tests/protocol/make_vectors.py`.

The randomness is made from fixed seeds, so the output is the same everywhere; a test compares it
with the committed file. Every secret in it is public: never use one for anything but tests.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from holding import ONE_OF_THREE, UP_TO_TWO_OR_BLANK, HeldElection, Randomness, set_up
from mutations import (
    invalid_elements,
    invalid_scalars,
    refused_ballots,
    refused_decryptions,
    refused_trustee_keys,
)

from govern.voting.protocol import ballots, decryption, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.credentials import derive_credential, generate_code
from govern.voting.protocol.elections import generate_uuid
from govern.voting.protocol.groups import GROUP_NAMES, Group, group_named
from govern.voting.protocol.questions import Question
from govern.voting.protocol.trustees import make_trustee_key

VECTORS = Path(__file__).with_name("vectors.json")

SHORT_QUESTIONS = (
    Question("Motion", ("Oui / Ja", "Non / Nee"), 1, 1, blank=True),
    Question("Siège / Zetel", ("A", "B"), 0, 1),
)


def make_vectors() -> dict[str, Any]:
    """The whole of `vectors.json` as an object."""
    return {
        "format": 1,
        "groups": {name: _make_group(group_named(name)) for name in GROUP_NAMES},
        "credential_codes": _make_codes(),
        "json": _make_json(),
    }


def render(vectors: dict[str, Any]) -> str:
    """The text of `vectors.json`."""
    return json.dumps(vectors, ensure_ascii=False, indent=1) + "\n"


def _make_codes() -> dict[str, Any]:
    code = "bysZy-gxQKgN-wmMVt-UmZ11f"
    return {
        "valid": [code, "11111-111111-11111-111111", "zzzzz-zzzzzz-zzzzz-zzzzzz"],
        "invalid": [
            {"code": "", "reason": "empty"},
            {"code": code.replace("-", ""), "reason": "no hyphens"},
            {"code": code[:-1], "reason": "one character short"},
            {"code": f"{code}1", "reason": "one character long"},
            {"code": f"{code}\n", "reason": "line feed"},
            {"code": f" {code}", "reason": "space"},
            {"code": code.replace("b", "0", 1), "reason": "the digit zero"},
            {"code": code.replace("b", "O", 1), "reason": "the capital O"},
            {"code": code.replace("b", "I", 1), "reason": "the capital I"},
            {"code": code.replace("b", "l", 1), "reason": "the small l"},
            {"code": "bysZyg-xQKgN-wmMVt-UmZ11f", "reason": "groups of other lengths"},
        ],
    }


def _make_json() -> dict[str, Any]:
    return {
        "valid": [
            "{}",
            "[]",
            "null",
            "0",
            "-1",
            "9007199254740991",
            '{"b":1,"a":[true,false,null]}',
            '"Assemblée générale / Gewone vergadering"',
            '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028\U0001f5f3"',
        ],
        "invalid": [
            {"text": "", "reason": "nothing"},
            {"text": " {}", "reason": "white space"},
            {"text": "{}\n", "reason": "white space"},
            {"text": '{"a": 1}', "reason": "white space"},
            {"text": '{"a":1,"a":1}', "reason": "a field twice"},
            {"text": '{"a":1,"a":2}', "reason": "a field twice"},
            {"text": "1.0", "reason": "not an integer"},
            {"text": "1.5", "reason": "not an integer"},
            {"text": "1e3", "reason": "not an integer"},
            {"text": "-0", "reason": "not canonical"},
            {"text": "01", "reason": "not canonical"},
            {"text": "9007199254740993", "reason": "too large"},
            {"text": "NaN", "reason": "not JSON"},
            {"text": "Infinity", "reason": "not JSON"},
            {"text": '"\\u0041"', "reason": "an escape that is not needed"},
            {"text": '"\\u001F"', "reason": "an escape in upper case"},
            {"text": '"\\/"', "reason": "an escape that is not needed"},
            {"text": '"\\u00e9"', "reason": "an escape that is not needed"},
            {"text": '"\\ud800"', "reason": "half a surrogate pair"},
            {"text": "{'a':1}", "reason": "not JSON"},
            {"text": '{"a":1,}', "reason": "not JSON"},
            {"text": "[1][2]", "reason": "two values"},
            {"text": "\ufeff{}", "reason": "a byte order mark"},
        ],
    }


def _make_group(group: Group) -> dict[str, Any]:
    source = Randomness(group, f"group|{group.name}")
    g = group.generator
    valid = [
        (g, "the generator"),
        (group.power(g, 2), "g^2"),
        (group.power(g, -1), "g^-1"),
        *((group.power(g, source()), "random") for _ in range(4)),
    ]
    left, right = (group.power(g, source()) for _ in range(2))
    exponents = [0, 1, 2, group.order - 1, group.order // 2, source(), source()]
    hashed = ["", "abc", "prove|é|1,2|3,4", "x" * 1000]
    uuid = generate_uuid(source.choose)
    derived = [
        derive_credential(group, uuid, code)
        for code in ["11111-111111-11111-111111", *(generate_code(source.choose) for _ in range(3))]
    ]
    source.take()
    keys = []
    for private in (1, group.order - 1, source()):
        source.take()
        key = make_trustee_key(group, private, source)
        keys.append(
            {
                "private": str(private),
                "randomness": _texts(source.take()),
                "public": json.loads(key)["public_key"],
                "json": key.decode(),
            }
        )
    return {
        "order": str(group.order),
        "generator": g.text,
        "identity": group.identity.text,
        "elements": {
            "valid": [{"text": element.text, "note": note} for element, note in valid],
            "invalid": [
                {"text": text, "reason": reason, "note": note}
                for text, reason, note in invalid_elements(group)
            ],
        },
        "scalars": {
            "valid": ["0", "1", "10", str(group.order - 1)],
            "invalid": [
                {"text": text, "reason": reason} for text, reason in invalid_scalars(group)
            ],
        },
        "hashes": [{"input": text, "scalar": str(group.hash_to_scalar(text))} for text in hashed],
        "powers": [
            {"base": base.text, "scalar": str(e), "result": group.power(base, e).text}
            for base in (g, left)
            for e in exponents
        ],
        "products": [
            {
                "left": a.text,
                "right": b.text,
                "product": group.multiply(a, b).text,
                "quotient": group.divide(a, b).text,
            }
            for a, b in (
                (left, right),
                (left, left),
                (left, group.power(left, -1)),
                (group.identity, right),
                (left, group.identity),
            )
        ],
        "credentials": [
            {"uuid": uuid, "code": c.code, "private": str(c.private), "public": c.public.text}
            for c in derived
        ],
        "trustee_keys": keys,
        "trustee_keys_refused": [
            {"note": refused.note, "step": refused.step, "json": _text(refused.data)}
            for refused in refused_trustee_keys(group, keys[-1]["json"].encode())
        ],
        "elections": [_make_full_election(group), _make_short_election(group)],
    }


def _texts(scalars: list[int]) -> list[str]:
    return [str(scalar) for scalar in scalars]


def _text(data: bytes) -> str:
    # Only one refused text is not UTF-8; it is left out of the file by its caller.
    return data.decode("utf-8")


def _make_full_election(group: Group) -> dict[str, Any]:
    """Questions without and with blank, a blank vote, a revote, one member who stays away."""
    held = set_up(group, (ONE_OF_THREE, UP_TO_TWO_OR_BLANK), voters=3, seed="full")
    votes = [
        (0, [[1, 0, 0], [0, 1, 1, 0]]),
        (1, [[0, 0, 1], [1, 0, 0, 0]]),
        (0, [[0, 1, 0], [0, 0, 0, 1]]),
    ]
    return _hold(held, "full", votes, None)


def _make_short_election(group: Group) -> dict[str, Any]:
    """A small election with everything that must be refused."""
    held = set_up(group, SHORT_QUESTIONS, voters=2, trustee_count=1, seed="short")
    other = set_up(group, SHORT_QUESTIONS, voters=2, trustee_count=1, seed="other")
    votes = [(0, [[0, 1, 0], [0, 0]])]
    return _hold(held, "short", votes, other)


def _hold(
    held: HeldElection,
    name: str,
    votes: list[tuple[int, list[list[int]]]],
    other: HeldElection | None,
) -> dict[str, Any]:
    group, election = held.group, held.election
    source = Randomness(group, f"ballots|{name}")
    cast = [_make_ballot(held, held.codes[voter], vote, source) for voter, vote in votes]
    sealed = held.close()
    decryptions = []
    parts = []
    for owner, private in enumerate(held.private_keys, 1):
        source.take()
        data = decryption.make_partial_decryption(election, sealed, private, source)
        decryptions.append(
            {
                "owner": owner,
                "private": str(private),
                "randomness": _texts(source.take()),
                "json": data.decode(),
                "owned": decryption.make_owned(owner, data).decode(),
            }
        )
        parts.append(
            decryption.check_partial_decryption(election, held.trustees, sealed, owner, data)
        )
        held.publish_decryption(owner, data)
    result = decryption.compute_result(election, held.trustees, sealed, held.tally.count, parts)
    held.append(EventType.RESULT, decryption.make_result(result))
    archive = held.archive()
    return {
        "name": name,
        "uuid": election.uuid,
        "trustee_private": _texts(held.private_keys),
        "election": election.data.decode(),
        "fingerprint": election.fingerprint,
        "trustees": held.trustees.data.decode(),
        "public_credentials": held.public_credentials.decode(),
        "setup_data": held.events[0].data[-1].decode(),
        "ballots": cast,
        "refused_ballots": [
            {"note": refused.note, "step": refused.step, "ballot": refused.data.decode()}
            for refused in (refused_ballots(held, other) if other else ())
            if refused.note != "not UTF-8" and (group.name == GROUP_NAMES[0] or not refused.general)
        ],
        "num_tallied": held.tally.count,
        "encrypted_tally": sealed.data.decode(),
        "sized_encrypted_tally": decryption.make_sized_tally(
            held.tally.count, sealed.data
        ).decode(),
        "partial_decryptions": decryptions,
        "refused_partial_decryptions": [
            {"note": refused.note, "owner": 1, "step": refused.step, "json": refused.data.decode()}
            for refused in (
                refused_decryptions(held, decryptions[0]["json"].encode()) if other else ()
            )
        ],
        "result": decryption.make_result(result).decode(),
        "timestamp": str(held.timestamp),
        "events": [
            {
                "type": str(event.type),
                "data": [encoding.sha256_hex(data) for data in event.data],
                "event": event.content.decode(),
                "hash": event.hash,
            }
            for event in held.events
        ],
        "archive_sha256": hashlib.sha256(archive).hexdigest(),
        "archive_size": len(archive),
    }


def _make_ballot(
    held: HeldElection, code: str, plaintexts: list[list[int]], source: Randomness
) -> dict[str, Any]:
    source.take()
    credential = derive_credential(held.group, held.election.uuid, code)
    unsigned = ballots.encrypt_ballot(held.election, credential.public, plaintexts, source)
    sealed = ballots.sign_ballot(held.group, unsigned, credential.private, source)
    held.cast(sealed.data)
    return {
        "code": code,
        "plaintexts": plaintexts,
        "randomness": _texts(source.take()),
        "choices_randomness": [_texts(list(row)) for row in unsigned.randomness],
        "unsigned": unsigned.data.decode(),
        "hash": unsigned.hash,
        "ballot": sealed.data.decode(),
        "tracker": sealed.tracker,
    }


if __name__ == "__main__":
    VECTORS.write_text(render(make_vectors()), encoding="utf-8")
