"""The steps of an exclusion cannot be skipped, and each has its time."""

from __future__ import annotations

from datetime import date

import pytest

from govern.cooperatives.rules import LeavingRules
from govern.leaving.rules.exclusion import (
    CLOSES,
    NEEDS,
    Done,
    Step,
    StepObstacle,
    StepRefused,
    check_step,
    hearing_is_owed,
    notice_until,
    observations_until,
    possible_steps,
)

RULES = LeavingRules()
PROPOSED = [Done(Step.PROPOSAL, date(2018, 3, 1))]
SENT = [*PROPOSED, Done(Step.PROPOSAL_SENT, date(2018, 3, 2))]
LATER = date(2018, 12, 31)


def refused(done: list[Done], step: Step, day: date, today: date = LATER) -> StepObstacle:
    with pytest.raises(StepRefused) as error:
        check_step(RULES, done, step, day, today)
    return error.value.obstacle


@pytest.mark.parametrize("step", [step for step in Step if step is not Step.PROPOSAL])
def test_nothing_comes_before_the_reasoned_proposal(step: Step) -> None:
    assert refused([], step, date(2018, 3, 1)) is StepObstacle.TOO_SOON
    assert possible_steps(RULES, [], LATER) == [Step.PROPOSAL]


def test_no_decision_before_the_proposal_was_sent() -> None:
    assert refused(PROPOSED, Step.DECISION, date(2018, 6, 1)) is StepObstacle.TOO_SOON
    assert possible_steps(RULES, PROPOSED, LATER) == [Step.PROPOSAL_SENT, Step.DISCONTINUED]


def test_the_member_has_one_month_to_answer_and_the_last_day_is_theirs() -> None:
    assert observations_until(RULES, SENT) == date(2018, 4, 2)
    assert refused(SENT, Step.DECISION, date(2018, 4, 2)) is StepObstacle.OBSERVATIONS_RUN
    assert check_step(RULES, SENT, Step.DECISION, date(2018, 4, 3), LATER) is False
    assert check_step(RULES, SENT, Step.OBSERVATIONS, date(2018, 4, 2), LATER) is False
    assert check_step(RULES, SENT, Step.OBSERVATIONS, date(2018, 4, 3), LATER) is True


@pytest.mark.parametrize(
    ("before", "step"),
    [(Step.PROPOSAL, Step.PROPOSAL_SENT), (Step.DECISION, Step.DECISION_SENT)],
)
def test_nothing_was_sent_before_the_day_of_its_record_without_the_scan(
    before: Step, step: Step
) -> None:
    done = [Done(before, date(2018, 1, 2), recorded_on=date(2018, 4, 10))]
    assert refused(done, step, date(2018, 4, 9)) is StepObstacle.BEFORE_RECORD
    check_step(RULES, done, step, date(2018, 4, 10), LATER)
    check_step(RULES, done, step, date(2018, 1, 3), LATER, is_proved=True)
    with pytest.raises(StepRefused):
        check_step(RULES, done, step, date(2018, 1, 1), LATER, is_proved=True)


def test_a_hearing_that_was_asked_for_comes_before_the_decision() -> None:
    asked = [*SENT, Done(Step.HEARING_ASKED, date(2018, 4, 1))]
    assert hearing_is_owed(RULES, asked)
    assert refused(asked, Step.DECISION, date(2018, 5, 1)) is StepObstacle.HEARING_OWED
    heard = [*asked, Done(Step.HEARING, date(2018, 4, 20))]
    assert refused(heard, Step.DECISION, date(2018, 4, 19)) is StepObstacle.BEFORE_STEP
    assert check_step(RULES, heard, Step.DECISION, date(2018, 4, 20), LATER) is False


def test_a_hearing_asked_for_after_the_month_need_not_be_held() -> None:
    asked = [*SENT, Done(Step.HEARING_ASKED, date(2018, 4, 3))]
    assert not hearing_is_owed(RULES, asked)
    check_step(RULES, asked, Step.DECISION, date(2018, 4, 4), LATER)


def test_a_notice_after_fifteen_days_is_late_and_still_possible() -> None:
    decided = [*SENT, Done(Step.DECISION, date(2018, 4, 3))]
    assert notice_until(RULES, decided) == date(2018, 4, 18)
    assert check_step(RULES, decided, Step.DECISION_SENT, date(2018, 4, 18), LATER) is False
    assert check_step(RULES, decided, Step.DECISION_SENT, date(2018, 4, 19), LATER) is True


def test_after_the_decision_only_its_notice_is_left() -> None:
    decided = [*SENT, Done(Step.DECISION, date(2018, 4, 3))]
    assert possible_steps(RULES, decided, LATER) == [Step.DECISION_SENT]
    told = [*decided, Done(Step.DECISION_SENT, date(2018, 4, 5))]
    assert possible_steps(RULES, told, LATER) == []


def test_it_can_be_given_up_until_it_is_decided_and_then_is_over() -> None:
    for done in (PROPOSED, SENT):
        check_step(RULES, done, Step.DISCONTINUED, date(2018, 3, 5), LATER)
    over = [*SENT, Done(Step.DISCONTINUED, date(2018, 3, 5))]
    assert possible_steps(RULES, over, LATER) == []
    assert refused(over, Step.OBSERVATIONS, date(2018, 3, 6)) is StepObstacle.CLOSED


def test_no_step_lies_ahead_or_before_the_one_that_it_rests_on() -> None:
    assert refused([], Step.PROPOSAL, date(2018, 3, 2), date(2018, 3, 1)) is StepObstacle.FUTURE
    assert refused(PROPOSED, Step.PROPOSAL_SENT, date(2018, 2, 28)) is StepObstacle.BEFORE_STEP
    assert refused(SENT, Step.PROPOSAL_SENT, date(2018, 3, 3)) is StepObstacle.DONE


def test_the_tables_name_every_step() -> None:
    assert set(NEEDS) == set(Step)
    assert CLOSES[Step.DISCONTINUED] == set(Step)
