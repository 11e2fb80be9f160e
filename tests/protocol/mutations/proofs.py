"""Ballots whose proofs do not hold, made as well as a cheat can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from holding import HeldElection, Randomness

from govern.voting.protocol import ballots
from govern.voting.protocol.credentials import derive_credential
from govern.voting.protocol.elections import Election
from govern.voting.protocol.groups import Group
from govern.voting.protocol.proofs import prove_disjunction
from govern.voting.protocol.questions import Question
from mutations.refused import Message, Refused, signed


class _AnyQuestion(Question):
    """A question whose voter cheats: any plaintext is encrypted."""

    def check_plaintext(self, plaintext: Sequence[int], where: str) -> None:
        """Allow everything."""


def cheating(election: Election, **changes: dict[int, Any]) -> Election:
    """The same election for a voter who pretends that the questions are others."""
    questions = tuple(
        _AnyQuestion(
            **{
                "text": question.text,
                "answers": question.answers,
                "minimum": question.minimum,
                "maximum": question.maximum,
                "blank": question.blank,
                **{name: values[index] for name, values in changes.items() if index in values},
            }
        )
        for index, question in enumerate(election.questions)
    )
    return replace(election, questions=questions)


def _weakened(transform: Callable[[str], str]) -> Callable[..., Any]:
    def prove(group: Group, key: Any, label: str, *rest: Any) -> Any:
        return prove_disjunction(group, key, transform(label), *rest)

    return prove


def refused_proofs(
    held: HeldElection,
    other: HeldElection,
    base: Message,
    changed: Callable[..., bytes],
    add_one: Callable[[Message, str], None],
    source: Randomness,
) -> Iterator[Refused]:
    group, election = held.group, held.election
    voter, second = (derive_credential(group, election.uuid, code) for code in held.codes[:2])
    answers = len(base["answers"])
    for number in range(answers):
        for kind, step in (
            ("individual_proofs", "individual_proof"),
            ("blank_proof", "blank_proof"),
            ("overall_proof", "overall_proof"),
        ):
            if kind not in base["answers"][number]:
                continue
            for name in ("challenge", "response"):

                def change(m: Message, n: int = number, k: str = kind, f: str = name) -> None:
                    proofs = m["answers"][n][k]
                    add_one(proofs[-1][-1] if k == "individual_proofs" else proofs[-1], f)

                yield Refused(
                    f"a {name} of answer {number}'s {kind} changed", step, changed(change)
                )

    def move_challenge(m: Message) -> None:
        # The sum of the challenges stays right; the commitments do not.
        left, right = m["answers"][0]["overall_proof"][:2]
        left["challenge"], right["challenge"] = right["challenge"], left["challenge"]

    yield Refused("two challenges exchanged", "overall_proof", changed(move_challenge))
    yield Refused(
        "two answers exchanged within a question",
        "individual_proof",
        changed(lambda m: m["answers"][1]["choices"].reverse()),
    )

    def swap_with_proofs(m: Message) -> None:
        m["answers"][1]["choices"].reverse()
        m["answers"][1]["individual_proofs"].reverse()

    yield Refused(
        "two answers exchanged with their proofs", "overall_proof", changed(swap_with_proofs)
    )

    def rerandomise(m: Message) -> None:
        choice = m["answers"][0]["choices"][0]
        r = source()
        alpha, beta = (group.decode(choice[name]) for name in ("alpha", "beta"))
        choice["alpha"] = group.multiply(alpha, group.power(group.generator, r)).text
        choice["beta"] = group.multiply(beta, group.power(election.public_key, r)).text

    yield Refused("a re-randomised ciphertext", "individual_proof", changed(rerandomise))

    def take_key(m: Message) -> None:
        m["answers"][0]["choices"][0]["beta"] = election.public_key.text

    yield Refused("beta replaced by the key", "individual_proof", changed(take_key))

    copied = {**base, "credential": second.public.text}
    yield Refused(
        "answers copied under another credential",
        "individual_proof",
        signed(group, copied, second, source),
    )
    foreign = json.loads(
        ballots.seal_ballot(other.election, other.codes[0], [[0, 1, 0], [0, 1]], source).data
    )
    yield Refused(
        "another election's answers in a ballot of this one",
        "individual_proof",
        changed(lambda m: m.update(answers=foreign["answers"])),
    )

    def cheat(plaintexts: list[list[int]], **changes: dict[int, Any]) -> bytes:
        return ballots.seal_ballot(cheating(election, **changes), voter, plaintexts, source).data

    yield Refused(
        "two answers where one is allowed",
        "overall_proof",
        cheat([[0, 1, 1], [0, 1]], minimum={0: 2}, maximum={0: 2}),
    )
    yield Refused(
        "no answer and no blank where one is asked",
        "overall_proof",
        cheat([[0, 0, 0], [0, 1]], minimum={0: 0}, maximum={0: 0}),
    )
    yield Refused(
        "two answers where at most one is allowed",
        "overall_proof",
        cheat([[0, 1, 0], [1, 1]], minimum={1: 1}, maximum={1: 2}),
    )
    yield Refused("blank together with an answer", "blank_proof", cheat([[1, 1, 0], [0, 0]]))
    yield Refused("a vote that weighs two", "individual_proof", _double_vote(held, source))

    def drop_context(label: str) -> str:
        kind, _, rest = label.partition("|")
        return f"{kind}||{rest.split('|', 2)[2]}"

    weak: list[tuple[str, str, Callable[[str], str]]] = [
        ("the context left out of the hashes", "individual_proof", drop_context),
        (
            "the credential left out of the hashes",
            "individual_proof",
            lambda label: label.replace(voter.public.text, ""),
        ),
        (
            "the fingerprint left out of the hashes",
            "individual_proof",
            lambda label: label.replace(election.fingerprint, ""),
        ),
        (
            "the ciphertext left out of the hashes",
            "individual_proof",
            lambda label: label[: label.rindex("|", 0, -1) + 1],
        ),
        (
            "the choices left out of the hash of the overall proof",
            "overall_proof",
            lambda label: (
                "|".join([*label.split("|")[:3], *label.split("|")[4:]])
                if label.startswith("bproof1") or label.count("|") > 4
                else label
            ),
        ),
        (
            "the choices left out of the hash of the blank proof",
            "blank_proof",
            lambda label: (
                "|".join([*label.split("|")[:3], *label.split("|")[4:]])
                if label.startswith("bproof0")
                else label
            ),
        ),
    ]
    for note, step, transform in weak:
        with patch.object(ballots, "prove_disjunction", _weakened(transform)):
            data = ballots.seal_ballot(election, voter, [[0, 1, 0], [0, 1]], source).data
        yield Refused(note, step, data)


def _double_vote(held: HeldElection, source: Randomness) -> bytes:
    """An answer encrypted as 2, with proofs as good as a cheat can make them."""
    group, election = held.group, held.election
    voter = derive_credential(group, election.uuid, held.codes[0])
    message = json.loads(ballots.seal_ballot(election, voter, [[0, 1, 0], [0, 1]], source).data)
    choice = message["answers"][0]["choices"][1]
    choice["beta"] = group.multiply(group.decode(choice["beta"]), group.generator).text
    return signed(group, message, voter, source)
