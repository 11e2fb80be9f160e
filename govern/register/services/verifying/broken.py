"""What is said of a ledger that is not what was written."""

from __future__ import annotations

from flask_babel import gettext as _

from govern.errors import GovernError


class BrokenLedger(GovernError):
    """The share ledger is not what was written."""

    status = 500


def broken(message: str) -> BrokenLedger:
    """The error with its remedy."""
    return BrokenLedger(
        message, remedy=_("Compare with a backup before anything else is recorded.")
    )
