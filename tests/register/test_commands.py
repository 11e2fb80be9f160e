"""``govern register`` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.database import drop_append_only_ddl
from govern.register.cli import register
from govern.register.models import ImportBatch, Membership
from tests.register.conftest import csv_file, row


@pytest.fixture
def run(app: Any, session: Session) -> Callable[..., Result]:
    def call(*arguments: object) -> Result:
        session.commit()
        return CliRunner().invoke(register, [str(item) for item in arguments], obj=app)

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leden.csv"
    path.write_bytes(csv_file(row("7"), row("8", "Maes", shares="drie"), row("9", "[red]Bo")))
    return path


def count(session: Session) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(Membership)) or 0


def test_a_dry_run_says_everything_and_changes_nothing(
    run: Callable[..., Result], file: Path, session: Session, cooperative: Cooperative
) -> None:
    result = run("import", file, "--cooperative", "smartcoop", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "3 rows: 2 new, 0 changed, 0 unchanged, 1 to mend (dry run" in result.output
    assert "“drie” is not a number of shares." in result.output
    assert count(session) == 0
    assert session.scalars(select(ImportBatch)).all() == []
    assert not (file.parent / "leden-mend.csv").exists()


def test_the_command_imports_and_leaves_the_rows_to_mend_beside_the_file(
    run: Callable[..., Result], file: Path, session: Session, cooperative: Cooperative
) -> None:
    result = run("import", file, "--cooperative", "smartcoop")
    assert result.exit_code == 0, result.output
    assert count(session) == 2
    assert "drie" in (file.parent / "leden-mend.csv").read_text()
    again = run("import", file, "--cooperative", "smartcoop")
    assert "0 new, 0 changed, 2 unchanged, 1 to mend" in again.output
    assert count(session) == 2
    verified = run("verify", "--cooperative", "smartcoop")
    assert "4 entries, all in order" in verified.output


def test_the_command_holds_likely_duplicates_back(
    run: Callable[..., Result], tmp_path: Path, session: Session, cooperative: Cooperative
) -> None:
    path = tmp_path / "twice.csv"
    path.write_bytes(csv_file(row("7"), row("8")))
    run("import", path, "--cooperative", "smartcoop", "--hold-back-duplicates")
    assert count(session) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"%PDF-1.7", "neither a CSV file"),
        (b"Kolom;Andere\n1;2\n", "Columns that are needed were not recognised: Member number"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(
    content: bytes,
    words: str,
    dry: list[str],
    run: Callable[..., Result],
    tmp_path: Path,
    session: Session,
    cooperative: Cooperative,
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    result = run("import", path, "--cooperative", "smartcoop", *dry)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_an_unknown_cooperative_is_named(run: Callable[..., Result], file: Path) -> None:
    result = run("import", file, "--cooperative", "nowhere")
    assert result.exit_code == 1
    assert "There is no cooperative “nowhere”" in result.output


def test_verify_fails_on_a_changed_ledger(
    run: Callable[..., Result], file: Path, session: Session, cooperative: Cooperative
) -> None:
    run("import", file, "--cooperative", "smartcoop")
    for statement in drop_append_only_ddl("share_entry", "sqlite"):
        session.execute(text(statement))
    session.execute(text("UPDATE share_entry SET shares = 2 WHERE sequence = 3"))
    result = run("verify", "--cooperative", "smartcoop")
    assert result.exit_code == 1
    assert "Entry 3 of the share ledger was changed" in result.output


def test_a_roll_is_taken_and_frozen_from_the_command_line(
    run: Callable[..., Result], file: Path, session: Session, cooperative: Cooperative
) -> None:
    run("import", file, "--cooperative", "smartcoop")
    arguments = ("roll", "--cooperative", "smartcoop", "--label", "June", "--record-date")
    first, second = run(*arguments, "2018-05-01"), run(*arguments, "2018-05-01")
    assert "2 members, 2 shares issued, 2 paid" in first.output
    assert first.output.splitlines()[-1] == second.output.splitlines()[-1]
    assert "lies ahead" in run(*arguments, "2999-01-01").output
