"""Runs every check: ``python -m tools.checks all|lint``.

Each check runs even if an earlier one failed; the tests come last, a table of all follows. The
exit status is 0 only if everything passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.setup import node_env, npm_command

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Check:
    """One program to run, and where."""

    name: str
    command: Sequence[str]
    folder: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a check went, and how long it took."""

    name: str
    passed: bool
    seconds: float


def lint_checks() -> list[Check]:
    """What needs no running program: formatting, lint, types, layers."""
    return [
        Check("format", [f"{BIN}/ruff", "format", "--check", "."]),
        Check("lint", [f"{BIN}/ruff", "check", "."]),
        Check("types", [f"{BIN}/mypy"]),
        Check("layers", [f"{BIN}/lint-imports"]),
    ]


def all_checks() -> list[Check]:
    """Everything; pytest last, so that its summary is what one sees."""
    processes = os.environ.get("PYTEST_WORKERS", "2")
    pytest = [f"{BIN}/pytest", "-q", "-n", processes, "--dist", "loadgroup", "--durations", "10"]
    node = [*npm_command(), "test", "--silent"]
    return [
        *lint_checks(),
        Check("frontend", node, ROOT / "frontend", node_env()),
        Check("tests", pytest),
    ]


def run_check(check: Check) -> Outcome:
    """Run one check with its output shown."""
    print(f"\n==> {check.name}", flush=True)
    started = time.monotonic()
    try:
        done = subprocess.run(
            list(check.command),
            cwd=check.folder,
            env={**os.environ, **check.environment},
            stdin=subprocess.DEVNULL,
            check=False,
        )
        passed = done.returncode == 0
    except OSError as error:
        print(f"{check.command[0]} cannot be run: {error}", file=sys.stderr)
        passed = False
    return Outcome(check.name, passed, time.monotonic() - started)


def show(outcomes: Sequence[Outcome]) -> None:
    """One line for all: which passed, which failed, how long each took."""
    parts = [
        f"{outcome.name} {'ok' if outcome.passed else 'FAILED'} ({outcome.seconds:.0f} s)"
        for outcome in outcomes
    ]
    print(f"\nchecks: {', '.join(parts)}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the named group of checks; 0 if all passed."""
    groups = {"all": all_checks, "lint": lint_checks}
    if len(arguments) != 1 or arguments[0] not in groups:
        print(f"usage: python -m tools.checks {'|'.join(groups)}", file=sys.stderr)
        return 2
    outcomes = [run_check(check) for check in groups[arguments[0]]()]
    show(outcomes)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
