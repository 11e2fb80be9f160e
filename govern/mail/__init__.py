"""Mails and letters: queued as rows first, sent by a job, each of them at most once.

``queue_mail`` and ``queue_letter`` are what features call.
"""

from govern.mail.models import Channel, DeliveryState, OutboxMail
from govern.mail.queueing import Attachment, queue_letter, queue_mail
from govern.mail.sending import send_queued

__all__ = [
    "Attachment",
    "Channel",
    "DeliveryState",
    "OutboxMail",
    "queue_letter",
    "queue_mail",
    "send_queued",
]
