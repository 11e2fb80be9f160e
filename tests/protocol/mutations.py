"""Ballots, keys and decryptions that must be refused, each with the step that refuses it.

Where a change would already fail at the signature, the ballot is signed again with its own
credential: an attacker who holds a credential can do that, and the proof itself must refuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from holding import HeldElection, Randomness

from govern.voting.protocol import ballots, encoding
from govern.voting.protocol.credentials import Credential, derive_credential
from govern.voting.protocol.elections import Election
from govern.voting.protocol.groups import Group
from govern.voting.protocol.proofs import prove_disjunction, prove_knowledge
from govern.voting.protocol.questions import Question

Message = dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """Bytes to refuse. `general` ones do not depend on the group."""

    note: str
    step: str
    data: bytes
    general: bool = False


# Encodings ------------------------------------------------------------------------------------

ED25519_SMALL_ORDER = {
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, other sign": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, second": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, third": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, fourth": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}
"""Points of small order, in the RFC 8032 encoding."""


def _reverse(rfc8032: str) -> str:
    return bytes.fromhex(rfc8032)[::-1].hex()


def invalid_elements(group: Group) -> list[tuple[str, str, str]]:
    """(text, reason, note) of texts that are no element."""
    g = group.generator.text
    identity = group.identity.text
    common = [
        ("", "digits", "empty"),
        (f" {g}", "digits", "space in front"),
        (f"{g}\n", "digits", "line feed behind"),
        (f"+{g}", "digits", "sign"),
        (f"0{g}", "digits", "leading zero"),
        (identity, "identity", "the identity"),
    ]
    if group.name == "Ed25519":
        from nacl import bindings as sodium

        p = 2**255 - 19
        sample = group.power(group.generator, 7)
        mixed = [
            (
                sodium.crypto_core_ed25519_add(sample.raw, bytes.fromhex(torsion))[::-1].hex(),
                "torsion",
                f"a good point plus one of {note}",
            )
            for note, torsion in ED25519_SMALL_ORDER.items()
        ]
        return [
            *common,
            (g[:-2], "length", "one byte short"),
            (f"{g}00", "length", "one byte long"),
            (sample.text.upper(), "digits", "upper case"),
            (f"{g[:-1]}g", "digits", "not hexadecimal"),
            (_reverse(sample.text), "curve", "the bytes not reversed"),
            (f"{p:064x}", "canonical", "y = p, which is 0"),
            (f"{p + 1:064x}", "canonical", "y = p + 1, which is 1"),
            (f"{2**255 - 1:064x}", "canonical", "y = 2^255 - 1"),
            (f"{2**255 + 1:064x}", "canonical", "the identity with the sign bit of x = 0"),
            (f"{2**255 + p - 1:064x}", "canonical", "order 2 with the sign bit of x = 0"),
            (f"{2:064x}", "curve", "y = 2 is not on the curve"),
            *((_reverse(text), "torsion", note) for note, text in ED25519_SMALL_ORDER.items()),
            *mixed,
        ]
    from govern.voting.protocol import groups

    p = int(groups._P)
    x = int(groups._G)
    return [
        *common,
        ("0", "range", "zero"),
        (str(p), "range", "the modulus"),
        (str(p + x), "range", "an element plus the modulus"),
        (str(p * 10**300), "range", "far too long"),
        (f"-{x}", "digits", "negative"),
        (hex(x), "digits", "hexadecimal"),
        (str(p - 1), "subgroup", "order 2"),
        (str(p - x), "subgroup", "an element times the one of order 2"),
        ("2", "subgroup", "not in the subgroup"),
        (f"{x}.0", "digits", "a fraction"),
    ]


def invalid_scalars(group: Group) -> list[tuple[str, str]]:
    """(text, reason) of texts that are no scalar."""
    q = group.order
    return [
        (str(q), "range"),
        (str(q + 1), "range"),
        (str(2**256), "range"),
        ("1" + "0" * 90, "range"),
        ("1" + "0" * 5000, "digits"),
        ("", "digits"),
        ("00", "digits"),
        ("01", "digits"),
        ("+1", "digits"),
        ("-1", "digits"),
        ("-0", "digits"),
        (" 1", "digits"),
        ("1 ", "digits"),
        ("1\n", "digits"),
        ("0x1", "digits"),
        ("1e3", "digits"),
        ("1_0", "digits"),
        ("1.0", "digits"),
        ("\u0661", "digits"),
    ]


# Ballots ----------------------------------------------------------------------------------------


def signed(group: Group, message: Message, credential: Credential, source: Randomness) -> bytes:
    """The message with a fresh signature by `credential`."""
    body = {name: value for name, value in message.items() if name != "signature"}
    digest = encoding.sha256_base64(encoding.dump(body))
    proof = prove_knowledge(group, f"sig|{digest}|", credential.private, source)
    return encoding.dump({**body, "signature": {"hash": digest, "proof": proof.message()}})


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


def _swap_fields(message: Message, left: str, right: str) -> Message:
    names = list(message)
    a, b = names.index(left), names.index(right)
    names[a], names[b] = names[b], names[a]
    return {name: message[name] for name in names}


def refused_ballots(held: HeldElection, other: HeldElection) -> Iterator[Refused]:
    """Ballots that `held` must refuse.

    Its questions are: one or blank of two, then none or one of two. `other` is another election
    in the same group with the same questions.
    """
    group, election = held.group, held.election
    q = group.order
    source = Randomness(group, "refused")
    voter, second = (derive_credential(group, election.uuid, code) for code in held.codes[:2])
    plaintexts = [[0, 1, 0], [0, 1]]
    base_data = ballots.seal_ballot(election, voter, plaintexts, source).data
    base: Message = json.loads(base_data)

    def changed(change: Callable[[Message], Any], sign: bool = True) -> bytes:
        message = deepcopy(base)
        change(message)
        return signed(group, message, voter, source) if sign else encoding.dump(message)

    def general(note: str, step: str, data: bytes) -> Refused:
        return Refused(note, step, data, general=True)

    text = base_data.decode()
    yield general("nothing", "encoding", b"")
    yield general("a line feed behind", "encoding", base_data + b"\n")
    yield general("a space in front", "encoding", b" " + base_data)
    yield general("a space inside", "encoding", text.replace(":", ": ", 1).encode())
    yield general("cut short", "encoding", base_data[:-1])
    yield general("garbage behind", "encoding", base_data + b"{}")
    yield general("not UTF-8", "encoding", base_data.replace(b"election_uuid", b"\xff", 1))
    yield general(
        "a field twice",
        "encoding",
        base_data[:-1] + b',"election_uuid":"' + election.uuid.encode() + b'"}',
    )
    yield general(
        "an escape that is not needed", "encoding", text.replace("_uuid", "\\u005fuuid", 1).encode()
    )
    yield general("an array instead", "fields", b"[]")
    yield general("null instead", "fields", b"null")
    yield general("signature missing", "fields", changed(lambda m: m.pop("signature"), False))
    yield general("credential missing", "fields", changed(lambda m: m.pop("credential"), False))
    yield general("an unknown field", "fields", changed(lambda m: m.update(weight=2), False))
    yield general(
        "fields in another order",
        "fields",
        encoding.dump(_swap_fields(base, "election_hash", "credential")),
    )
    yield general(
        "the signature first",
        "fields",
        encoding.dump({"signature": base["signature"], **base}),
    )
    yield general("answers null", "fields", changed(lambda m: m.update(answers=None), False))
    yield general(
        "the credential a number", "fields", changed(lambda m: m.update(credential=1), False)
    )

    def answer(message: Message, index: int) -> Message:
        found: Message = message["answers"][index]
        return found

    yield general(
        "the blank proof missing where blank is allowed",
        "fields",
        changed(lambda m: answer(m, 0).pop("blank_proof")),
    )
    yield general(
        "a blank proof where blank is not allowed",
        "fields",
        changed(lambda m: answer(m, 1).update(blank_proof=answer(m, 0)["blank_proof"])),
    )
    yield general(
        "the blank proof null", "fields", changed(lambda m: answer(m, 0).update(blank_proof=None))
    )
    yield general(
        "a challenge as a number",
        "fields",
        changed(lambda m: answer(m, 0)["overall_proof"][0].update(challenge=1)),
    )
    yield general(
        "an unknown field in a ciphertext",
        "fields",
        changed(lambda m: answer(m, 0)["choices"][0].update(gamma="1")),
    )
    yield general(
        "beta before alpha",
        "fields",
        changed(
            lambda m: answer(m, 0)["choices"].__setitem__(
                0, _swap_fields(answer(m, 0)["choices"][0], "alpha", "beta")
            )
        ),
    )
    yield general("an answer too many", "lengths", changed(lambda m: m["answers"].append({})))
    yield general("an answer missing", "lengths", changed(lambda m: m["answers"].pop()))
    yield general("no answers", "lengths", changed(lambda m: m["answers"].clear()))
    for name, label in (
        ("choices", "a choice"),
        ("individual_proofs", "an individual proof"),
        ("overall_proof", "a branch of the overall proof"),
        ("blank_proof", "a branch of the blank proof"),
    ):
        yield general(
            f"{label} missing", "lengths", changed(lambda m, n=name: answer(m, 0)[n].pop())
        )
        yield general(
            f"{label} too many",
            "lengths",
            changed(lambda m, n=name: answer(m, 0)[n].append(answer(m, 0)[n][0])),
        )
    yield general(
        "a third branch in an individual proof",
        "lengths",
        changed(
            lambda m: answer(m, 1)["individual_proofs"][0].append(
                answer(m, 1)["individual_proofs"][0][0]
            )
        ),
    )

    def add_order(proof: Message, name: str) -> None:
        proof[name] = str(int(proof[name]) + q)

    yield Refused(
        "a response plus q in the signature",
        "scalar",
        changed(lambda m: add_order(m["signature"]["proof"], "response"), False),
    )
    yield Refused(
        "a challenge plus q in an individual proof",
        "scalar",
        changed(lambda m: add_order(answer(m, 0)["individual_proofs"][0][0], "challenge")),
    )
    yield Refused(
        "a response plus q in the overall proof",
        "scalar",
        changed(lambda m: add_order(answer(m, 1)["overall_proof"][0], "response")),
    )
    yield Refused(
        "a leading zero",
        "scalar",
        changed(
            lambda m: answer(m, 0)["blank_proof"][0].update(
                response="0" + answer(m, 0)["blank_proof"][0]["response"]
            )
        ),
    )
    yield Refused(
        "another uuid",
        "election_uuid",
        changed(lambda m: m.update(election_uuid=other.election.uuid)),
    )
    yield Refused(
        "another fingerprint",
        "election_hash",
        changed(lambda m: m.update(election_hash=other.election.fingerprint)),
    )
    yield Refused(
        "another election's ballot",
        "election_uuid",
        ballots.seal_ballot(other.election, other.codes[0], plaintexts, source).data,
    )
    stranger = derive_credential(group, election.uuid, "11111-111111-11111-111111")
    yield Refused(
        "a credential that is not on the list",
        "credential",
        ballots.seal_ballot(election, stranger, plaintexts, source).data,
    )
    yield Refused(
        "the identity as credential",
        "credential",
        changed(lambda m: m.update(credential=group.identity.text)),
    )
    yield Refused(
        "another hash in the signature",
        "signature_hash",
        changed(lambda m: m["signature"].update(hash=election.fingerprint), False),
    )
    yield Refused(
        "changed after it was signed",
        "signature_hash",
        changed(lambda m: answer(m, 0)["choices"].reverse(), False),
    )

    def add_one(proof: Message, name: str) -> None:
        proof[name] = str((int(proof[name]) + 1) % q)

    for name in ("challenge", "response"):
        yield Refused(
            f"the signature's {name} changed",
            "signature",
            changed(lambda m, n=name: add_one(m["signature"]["proof"], n), False),
        )
    yield Refused(
        "signed by somebody else's credential", "signature", signed(group, base, second, source)
    )
    for bad, reason, note in invalid_elements(group):
        yield Refused(
            f"alpha: {note} ({reason})",
            "element",
            changed(lambda m, t=bad: answer(m, 0)["choices"][1].update(alpha=t)),
        )
    yield Refused(
        "beta: the identity",
        "element",
        changed(lambda m: answer(m, 1)["choices"][0].update(beta=group.identity.text)),
    )
    yield from _refused_proofs(held, other, base, changed, add_one, source)


def _refused_proofs(
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


# Trustees' keys and partial decryptions ----------------------------------------------------------


def refused_trustee_keys(group: Group, key: bytes) -> Iterator[Refused]:
    """Changed keys of a `Single` trustee."""
    message: Message = json.loads(key)
    q = group.order
    yield Refused("a space", "encoding", key.replace(b":", b": ", 1))
    yield Refused("an unknown field", "fields", encoding.dump({**message, "name": "x"}))
    yield Refused("reordered", "fields", encoding.dump(_swap_fields(message, "pok", "public_key")))
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
        encoding.dump(_swap_fields(base, "decryption_factors", "decryption_proofs")),
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
