"""Telling the member of a proposal and of a decision: by mail, or by a letter that was posted."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.errors import InvalidInput
from govern.leaving.models import Departure, ExclusionStep
from govern.leaving.rules.exclusion import Step
from govern.leaving.services.common import Upload
from govern.leaving.services.excluding.steps import Procedure, begin, take
from govern.leaving.services.papers import DECISION_PAPER, PROPOSAL_PAPER, paper_of
from govern.leaving.services.telling import is_reached_by_mail, tell
from govern.mail import Attachment, queue_letter


def send_proposal(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    posted_on: date | None = None,
    posted: Upload | None = None,
) -> ExclusionStep:
    """Send the proposal: by mail now, or on paper on ``posted_on``. The month begins that day.

    RuleViolation for a day before the proposal was recorded, unless ``posted`` is the scan of the
    letter that left: that is then the paper of the step, and no other letter is queued.
    """
    return _send(
        session, actor, departure, Step.PROPOSAL_SENT, PROPOSAL_PAPER, posted_on, posted, ""
    )


def send_decision(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    posted_on: date | None = None,
    posted: Upload | None = None,
    late_reason: str = "",
) -> ExclusionStep:
    """Tell the member of the decision: by mail now, or on paper on ``posted_on``.

    A day before the decision was recorded needs the scan, as in ``send_proposal``. After the days
    of the rule set it is recorded as late, which needs a reason.
    """
    return _send(
        session,
        actor,
        departure,
        Step.DECISION_SENT,
        DECISION_PAPER,
        posted_on,
        posted,
        late_reason,
    )


def _send(
    session: Session,
    actor: Actor,
    departure: Departure,
    step: Step,
    paper_name: str,
    posted_on: date | None,
    posted: Upload | None,
    late_reason: str,
) -> ExclusionStep:
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    decided = step is Step.DECISION_SENT
    cooperative = begin(session, departure, decided=decided)
    membership = departure.membership
    if posted_on is None and not is_reached_by_mail(session, membership):
        raise InvalidInput(
            _("Mails to this member come back.")
            if membership.email
            else _("The register holds no e-mail address of this member."),
            remedy=_("Print the letter, post it, and give the day of posting."),
            field="posted_on",
        )
    done_on = posted_on or clock.today(cooperative.time_zone)
    row = take(
        session,
        actor,
        departure,
        step,
        done_on,
        late_reason=late_reason,
        upload=posted if posted_on is not None else None,
        needs_text=False,
    )
    if row.document_id is not None:
        # It has left already; the letter that was made here stays among the papers of the file.
        return row
    paper = paper_of(departure, paper_name)
    key = f"leaving:{step.value}:{departure.public_id}"
    if posted_on is None:
        procedure = Procedure(session, departure)
        tell(
            session,
            departure,
            "exclusion_decision" if decided else "exclusion_proposal",
            key,
            attachments=[Attachment(paper.filename, paper.media_type, paper.content)],
            until=procedure.observations_until,
            decided_on=departure.effective_on,
            amount_cents=departure.amount_cents or 0,
            repay_by=departure.repay_by,
            iban_missing=not departure.iban,
        )
    else:
        queue_letter(
            session,
            cooperative_id=departure.cooperative_id,
            to_name=membership.display_name,
            language=membership.language,
            subject=paper.title,
            pdf=paper.content,
            filename=paper.filename,
            dedupe_key=key,
            category="leaving",
            about=f"membership:{membership.public_id}",
        )
    row.document_id = paper.id
    session.flush()
    return row
