"""A whole election, from the draft to an archive that verifiers accept."""

from __future__ import annotations

import subprocess

import pytest

from govern.voting.protocol.audit import audit_archive
from govern.voting.services import read_result
from tests.conftest import need_tool

CHOICES = [
    ([1, 0, 0], [0, 1, 1, 0, 0]),
    ([1, 0, 0], [1, 0, 0, 0, 0]),
    ([0, 1, 0], [0, 0, 0, 0, 1]),
    ([0, 0, 1], [0, 0, 0, 0, 0]),
]


def hold_election(holding, group):
    held = holding.opened(group=group, trustees=2, members=6)
    for voter, choice in zip(held.voters, CHOICES, strict=False):
        held.cast(voter, *choice)
    held.cast(held.voters[0], [0, 1, 0], [0, 0, 0, 1, 1])
    return holding.published(held)


@pytest.mark.parametrize("group", ["BELENIOS-2048", "Ed25519"])
def test_a_whole_election_ends_with_the_result_of_the_last_ballots(holding, tmp_path, group):
    held = hold_election(holding, group)
    result = read_result(held.session, held.election)
    assert result.question("accounts").counts == [1, 2, 1]
    themes = result.question("themes")
    assert (themes.blank, themes.counts) == (1, [0, 0, 1, 2])
    assert (result.ballots, result.heads_on_roll) == (4, 6)
    report = audit_archive(held.write_archive(tmp_path), workers=1)
    assert (report.ballots, report.counted) == (5, 4)
    assert report.result == ((1, 2, 1), (1, 0, 0, 1, 2))


@pytest.mark.peer
def test_the_peer_verifier_accepts_the_archive(holding, tmp_path):
    tool = need_tool("belenios-tool")
    held = hold_election(holding, "BELENIOS-2048")
    held.write_archive(tmp_path)
    done = subprocess.run(
        [tool, "election", "verify", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "all checks passed" in done.stderr + done.stdout
