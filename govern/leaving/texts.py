"""The words of leaving: kinds, states, steps, and why something is refused."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext, ngettext

from govern.cooperatives.rules import LeavingRules
from govern.errors import RuleViolation
from govern.i18n import day as in_words
from govern.i18n import money
from govern.leaving.rules.board import Coverage, TestKind, TestObstacle
from govern.leaving.rules.calendar import (
    ANY_TIME,
    BadSchedule,
    InstalmentProblem,
    ResignationObstacle,
    ResignationPlan,
    founder_free_from,
    next_window,
)
from govern.leaving.rules.exclusion import Step, StepObstacle, StepRefused
from govern.leaving.rules.states import DepartureKind, DepartureState, RefundState, Signature

KIND_NAMES = {
    DepartureKind.RESIGNATION: _l("Resignation"),
    DepartureKind.PARTIAL: _l("Withdrawal of a part of the shares"),
    DepartureKind.DEATH: _l("Death"),
    DepartureKind.LOSS_OF_STATUS: _l("Conditions no longer met"),
    DepartureKind.EXCLUSION: _l("Exclusion"),
    DepartureKind.FORMER: _l("Shares of a former member"),
}

STATE_NAMES = {
    DepartureState.UNCONFIRMED: lazy_pgettext("departure", "to be signed"),
    DepartureState.PENDING: lazy_pgettext("departure", "takes effect on its day"),
    DepartureState.PROCEDURE: lazy_pgettext("departure", "procedure under way"),
    DepartureState.EFFECTIVE: lazy_pgettext("departure", "in effect"),
    DepartureState.WITHDRAWN: lazy_pgettext("departure", "withdrawn"),
    DepartureState.LAPSED: lazy_pgettext("departure", "not signed in time"),
    DepartureState.SUPERSEDED: lazy_pgettext("departure", "superseded"),
    DepartureState.DISCONTINUED: lazy_pgettext("departure", "discontinued"),
}

STATE_TONES = {
    DepartureState.UNCONFIRMED: "warn",
    DepartureState.PENDING: "info",
    DepartureState.PROCEDURE: "warn",
}

SIGNATURE_NAMES = {
    Signature.PASSWORD: _l("with the password of the account"),
    Signature.MAIL: _l("with a link sent by mail"),
    Signature.PAPER: _l("on paper"),
}

REFUND_STATE_NAMES = {
    RefundState.SCHEDULED: lazy_pgettext("refund", "scheduled"),
    RefundState.POSTPONED: lazy_pgettext("refund", "postponed"),
    RefundState.RELEASED: lazy_pgettext("refund", "released for payment"),
    RefundState.PAID: lazy_pgettext("refund", "paid"),
    RefundState.RETURNED: lazy_pgettext("refund", "sent back by the bank"),
    RefundState.REPLACED: lazy_pgettext("refund", "split into instalments"),
    RefundState.CANCELLED: lazy_pgettext("refund", "cancelled"),
}

REFUND_TONES = {
    RefundState.SCHEDULED: "info",
    RefundState.POSTPONED: "warn",
    RefundState.RELEASED: "info",
    RefundState.PAID: "good",
    RefundState.RETURNED: "bad",
}

STEP_NAMES = {
    Step.PROPOSAL: _l("Reasoned proposal"),
    Step.PROPOSAL_SENT: _l("Proposal sent to the member"),
    Step.OBSERVATIONS: _l("Observations of the member"),
    Step.HEARING_ASKED: _l("Hearing asked for"),
    Step.HEARING: _l("Hearing"),
    Step.DECISION: _l("Reasoned decision"),
    Step.DECISION_SENT: _l("Decision sent to the member"),
    Step.DISCONTINUED: _l("Procedure discontinued"),
}

STEP_ACTIONS = {
    Step.PROPOSAL_SENT: _l("Send the proposal"),
    Step.OBSERVATIONS: _l("Record observations on paper"),
    Step.HEARING_ASKED: _l("Record that a hearing is asked for"),
    Step.HEARING: _l("Record the hearing"),
    Step.DECISION: _l("Record the decision to exclude"),
    Step.DECISION_SENT: _l("Send the decision"),
    Step.DISCONTINUED: _l("Discontinue the procedure"),
}

DAY_FIELDS = {
    Step.PROPOSAL_SENT: "posted_on",
    Step.OBSERVATIONS: "received_on",
    Step.HEARING_ASKED: "received_on",
    Step.DECISION_SENT: "posted_on",
}
"""The field in which the day of a step is typed, where it is not ``done_on``."""

TEST_NAMES = {
    TestKind.NET_ASSET: _l("Net-asset test"),
    TestKind.LIQUIDITY: _l("Liquidity test"),
}


def rules_text(rules: LeavingRules) -> list[str]:
    """The source of the rules, as one more sentence of a list; none where there is none.

    Whether somebody has read the source itself is told where all sources stand, on the page of
    the cooperative's rules: it is no part of a sentence to a member.
    """
    source = rules.citation.text
    return [_("Rules: %(source)s", source=source)] if source else []


def period_text(rules: LeavingRules, day: date) -> list[str]:
    """When one may resign, and what becomes of a request received on ``day`` outside of it."""
    if rules.resignation_months >= ANY_TIME:
        return []
    period = next_window(rules, day)
    words = {"first": in_words(period.first), "last": in_words(period.last)}
    if day in period:
        return [_("The present period is from %(first)s to %(last)s.", **words)]
    if rules.outside_window == "keep":
        return [
            _(
                "A request received today is kept for the next period, from %(first)s to %(last)s.",
                **words,
            )
        ]
    return [
        _(
            "A request received today is refused: the next period is from %(first)s to %(last)s.",
            **words,
        )
    ]


def resignation_refused(
    plan: ResignationPlan, rules: LeavingRules, founded_on: date | None
) -> RuleViolation:
    """Why the rules refuse the resignation of ``plan``, and what to do."""
    period = {"first": in_words(plan.window.first), "last": in_words(plan.window.last)}
    again = _("Give your request from %(first)s to %(last)s.", **period)
    if plan.obstacle is ResignationObstacle.PART_ONLY:
        return RuleViolation(
            _("The rules allow to leave with all shares only, not with a part of them."),
            remedy=_("Ask to leave with all your shares, or transfer some to another member."),
            field="shares",
        )
    if plan.obstacle is ResignationObstacle.PART_GONE:
        return RuleViolation(
            _("You no longer hold more shares than this request is about."),
            remedy=_("Withdraw it, and ask to leave with all your shares if you want to."),
            field="shares",
        )
    if plan.obstacle is ResignationObstacle.NO_SHARES:
        return RuleViolation(
            _("No share is held, so there is nothing to give back."),
            remedy=_("Write to the cooperative if the register is wrong."),
        )
    if plan.obstacle is ResignationObstacle.FOUNDER and founded_on is not None:
        return RuleViolation(
            _(
                "Founders may not leave before %(day)s.",
                day=in_words(founder_free_from(rules, founded_on)),
            ),
            remedy=again,
        )
    return RuleViolation(
        ngettext(
            "One may resign in the first month of the financial year only.",
            "One may resign in the first %(num)d months of the financial year only.",
            rules.resignation_months,
        ),
        remedy=again,
    )


def kept_text(plan: ResignationPlan, rules: LeavingRules, founded_on: date | None) -> str:
    """Why a request counts as given later than it was."""
    period = {"first": in_words(plan.window.first), "last": in_words(plan.window.last)}
    if founded_on is not None and founder_free_from(rules, founded_on) > plan.requested_on:
        return _(
            "Founders may not leave before %(day)s: it is kept for the period from %(first)s to "
            "%(last)s.",
            day=in_words(founder_free_from(rules, founded_on)),
            **period,
        )
    return _(
        "Today lies outside the period in which one may resign: it is kept for the next one, from "
        "%(first)s to %(last)s.",
        **period,
    )


def step_refused(error: StepRefused, step: Step) -> RuleViolation:
    """Why a step of an exclusion may not be taken, and what to do."""
    when = in_words(error.day) if error.day else ""
    name = str(STEP_NAMES[step])
    sentences = {
        StepObstacle.TOO_SOON: (
            _("“%(step)s” rests on a step that has not been taken.", step=name),
            _("Take the steps in their order: none can be left out."),
        ),
        StepObstacle.CLOSED: (
            _("The procedure was closed on %(day)s.", day=when),
            _("Nothing more can be added to it."),
        ),
        StepObstacle.DONE: (
            _("“%(step)s” was recorded already, for %(day)s.", step=name, day=when),
            _("Reload the page to see it."),
        ),
        StepObstacle.OBSERVATIONS_RUN: (
            _("The member may write observations until the end of %(day)s.", day=when),
            _("Decide on a later day."),
        ),
        StepObstacle.HEARING_OWED: (
            _("The member has asked to be heard, and has not been."),
            _("Record the hearing first, or that the member was called and did not come."),
        ),
        StepObstacle.HEARING_EARLY: (
            _("The member has not asked to be heard, and may still do so until %(day)s.", day=when),
            _("Record first that it was asked for, or a hearing held after that day."),
        ),
        StepObstacle.BEFORE_STEP: (
            _("This cannot be before %(day)s, when the step that it rests on was taken.", day=when),
            _("Give that day or a later one."),
        ),
        StepObstacle.BEFORE_RECORD: (
            _("What it tells of was recorded only on %(day)s.", day=when),
            _("Give that day or a later one, or add the scan of the posted letter."),
        ),
        StepObstacle.FUTURE: (
            _("That day lies ahead."),
            _("Record a step on the day on which it is taken, or later."),
        ),
    }
    message, remedy = sentences[error.obstacle]
    has_day = error.day or error.obstacle is StepObstacle.FUTURE
    field = DAY_FIELDS.get(step, "done_on") if has_day else None
    return RuleViolation(message, remedy=remedy, field=field)


def schedule_refused(error: BadSchedule) -> RuleViolation:
    """Why instalments cannot be as asked, and what to do."""
    when = in_words(error.day) if error.day else ""
    sentences = {
        InstalmentProblem.COUNT: (
            _("The number of instalments or the months between them is not possible."),
            _("Give 1 to 60 instalments, at least one month apart."),
            "count",
        ),
        InstalmentProblem.TOO_SMALL: (
            _("Each instalment would be less than a cent."),
            _("Give fewer instalments."),
            "count",
        ),
        InstalmentProblem.TOO_EARLY: (
            _("No instalment can be due before %(day)s.", day=when),
            _("Give that day or a later one."),
            "first_due_on",
        ),
        InstalmentProblem.TOO_LATE: (
            _("Everything is to be paid back by %(day)s.", day=when),
            _("Give fewer instalments, or an earlier first day."),
            "first_due_on",
        ),
    }
    message, remedy, field = sentences[error.problem]
    return RuleViolation(message, remedy=remedy, field=field)


def coverage_text(coverage: Coverage) -> str:
    """Whether a test of the board covers a payment, as a sentence."""
    name = str(TEST_NAMES[coverage.kind])
    test = coverage.test
    if test is None:
        return _("%(test)s: none is recorded.", test=name)
    words = {"test": name, "day": in_words(test.decided_on, "medium")}
    if coverage.obstacle is TestObstacle.FAILED:
        return _("%(test)s of %(day)s: it was not passed.", **words)
    if coverage.obstacle is TestObstacle.EXPIRED:
        return _(
            "%(test)s of %(day)s: it was valid until %(until)s.",
            until=in_words(test.valid_until, "medium"),
            **words,
        )
    words["room"] = money(test.room_cents)
    if coverage.obstacle is TestObstacle.EXHAUSTED:
        return _("%(test)s of %(day)s: it covers only %(room)s more.", **words)
    return _(
        "%(test)s of %(day)s: passed, covers %(room)s more until %(until)s.",
        until=in_words(test.valid_until, "medium"),
        **words,
    )
