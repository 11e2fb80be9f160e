"""What elections tell the features above them.

Each is sent inside the transaction, after the flush: ``signal.send(election, session=session)``.
A receiver that raises undoes the step.
"""

from __future__ import annotations

from blinker import Namespace

_namespace = Namespace()

election_opened = _namespace.signal("election-opened")
"""The Setup event is in the box; the roll is locked."""

election_closed = _namespace.signal("election-closed")
"""EndBallots is in the box; who has voted may be read."""

election_published = _namespace.signal("election-published")
"""The result is in the box and on the page."""

election_cancelled = _namespace.signal("election-cancelled")
"""Stopped for good before publication; ``election.cancel_reason`` says why."""
