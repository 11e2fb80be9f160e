"""Voter credentials: secret codes and the public keys that go on the list.

A code has 22 Base58 characters (129 bits) in groups of 5, 6, 5 and 6; its hyphens are part of
what is hashed. The list of public credentials is sorted by value, so its order says nothing
about the roll.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from . import encoding
from .errors import EncodingError
from .groups import Element, Group

_GROUPS = (5, 6, 5, 6)
_CODE = re.compile("-".join(f"[{encoding.BASE58}]{{{length}}}" for length in _GROUPS))

MAXIMUM_CREDENTIALS_BYTES = 128_000_000


@dataclass(frozen=True)
class Credential:
    """A derived credential. `private` signs ballots; `public` stands on the list."""

    code: str
    private: int
    public: Element

    def __repr__(self) -> str:
        return f"<Credential {self.public.text[:16]}…>"


def generate_code(choose: Callable[[str], str] = secrets.choice) -> str:
    """A fresh credential code; `choose` picks one character of an alphabet uniformly."""
    return "-".join("".join(choose(encoding.BASE58) for _ in range(length)) for length in _GROUPS)


def check_code(code: str) -> str:
    """Check a code's form. Raises `EncodingError`, step `credential_code`."""
    if _CODE.fullmatch(code) is None:
        raise EncodingError(
            "credential_code",
            "",
            "a code has 22 letters and digits in groups of 5, 6, 5 and 6 joined by hyphens, "
            "and never 0, O, I or l",
        )
    return code


def derive_credential(group: Group, uuid: str, code: str) -> Credential:
    """Derive the key pair of a code for one election (protocol.md, hash inputs)."""
    check_code(code)
    digest = b"".join(
        hashlib.sha256(f"derive_credential|{uuid}|{index}|{code}".encode()).digest()
        for index in (0, 1)
    )
    private = int.from_bytes(digest, "big") % group.order
    return Credential(code, private, group.power_secret(group.generator, private))


def make_public_credentials(credentials: Iterable[Element]) -> bytes:
    """Write the list of public credentials, sorted by value. Refuses a credential twice."""
    # Shorter first, then by digits: the order of the numbers, in hexadecimal and in decimal.
    texts = sorted((element.text for element in credentials), key=lambda text: (len(text), text))
    for left, right in pairwise(texts):
        if left == right:
            raise EncodingError("credentials", "", "a public credential stands twice in the list")
    return encoding.dump(texts)


def read_public_credentials(data: bytes) -> list[str]:
    """Read the texts of a list of public credentials: distinct, without weights.

    The elements are not decoded (that costs a power each): `check_public_credentials` does it
    for a whole list, and `check_ballot` for the one it meets.
    """
    value = encoding.parse(data, where="public_credentials", limit=MAXIMUM_CREDENTIALS_BYTES)
    texts = [
        encoding.string(item, f"public_credentials[{index}]")
        for index, item in enumerate(encoding.array(value, "public_credentials"))
    ]
    for index, text in enumerate(texts):
        if "," in text:
            raise EncodingError(
                "credentials", f"public_credentials[{index}]", "weights are not supported"
            )
    if len(set(texts)) != len(texts):
        raise EncodingError(
            "credentials", "public_credentials", "a public credential stands twice in the list"
        )
    return texts


def check_public_credentials(group: Group, texts: Iterable[str], first: int = 0) -> None:
    """Decode every public credential. Raises `EncodingError`, step `element`."""
    for index, text in enumerate(texts, first):
        group.decode(text, f"public_credentials[{index}]")
