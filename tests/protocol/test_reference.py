"""Whole elections made by stock tools: accepted, counted, and opened with their own keys."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from rebuilding import audit_bytes, refusal, take_apart

from govern.voting.protocol import decryption
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.audit import audit_archive
from govern.voting.protocol.ballots import check_ballot, seal_ballot
from govern.voting.protocol.credentials import derive_credential, read_public_credentials
from govern.voting.protocol.elections import read_election
from govern.voting.protocol.errors import VerificationError
from govern.voting.protocol.groups import Group
from govern.voting.protocol.trustees import (
    Pedersen,
    make_trustee_key,
    read_private_key,
    read_trustee_key,
    read_trustees,
)

REFERENCE = Path(__file__).parent / "reference"
NAMES = ("ed25519-single", "ed25519-threshold", "belenios2048-single", "belenios2048-threshold")
RESULT = ((3, 2, 7), (4, 4, 5, 3), (6, 8, 3, 5, 2))


@pytest.fixture(params=NAMES)
def folder(request: pytest.FixtureRequest) -> Path:
    return REFERENCE / str(request.param)


def finished(folder: Path) -> Path:
    (found,) = folder.glob("*.bel")
    return found


def test_the_finished_archive_is_accepted_and_its_result_is_the_known_one(folder: Path) -> None:
    report = audit_archive(finished(folder), workers=1)
    assert report.result == RESULT
    assert (report.ballots, report.counted, report.credentials) == (14, 12, 12)
    assert report.state is EventType.RESULT
    assert "counted completely" in report.sentence


def test_the_open_archive_is_accepted_as_open(folder: Path) -> None:
    report = audit_archive(folder / "open.bel.part", workers=1)
    assert report.result is None
    assert report.state is EventType.BALLOT
    assert "still open" in report.sentence


def test_the_finished_archive_extends_the_open_one(folder: Path) -> None:
    older = folder / "open.bel.part"
    report = audit_archive(finished(folder), extends=older, workers=1)
    assert report.extends == audit_archive(older, workers=1).head


def test_an_archive_extends_itself(folder: Path) -> None:
    report = audit_archive(finished(folder), extends=finished(folder), workers=1)
    assert report.extends == report.head


def test_an_archive_that_lost_a_ballot_does_not_extend_the_older_one(tmp_path: Path) -> None:
    folder = REFERENCE / "ed25519-single"
    older = folder / "open.bel.part"
    other = tmp_path / "other.bel.part"
    for change in (
        older.read_bytes()[:-512],  # cut short
        older.read_bytes() + b"\0" * 512,
        older.read_bytes()[:100_000],
        b"",
    ):
        other.write_bytes(change)
        error = refusal(finished(folder).read_bytes(), tmp_path, extends=other)
        assert error.number == 9
        assert error.step == "extends"
    # As long as it should be, but with another byte somewhere.
    known = older.read_bytes()
    for place in (600, 80_000, len(known) - 600):
        other.write_bytes(known[:place] + bytes([known[place] ^ 1]) + known[place + 1 :])
        error = refusal(finished(folder).read_bytes(), tmp_path, extends=other)
        assert (error.number, error.step) == (9, "extends")
        assert "not its beginning" in error.detail
    # The whole of it against the open state: longer than the archive under audit.
    error = refusal(older.read_bytes(), tmp_path, extends=finished(folder))
    assert error.number == 9


def test_workers_find_the_same_as_one_process(folder: Path) -> None:
    alone = audit_archive(finished(folder), workers=1)
    assert audit_archive(finished(folder), workers=2) == alone


def test_progress_numbers_the_steps_in_order() -> None:
    seen: list[int] = []
    folder = REFERENCE / "ed25519-single"
    audit_archive(
        finished(folder),
        extends=folder / "open.bel.part",
        progress=lambda number, title, done, total: seen.append(number),
    )
    assert sorted(set(seen)) == [1, 4, 5, 6, 7, 8, 9]
    assert seen == sorted(seen)


def test_every_voters_code_derives_to_the_list(folder: Path) -> None:
    _, steps = take_apart(finished(folder).read_bytes())
    election = read_election(steps[0].data[0])
    listed = set(read_public_credentials(steps[0].data[2]))
    codes = json.loads((folder / "private_credentials.json").read_bytes()).values()
    derived = {derive_credential(election.group, election.uuid, c).public.text for c in codes}
    assert derived == listed


def test_our_ballots_enter_a_stock_election(folder: Path) -> None:
    _, steps = take_apart(finished(folder).read_bytes())
    election = read_election(steps[0].data[0])
    listed = read_public_credentials(steps[0].data[2])
    codes = json.loads((folder / "private_credentials.json").read_bytes())
    votes = (folder / "votes.jsonl").read_text().splitlines()
    code, vote = next(iter(codes.values())), json.loads(votes[0])
    sealed = seal_ballot(election, code, vote)
    assert check_ballot(election, sealed.data, listed).tracker == sealed.tracker


@pytest.mark.parametrize("name", ["ed25519-single", "belenios2048-single"])
def test_the_private_keys_open_the_box_again(name: str) -> None:
    folder = REFERENCE / name
    _, steps = take_apart(finished(folder).read_bytes())
    election = read_election(steps[0].data[0])
    trustees = read_trustees(election.group, steps[0].data[1])
    (tally_step,) = (step for step in steps if step.type is EventType.ENCRYPTED_TALLY)
    tally = decryption.read_encrypted_tally(election, tally_step.data[0])
    parts = []
    for file in folder.glob("*.privkey"):
        private = read_private_key(election.group, file.read_bytes().strip())
        public = read_trustee_key(election.group, make_trustee_key(election.group, private))
        owner = 1 + trustees.verification_keys.index(public.public_key)
        data = decryption.make_partial_decryption(election, tally, private)
        parts.append(decryption.check_partial_decryption(election, trustees, tally, owner, data))
    assert decryption.compute_result(election, trustees, tally, 12, parts) == RESULT
    with pytest.raises(VerificationError) as refused:
        decryption.compute_result(election, trustees, tally, 12, parts[1:])
    assert refused.value.step == "quorum"


def open_decryption_key(group: Group, folder: Path, number: int) -> int:
    """A threshold trustee's decryption key, from its seed and `.dkey` (protocol.md)."""
    seed = (folder / f"trustee{number}.seed").read_text().strip()
    dk = int.from_bytes(hashlib.sha256(f"dk|{seed}".encode()).digest(), "big") % group.order
    stored = json.loads((folder / f"trustee{number}.dkey").read_text())
    message = json.loads(stored) if isinstance(stored, str) else stored
    assert message["algorithm"] == "AES-GCM"
    alpha, beta = group.decode(message["alpha"]), group.decode(message["beta"])
    shared = group.divide(beta, group.power_secret(alpha, dk))
    key = hashlib.sha256(f"key|{shared.text}".encode()).digest()
    iv = hashlib.sha256(f"iv|{alpha.text}".encode()).digest()
    signed = json.loads(AESGCM(key).decrypt(iv, bytes.fromhex(message["data"]), None))
    inner = json.loads(json.loads(signed["message"])["message"])
    return int(inner["decryption_key"])


@pytest.mark.parametrize("name", ["ed25519-threshold", "belenios2048-threshold"])
def test_every_quorum_of_a_threshold_key_opens_the_box(name: str) -> None:
    folder = REFERENCE / name
    _, steps = take_apart(finished(folder).read_bytes())
    election = read_election(steps[0].data[0])
    trustees = read_trustees(election.group, steps[0].data[1])
    (item,) = trustees.items
    assert isinstance(item, Pedersen)
    assert item.threshold == 2
    (tally_step,) = (step for step in steps if step.type is EventType.ENCRYPTED_TALLY)
    tally = decryption.read_encrypted_tally(election, tally_step.data[0])
    parts = []
    for owner in (1, 2, 3):
        private = open_decryption_key(election.group, folder, owner)
        data = decryption.make_partial_decryption(election, tally, private)
        parts.append(decryption.check_partial_decryption(election, trustees, tally, owner, data))
    for quorum in (*combinations(parts, 2), parts):
        assert decryption.compute_result(election, trustees, tally, 12, quorum) == RESULT
    for lonely in parts:
        with pytest.raises(VerificationError) as refused:
            decryption.compute_result(election, trustees, tally, 12, [lonely])
        assert refused.value.step == "quorum"
    with pytest.raises(VerificationError) as refused:
        decryption.compute_result(election, trustees, tally, 12, [parts[0], parts[0]])
    assert refused.value.step == "owner"


def test_a_cut_archive_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    data = finished(REFERENCE / "ed25519-single").read_bytes()
    for length in (0, 100, 512, 700, 1024, 1100, len(data) - 512, len(data) - 1):
        error = refusal(data[:length], tmp_path)
        assert error.number == 1
    assert audit_bytes(data, tmp_path).result == RESULT
