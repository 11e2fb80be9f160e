"""One example per endpoint: what to put into its address and its form so that it succeeds.

``EXAMPLES["feature.view"] = Example(…)``. Everything may be a value or a function of the side that
is being visited (``tests/access/world.py``), called anew for each request. Features have modules
of their own, ``examples_<feature>.py``, collected in ``examples.py``.

* ``arguments``: the variables of the address (``cooperative`` is filled in by itself);
* ``query``: the query string; ``form`` or ``json``: the body of a POST (PUT, DELETE);
* ``only``: where a page is one person's own, the roles whose account that is; everybody else
  is then expected to be refused although they are signed in;
* ``answers``: further statuses that count as success, each with a reason in a comment here;
* ``leaves_trace``: reading it is written down (who looked at a record); a refused request is not;
* ``get`` / ``post``: another Example for that method, where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from govern.access import Role
from tests.access.world import Side

OfSide = Callable[[Side], Mapping[str, Any]]


@dataclass(frozen=True)
class Example:
    """How to call one endpoint successfully."""

    arguments: OfSide | Mapping[str, Any] = field(default_factory=dict)
    query: OfSide | Mapping[str, Any] = field(default_factory=dict)
    form: OfSide | Mapping[str, Any] = field(default_factory=dict)
    json: OfSide | Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[Role | None] | None = None
    answers: frozenset[int] = frozenset()
    leaves_trace: bool = False
    get: Example | None = None
    post: Example | None = None

    def for_method(self, method: str) -> Example:
        """The example that applies to ``method``."""
        return (self.get if method == "GET" else self.post) or self


def given(part: Any, side: Side) -> Any:
    """A part of an example, worked out for ``side``."""
    return part(side) if callable(part) else part
