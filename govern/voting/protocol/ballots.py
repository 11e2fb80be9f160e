"""Ballots: sealed in the voter's hands, checked by everyone (specification 4.11 to 4.15).

Sealing has two acts. `encrypt_ballot` makes the ballot without its signature and fixes the hash
to be signed; `sign_ballot` signs it. A ballot that is opened for checking is never signed.

Rules upheld here: `check_ballot` refuses at the first step that does not hold, in the order of
`tests/protocol/VECTORS.md`, and the signature comes before the costly proofs, so that somebody
without a credential makes the server do little work. The proofs' context holds φ and the public
credential: answers copied under another credential, or from another election, fail.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import encoding
from .credentials import Credential, derive_credential
from .elections import Election
from .errors import EncodingError, VerificationError
from .groups import Element, Group, ScalarSource
from .proofs import (
    Branch,
    Ciphertext,
    Opening,
    Proof,
    UnreadProof,
    prove_disjunction,
    prove_knowledge,
    verify_disjunction,
    verify_knowledge,
    walk_proof,
)
from .questions import Question

Choices = tuple[tuple[Ciphertext, ...], ...]
"""The ciphertexts of a ballot, question by question."""


@dataclass(frozen=True)
class UnsignedBallot:
    """A ballot before it is signed. `randomness` opens it: it leaves the voter's device only
    when the voter chooses to check this ballot instead of casting it."""

    data: bytes = field(repr=False)
    hash: str
    plaintexts: tuple[tuple[int, ...], ...] = field(repr=False)
    randomness: tuple[tuple[int, ...], ...] = field(repr=False)


@dataclass(frozen=True)
class SealedBallot:
    """A signed ballot, ready to be sent."""

    data: bytes = field(repr=False)
    tracker: str


@dataclass(frozen=True)
class CheckedBallot:
    """A ballot that passed every check; nothing else may enter the box."""

    data: bytes = field(repr=False)
    credential: str
    tracker: str
    payload: str
    """SHA-256 in hexadecimal: the ballot's name in the archive."""
    choices: Choices = field(repr=False)


def _sum(group: Group, ciphertexts: Sequence[Ciphertext]) -> Ciphertext:
    return Ciphertext(
        group.product([c.alpha for c in ciphertexts]), group.product([c.beta for c in ciphertexts])
    )


def _encrypt_answer(
    election: Election,
    question: Question,
    context: str,
    plaintext: Sequence[int],
    source: ScalarSource,
) -> tuple[dict[str, Any], tuple[int, ...]]:
    group, key = election.group, election.fixed_public_key
    q = group.order
    randomness = tuple(source() for _ in plaintext)
    choices = []
    for r, m in zip(randomness, plaintext, strict=True):
        beta = key.power(r)
        if m:
            beta = group.multiply(beta, group.generator)
        choices.append(Ciphertext(group.fixed_generator.power(r), beta))
    individual = [
        prove_disjunction(
            group,
            key,
            f"prove|{context}|{choice.text}|",
            (Opening(r, m, 0), Opening(r, m, 1)),
            m,
            source,
        )
        for choice, r, m in zip(choices, randomness, plaintext, strict=True)
    ]
    extended = f"{context}|{','.join(choice.text for choice in choices)}"
    start = int(question.blank)
    total_randomness = sum(randomness[start:]) % q
    chosen = sum(plaintext[start:])
    interval = [
        Opening(total_randomness, chosen, value)
        for value in range(question.minimum, question.maximum + 1)
    ]
    message: dict[str, Any] = {
        "choices": [choice.message() for choice in choices],
        "individual_proofs": [[proof.message() for proof in proofs] for proofs in individual],
    }
    if question.blank:
        r0, m0 = randomness[0], plaintext[0]
        blank_proof = prove_disjunction(
            group,
            key,
            f"bproof0|{extended}|",
            (Opening(r0, m0, 0), Opening(total_randomness, chosen, 0)),
            m0,
            source,
        )
        overall = prove_disjunction(
            group,
            key,
            f"bproof1|{extended}|",
            [Opening(r0, m0, 1), *interval],
            0 if m0 else 1 + chosen - question.minimum,
            source,
        )
        message["overall_proof"] = [proof.message() for proof in overall]
        message["blank_proof"] = [proof.message() for proof in blank_proof]
    else:
        total = _sum(group, choices)
        overall = prove_disjunction(
            group,
            key,
            f"prove|{extended}|{total.text}|",
            interval,
            chosen - question.minimum,
            source,
        )
        message["overall_proof"] = [proof.message() for proof in overall]
    return message, randomness


def encrypt_ballot(
    election: Election,
    credential: Element,
    plaintexts: Sequence[Sequence[int]],
    source: ScalarSource | None = None,
) -> UnsignedBallot:
    """Encrypt the choices under a *public* credential and prove them valid.

    `plaintexts` has one sequence of zeros and ones per question, blank first where allowed.
    Raises `VerificationError` (step `plaintext`) for a choice that the question does not allow.
    """
    source = source or election.group.random_scalar
    if len(plaintexts) != len(election.questions):
        raise VerificationError("plaintext", "", "one choice per question is expected")
    for index, (question, plaintext) in enumerate(zip(election.questions, plaintexts, strict=True)):
        question.check_plaintext(plaintext, f"plaintexts[{index}]")
    context = f"{election.fingerprint}|{credential.text}"
    answers = []
    randomness = []
    for question, plaintext in zip(election.questions, plaintexts, strict=True):
        answer, used = _encrypt_answer(election, question, context, plaintext, source)
        answers.append(answer)
        randomness.append(used)
    data = encoding.dump(
        {
            "election_uuid": election.uuid,
            "election_hash": election.fingerprint,
            "credential": credential.text,
            "answers": answers,
        }
    )
    return UnsignedBallot(
        data,
        encoding.sha256_base64(data),
        tuple(tuple(plaintext) for plaintext in plaintexts),
        tuple(randomness),
    )


def sign_ballot(
    group: Group, ballot: UnsignedBallot, private: int, source: ScalarSource | None = None
) -> SealedBallot:
    """Sign with the private credential (specification 4.14)."""
    proof = prove_knowledge(group, f"sig|{ballot.hash}|", private, source or group.random_scalar)
    signature = encoding.dump({"hash": ballot.hash, "proof": proof.message()})
    data = ballot.data[:-1] + b',"signature":' + signature + b"}"
    return SealedBallot(data, encoding.sha256_base64(data))


def seal_ballot(
    election: Election,
    credential: Credential | str,
    plaintexts: Sequence[Sequence[int]],
    source: ScalarSource | None = None,
) -> SealedBallot:
    """Encrypt and sign in one go, from a credential or its code."""
    if isinstance(credential, str):
        credential = derive_credential(election.group, election.uuid, credential)
    unsigned = encrypt_ballot(election, credential.public, plaintexts, source)
    return sign_ballot(election.group, unsigned, credential.private, source)


class _UnreadAnswer(NamedTuple):
    choices: list[tuple[str, str]]
    individual_proofs: list[list[UnreadProof]]
    overall_proof: list[UnreadProof]
    blank_proof: list[UnreadProof]


def _walk_proofs(value: Any, where: str, length: int) -> list[UnreadProof]:
    return [
        walk_proof(item, f"{where}[{index}]")
        for index, item in enumerate(encoding.array(value, where, length))
    ]


def walk_ciphertext(value: Any, where: str) -> tuple[str, str]:
    """Check the fields of a ciphertext."""
    message = encoding.fields(value, ("alpha", "beta"), where)
    return (
        encoding.string(message["alpha"], f"{where}.alpha"),
        encoding.string(message["beta"], f"{where}.beta"),
    )


def _walk_answer(question: Question, value: Any, where: str) -> _UnreadAnswer:
    names = ["choices", "individual_proofs", "overall_proof"]
    if question.blank:
        names.append("blank_proof")
    message = encoding.fields(value, names, where)
    count = question.ciphertext_count
    choices = encoding.array(message["choices"], f"{where}.choices", count)
    individual = encoding.array(message["individual_proofs"], f"{where}.individual_proofs", count)
    return _UnreadAnswer(
        [
            walk_ciphertext(choice, f"{where}.choices[{index}]")
            for index, choice in enumerate(choices)
        ],
        [
            _walk_proofs(proofs, f"{where}.individual_proofs[{index}]", 2)
            for index, proofs in enumerate(individual)
        ],
        _walk_proofs(message["overall_proof"], f"{where}.overall_proof", question.branch_count),
        _walk_proofs(message["blank_proof"], f"{where}.blank_proof", 2) if question.blank else [],
    )


def _check_answer(
    election: Election,
    question: Question,
    context: str,
    choices: tuple[Ciphertext, ...],
    individual_proofs: list[list[Proof]],
    overall_proof: list[Proof],
    blank_proof: list[Proof],
    where: str,
) -> None:
    group, key = election.group, election.fixed_public_key
    for index, (choice, proofs) in enumerate(zip(choices, individual_proofs, strict=True)):
        verify_disjunction(
            group,
            key,
            f"prove|{context}|{choice.text}|",
            (Branch(choice, 0), Branch(choice, 1)),
            proofs,
            "individual_proof",
            f"{where}.individual_proofs[{index}]",
        )
    extended = f"{context}|{','.join(choice.text for choice in choices)}"
    total = _sum(group, choices[int(question.blank) :])
    interval = [Branch(total, value) for value in range(question.minimum, question.maximum + 1)]
    if question.blank:
        blank = choices[0]
        verify_disjunction(
            group,
            key,
            f"bproof0|{extended}|",
            (Branch(blank, 0), Branch(total, 0)),
            blank_proof,
            "blank_proof",
            f"{where}.blank_proof",
        )
        label, branches = f"bproof1|{extended}|", [Branch(blank, 1), *interval]
    else:
        label, branches = f"prove|{extended}|{total.text}|", interval
    verify_disjunction(
        group, key, label, branches, overall_proof, "overall_proof", f"{where}.overall_proof"
    )


_BALLOT_FIELDS = ("election_uuid", "election_hash", "credential", "answers", "signature")


def check_ballot(election: Election, data: bytes, credentials: Container[str]) -> CheckedBallot:
    """Check everything about a ballot that can be checked without the box.

    `credentials` holds the texts of the public credentials. Raises `EncodingError` or
    `VerificationError` at the first step that does not hold. Whether the same ballot is in the
    box already is the box's question, not this function's.
    """
    group = election.group
    value = encoding.parse(data, where="ballot", limit=election.maximum_ballot_bytes)
    ballot = encoding.fields(value, _BALLOT_FIELDS, "ballot")
    uuid = encoding.string(ballot["election_uuid"], "election_uuid")
    fingerprint = encoding.string(ballot["election_hash"], "election_hash")
    credential = encoding.string(ballot["credential"], "credential")
    answers = [
        _walk_answer(question, answer, f"answers[{index}]")
        for index, (question, answer) in enumerate(
            zip(
                election.questions,
                encoding.array(ballot["answers"], "answers", len(election.questions)),
                strict=True,
            )
        )
    ]
    signature = encoding.fields(ballot["signature"], ("hash", "proof"), "signature")
    signed_hash = encoding.string(signature["hash"], "signature.hash")
    unread_signature = walk_proof(signature["proof"], "signature.proof")

    q = group.order
    proofs = [
        (
            [[proof.read(q) for proof in pair] for pair in answer.individual_proofs],
            [proof.read(q) for proof in answer.overall_proof],
            [proof.read(q) for proof in answer.blank_proof],
        )
        for answer in answers
    ]
    signature_proof = unread_signature.read(q)

    if uuid != election.uuid:
        raise VerificationError("election_uuid", "election_uuid", "this is another election's")
    if fingerprint != election.fingerprint:
        raise VerificationError("election_hash", "election_hash", "this is another election's")
    if credential not in credentials:
        raise VerificationError("credential", "credential", "not on the list of this election")
    try:
        public = group.decode(credential, "credential")
    except EncodingError as error:
        raise VerificationError("credential", "credential", error.detail) from error

    # Canonical JSON with the fields in order: the unsigned ballot is a prefix of the bytes.
    unsigned = data[: -len(encoding.dump(signature)) - len(b',"signature":}')] + b"}"
    if signed_hash != encoding.sha256_base64(unsigned):
        raise VerificationError(
            "signature_hash", "signature.hash", "not the hash of the ballot without its signature"
        )
    verify_knowledge(
        group, f"sig|{signed_hash}|", public, signature_proof, "signature", "signature.proof"
    )

    choices = tuple(
        tuple(
            Ciphertext(
                group.decode_for_powers(alpha, f"answers[{number}].choices[{index}].alpha"),
                group.decode_for_powers(beta, f"answers[{number}].choices[{index}].beta"),
            )
            for index, (alpha, beta) in enumerate(answer.choices)
        )
        for number, answer in enumerate(answers)
    )
    context = f"{election.fingerprint}|{credential}"
    for number, (question, ciphertexts, (individual, overall, blank)) in enumerate(
        zip(election.questions, choices, proofs, strict=True)
    ):
        _check_answer(
            election,
            question,
            context,
            ciphertexts,
            individual,
            overall,
            blank,
            f"answers[{number}]",
        )
    for row in choices:
        for choice in row:
            choice.alpha.prepared = choice.beta.prepared = None
    return CheckedBallot(
        data=data,
        credential=credential,
        tracker=encoding.sha256_base64(data),
        payload=encoding.sha256_hex(data),
        choices=choices,
    )


def read_accepted_choices(election: Election, data: bytes) -> Choices:
    """The ciphertexts of a ballot that `check_ballot` accepted earlier (from our own box):
    cheap, nothing is verified again."""
    group = election.group
    return tuple(
        tuple(
            Ciphertext(group.decode_trusted(c["alpha"]), group.decode_trusted(c["beta"]))
            for c in answer["choices"]
        )
        for answer in encoding.parse(data, where="ballot")["answers"]
    )
