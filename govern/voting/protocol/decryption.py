"""From the box to the result: the encrypted tally, partial decryptions, the result.

The tally is the product of the ciphertexts of the *last* ballot of each credential. Here, and
only here, the identity is a legal element: an empty box decrypts to zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from . import encoding
from .ballots import Choices, read_accepted_choices, walk_ciphertext
from .elections import Election
from .errors import VerificationError
from .groups import Element, ScalarSource
from .proofs import Ciphertext, Proof, walk_proof
from .trustees import Trustees


class RunningTally:
    """The running product of the ciphertexts per question, so that closing is cheap.

    `add` a checked ballot, `remove` the one that it replaces. It is recomputed from the box
    before anything is published (protocol.md): this is a cache, not an authority.
    """

    def __init__(self, election: Election) -> None:
        self._election = election
        identity = Ciphertext(election.group.identity, election.group.identity)
        self.count = 0
        self.ciphertexts: list[list[Ciphertext]] = [[identity] * n for n in election.shape]

    def add(self, choices: Choices) -> None:
        """Multiply a ballot's ciphertexts in."""
        multiply = self._election.group.multiply
        self.ciphertexts = [
            [
                Ciphertext(multiply(left.alpha, right.alpha), multiply(left.beta, right.beta))
                for left, right in zip(row, added, strict=True)
            ]
            for row, added in zip(self.ciphertexts, choices, strict=True)
        ]
        self.count += 1

    def remove(self, choices: Choices) -> None:
        """Divide a replaced ballot's ciphertexts out."""
        divide = self._election.group.divide
        if self.count < 1:
            raise VerificationError("tally", "", "there is no ballot to take out")
        self.ciphertexts = [
            [
                Ciphertext(divide(left.alpha, right.alpha), divide(left.beta, right.beta))
                for left, right in zip(row, removed, strict=True)
            ]
            for row, removed in zip(self.ciphertexts, choices, strict=True)
        ]
        self.count -= 1

    def merge(self, other: RunningTally) -> None:
        """Multiply another tally of the same election in (a part counted elsewhere)."""
        count = self.count + other.count
        self.add(tuple(tuple(row) for row in other.ciphertexts))
        self.count = count

    def encrypted_tally(self) -> bytes:
        """The `encrypted_tally` message."""
        return encoding.dump([[c.message() for c in row] for row in self.ciphertexts])

    def to_bytes(self) -> bytes:
        """A form to store; `from_bytes` reads it back."""
        return b'{"count":%d,"encrypted_tally":%s}' % (self.count, self.encrypted_tally())

    @classmethod
    def from_bytes(cls, election: Election, data: bytes) -> RunningTally:
        """Read our own stored form back (no check of the subgroup)."""
        message = encoding.fields(
            encoding.parse(data, where="running_tally"), ("count", "encrypted_tally"), ""
        )
        tally = cls(election)
        tally.count = encoding.integer(message["count"], "count")
        decode = election.group.decode_trusted
        tally.ciphertexts = [
            [Ciphertext(decode(c["alpha"]), decode(c["beta"])) for c in row]
            for row in message["encrypted_tally"]
        ]
        return tally


def tally_ballots(election: Election, counted: Iterable[tuple[str, bytes]]) -> RunningTally:
    """Recompute the tally from the box: pairs of credential and ballot, the last ballot of each
    credential only, each accepted earlier by `check_ballot`. A credential twice is refused."""
    tally = RunningTally(election)
    seen: set[str] = set()
    for credential, data in counted:
        if credential in seen:
            raise VerificationError("tally", "", "a credential has two ballots that count")
        seen.add(credential)
        tally.add(read_accepted_choices(election, data))
    return tally


@dataclass(frozen=True)
class EncryptedTally:
    """A read tally. `data` are the bytes as published."""

    data: bytes = field(repr=False)
    ciphertexts: tuple[tuple[Ciphertext, ...], ...] = field(repr=False)


def read_encrypted_tally(election: Election, data: bytes) -> EncryptedTally:
    """Read an encrypted tally strictly; the identity is legal."""
    limit = 1000 + sum(election.shape) * (2 * election.group.element_text_length + 40)
    rows = encoding.array(
        encoding.parse(data, where="encrypted_tally", limit=limit),
        "encrypted_tally",
        len(election.shape),
    )
    decode = election.group.decode_or_identity
    ciphertexts = []
    for number, (row, length) in enumerate(zip(rows, election.shape, strict=True)):
        place = f"encrypted_tally[{number}]"
        pairs = [
            walk_ciphertext(item, f"{place}[{index}]")
            for index, item in enumerate(encoding.array(row, place, length))
        ]
        ciphertexts.append(
            tuple(
                Ciphertext(
                    decode(alpha, f"{place}[{index}].alpha"), decode(beta, f"{place}[{index}].beta")
                )
                for index, (alpha, beta) in enumerate(pairs)
            )
        )
    return EncryptedTally(data, tuple(ciphertexts))


def make_sized_tally(num_tallied: int, encrypted_tally: bytes) -> bytes:
    """The payload of the `EncryptedTally` event; every ballot weighs one."""
    return encoding.dump(
        {
            "num_tallied": num_tallied,
            "total_weight": num_tallied,
            "encrypted_tally": encoding.sha256_hex(encrypted_tally),
        }
    )


@dataclass(frozen=True)
class SizedTally:
    """The payload of the `EncryptedTally` event."""

    num_tallied: int
    total_weight: int
    encrypted_tally: str


def read_sized_tally(data: bytes) -> SizedTally:
    """Read the payload of the `EncryptedTally` event."""
    where = "sized_encrypted_tally"
    message = encoding.fields(
        encoding.parse(data, where=where, limit=500),
        ("num_tallied", "total_weight", "encrypted_tally"),
        where,
    )
    return SizedTally(
        encoding.integer(message["num_tallied"], f"{where}.num_tallied"),
        encoding.integer(message["total_weight"], f"{where}.total_weight"),
        encoding.hexadecimal_hash(message["encrypted_tally"], f"{where}.encrypted_tally"),
    )


@dataclass(frozen=True)
class PartialDecryption:
    """A verified partial decryption. `data` are the bytes as received."""

    data: bytes = field(repr=False)
    owner: int
    factors: tuple[tuple[Element, ...], ...] = field(repr=False)


def make_partial_decryption(
    election: Election,
    tally: EncryptedTally,
    private: int,
    source: ScalarSource | None = None,
) -> bytes:
    """Decrypt with one trustee's key and prove it (specification 4.18)."""
    group = election.group
    source = source or group.random_scalar
    public = group.power_secret(group.generator, private)
    label = f"decrypt|{election.fingerprint}|{public.text}|"
    factors = []
    proofs = []
    for row in tally.ciphertexts:
        factors.append([group.power_secret(c.alpha, private).text for c in row])
        row_proofs = []
        for ciphertext in row:
            w = source()
            commitment_a = group.power_secret(group.generator, w)
            commitment_b = group.power_secret(ciphertext.alpha, w)
            challenge = group.hash_to_scalar(f"{label}{commitment_a.text},{commitment_b.text}")
            proof = Proof(challenge, (w - private * challenge) % group.order)
            row_proofs.append(proof.message())
        proofs.append(row_proofs)
    return encoding.dump({"decryption_factors": factors, "decryption_proofs": proofs})


def check_partial_decryption(
    election: Election, trustees: Trustees, tally: EncryptedTally, owner: int, data: bytes
) -> PartialDecryption:
    """Verify what the trustee `owner` sent. Raises naming the step.

    The tally is the one recomputed from the box, never one that came with the message.
    """
    keys = trustees.verification_keys
    if not 1 <= owner <= len(keys):
        raise VerificationError("owner", "owner", f"there is no trustee number {owner}")
    public = keys[owner - 1]
    group = election.group
    limit = 1000 + sum(election.shape) * (
        group.element_text_length + 2 * len(str(group.order)) + 60
    )
    where = "partial_decryption"
    message = encoding.fields(
        encoding.parse(data, where=where, limit=limit),
        ("decryption_factors", "decryption_proofs"),
        where,
    )
    shape = election.shape
    factor_rows = encoding.array(message["decryption_factors"], "decryption_factors", len(shape))
    proof_rows = encoding.array(message["decryption_proofs"], "decryption_proofs", len(shape))
    texts = []
    unread = []
    for number, length in enumerate(shape):
        place = f"decryption_factors[{number}]"
        texts.append(
            [
                encoding.string(text, f"{place}[{index}]")
                for index, text in enumerate(encoding.array(factor_rows[number], place, length))
            ]
        )
        place = f"decryption_proofs[{number}]"
        unread.append(
            [
                walk_proof(proof, f"{place}[{index}]")
                for index, proof in enumerate(encoding.array(proof_rows[number], place, length))
            ]
        )
    proofs = [[proof.read(group.order) for proof in row] for row in unread]
    factors = tuple(
        tuple(
            group.decode_or_identity(text, f"decryption_factors[{number}][{index}]")
            for index, text in enumerate(row)
        )
        for number, row in enumerate(texts)
    )
    label = f"decrypt|{election.fingerprint}|{public.text}|"
    for number, row in enumerate(tally.ciphertexts):
        for index, ciphertext in enumerate(row):
            challenge, response = proofs[number][index]
            commitment_a = group.multiply(
                group.fixed_generator.power(response), group.power(public, challenge)
            )
            commitment_b = group.multiply(
                group.power(ciphertext.alpha, response),
                group.power(factors[number][index], challenge),
            )
            text = f"{label}{commitment_a.text},{commitment_b.text}"
            if group.hash_to_scalar(text) != challenge:
                raise VerificationError(
                    "decryption_proof",
                    f"decryption_proofs[{number}][{index}]",
                    "the proof does not hold",
                )
    return PartialDecryption(data, owner, factors)


def make_owned(owner: int, payload: bytes) -> bytes:
    """The payload of a `PartialDecryption` event."""
    return encoding.dump({"owner": owner, "payload": encoding.sha256_hex(payload)})


def read_owned(data: bytes) -> tuple[int, str]:
    """Read the payload of a `PartialDecryption` event: owner and hash of the decryption."""
    where = "owned_partial_decryption"
    message = encoding.fields(
        encoding.parse(data, where=where, limit=300), ("owner", "payload"), where
    )
    return (
        encoding.integer(message["owner"], f"{where}.owner", 1),
        encoding.hexadecimal_hash(message["payload"], f"{where}.payload"),
    )


class _Logarithms:
    """Discrete logarithms to base g in [0, bound], by baby steps and giant steps: about
    2·√bound products for the first, √bound for each further one."""

    def __init__(self, election: Election, bound: int) -> None:
        self._group = group = election.group
        self._bound = bound
        self._step = math.isqrt(bound) + 1
        self._table: dict[Element, int] = {}
        element = group.identity
        for exponent in range(self._step):
            self._table[element] = exponent
            element = group.multiply(element, group.generator)
        self._giant = element

    def of(self, element: Element, where: str) -> int:
        for giant in range(self._step + 1):
            baby = self._table.get(element)
            if baby is not None and giant * self._step + baby <= self._bound:
                return giant * self._step + baby
            element = self._group.divide(element, self._giant)
        raise VerificationError("result", where, f"no number up to {self._bound} fits")


Result = tuple[tuple[int, ...], ...]
"""Votes per answer, question by question; where blank is allowed the blanks come first."""


def compute_result(
    election: Election,
    trustees: Trustees,
    tally: EncryptedTally,
    total_weight: int,
    decryptions: Sequence[PartialDecryption],
) -> Result:
    """Combine verified partial decryptions into the result (specification 4.19).

    `total_weight` bounds every number. Raises `VerificationError` (`quorum` when trustees are
    missing, `owner` for a trustee twice, `result` when no number fits).
    """
    factors: Mapping[int, Sequence[Sequence[Element]]] = {
        decryption.owner: decryption.factors for decryption in decryptions
    }
    if len(factors) != len(decryptions):
        raise VerificationError("owner", "", "a trustee decrypted twice")
    combined = trustees.combine(factors)
    logarithms = _Logarithms(election, total_weight)
    return tuple(
        tuple(
            logarithms.of(
                election.group.divide(ciphertext.beta, factor), f"result[{number}][{index}]"
            )
            for index, (ciphertext, factor) in enumerate(zip(row, factor_row, strict=True))
        )
        for number, (row, factor_row) in enumerate(zip(tally.ciphertexts, combined, strict=True))
    )


def make_result(result: Result) -> bytes:
    """The payload of the `Result` event."""
    return encoding.dump({"result": [list(row) for row in result]})


def read_result(election: Election, data: bytes) -> Result:
    """Read the payload of the `Result` event."""
    limit = 1000 + 30 * sum(election.shape)
    message = encoding.fields(
        encoding.parse(data, where="result", limit=limit), ("result",), "result"
    )
    rows = encoding.array(message["result"], "result", len(election.shape))
    return tuple(
        tuple(
            encoding.integer(item, f"result[{number}][{index}]")
            for index, item in enumerate(encoding.array(row, f"result[{number}]", length))
        )
        for number, (row, length) in enumerate(zip(rows, election.shape, strict=True))
    )
