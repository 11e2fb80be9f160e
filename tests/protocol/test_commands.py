"""`govern audit` and its plain twin: status 0 only if everything holds, one line of proof."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from holding import ONE_OF_THREE, set_up

from govern.voting.cli_audit import audit
from govern.voting.protocol import ballots
from govern.voting.protocol.cli import main
from govern.voting.protocol.groups import group_named

REFERENCE = Path(__file__).parent / "reference" / "ed25519-single"
OPEN = REFERENCE / "open.bel.part"


def finished() -> Path:
    (found,) = REFERENCE.glob("*.bel")
    return found


def test_a_good_archive_ends_with_zero_and_one_line_of_proof() -> None:
    done = CliRunner().invoke(audit, [str(finished()), "--extends", str(OPEN)])
    assert done.exit_code == 0, done.output
    (proof,) = [line for line in done.stdout.splitlines() if line.startswith("Proved: ")]
    assert "14 valid ballots from 12 of 12 credentials" in proof
    assert "extension" in proof
    for step in range(1, 10):
        assert f"step {step}:" in done.stderr
    assert "A1: 6, A2: 8, A3: 3, A4: 5, A5: 2" in done.stdout


def test_a_bad_archive_ends_with_one_and_names_the_step(tmp_path: Path) -> None:
    bad = tmp_path / "bad.bel"
    bad.write_bytes(finished().read_bytes() + bytes(1024))
    done = CliRunner().invoke(audit, [str(bad)])
    assert done.exit_code == 1
    assert "step 1" in done.stderr
    assert "Proved" not in done.output
    done = CliRunner().invoke(audit, [str(OPEN), "--extends", str(finished())])
    assert done.exit_code == 1
    assert "step 9" in done.stderr


def test_an_archive_cannot_steer_the_readers_terminal(tmp_path: Path) -> None:
    nasty = replace(ONE_OF_THREE, text="\x1b[2J[red]\x9b31m", answers=("\r\x07A", "B", "C"))
    held = set_up(group_named("Ed25519"), (nasty,), voters=1)
    held.cast(ballots.seal_ballot(held.election, held.codes[0], [[1, 0, 0]]).data)
    held.count(held.close())
    path = tmp_path / "nasty.bel"
    path.write_bytes(held.archive())
    done = CliRunner().invoke(audit, [str(path)])
    assert done.exit_code == 0
    assert not any(character in done.output for character in "\x1b\x9b\r\x07")
    assert "[red]" in done.output


def test_the_plain_command_runs_without_the_application(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "govern.voting.protocol.cli"]
    done = subprocess.run(
        [*command, str(finished()), "--extends", str(OPEN)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PROVED: ")
    assert len(done.stdout.splitlines()) == 1


def test_the_plain_command_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.bel"
    bad.write_bytes(finished().read_bytes()[:-1])
    assert main([str(bad)]) == 1
    assert "REFUSED: step 1" in capsys.readouterr().err
    assert main([str(tmp_path / "missing.bel")]) == 2
