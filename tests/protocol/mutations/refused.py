"""What is refused, and how a cheat signs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holding import Randomness

from govern.voting.protocol import encoding
from govern.voting.protocol.credentials import Credential
from govern.voting.protocol.groups import Group
from govern.voting.protocol.proofs import prove_knowledge

Message = dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """Bytes to refuse. `general` ones do not depend on the group."""

    note: str
    step: str
    data: bytes
    general: bool = False


def signed(group: Group, message: Message, credential: Credential, source: Randomness) -> bytes:
    """The message with a fresh signature by `credential`."""
    body = {name: value for name, value in message.items() if name != "signature"}
    digest = encoding.sha256_base64(encoding.dump(body))
    proof = prove_knowledge(group, f"sig|{digest}|", credential.private, source)
    return encoding.dump({**body, "signature": {"hash": digest, "proof": proof.message()}})


def swap_fields(message: Message, left: str, right: str) -> Message:
    names = list(message)
    a, b = names.index(left), names.index(right)
    names[a], names[b] = names[b], names[a]
    return {name: message[name] for name in names}
