"""The peer verifier, `belenios-tool`, reads our elections, and we read its."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from holding import (
    ONE_OF_THREE,
    ONE_OR_BLANK,
    UP_TO_THREE_OF_FIVE,
    UP_TO_TWO_OR_BLANK,
    HeldElection,
    set_up,
)
from rebuilding import audit_bytes

from govern.voting.protocol import ballots, encoding
from govern.voting.protocol.archive import EventType
from govern.voting.protocol.audit import audit_archive
from govern.voting.protocol.groups import group_named

pytestmark = pytest.mark.peer


def verify(peer: str, folder: Path) -> str:
    """What the peer says of the archive in a folder; fails when it refuses."""
    done = subprocess.run(
        [peer, "election", "verify", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def write(held: HeldElection, folder: Path) -> Path:
    path = folder / f"{held.election.uuid}.bel"
    path.write_bytes(held.archive())
    return path


def test_a_whole_election_of_ours_passes_all_checks_of_the_peer(peer: str, tmp_path: Path) -> None:
    held = set_up(
        group_named("BELENIOS-2048"),
        (ONE_OF_THREE, UP_TO_TWO_OR_BLANK, UP_TO_THREE_OF_FIVE, ONE_OR_BLANK),
        voters=5,
        trustee_count=3,
        seed="peer",
    )
    votes = [
        [[1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1, 0], [0, 0, 1]],
        [[0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1, 1], [1, 0, 0]],
    ]
    for code, vote in zip(held.codes, votes, strict=False):
        held.cast(ballots.seal_ballot(held.election, code, vote).data)
    held.cast(ballots.seal_ballot(held.election, held.codes[0], votes[1]).data)
    assert "all checks passed" in verify(peer, write(held, tmp_path).parent)
    assert held.count(held.close()) == (
        (0, 2, 2),
        (2, 1, 0, 1),
        (2, 2, 2, 2, 1),
        (1, 2, 1),
    )
    path = write(held, tmp_path)
    assert "all checks passed" in verify(peer, tmp_path)
    assert audit_archive(path, workers=1).result is not None


def test_an_empty_election_of_ours_passes(peer: str, tmp_path: Path) -> None:
    held = set_up(group_named("BELENIOS-2048"), (ONE_OR_BLANK,), voters=2, seed="empty")
    held.count(held.close())
    write(held, tmp_path)
    assert "all checks passed" in verify(peer, tmp_path)


def test_the_peer_refuses_a_ballot_that_we_refuse(peer: str, tmp_path: Path) -> None:
    """So that "all checks passed" says something about the test itself."""
    held = set_up(group_named("BELENIOS-2048"), (ONE_OR_BLANK,), voters=2, seed="refused")
    good = ballots.seal_ballot(held.election, held.codes[0], [[0, 1, 0]])
    message = json.loads(good.data)
    message["answers"][0]["choices"].reverse()
    held.append(EventType.BALLOT, encoding.dump(message))
    write(held, tmp_path)
    with pytest.raises(AssertionError):
        verify(peer, tmp_path)


def test_an_election_of_the_peer_is_accepted_by_us(peer: str, tmp_path: Path) -> None:
    uuid = "3yBg4p6bEXzvUM"
    group = ["--group", "BELENIOS-2048"]

    def run(*arguments: str, given: str | None = None) -> str:
        done = subprocess.run(
            [peer, *arguments],
            cwd=tmp_path,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    run("setup", "generate-credentials", "--uuid", uuid, *group, "--count", "3")
    (public,) = tmp_path.glob("*.pubcreds")
    (private,) = tmp_path.glob("*.privcreds")
    public.rename(tmp_path / "public_creds.json")
    codes = (
        list(json.loads(private.read_text()).values())
        if private.read_text().startswith("{")
        else [line.split()[-1] for line in private.read_text().splitlines()]
    )
    for _ in range(2):
        run("setup", "generate-trustee-key", *group)
    keys = sorted(tmp_path.glob("*.pubkey"))
    (tmp_path / "public_keys.jsons").write_text(
        "".join(key.read_text().strip() + "\n" for key in keys)
    )
    run("setup", "make-trustees")
    template = {
        "description": "élection / verkiezing",
        "name": "Test",
        "questions": [ONE_OF_THREE.message(), UP_TO_TWO_OR_BLANK.message()],
        "administrator": "A",
        "credential_authority": "C",
    }
    (tmp_path / "template.json").write_text(json.dumps(template, ensure_ascii=False))
    run("setup", "make-election", "--uuid", uuid, *group, "--template", "template.json")
    run("archive", "init")
    votes = [[[1, 0, 0], [1, 0, 0, 0]], [[0, 1, 0], [0, 1, 1, 0]], [[0, 1, 0], [0, 0, 0, 1]]]
    for code, vote in zip(codes, votes, strict=True):
        (tmp_path / "code").write_text(code)
        (tmp_path / "vote").write_text(json.dumps(vote))
        ballot = run("election", "generate-ballot", "--privcred", "code", "--ballot", "vote")
        run("archive", "add-event", "--type", "Ballot", given=ballot)
    run("archive", "add-event", "--type", "EndBallots")
    tally = run("election", "compute-encrypted-tally")
    run("archive", "add-event", "--type", "EncryptedTally", given=tally)
    for index, key in enumerate(keys, 1):
        part = run(
            "election",
            "decrypt",
            "--privkey",
            key.with_suffix(".privkey").name,
            "--trustee-id",
            str(index),
        )
        run("archive", "add-event", "--type", "PartialDecryption", given=part)
    result = run("election", "compute-result")
    run("archive", "add-event", "--type", "Result", given=result)
    assert "all checks passed" in verify(peer, tmp_path)
    report = audit_bytes((tmp_path / f"{uuid}.bel").read_bytes(), tmp_path)
    assert report.result == ((1, 2, 0), (1, 1, 1, 1))
    assert report.counted == 3
