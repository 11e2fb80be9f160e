"""Changed keys and partial decryptions of trustees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from holding import HeldElection

from govern.voting.protocol import encoding
from govern.voting.protocol.groups import Group
from mutations.encodings import invalid_elements
from mutations.refused import Message, Refused, swap_fields


def refused_trustee_keys(group: Group, key: bytes) -> Iterator[Refused]:
    """Changed keys of a `Single` trustee."""
    message: Message = json.loads(key)
    q = group.order
    yield Refused("a space", "encoding", key.replace(b":", b": ", 1))
    yield Refused("an unknown field", "fields", encoding.dump({**message, "name": "x"}))
    yield Refused("reordered", "fields", encoding.dump(swap_fields(message, "pok", "public_key")))
    for name in ("challenge", "response"):
        pok = {**message["pok"], name: str(int(message["pok"][name]) + q)}
        yield Refused(f"{name} plus q", "scalar", encoding.dump({**message, "pok": pok}))
        pok = {**message["pok"], name: str((int(message["pok"][name]) + 1) % q)}
        yield Refused(
            f"{name} plus one", "proof_of_knowledge", encoding.dump({**message, "pok": pok})
        )
    for text, reason, note in invalid_elements(group):
        yield Refused(
            f"{note} ({reason})", "element", encoding.dump({**message, "public_key": text})
        )
    yield Refused(
        "another key",
        "proof_of_knowledge",
        encoding.dump({**message, "public_key": group.power(group.generator, 5).text}),
    )


def refused_decryptions(held: HeldElection, data: bytes) -> Iterator[Refused]:
    """Changed partial decryptions."""
    group = held.group
    q = group.order
    base: Message = json.loads(data)

    def changed(change: Callable[[Message], Any]) -> bytes:
        message = deepcopy(base)
        change(message)
        return encoding.dump(message)

    yield Refused("a line feed behind", "encoding", data + b"\n", general=True)
    yield Refused(
        "reordered",
        "fields",
        encoding.dump(swap_fields(base, "decryption_factors", "decryption_proofs")),
    )
    yield Refused("an unknown field", "fields", changed(lambda m: m.update(owner=1)))
    for name in ("decryption_factors", "decryption_proofs"):
        yield Refused(f"a row of {name} missing", "lengths", changed(lambda m, n=name: m[n].pop()))
        yield Refused(f"one of {name} missing", "lengths", changed(lambda m, n=name: m[n][0].pop()))
        yield Refused(
            f"one of {name} too many",
            "lengths",
            changed(lambda m, n=name: m[n][0].append(m[n][0][0])),
        )

    def add(m: Message, name: str, value: int) -> None:
        proof = m["decryption_proofs"][0][0]
        proof[name] = str((int(proof[name]) + value) % (q if value == 1 else 10**100))

    for name in ("challenge", "response"):
        yield Refused(f"{name} plus q", "scalar", changed(lambda m, n=name: add(m, n, q)))
        yield Refused(
            f"{name} plus one", "decryption_proof", changed(lambda m, n=name: add(m, n, 1))
        )
    for text, reason, note in invalid_elements(group):
        if reason != "identity":
            yield Refused(
                f"{note} ({reason})",
                "element",
                changed(lambda m, t=text: m["decryption_factors"][0].__setitem__(0, t)),
            )
    yield Refused(
        "another factor",
        "decryption_proof",
        changed(lambda m: m["decryption_factors"][0].__setitem__(0, group.generator.text)),
    )
    yield Refused(
        "the identity as factor of a full box",
        "decryption_proof",
        changed(lambda m: m["decryption_factors"][0].__setitem__(0, group.identity.text)),
    )
    yield Refused(
        "factors exchanged",
        "decryption_proof",
        changed(lambda m: m["decryption_factors"][0].reverse()),
    )
