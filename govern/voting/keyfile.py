"""A trustee's key file: the same that the trustee's page saves (frontend/README.md).

A binary age file with a passphrase (scrypt), which any ``age`` opens; inside, compact JSON. Imports
nothing of Flask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from govern.voting import agefile
from govern.voting.protocol import encoding
from govern.voting.protocol.errors import ProtocolError
from govern.voting.protocol.groups import Group, group_named

KIND = "govern-trustee-key"
VERSION = 1
MAXIMUM_FILE_BYTES = 100_000
MINIMUM_PASSPHRASE = 12

_FIELDS = ("kind", "version", "election_uuid", "group", "private_key", "public_key")


class KeyFileProblem(ValueError):
    """The file cannot be used; the message says why, and never holds a secret."""


@dataclass(frozen=True)
class TrusteeKey:
    """A trustee's key for one election."""

    election_uuid: str
    group: Group
    private: int = field(repr=False)
    public: str


def file_name(uuid: str) -> str:
    """What the file is called, here and on the trustee's page."""
    return f"govern-trustee-key-{uuid}.age"


def write_key_file(uuid: str, group: str, private: int, passphrase: str) -> bytes:
    """The encrypted file of a private key. Takes a second on purpose (scrypt)."""
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise KeyFileProblem(f"the passphrase needs at least {MINIMUM_PASSPHRASE} characters")
    made = group_named(group)
    content = {
        "kind": KIND,
        "version": VERSION,
        "election_uuid": uuid,
        "group": group,
        "private_key": str(private),
        "public_key": made.power_secret(made.generator, private).text,
    }
    return agefile.encrypt(json.dumps(content, separators=(",", ":")).encode(), passphrase)


def read_key_file(data: bytes, passphrase: str) -> TrusteeKey:
    """Open a key file and check that the two halves of the key belong together."""
    if len(data) > MAXIMUM_FILE_BYTES:
        raise KeyFileProblem("this is not a key file: it is too large")
    try:
        content = agefile.decrypt(data, passphrase)
    except agefile.WrongPassphrase:
        raise KeyFileProblem(
            "the file cannot be opened: either the passphrase is wrong or it is not a key file"
        ) from None
    try:
        value = encoding.fields(encoding.parse(content, where="key file"), _FIELDS, "key file")
        if value["kind"] != KIND or value["version"] != VERSION:
            raise KeyFileProblem("the file was opened but it is not a trustee's key")
        group = group_named(encoding.string(value["group"], "group"))
        private = encoding.scalar(
            encoding.string(value["private_key"], "private_key"), group.order, "private_key"
        )
        public = group.decode(encoding.string(value["public_key"], "public_key"), "public_key")
        uuid = encoding.uuid(value["election_uuid"], "election_uuid")
    except ProtocolError as error:
        raise KeyFileProblem(
            f"the file was opened but it is not a trustee's key ({error.step})"
        ) from None
    if private == 0 or group.power_secret(group.generator, private) != public:
        raise KeyFileProblem("the two halves of the key do not belong together")
    return TrusteeKey(uuid, group, private, public.text)
