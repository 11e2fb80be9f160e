"""When what must be kept about a member may go."""

from __future__ import annotations

from datetime import date

ERASED_NAME = "[…]"
"""What stands in the place of an erased name, in every language."""


def kept_until(ended_on: date, keep_years: int) -> date:
    """The first day on which the book need not be kept: so many years after the ending.

    An ending on 29 February counts until 1 March.
    """
    year = ended_on.year + keep_years
    try:
        return ended_on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
