"""``make bench``: runs every measurement and prints one JSON object.

Each module of this package offers functions named ``bench_…`` that return a flat dictionary of
numbers with the unit in the key (``ms_per_ballot``, ``seconds``, ``mib``). A measurement that
needs a tool which is absent says so under ``skipped`` instead of a number.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def collect(wanted: list[str]) -> dict[str, Any]:
    """Run all measurements whose dotted name starts with one of ``wanted`` (empty: all)."""
    results: dict[str, Any] = {}
    for info in sorted(pkgutil.iter_modules([str(HERE)]), key=lambda item: item.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"tools.bench.{info.name}")
        for name in sorted(vars(module)):
            function = getattr(module, name)
            if (
                not name.startswith("bench_")
                or getattr(function, "__module__", "") != module.__name__
            ):
                continue
            label = f"{info.name}.{name.removeprefix('bench_')}"
            if wanted and not any(label.startswith(item) for item in wanted):
                continue
            print(f"{label} …", file=sys.stderr, flush=True)
            results[label] = function()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="names to run, e.g. register voting.verify")
    arguments = parser.parse_args()
    report = {
        "machine": {
            "python": platform.python_version(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "results": collect(arguments.only),
    }
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
