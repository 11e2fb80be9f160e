"""The steps of an exclusion: what was taken, what may follow, and taking one."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput
from govern.i18n import day as in_words
from govern.leaving.models import Departure, ExclusionStep
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
    record,
    rules_of,
)
from govern.leaving.texts import step_refused


def steps_done(departure: Departure) -> list[Done]:
    """The steps taken, as the rules see them."""
    zone = ZoneInfo(departure.cooperative.time_zone)
    return [
        Done(Step(row.step), row.done_on, row.recorded_at.astimezone(zone).date())
        for row in departure.steps
    ]


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
        if self.departure.state not in states or self.departure.was_taken_back:
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


def begin(session: Session, departure: Departure, *, decided: bool = False) -> Cooperative:
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
    if departure.was_taken_back:
        raise Conflict(
            _("The ending of this membership was taken back."),
            remedy=_("Nothing needs to be done."),
        )
    return cooperative


def take(
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
