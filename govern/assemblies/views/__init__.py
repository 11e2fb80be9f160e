"""The pages of assemblies."""

from govern.assemblies.views import (  # noqa: F401  (they add their routes)
    agenda,
    calendars,
    documents,
    editing,
    listing,
    notices,
    resolutions,
    rolls,
    showing,
    states,
    votes,
)
from govern.assemblies.views.blueprint import blueprint

__all__ = ["blueprint"]
