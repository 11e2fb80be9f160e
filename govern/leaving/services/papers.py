"""The letters of an exclusion: made once, in the member's language, and kept as they were sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern.access import Actor
from govern.cooperatives.rules import LeavingRules
from govern.errors import Conflict
from govern.i18n import day as in_words
from govern.i18n import speaking
from govern.leaving.models import Departure, ExclusionStep, LeavingDocument
from govern.leaving.rules.calendar import repay_by
from govern.leaving.rules.exclusion import (
    Step,
)
from govern.leaving.services.common import (
    Upload,
    keep_document,
)
from govern.leaving.services.telling import exclusion_pdf
from govern.register.rules.chain import canonical_json

PROPOSAL_PAPER = "exclusion-proposal.pdf"
DECISION_PAPER = "exclusion-decision.pdf"


def paper_of(departure: Departure, name: str) -> LeavingDocument:
    """The letter of the proposal or of the decision, as it was made.

    Papers that came with a step, whatever whoever sent them called them, are none of these.
    """
    came_with_a_step = {step.document_id for step in departure.steps}
    for document in departure.documents:
        if document.filename == name and document.id not in came_with_a_step:
            return document
    raise Conflict(
        _("The letter was not made."), remedy=_("Record the step before this one again.")
    )


def make_paper(
    session: Session,
    actor: Actor,
    departure: Departure,
    rules: LeavingRules,
    step: ExclusionStep,
    name: str,
) -> None:
    """The letter in the member's language, kept as it is: what was sent can be shown later."""
    membership, cooperative = departure.membership, departure.cooperative
    digest = hashlib.sha256(
        canonical_json(
            {
                "cooperative": cooperative.code,
                "departure": departure.public_id,
                "member": membership.public_id,
                "step": step.step,
                "day": step.done_on.isoformat(),
                "reasons": step.text,
            }
        )
    ).hexdigest()
    is_decision = step.step == Step.DECISION.value
    with speaking(membership.language):
        title, opening, closing = (
            _decision_words(departure, rules, step)
            if is_decision
            else _proposal_words(departure, rules, step)
        )
        pdf = exclusion_pdf(
            cooperative,
            membership,
            title=title,
            opening=opening,
            reasons=step.text,
            closing=closing,
            facts=[
                (_("Member"), membership.display_name),
                (_("Member number"), membership.member_number),
                (_("Day"), in_words(step.done_on)),
            ],
            digest=digest,
        )
    kept = keep_document(
        session,
        actor,
        cooperative.id,
        title,
        Upload(name, pdf),
        departure=departure,
    )
    assert kept is not None  # noqa: S101  (an upload was given)


def _proposal_words(
    departure: Departure, rules: LeavingRules, step: ExclusionStep
) -> tuple[str, str, Sequence[str]]:
    name = departure.cooperative.name
    source = rules.citation.text
    closing = [
        ngettext(
            "You have one month from the day on which this was sent to you to answer in writing.",
            "You have %(num)d months from the day on which this was sent to you to answer in "
            "writing.",
            rules.observation_days_months,
        ),
        _("If you ask for it in that time, you will be heard before anything is decided."),
        _("You can answer, ask to be heard and read the whole file when you sign in."),
    ]
    if source:
        closing.append(_("Rules: %(source)s", source=source))
    opening = _(
        "On %(day)s it was proposed to exclude you from %(cooperative)s.",
        day=in_words(step.done_on),
        cooperative=name,
    )
    return _("Proposal to exclude a member"), opening, closing


def _decision_words(
    departure: Departure, rules: LeavingRules, step: ExclusionStep
) -> tuple[str, str, Sequence[str]]:
    source = rules.citation.text
    last = departure.repay_by or repay_by(rules, step.done_on)
    closing = [
        _("Your membership ended on that day."),
        _(
            "The value of your shares is to be paid back by %(day)s, once the board has made the "
            "tests of net assets and of liquidity that the law asks for.",
            day=in_words(last),
        ),
    ]
    if source:
        closing.append(_("Rules: %(source)s", source=source))
    opening = _(
        "On %(day)s it was decided to exclude you from %(cooperative)s.",
        day=in_words(step.done_on),
        cooperative=departure.cooperative.name,
    )
    return _("Decision to exclude a member"), opening, closing
