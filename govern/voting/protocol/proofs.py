"""Zero-knowledge proofs: Schnorr proofs and disjunctions over ElGamal ciphertexts.

Every proof is a challenge and a response with response = w − secret · challenge, so a verifier
recomputes the commitment as g^response · X^challenge (specification 4.5, 4.12 to 4.14). What is
hashed always begins with a label and the full context; there is no hash input of our own making.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from . import encoding
from .errors import VerificationError
from .groups import Element, FixedBase, Group, ScalarSource


class Proof(NamedTuple):
    """A challenge and a response, both reduced modulo q."""

    challenge: int
    response: int

    def message(self) -> dict[str, str]:
        """The proof as it stands in a message."""
        return {"challenge": str(self.challenge), "response": str(self.response)}


class Ciphertext(NamedTuple):
    """(α, β) = (g^r, y^r · g^m)"""

    alpha: Element
    beta: Element

    def message(self) -> dict[str, str]:
        """The ciphertext as it stands in a message."""
        return {"alpha": self.alpha.text, "beta": self.beta.text}

    @property
    def text(self) -> str:
        """`α,β`, as in hash inputs."""
        return f"{self.alpha.text},{self.beta.text}"


class UnreadProof(NamedTuple):
    """A proof whose fields are in place but whose scalars have not been decoded yet."""

    challenge: str
    response: str
    where: str

    def read(self, order: int) -> Proof:
        """Decode both scalars. Raises `EncodingError`, step `scalar`."""
        return Proof(
            encoding.scalar(self.challenge, order, f"{self.where}.challenge"),
            encoding.scalar(self.response, order, f"{self.where}.response"),
        )


def walk_proof(value: Any, where: str) -> UnreadProof:
    """Check the fields of a proof."""
    message = encoding.fields(value, ("challenge", "response"), where)
    return UnreadProof(
        encoding.string(message["challenge"], f"{where}.challenge"),
        encoding.string(message["response"], f"{where}.response"),
        where,
    )


def prove_knowledge(group: Group, label: str, secret: int, source: ScalarSource) -> Proof:
    """Prove knowledge of `secret`; the challenge is the hash of `label` and g^w."""
    w = source()
    commitment = group.power_secret(group.generator, w)
    challenge = group.hash_to_scalar(label + commitment.text)
    return Proof(challenge, (w - secret * challenge) % group.order)


def verify_knowledge(
    group: Group, label: str, public: Element, proof: Proof, step: str, where: str
) -> None:
    """Verify a proof of `prove_knowledge`. Raises `VerificationError` naming `step`."""
    commitment = group.multiply(
        group.fixed_generator.power(proof.response), group.power(public, proof.challenge)
    )
    if group.hash_to_scalar(label + commitment.text) != proof.challenge:
        raise VerificationError(step, where, "the proof does not hold")


class Opening(NamedTuple):
    """What the prover knows about one branch: the randomness and plaintext of its ciphertext."""

    randomness: int
    plaintext: int
    claimed: int
    """The value M that this branch claims."""


class Branch(NamedTuple):
    """What a verifier knows about one branch: the ciphertext and the value M it claims."""

    ciphertext: Ciphertext
    claimed: int


def prove_disjunction(
    group: Group,
    key: FixedBase,
    label: str,
    openings: Sequence[Opening],
    true_index: int,
    source: ScalarSource,
) -> list[Proof]:
    """Prove that one of the branches encrypts the value it claims (specification 4.12, 4.13).

    `label` is everything hashed before the commitments. Since the randomness of every ciphertext
    is known, the commitments of a simulated branch need only powers of g and y: A = g^k and
    B = y^k · g^((m − M)·challenge) with k = response + r·challenge.
    """
    proofs: list[Proof | None] = []
    commitments: list[str] = []
    generator = group.fixed_generator
    for index, opening in enumerate(openings):
        if index == true_index:
            proofs.append(None)
            commitments.append("")
            continue
        proof = Proof(source(), source())
        k = proof.response + opening.randomness * proof.challenge
        commitment_b = key.power(k)
        if opening.plaintext != opening.claimed:
            offset = (opening.plaintext - opening.claimed) * proof.challenge
            commitment_b = group.multiply(commitment_b, generator.power(offset))
        proofs.append(proof)
        commitments.append(f"{generator.power(k).text},{commitment_b.text}")
    w = source()
    commitments[true_index] = f"{generator.power(w).text},{key.power(w).text}"
    total = group.hash_to_scalar(label + ",".join(commitments))
    challenge = (total - sum(p.challenge for p in proofs if p is not None)) % group.order
    response = (w - openings[true_index].randomness * challenge) % group.order
    return [Proof(challenge, response) if proof is None else proof for proof in proofs]


def verify_disjunction(
    group: Group,
    key: FixedBase,
    label: str,
    branches: Sequence[Branch],
    proofs: Sequence[Proof],
    step: str,
    where: str,
) -> None:
    """Verify a proof of `prove_disjunction`. Raises `VerificationError` naming `step`."""
    if len(branches) != len(proofs):
        raise VerificationError(step, where, "one proof per branch is expected")
    shared: dict[int, list[int]] = {}
    for index, branch in enumerate(branches):
        shared.setdefault(id(branch.ciphertext), []).append(index)
    commitments = [""] * len(branches)
    generator = group.fixed_generator
    for indices in shared.values():
        alpha, beta = branches[indices[0]].ciphertext
        challenges = [proofs[index].challenge for index in indices]
        alphas = group.powers(alpha, challenges)
        betas = group.powers(beta, challenges)
        for index, alpha_power, beta_power in zip(indices, alphas, betas, strict=True):
            challenge, response = proofs[index]
            commitment_a = group.multiply(generator.power(response), alpha_power)
            commitment_b = group.multiply(key.power(response), beta_power)
            claimed = branches[index].claimed
            if claimed:
                commitment_b = group.multiply(commitment_b, generator.power(-claimed * challenge))
            commitments[index] = f"{commitment_a.text},{commitment_b.text}"
    total = group.hash_to_scalar(label + ",".join(commitments))
    if total != sum(proof.challenge for proof in proofs) % group.order:
        raise VerificationError(step, where, "the proof does not hold")
