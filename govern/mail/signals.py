"""What the mail tells the features above it.

Sent inside the transaction that notes it: ``signal.send(mail, session=session, reason=…)``. A
receiver must not raise: the other mails of the run would wait for nothing.
"""

from __future__ import annotations

from blinker import Namespace

_namespace = Namespace()

address_refused = _namespace.signal("address-refused")
"""The recipient's mail server has refused this address for good (not this text, nor our server).
``reason`` is what it answered, in its own words."""
