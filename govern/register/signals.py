"""What the register tells the features above it.

Each is sent inside the transaction: ``signal.send(row, session=session)``. A receiver that raises
undoes the step.
"""

from __future__ import annotations

from blinker import Namespace

_namespace = Namespace()

roll_entry_removed = _namespace.signal("roll-entry-removed")
"""A correction is about to take this entry off a roll that no vote has opened on."""

promise_broken = _namespace.signal("promise-broken")
"""Shares that an applicant was to receive will not be transferred to them: the giver has taken the
promise back, or is no longer there to keep it. The sender is the request, which has ended."""
