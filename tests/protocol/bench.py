"""Measures the strict verifier. Run: `python tests/protocol/bench.py [--ballots 1000]`.

Prints JSON: milliseconds per ballot for verifying a whole archive of standard ballots (question
1: one of three; question 2: up to three of eight, blank allowed; 12 ciphertexts) in each group,
on one core and on two, next to `belenios-tool` where it reads the group, and for sealing one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]


def measure_box(name: str, count: int) -> dict[str, Any]:
    """Milliseconds per ballot for one group."""
    from holding import ONE_OF_THREE, set_up

    from govern.voting.protocol import ballots
    from govern.voting.protocol.archive import EventType
    from govern.voting.protocol.audit import audit_archive
    from govern.voting.protocol.groups import group_named
    from govern.voting.protocol.questions import Question

    up_to_three_of_eight = Question("Eight", tuple("ABCDEFGH"), 0, 3, blank=True)
    held = set_up(group_named(name), (ONE_OF_THREE, up_to_three_of_eight), voters=count)
    vote = [[1, 0, 0], [0, 1, 0, 0, 1, 0, 0, 1, 0]]
    start = time.perf_counter()
    sealed = [ballots.seal_ballot(held.election, code, vote).data for code in held.codes]
    measured: dict[str, Any] = {"seal_ms": (time.perf_counter() - start) / count * 1000}
    for data in sealed:
        held.append(EventType.BALLOT, data)
        held.tally.add(ballots.read_accepted_choices(held.election, data))
    held.count(held.close())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{held.election.uuid}.bel"
        path.write_bytes(held.archive())
        for workers in (1, 2):
            start = time.perf_counter()
            audit_archive(path, workers=workers)
            elapsed = time.perf_counter() - start
            measured[f"verify_ms_{workers}_cores"] = elapsed / count * 1000
        peer = shutil.which("belenios-tool")
        if peer is not None:
            start = time.perf_counter()
            done = subprocess.run(
                [peer, "election", "verify", "--dir", folder],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                elapsed = time.perf_counter() - start
                measured["belenios_tool_verify_ms"] = elapsed / count * 1000
    return measured


def main() -> None:
    """Measure both groups."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ballots", type=int, default=1000)
    count = parser.parse_args().ballots
    from govern.voting.protocol.groups import GROUP_NAMES

    results = {name: measure_box(name, count) for name in GROUP_NAMES}
    print(json.dumps({"ballots": count, "groups": results}, indent=1))


if __name__ == "__main__":
    main()
