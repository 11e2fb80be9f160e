"""Ballots that are not what this election asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from holding import HeldElection, Randomness

from govern.voting.protocol import ballots, encoding
from govern.voting.protocol.credentials import derive_credential
from mutations.encodings import invalid_elements
from mutations.proofs import refused_proofs
from mutations.refused import Message, Refused, signed, swap_fields


def refused_ballots(held: HeldElection, other: HeldElection) -> Iterator[Refused]:
    """Ballots that `held` must refuse.

    Its questions are: one or blank of two, then none or one of two. `other` is another election
    in the same group with the same questions.
    """
    group, election = held.group, held.election
    q = group.order
    source = Randomness(group, "refused")
    voter, second = (derive_credential(group, election.uuid, code) for code in held.codes[:2])
    plaintexts = [[0, 1, 0], [0, 1]]
    base_data = ballots.seal_ballot(election, voter, plaintexts, source).data
    base: Message = json.loads(base_data)

    def changed(change: Callable[[Message], Any], sign: bool = True) -> bytes:
        message = deepcopy(base)
        change(message)
        return signed(group, message, voter, source) if sign else encoding.dump(message)

    def general(note: str, step: str, data: bytes) -> Refused:
        return Refused(note, step, data, general=True)

    text = base_data.decode()
    yield general("nothing", "encoding", b"")
    yield general("a line feed behind", "encoding", base_data + b"\n")
    yield general("a space in front", "encoding", b" " + base_data)
    yield general("a space inside", "encoding", text.replace(":", ": ", 1).encode())
    yield general("cut short", "encoding", base_data[:-1])
    yield general("garbage behind", "encoding", base_data + b"{}")
    yield general("not UTF-8", "encoding", base_data.replace(b"election_uuid", b"\xff", 1))
    yield general(
        "a field twice",
        "encoding",
        base_data[:-1] + b',"election_uuid":"' + election.uuid.encode() + b'"}',
    )
    yield general(
        "an escape that is not needed", "encoding", text.replace("_uuid", "\\u005fuuid", 1).encode()
    )
    yield general("an array instead", "fields", b"[]")
    yield general("null instead", "fields", b"null")
    yield general("signature missing", "fields", changed(lambda m: m.pop("signature"), False))
    yield general("credential missing", "fields", changed(lambda m: m.pop("credential"), False))
    yield general("an unknown field", "fields", changed(lambda m: m.update(weight=2), False))
    yield general(
        "fields in another order",
        "fields",
        encoding.dump(swap_fields(base, "election_hash", "credential")),
    )
    yield general(
        "the signature first",
        "fields",
        encoding.dump({"signature": base["signature"], **base}),
    )
    yield general("answers null", "fields", changed(lambda m: m.update(answers=None), False))
    yield general(
        "the credential a number", "fields", changed(lambda m: m.update(credential=1), False)
    )

    def answer(message: Message, index: int) -> Message:
        found: Message = message["answers"][index]
        return found

    yield general(
        "the blank proof missing where blank is allowed",
        "fields",
        changed(lambda m: answer(m, 0).pop("blank_proof")),
    )
    yield general(
        "a blank proof where blank is not allowed",
        "fields",
        changed(lambda m: answer(m, 1).update(blank_proof=answer(m, 0)["blank_proof"])),
    )
    yield general(
        "the blank proof null", "fields", changed(lambda m: answer(m, 0).update(blank_proof=None))
    )
    yield general(
        "a challenge as a number",
        "fields",
        changed(lambda m: answer(m, 0)["overall_proof"][0].update(challenge=1)),
    )
    yield general(
        "an unknown field in a ciphertext",
        "fields",
        changed(lambda m: answer(m, 0)["choices"][0].update(gamma="1")),
    )
    yield general(
        "beta before alpha",
        "fields",
        changed(
            lambda m: answer(m, 0)["choices"].__setitem__(
                0, swap_fields(answer(m, 0)["choices"][0], "alpha", "beta")
            )
        ),
    )
    yield general("an answer too many", "lengths", changed(lambda m: m["answers"].append({})))
    yield general("an answer missing", "lengths", changed(lambda m: m["answers"].pop()))
    yield general("no answers", "lengths", changed(lambda m: m["answers"].clear()))
    for name, label in (
        ("choices", "a choice"),
        ("individual_proofs", "an individual proof"),
        ("overall_proof", "a branch of the overall proof"),
        ("blank_proof", "a branch of the blank proof"),
    ):
        yield general(
            f"{label} missing", "lengths", changed(lambda m, n=name: answer(m, 0)[n].pop())
        )
        yield general(
            f"{label} too many",
            "lengths",
            changed(lambda m, n=name: answer(m, 0)[n].append(answer(m, 0)[n][0])),
        )
    yield general(
        "a third branch in an individual proof",
        "lengths",
        changed(
            lambda m: answer(m, 1)["individual_proofs"][0].append(
                answer(m, 1)["individual_proofs"][0][0]
            )
        ),
    )

    def add_order(proof: Message, name: str) -> None:
        proof[name] = str(int(proof[name]) + q)

    yield Refused(
        "a response plus q in the signature",
        "scalar",
        changed(lambda m: add_order(m["signature"]["proof"], "response"), False),
    )
    yield Refused(
        "a challenge plus q in an individual proof",
        "scalar",
        changed(lambda m: add_order(answer(m, 0)["individual_proofs"][0][0], "challenge")),
    )
    yield Refused(
        "a response plus q in the overall proof",
        "scalar",
        changed(lambda m: add_order(answer(m, 1)["overall_proof"][0], "response")),
    )
    yield Refused(
        "a leading zero",
        "scalar",
        changed(
            lambda m: answer(m, 0)["blank_proof"][0].update(
                response="0" + answer(m, 0)["blank_proof"][0]["response"]
            )
        ),
    )
    yield Refused(
        "another uuid",
        "election_uuid",
        changed(lambda m: m.update(election_uuid=other.election.uuid)),
    )
    yield Refused(
        "another fingerprint",
        "election_hash",
        changed(lambda m: m.update(election_hash=other.election.fingerprint)),
    )
    yield Refused(
        "another election's ballot",
        "election_uuid",
        ballots.seal_ballot(other.election, other.codes[0], plaintexts, source).data,
    )
    stranger = derive_credential(group, election.uuid, "11111-111111-11111-111111")
    yield Refused(
        "a credential that is not on the list",
        "credential",
        ballots.seal_ballot(election, stranger, plaintexts, source).data,
    )
    yield Refused(
        "the identity as credential",
        "credential",
        changed(lambda m: m.update(credential=group.identity.text)),
    )
    yield Refused(
        "another hash in the signature",
        "signature_hash",
        changed(lambda m: m["signature"].update(hash=election.fingerprint), False),
    )
    yield Refused(
        "changed after it was signed",
        "signature_hash",
        changed(lambda m: answer(m, 0)["choices"].reverse(), False),
    )

    def add_one(proof: Message, name: str) -> None:
        proof[name] = str((int(proof[name]) + 1) % q)

    for name in ("challenge", "response"):
        yield Refused(
            f"the signature's {name} changed",
            "signature",
            changed(lambda m, n=name: add_one(m["signature"]["proof"], n), False),
        )
    yield Refused(
        "signed by somebody else's credential", "signature", signed(group, base, second, source)
    )
    for bad, reason, note in invalid_elements(group):
        yield Refused(
            f"alpha: {note} ({reason})",
            "element",
            changed(lambda m, t=bad: answer(m, 0)["choices"][1].update(alpha=t)),
        )
    yield Refused(
        "beta: the identity",
        "element",
        changed(lambda m: answer(m, 1)["choices"][0].update(beta=group.identity.text)),
    )
    yield from refused_proofs(held, other, base, changed, add_one, source)
