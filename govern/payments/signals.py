"""What payments tell the features above them.

Each is sent inside the transaction, after a flush, and named arguments say more
(``session``, ``actor``, …). A receiver that raises undoes the step: an automatic match then waits
for a person, a match by hand is refused with the message.
"""

from __future__ import annotations

from blinker import Namespace

_namespace = Namespace()

payment_received = _namespace.signal("payment-received")
"""Money was matched to a request; sender is the PaymentRequest.

Named arguments: ``session``, ``actor``, ``entry`` (BankEntry), ``match`` (PaymentMatch),
``amount_cents`` (of this match), ``received_on`` (the day on which the bank booked it).
Sent once per match; a part payment leaves the request open.
"""

payment_returned = _namespace.signal("payment-returned")
"""Money that had been matched is no longer there; sender is the PaymentRequest.

Named arguments: ``session``, ``actor``, ``entry`` (the BankEntry of the return, or the one whose
match was undone), ``match`` (the PaymentMatch that no longer counts), ``amount_cents`` (positive),
``returned_on``, ``reason`` and ``undone`` (True: the treasurer had matched the wrong thing).
"""

outgoing_paid = _namespace.signal("outgoing-paid")
"""The statement shows that a payment left; sender is the OutgoingPayment.

Named arguments: ``session``, ``actor``, ``paid_on``.
"""

outgoing_returned = _namespace.signal("outgoing-returned")
"""The bank sent a payment back; sender is the OutgoingPayment.

Named arguments: ``session``, ``actor``, ``returned_on``, ``reason``.
"""

outgoing_reopened = _namespace.signal("outgoing-reopened")
"""That a payment was made or came back was undone by a person; sender is the OutgoingPayment.

Named arguments: ``session``, ``actor`` and ``reason``. Its state is where it stands again: on its
way, released, planned or cancelled. A receiver that raises refuses it.
"""

outgoing_cancelled = _namespace.signal("outgoing-cancelled")
"""A payment that had not left was called off; sender is the OutgoingPayment.

Named arguments: ``session``, ``actor``, ``reason``.
"""

outgoing_releasing = _namespace.signal("outgoing-releasing")
"""A payment is about to be released, or a released one to go into a batch.

Sender is the OutgoingPayment; named arguments: ``session``, ``actor`` and, for a batch,
``execute_on``: the day on which the bank is to pay it. A receiver that knows a reason against it
(a test of the board that is missing, or ends before that day) raises, and nothing is released.
"""
