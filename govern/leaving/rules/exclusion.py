"""The steps of an exclusion: which may follow, from when, until when, and what is late.

Source: domain notes ("a reasoned decision, one month for observations, a hearing on request, and
notice within fifteen days"); Belgian companies code, art. 6:123, to be confirmed. Periods count
calendar days where the cooperative is: a month runs from the day on which the proposal was sent to
the same day of the next month, that day included. What was sent cannot have been sent before the
step that it tells of was recorded, unless a scan of the posted letter proves it: else a whole
procedure could be written down in a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from govern.cooperatives.rules import LeavingRules
from govern.leaving.rules.calendar import add_months


class Step(StrEnum):
    """What is done in the procedure, in this order."""

    PROPOSAL = "proposal"
    PROPOSAL_SENT = "proposal_sent"
    OBSERVATIONS = "observations"
    HEARING_ASKED = "hearing_asked"
    HEARING = "hearing"
    DECISION = "decision"
    DECISION_SENT = "decision_sent"
    DISCONTINUED = "discontinued"


NEEDS: Mapping[Step, frozenset[Step]] = {
    Step.PROPOSAL: frozenset(),
    Step.PROPOSAL_SENT: frozenset({Step.PROPOSAL}),
    Step.OBSERVATIONS: frozenset({Step.PROPOSAL_SENT}),
    Step.HEARING_ASKED: frozenset({Step.PROPOSAL_SENT}),
    Step.HEARING: frozenset({Step.PROPOSAL_SENT}),
    Step.DECISION: frozenset({Step.PROPOSAL_SENT}),
    Step.DECISION_SENT: frozenset({Step.DECISION}),
    Step.DISCONTINUED: frozenset({Step.PROPOSAL}),
}
"""What must have been done before a step; a period or a hearing may have to come in between."""

CLOSES: Mapping[Step, frozenset[Step]] = {
    Step.DECISION: frozenset(
        {
            Step.PROPOSAL,
            Step.PROPOSAL_SENT,
            Step.OBSERVATIONS,
            Step.HEARING_ASKED,
            Step.HEARING,
            Step.DECISION,
            Step.DISCONTINUED,
        }
    ),
    Step.DISCONTINUED: frozenset(Step),
}
"""After the first, none of the second is possible any more."""

SENDING = frozenset({Step.PROPOSAL_SENT, Step.DECISION_SENT})
"""The steps that tell the member something."""

REPEATABLE = frozenset({Step.OBSERVATIONS})


class StepObstacle(StrEnum):
    """Why a step cannot be taken."""

    TOO_SOON = "too_soon"  # a step that must come before is missing
    CLOSED = "closed"
    DONE = "done"
    OBSERVATIONS_RUN = "observations_run"
    HEARING_OWED = "hearing_owed"
    HEARING_EARLY = "hearing_early"  # held before it was asked for, it would not be the one owed
    BEFORE_STEP = "before_step"
    BEFORE_RECORD = "before_record"  # nothing proves that it was sent then
    FUTURE = "future"


class StepRefused(ValueError):
    """A step that may not be taken. ``day``: the day that it has to do with, where there is one."""

    def __init__(self, obstacle: StepObstacle, day: date | None = None) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle
        self.day = day


@dataclass(frozen=True)
class Done:
    """A step that was taken on ``done_on``, and the local day of its record where it matters."""

    step: Step
    done_on: date
    recorded_on: date | None = None


def day_of(done: Sequence[Done], step: Step) -> date | None:
    """The day of the (first) such step, None if it was not taken."""
    return next((item.done_on for item in done if item.step is step), None)


def observations_until(rules: LeavingRules, done: Sequence[Done]) -> date | None:
    """The last day for observations, None until the proposal was sent."""
    sent_on = day_of(done, Step.PROPOSAL_SENT)
    return None if sent_on is None else add_months(sent_on, rules.observation_days_months)


def notice_until(rules: LeavingRules, done: Sequence[Done]) -> date | None:
    """The last day on which the decision is told in time, None until it was taken."""
    decided_on = day_of(done, Step.DECISION)
    return None if decided_on is None else decided_on + timedelta(days=rules.exclusion_notice_days)


def hearing_asked_on(done: Sequence[Done]) -> date | None:
    """The day on which a hearing was (first) asked for: a letter may be recorded after a later
    request on the site."""
    return min((item.done_on for item in done if item.step is Step.HEARING_ASKED), default=None)


def hearing_is_owed(rules: LeavingRules, done: Sequence[Done]) -> bool:
    """Whether a hearing was asked for within the period and has not been held."""
    asked_on, until = hearing_asked_on(done), observations_until(rules, done)
    if asked_on is None or until is None or asked_on > until:
        return False
    return day_of(done, Step.HEARING) is None


def is_late(rules: LeavingRules, done: Sequence[Done], step: Step, done_on: date) -> bool:
    """Whether ``step`` on ``done_on`` is after its deadline."""
    if step in (Step.OBSERVATIONS, Step.HEARING_ASKED):
        until = observations_until(rules, done)
    elif step is Step.DECISION_SENT:
        until = notice_until(rules, done)
    else:
        return False
    return until is not None and done_on > until


def check_step(
    rules: LeavingRules,
    done: Sequence[Done],
    step: Step,
    done_on: date,
    today: date,
    *,
    is_proved: bool = False,
) -> bool:
    """Whether ``step`` on ``done_on`` is late; raises StepRefused when it may not be taken.

    ``is_proved``: the scan of a posted letter comes with it.
    """
    taken = {item.step for item in done}
    until = observations_until(rules, done)
    if step in taken and step not in REPEATABLE:
        asked_on = hearing_asked_on(done) if step is Step.HEARING_ASKED else None
        # A letter that came in time is worth more than the late request recorded before it.
        if asked_on is None or until is None or not done_on <= until < asked_on:
            raise StepRefused(StepObstacle.DONE, day_of(done, step))
    for closing, closed in CLOSES.items():
        if closing in taken and step in closed:
            raise StepRefused(StepObstacle.CLOSED, day_of(done, closing))
    if not NEEDS[step] <= taken:
        raise StepRefused(StepObstacle.TOO_SOON)
    if done_on > today:
        raise StepRefused(StepObstacle.FUTURE)
    before = max((item.done_on for item in done if item.step in NEEDS[step]), default=None)
    if before is not None and done_on < before:
        raise StepRefused(StepObstacle.BEFORE_STEP, before)
    if step in SENDING and not is_proved:
        known = [item.recorded_on for item in done if item.step in NEEDS[step]]
        recorded_on = max((day for day in known if day is not None), default=None)
        if recorded_on is not None and done_on < recorded_on:
            raise StepRefused(StepObstacle.BEFORE_RECORD, recorded_on)
    if step is Step.HEARING:
        asked_on = hearing_asked_on(done)
        if asked_on is not None and done_on < asked_on:
            raise StepRefused(StepObstacle.BEFORE_STEP, asked_on)
        if asked_on is None and until is not None and done_on <= until:
            raise StepRefused(StepObstacle.HEARING_EARLY, until)
    if step is Step.DECISION:
        if until is not None and done_on <= until:
            raise StepRefused(StepObstacle.OBSERVATIONS_RUN, until)
        if hearing_is_owed(rules, done):
            raise StepRefused(StepObstacle.HEARING_OWED)
        held_on = day_of(done, Step.HEARING)
        if held_on is not None and done_on < held_on:
            raise StepRefused(StepObstacle.BEFORE_STEP, held_on)
    return is_late(rules, done, step, done_on)


def possible_steps(rules: LeavingRules, done: Sequence[Done], today: date) -> list[Step]:
    """The steps that may be taken today, in their order; a hearing may have been asked for by a
    letter of the last day in time."""
    possible, until = [], observations_until(rules, done)
    for step in Step:
        is_late_letter = step is Step.HEARING_ASKED and until is not None and until < today
        try:
            check_step(rules, done, step, until if is_late_letter and until else today, today)
        except StepRefused:
            continue
        possible.append(step)
    return possible
