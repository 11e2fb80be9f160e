"""The trustees' keys: `Single` ones made and verified, `Pedersen` ones read and verified.

`owner` counts trustees from 1 through the whole structure. The election's key is the product of
the items' keys (specification 3.1.1, 4.5 to 4.7; protocol.md, "Threshold key").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import encoding
from .errors import EncodingError, VerificationError
from .groups import Element, Group, ScalarSource
from .proofs import Proof, UnreadProof, prove_knowledge, verify_knowledge, walk_proof

MAXIMUM_TRUSTEES_BYTES = 8_000_000
MAXIMUM_TRUSTEES = 200


@dataclass(frozen=True)
class Single:
    """One mandatory trustee."""

    public_key: Element

    @property
    def verification_keys(self) -> tuple[Element, ...]:
        """The key against which this trustee's partial decryption is verified."""
        return (self.public_key,)

    @property
    def threshold(self) -> int:
        """How many of the item's trustees must decrypt."""
        return 1


@dataclass(frozen=True)
class Pedersen:
    """A threshold key: any `threshold` of the trustees decrypt together."""

    public_key: Element
    threshold: int
    verification_keys: tuple[Element, ...]


@dataclass(frozen=True)
class Trustees:
    """All items, verified. `data` are the bytes as published."""

    data: bytes = field(repr=False)
    group: Group = field(repr=False)
    items: tuple[Single | Pedersen, ...]

    @property
    def public_key(self) -> Element:
        """The election's key."""
        return self.group.product([item.public_key for item in self.items])

    @property
    def verification_keys(self) -> tuple[Element, ...]:
        """One key per trustee, in the order of `owner` (which starts at 1)."""
        return tuple(key for item in self.items for key in item.verification_keys)

    def _split(
        self, owners: Collection[int]
    ) -> list[tuple[Single | Pedersen, list[tuple[int, int]]]]:
        """Per item, the (owner, index inside the item) of those who are present."""
        result = []
        first = 1
        for item in self.items:
            size = len(item.verification_keys)
            result.append(
                (item, [(o, o - first + 1) for o in sorted(owners) if first <= o < first + size])
            )
            first += size
        return result

    def missing(self, owners: Collection[int]) -> int:
        """How many more partial decryptions are needed beside those of `owners`."""
        return sum(max(0, item.threshold - len(present)) for item, present in self._split(owners))

    def combine(self, factors: Mapping[int, Sequence[Sequence[Element]]]) -> list[list[Element]]:
        """Combine decryption factors by owner into synthetic ones (specification 4.19).

        Raises `VerificationError` (step `quorum`) when trustees are missing.
        """
        if self.missing(factors):
            raise VerificationError(
                "quorum", "", f"{self.missing(factors)} more partial decryptions are needed"
            )
        group = self.group
        combined: list[list[Element]] = []
        for item, present in self._split(factors):
            if isinstance(item, Pedersen):
                present = present[: item.threshold]
                indices = [index for _, index in present]
                weights = [_lagrange(group.order, indices, index) for index in indices]
            else:
                weights = [1]
            for (owner, _), weight in zip(present, weights, strict=True):
                weighted = [
                    [group.power(factor, weight) if weight != 1 else factor for factor in row]
                    for row in factors[owner]
                ]
                if not combined:
                    combined = weighted
                    continue
                combined = [
                    [group.multiply(left, right) for left, right in zip(a, b, strict=True)]
                    for a, b in zip(combined, weighted, strict=True)
                ]
        return combined


def _lagrange(order: int, indices: Sequence[int], index: int) -> int:
    """The Lagrange coefficient at zero of `index` among `indices`."""
    result = 1
    for other in indices:
        if other != index:
            result = result * other * pow(other - index, -1, order) % order
    return result


def make_trustee_key(group: Group, private: int, source: ScalarSource | None = None) -> bytes:
    """The public key of a `Single` trustee with its proof of knowledge, as a message."""
    if not 0 < private < group.order:
        raise EncodingError("scalar", "private_key", "not between 1 and the order of the group")
    public = group.power_secret(group.generator, private)
    proof = prove_knowledge(
        group, f"pok|{group.name}|{public.text}|", private, source or group.random_scalar
    )
    return encoding.dump({"pok": proof.message(), "public_key": public.text})


def write_private_key(private: int) -> bytes:
    """The file of a private key: a JSON string holding a decimal number."""
    return encoding.dump(str(private))


def read_private_key(group: Group, data: bytes) -> int:
    """Read what `write_private_key` wrote."""
    text = encoding.string(encoding.parse(data, where="private_key", limit=200), "private_key")
    private = encoding.scalar(text, group.order, "private_key")
    if private == 0:
        raise EncodingError("scalar", "private_key", "zero is not a key")
    return private


def _read_key_with_proof(group: Group, value: Any, where: str, signed: bool) -> tuple[Any, ...]:
    names = ("pok", "public_key", "signature") if signed else ("pok", "public_key")
    message = encoding.fields(value, names, where)
    unread = walk_proof(message["pok"], f"{where}.pok")
    text = encoding.string(message["public_key"], f"{where}.public_key")
    signature = walk_proof(message["signature"], f"{where}.signature") if signed else None
    proof = unread.read(group.order)
    public = group.decode(text, f"{where}.public_key")
    verify_knowledge(
        group, f"pok|{group.name}|{text}|", public, proof, "proof_of_knowledge", f"{where}.pok"
    )
    return public, (signature.read(group.order) if signature else None)


def read_trustee_key(group: Group, data: bytes) -> Single:
    """Read and verify what a `Single` trustee sent. Raises naming the step."""
    value = encoding.parse(data, where="trustee_key", limit=4_000)
    return Single(_read_key_with_proof(group, value, "trustee_key", signed=False)[0])


def make_trustees(group: Group, keys: Sequence[bytes]) -> Trustees:
    """The trustees structure of `Single` trustees, verified. A key twice is refused."""
    items = [["Single", encoding.parse(key, where="trustee_key")] for key in keys]
    return read_trustees(group, encoding.dump(items))


def read_trustees(group: Group, data: bytes) -> Trustees:
    """Read and verify the trustees structure completely. Raises naming the step."""
    value = encoding.parse(data, where="trustees", limit=MAXIMUM_TRUSTEES_BYTES)
    rows = encoding.array(value, "trustees")
    if not 1 <= len(rows) <= MAXIMUM_TRUSTEES:
        raise EncodingError("lengths", "trustees", "too few or too many trustees")
    items: list[Single | Pedersen] = []
    for index, row in enumerate(rows):
        where = f"trustees[{index}]"
        kind, content = encoding.array(row, where, 2)
        if kind == "Single":
            items.append(Single(_read_key_with_proof(group, content, where, signed=False)[0]))
        elif kind == "Pedersen":
            items.append(_read_pedersen(group, content, where))
        else:
            raise EncodingError("fields", where, 'either "Single" or "Pedersen" is expected')
    trustees = Trustees(data, group, tuple(items))
    keys = trustees.verification_keys
    if len(set(keys)) != len(keys):
        raise VerificationError("trustee_key", "trustees", "two trustees have the same key")
    if trustees.public_key == group.identity:
        raise VerificationError("trustee_key", "trustees", "the keys cancel each other out")
    return trustees


@dataclass(frozen=True)
class _Signed:
    """A `signed_msg`: its text is JSON, kept as received."""

    message: str
    signature: UnreadProof
    value: Any

    def verify(self, group: Group, key: Element, step: str, where: str) -> None:
        verify_message(group, key, self.message, self.signature.read(group.order), step, where)

    def raw(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "signature": {
                "challenge": self.signature.challenge,
                "response": self.signature.response,
            },
        }


def verify_message(
    group: Group, key: Element, message: str, signature: Proof, step: str, where: str
) -> None:
    """Verify a trustee's signature over a message (specification 4.6.1, Signing)."""
    verify_knowledge(group, f"sigmsg|{message}|", key, signature, step, where)


def _read_signed(value: Any, where: str) -> _Signed:
    message = encoding.fields(value, ("message", "signature"), where)
    text = encoding.string(message["message"], f"{where}.message")
    signature = walk_proof(message["signature"], f"{where}.signature")
    return _Signed(text, signature, encoding.parse(text.encode("utf-8"), where=f"{where}.message"))


def _read_pedersen(group: Group, value: Any, where: str) -> Pedersen:
    """Read and verify threshold parameters (specification 4.6; 3.x: context and signatures)."""
    message = encoding.fields(
        value, ("threshold", "certs", "coefexps", "signatures", "verification_keys"), where
    )
    certificates = encoding.array(message["certs"], f"{where}.certs")
    size = len(certificates)
    if not 1 <= size <= MAXIMUM_TRUSTEES:
        raise EncodingError("lengths", f"{where}.certs", "too few or too many trustees")
    threshold = encoding.integer(message["threshold"], f"{where}.threshold", 1, size)
    coefexps = encoding.array(message["coefexps"], f"{where}.coefexps", size)
    signatures = encoding.array(message["signatures"], f"{where}.signatures", size)
    keys = encoding.array(message["verification_keys"], f"{where}.verification_keys", size)

    signers = []
    signed_certificates = []
    for index, item in enumerate(certificates):
        place = f"{where}.certs[{index}]"
        signed = _read_signed(item, place)
        signers.append(_verify_certificate(group, signed, threshold, size, index + 1, place))
        signed_certificates.append(signed.raw())
    if len(set(signers)) != size:
        raise VerificationError("certificate", f"{where}.certs", "two trustees sign with one key")

    commitments: list[list[Element]] = []
    for index, item in enumerate(coefexps):
        place = f"{where}.coefexps[{index}]"
        signed = _read_signed(item, place)
        texts = [
            encoding.string(text, place)
            for text in encoding.array(
                encoding.fields(signed.value, ("coefexps",), f"{place}.message")["coefexps"],
                f"{place}.message.coefexps",
                threshold,
            )
        ]
        commitments.append(
            [group.decode(text, f"{place}.message.coefexps[{k}]") for k, text in enumerate(texts)]
        )
        signed.verify(group, signers[index], "coefexps", place)
        place = f"{where}.signatures[{index}]"
        agreed = encoding.dump_text({"certs": signed_certificates, "coefexps": texts})
        verify_message(
            group,
            signers[index],
            f"certs_sig|{agreed}",
            walk_proof(signatures[index], place).read(group.order),
            "certificates_signature",
            place,
        )

    verification_keys = []
    for index, item in enumerate(keys):
        place = f"{where}.verification_keys[{index}]"
        public, signature = _read_key_with_proof(group, item, place, signed=True)
        if public != _evaluate(group, commitments, index + 1):
            raise VerificationError(
                "verification_key", place, "not what the trustees' commitments give"
            )
        verify_message(
            group,
            signers[index],
            public.text,
            signature,
            "verification_key_signature",
            f"{place}.signature",
        )
        verification_keys.append(public)
    public_key = group.product([row[0] for row in commitments])
    return Pedersen(public_key, threshold, tuple(verification_keys))


def _verify_certificate(
    group: Group, signed: _Signed, threshold: int, size: int, index: int, where: str
) -> Element:
    """Verify one certificate and return the key that it certifies for signing."""
    inner = f"{where}.message"
    message = encoding.fields(signed.value, ("context", "verification", "encryption"), inner)
    context = encoding.fields(
        message["context"], ("group", "size", "threshold", "index"), f"{inner}.context"
    )
    expected = {"group": group.name, "size": size, "threshold": threshold, "index": index}
    if context != expected or any(type(context[n]) is not type(expected[n]) for n in expected):
        raise VerificationError("certificate", f"{inner}.context", "not this ceremony's context")
    signer = group.decode(
        encoding.string(message["verification"], f"{inner}.verification"), f"{inner}.verification"
    )
    group.decode(
        encoding.string(message["encryption"], f"{inner}.encryption"), f"{inner}.encryption"
    )
    signed.verify(group, signer, "certificate", where)
    return signer


def _evaluate(group: Group, commitments: Sequence[Sequence[Element]], index: int) -> Element:
    """g^(f(index)) from the commitments of all polynomials, f being their sum."""
    powers = [pow(index, k, group.order) for k in range(len(commitments[0]))]
    return group.product(
        [
            group.power(commitment, power)
            for row in commitments
            for commitment, power in zip(row, powers, strict=True)
        ]
    )
