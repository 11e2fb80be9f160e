"""What runs later: the mail that answers a form, and deadlines."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from govern.jobs import every_tick, job
from govern.joining.services.admitting import CERTIFICATE_JOB
from govern.joining.services.applying import ANSWER_JOB, answer_application
from govern.joining.services.deadlines import keep_deadlines
from govern.register.models import Membership
from govern.register.services.certificates import send_certificate
from govern.register.services.transfers import welcome_receiver


@job(ANSWER_JOB)
def answer(session: Session, application_id: int) -> None:
    """Look at who applies, and send the one mail."""
    answer_application(session, application_id)


@job(CERTIFICATE_JOB)
def send_new_certificate(session: Session, membership_id: int) -> None:
    """Send the certificate of what the member holds now; the same one is sent once.

    Shares that somebody promised to this address before are offered to the new member.
    """
    membership = session.get_one(Membership, membership_id)
    send_certificate(session, membership)
    welcome_receiver(session, membership)


def keep_all_deadlines(session: Session, now: datetime) -> None:
    """Reminders, expiry and forgetting: a few rows per tick, none on most."""
    keep_deadlines(session, now)


def register_jobs() -> None:
    """Bind what runs at ticks."""
    every_tick(keep_all_deadlines)
