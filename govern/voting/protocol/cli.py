"""`python -m govern.voting.protocol.cli FILE.bel [--extends OLDER.bel]`: the strict verifier
without anything but the standard library around it. `govern audit` shows the same in colour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .audit import AuditError, audit_archive
from .errors import ProtocolError


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify an archive; return 0 only if everything holds."""
    parser = argparse.ArgumentParser(prog="govern-audit", description="Verify an election archive.")
    parser.add_argument("archive", type=Path, metavar="FILE.bel")
    parser.add_argument("--extends", type=Path, metavar="OLDER.bel", help="an older copy of it")
    parser.add_argument("--workers", type=int, help="processes to use; by default one per core")
    options = parser.parse_args(arguments)
    shown = 0

    def progress(number: int, title: str, done: int, total: int) -> None:
        nonlocal shown
        if number != shown:
            shown = number
            sys.stderr.write(f"step {number}: {title}\n")

    try:
        report = audit_archive(
            options.archive,
            extends=options.extends,
            workers=options.workers,
            progress=progress,
        )
    except (AuditError, ProtocolError) as error:
        sys.stderr.write(f"REFUSED: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"cannot read {error.filename}: {error.strerror}\n")
        return 2
    sys.stdout.write(f"PROVED: {report.sentence}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
