"""Exclusion: a procedure whose steps cannot be skipped, each with its day, text and paper."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import LeavingRules
from govern.errors import Conflict, InvalidInput
from govern.i18n import day as in_words
from govern.leaving.models import Departure, ExclusionStep
from govern.leaving.rules.calendar import repay_by
from govern.leaving.rules.exclusion import (
    Done,
    Step,
    StepRefused,
    check_step,
    hearing_is_owed,
    notice_until,
    observations_until,
    possible_steps,
)
from govern.leaving.rules.states import DepartureKind, DepartureState
from govern.leaving.services.common import (
    Upload,
    checked_text,
    keep_document,
    lock_departure,
    lock_membership,
    move,
    open_departures,
    record,
    refuse_days,
    refuse_ended,
    require_own,
    rules_for,
)
from govern.leaving.services.effect import settle
from govern.leaving.services.papers import (
    DECISION_PAPER,
    PROPOSAL_PAPER,
    make_paper,
    paper_of,
)
from govern.leaving.services.telling import tell
from govern.leaving.texts import step_refused
from govern.mail import Attachment, queue_letter
from govern.register.models import Membership


def steps_done(departure: Departure) -> list[Done]:
    """The steps taken, as the rules see them."""
    zone = ZoneInfo(departure.cooperative.time_zone)
    return [
        Done(Step(row.step), row.done_on, row.recorded_at.astimezone(zone).date())
        for row in departure.steps
    ]


def rules_of(session: Session, departure: Departure) -> LeavingRules:
    """The rules under which the procedure was begun: they hold to its end."""
    return rules_for(session, departure.cooperative_id, departure.requested_on)[1]


class Procedure:
    """How far an exclusion is: what was done, what may follow, what is due by when."""

    def __init__(self, session: Session, departure: Departure) -> None:
        self.departure = departure
        self.rules = rules_of(session, departure)
        self.done = steps_done(departure)
        self.today = clock.today(departure.cooperative.time_zone)

    @property
    def possible(self) -> list[Step]:
        """The steps that may be taken today."""
        states = (DepartureState.PROCEDURE.value, DepartureState.EFFECTIVE.value)
        if self.departure.state not in states:
            return []
        return possible_steps(self.rules, self.done, self.today)

    @property
    def observations_until(self) -> date | None:
        return observations_until(self.rules, self.done)

    @property
    def notice_until(self) -> date | None:
        return notice_until(self.rules, self.done)

    @property
    def hearing_is_owed(self) -> bool:
        return hearing_is_owed(self.rules, self.done)

    def has(self, step: Step) -> bool:
        """Whether ``step`` was taken."""
        return any(item.step is step for item in self.done)


def propose_exclusion(
    session: Session,
    actor: Actor,
    membership: Membership,
    *,
    proposed_on: date,
    reasons: str,
    document: Upload | None = None,
) -> Departure:
    """Begin a procedure with the board's reasoned proposal; the letter to send is made.

    Conflict when one is under way or the membership has ended.
    """
    actor.require(Permission.REGISTER_WRITE, membership.cooperative_id)
    cooperative = lock_membership(session, membership)
    refuse_ended(membership)
    refuse_days(cooperative, membership, proposed_on)
    if any(
        other.state == DepartureState.PROCEDURE.value
        for other in open_departures(session, membership.id)
    ):
        raise Conflict(
            _("A procedure to exclude this member is under way."),
            remedy=_("Go on with it, or discontinue it first."),
        )
    row, rules = rules_for(session, cooperative.id, proposed_on)
    departure = Departure(
        cooperative_id=cooperative.id,
        membership_id=membership.id,
        kind=DepartureKind.EXCLUSION.value,
        state=DepartureState.PROCEDURE.value,
        requested_on=proposed_on,
        rule_set_id=row.id,
        created_at=clock.now(),
        created_by_id=actor.account_id,
    )
    session.add(departure)
    session.flush()
    step = _take(
        session, actor, departure, Step.PROPOSAL, proposed_on, text=reasons, upload=document
    )
    make_paper(session, actor, departure, rules, step, PROPOSAL_PAPER)
    return departure


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


def add_observations(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    text: str,
    received_on: date | None = None,
    document: Upload | None = None,
) -> ExclusionStep:
    """What the member answers: written on the site today, or received on paper.

    After the month it is still passed on to the board until it decides, marked as late.
    """
    return _answer(session, actor, departure, Step.OBSERVATIONS, text, received_on, document)


def ask_for_hearing(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    text: str = "",
    received_on: date | None = None,
    document: Upload | None = None,
) -> ExclusionStep:
    """The member asks to be heard; within the month that must come before the decision."""
    return _answer(session, actor, departure, Step.HEARING_ASKED, text, received_on, document)


def record_hearing(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    held_on: date,
    text: str,
    document: Upload | None = None,
) -> ExclusionStep:
    """The hearing, with what was said (or that the member was called and did not come)."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    _begin(session, departure)
    return _take(session, actor, departure, Step.HEARING, held_on, text=text, upload=document)


def decide_exclusion(
    session: Session,
    actor: Actor,
    departure: Departure,
    *,
    decided_on: date,
    reasons: str,
    document: Upload | None = None,
) -> ExclusionStep:
    """The board excludes, with its reasons: the membership ends on that day.

    Its letter is made; the member is told by ``send_decision``, within the days of the rule set.
    """
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = _begin(session, departure)
    step = _take(
        session, actor, departure, Step.DECISION, decided_on, text=reasons, upload=document
    )
    refuse_days(cooperative, departure.membership, decided_on)
    rules = rules_of(session, departure)
    departure.counts_from = departure.effective_on = decided_on
    departure.repay_by = repay_by(rules, decided_on)
    make_paper(session, actor, departure, rules, step, DECISION_PAPER)
    settle(session, actor, departure, decided_on)
    return step


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


def discontinue_exclusion(
    session: Session, actor: Actor, departure: Departure, *, reason: str
) -> ExclusionStep:
    """Give the procedure up, with a reason: the member stays. The member is told if they knew."""
    actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = _begin(session, departure)
    knew = any(item.step is Step.PROPOSAL_SENT for item in steps_done(departure))
    today = clock.today(cooperative.time_zone)
    step = _take(session, actor, departure, Step.DISCONTINUED, today, text=reason)
    move(departure, DepartureState.DISCONTINUED)
    departure.ended_note = step.text
    session.flush()
    if knew:
        tell(
            session,
            departure,
            "exclusion_discontinued",
            f"leaving:discontinued:{departure.public_id}",
            reason=step.text,
        )
    return step


# -- inside -----------------------------------------------------------------------------------


def _begin(session: Session, departure: Departure, *, decided: bool = False) -> Cooperative:
    """Lock, and refuse what is no procedure (any more)."""
    cooperative = lock_departure(session, departure)
    session.expire(departure, ["steps"])
    wanted = DepartureState.EFFECTIVE if decided else DepartureState.PROCEDURE
    is_exclusion = departure.kind == DepartureKind.EXCLUSION.value
    # What is over says so through its steps, unless the membership ended otherwise.
    if not is_exclusion or departure.state == DepartureState.SUPERSEDED.value:
        raise Conflict(
            _("The membership ended otherwise: there is nobody left to exclude."),
            remedy=_("Nothing needs to be done."),
        )
    if decided and departure.state != wanted.value:
        raise Conflict(_("There is no decision to tell of."), remedy=_("Reload the page."))
    return cooperative


def _take(
    session: Session,
    actor: Actor,
    departure: Departure,
    step: Step,
    done_on: date,
    *,
    text: str = "",
    upload: Upload | None = None,
    late_reason: str = "",
    by_member: bool = False,
    needs_text: bool = True,
) -> ExclusionStep:
    """Take one step, if the rules allow it."""
    rules = rules_of(session, departure)
    today = clock.today(departure.cooperative.time_zone)
    try:
        late = check_step(
            rules, steps_done(departure), step, done_on, today, is_proved=upload is not None
        )
    except StepRefused as error:
        raise step_refused(error, step) from error
    if late and step is Step.DECISION_SENT and len(late_reason.strip()) < 5:
        until = notice_until(rules, steps_done(departure))
        raise InvalidInput(
            _(
                "The decision was to be sent by %(day)s: this is late.",
                day=in_words(until) if until else "",
            ),
            remedy=_("Say why; the notice is recorded as late, with the reason."),
            field="late_reason",
        )
    document = keep_document(
        session,
        actor,
        departure.cooperative_id,
        upload.filename if upload is not None else "",
        upload,
        departure=departure,
    )
    row = ExclusionStep(
        departure_id=departure.id,
        step=step.value,
        done_on=done_on,
        text=checked_text(text, "text") if needs_text else text,
        is_late=late,
        late_reason=late_reason.strip()[:2000] if late else "",
        by_member=by_member,
        document_id=document.id if document is not None else None,
        recorded_at=clock.now(),
        recorded_by_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    session.expire(departure, ["steps"])
    record(session, actor, departure, step.value, {"done_on": done_on.isoformat(), "late": late})
    return row


def _answer(
    session: Session,
    actor: Actor,
    departure: Departure,
    step: Step,
    text: str,
    received_on: date | None,
    document: Upload | None,
) -> ExclusionStep:
    """By the member on the site (``received_on`` None), or by the registrar from paper."""
    by_member = received_on is None
    if by_member:
        require_own(session, actor, departure.membership)
    else:
        actor.require(Permission.REGISTER_WRITE, departure.cooperative_id)
    cooperative = _begin(session, departure)
    return _take(
        session,
        actor,
        departure,
        step,
        received_on or clock.today(cooperative.time_zone),
        text=text,
        upload=document,
        by_member=by_member,
        needs_text=step is Step.OBSERVATIONS,
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
    cooperative = _begin(session, departure, decided=decided)
    membership = departure.membership
    if posted_on is None and not membership.email:
        raise InvalidInput(
            _("The register holds no e-mail address of this member."),
            remedy=_("Print the letter, post it, and give the day of posting."),
            field="posted_on",
        )
    done_on = posted_on or clock.today(cooperative.time_zone)
    row = _take(
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
        )
    row.document_id = paper.id
    session.flush()
    return row
