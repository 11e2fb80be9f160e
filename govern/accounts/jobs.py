"""What signing in leaves for later."""

from __future__ import annotations

from sqlalchemy.orm import Session

from govern.accounts.services.links import ANSWER_JOB, answer_request
from govern.jobs import job


@job(ANSWER_JOB)
def answer_sign_in_request(session: Session, request_id: int) -> None:
    """Mail the link that somebody asked for (exactly once: request and mail share a commit)."""
    answer_request(session, request_id)
