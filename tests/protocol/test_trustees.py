"""Trustees' keys: every field of a threshold key is verified, also when signed again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holding import Randomness
from rebuilding import leaves, mutate, take_apart, with_leaf

from govern.voting.protocol import encoding
from govern.voting.protocol.errors import ProtocolError
from govern.voting.protocol.groups import Group, group_named
from govern.voting.protocol.proofs import prove_knowledge
from govern.voting.protocol.trustees import make_trustee_key, make_trustees, read_trustees

REFERENCE = Path(__file__).parent / "reference"

Message = dict[str, Any]


@pytest.fixture(params=["ed25519-threshold", "belenios2048-threshold"])
def folder(request: pytest.FixtureRequest) -> Path:
    return REFERENCE / str(request.param)


def published(folder: Path) -> tuple[Group, Message]:
    (archive,) = folder.glob("*.bel")
    _, steps = take_apart(archive.read_bytes())
    election = encoding.parse(steps[0].data[0])
    ((_, content),) = encoding.parse(steps[0].data[1])
    return group_named(election["group"]), content


def refused_step(group: Group, content: Message) -> str:
    with pytest.raises(ProtocolError) as refused:
        read_trustees(group, encoding.dump([["Pedersen", content]]))
    return refused.value.step


class Ceremony:
    """The reference ceremony's trustees, who sign whatever a test wants."""

    def __init__(self, folder: Path) -> None:
        self.group, self.content = published(folder)
        self._source = Randomness(self.group, "ceremony")
        self._keys = []
        for number in (1, 2, 3):
            seed = (folder / f"trustee{number}.seed").read_text().strip()
            digest = hashlib.sha256(f"sk|{seed}".encode()).digest()
            self._keys.append(int.from_bytes(digest, "big") % self.group.order)

    def sign(self, index: int, message: str) -> dict[str, str]:
        proof = prove_knowledge(self.group, f"sigmsg|{message}|", self._keys[index], self._source)
        return proof.message()

    def sign_all_again(
        self, content: Message, names: tuple[str, ...] = ("certs", "coefexps")
    ) -> None:
        """Every signature made again over what now stands there."""
        for name in names:
            for index, signed in enumerate(content[name]):
                signed["signature"] = self.sign(index, signed["message"])
        for index, signed in enumerate(content["coefexps"]):
            texts = encoding.parse(signed["message"].encode())["coefexps"]
            agreed = encoding.dump_text({"certs": content["certs"], "coefexps": texts})
            content["signatures"][index] = self.sign(index, f"certs_sig|{agreed}")
        for index, key in enumerate(content["verification_keys"]):
            key["signature"] = self.sign(index, key["public_key"])


def test_no_leaf_of_a_threshold_key_can_be_changed(folder: Path) -> None:
    group, content = published(folder)
    read_trustees(group, encoding.dump([["Pedersen", content]]))
    paths = list(leaves(content))
    for path in paths:
        refused_step(group, with_leaf(content, path, mutate))
    assert len(paths) == 1 + 3 * 3 + 3 * 3 + 3 * 2 + 3 * 5


def test_no_leaf_inside_a_signed_message_can_be_changed(folder: Path) -> None:
    ceremony = Ceremony(folder)
    steps = set()
    for name in ("certs", "coefexps"):
        for index in range(3):
            message = encoding.parse(ceremony.content[name][index]["message"].encode())
            for path in leaves(message):
                text = encoding.dump_text(with_leaf(message, path, mutate))
                content = with_leaf(ceremony.content, (name, index, "message"), lambda _, t=text: t)
                refused_step(ceremony.group, content)
                ceremony.sign_all_again(content)
                steps.add(refused_step(ceremony.group, content))
    assert "certificate" in steps


def test_signing_again_what_was_right_is_accepted(folder: Path) -> None:
    ceremony = Ceremony(folder)
    content = with_leaf(ceremony.content, ("threshold",), lambda value: value)
    ceremony.sign_all_again(content)
    read_trustees(ceremony.group, encoding.dump([["Pedersen", content]]))


def _other_commitment(ceremony: Ceremony, content: Message) -> None:
    texts = encoding.parse(content["coefexps"][0]["message"].encode())["coefexps"]
    texts[1] = ceremony.group.generator.text
    content["coefexps"][0]["message"] = encoding.dump_text({"coefexps": texts})


def _fewer_commitments(ceremony: Ceremony, content: Message) -> None:
    texts = encoding.parse(content["coefexps"][0]["message"].encode())["coefexps"]
    content["coefexps"][0]["message"] = encoding.dump_text({"coefexps": texts[:1]})


def _identity_commitment(ceremony: Ceremony, content: Message) -> None:
    texts = encoding.parse(content["coefexps"][0]["message"].encode())["coefexps"]
    texts[0] = ceremony.group.identity.text
    content["coefexps"][0]["message"] = encoding.dump_text({"coefexps": texts})


def _other_verification_key(ceremony: Ceremony, content: Message) -> None:
    key = encoding.parse(make_trustee_key(ceremony.group, 12345))
    content["verification_keys"][1] = {**key, "signature": None}


def _verification_keys_exchanged(ceremony: Ceremony, content: Message) -> None:
    keys = content["verification_keys"]
    keys[0], keys[1] = keys[1], keys[0]


def _context(field: str, value: Any) -> Callable[[Ceremony, Message], None]:
    def change(ceremony: Ceremony, content: Message) -> None:
        message = encoding.parse(content["certs"][0]["message"].encode())
        message["context"][field] = value
        content["certs"][0]["message"] = encoding.dump_text(message)

    return change


def _no_context(ceremony: Ceremony, content: Message) -> None:
    message = encoding.parse(content["certs"][0]["message"].encode())
    del message["context"]
    content["certs"][0]["message"] = encoding.dump_text(message)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (_other_commitment, "verification_key"),
        (_fewer_commitments, "lengths"),
        (_identity_commitment, "element"),
        (_other_verification_key, "verification_key"),
        (_verification_keys_exchanged, "verification_key"),
        (_context("group", "RFC-3526-2048"), "certificate"),
        (_context("size", 4), "certificate"),
        (_context("threshold", 1), "certificate"),
        (_context("threshold", True), "certificate"),
        (_context("index", 2), "certificate"),
        (_no_context, "fields"),
    ],
)
def test_wrong_contents_are_refused_even_if_everybody_signs_them(
    change: Callable[[Ceremony, Message], None], step: str
) -> None:
    ceremony = Ceremony(REFERENCE / "ed25519-threshold")
    content = with_leaf(ceremony.content, ("threshold",), lambda value: value)
    change(ceremony, content)
    ceremony.sign_all_again(content)
    assert refused_step(ceremony.group, content) == step


def test_a_certificate_must_be_signed_by_its_own_key() -> None:
    ceremony = Ceremony(REFERENCE / "ed25519-threshold")
    for name in ("challenge", "response"):
        content = with_leaf(ceremony.content, ("certs", 1, "signature", name), mutate)
        ceremony.sign_all_again(content, ("coefexps",))
        assert refused_step(ceremony.group, content) == "certificate"


def test_two_trustees_may_not_sign_with_one_key() -> None:
    ceremony = Ceremony(REFERENCE / "ed25519-threshold")
    content = with_leaf(ceremony.content, ("threshold",), lambda value: value)
    first, second = (
        encoding.parse(content["certs"][index]["message"].encode()) for index in (0, 1)
    )
    second["verification"] = first["verification"]
    content["certs"][1]["message"] = encoding.dump_text(second)
    ceremony._keys[1] = ceremony._keys[0]
    ceremony.sign_all_again(content)
    assert refused_step(ceremony.group, content) == "certificate"


@pytest.mark.parametrize("name", ["certs", "coefexps", "signatures", "verification_keys"])
def test_lists_of_other_lengths_are_refused(name: str) -> None:
    group, content = published(REFERENCE / "ed25519-threshold")
    for change in (content[name][:-1], [*content[name], content[name][0]], []):
        assert refused_step(group, {**content, name: change}) in (
            "lengths",
            "fields",
            "certificate",
        )


def test_older_threshold_keys_without_signatures_are_refused() -> None:
    group, content = published(REFERENCE / "ed25519-threshold")
    without = {name: value for name, value in content.items() if name != "signatures"}
    assert refused_step(group, without) == "fields"
    keys = [
        {name: value for name, value in key.items() if name != "signature"}
        for key in content["verification_keys"]
    ]
    assert refused_step(group, {**content, "verification_keys": keys}) == "fields"


@pytest.mark.parametrize("name", ["Ed25519", "BELENIOS-2048"])
def test_single_keys_may_not_repeat_or_cancel_out(name: str) -> None:
    group = group_named(name)
    key, opposite = make_trustee_key(group, 77), make_trustee_key(group, group.order - 77)
    for keys in ([key, key], [key, opposite]):
        with pytest.raises(ProtocolError) as refused:
            make_trustees(group, keys)
        assert refused.value.step == "trustee_key"
    with pytest.raises(ProtocolError):
        make_trustees(group, [])
    for private in (0, group.order, -1):
        with pytest.raises(ProtocolError):
            make_trustee_key(group, private)


def test_a_key_of_one_group_is_not_taken_in_the_other() -> None:
    key = make_trustee_key(group_named("Ed25519"), 5)
    with pytest.raises(ProtocolError):
        make_trustees(group_named("BELENIOS-2048"), [key])
