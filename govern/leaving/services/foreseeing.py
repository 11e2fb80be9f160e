"""What a resignation would bring, before anybody signs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import LeavingRules
from govern.errors import InvalidInput, RuleViolation
from govern.leaving.models import Departure
from govern.leaving.rules.calendar import (
    ResignationObstacle,
    ResignationPlan,
    plan_resignation,
)
from govern.leaving.services.common import founded_on, rules_for
from govern.leaving.texts import kept_text, resignation_refused
from govern.register.models import Membership
from govern.register.rules.ledger import split_over_lots
from govern.register.services.holdings import holding_of


@dataclass(frozen=True)
class Prospect:
    """What a resignation would bring: its days, the shares and their value in cents."""

    plan: ResignationPlan
    rule_set: RuleSet
    rules: LeavingRules
    held: int
    shares: int
    amount_cents: int
    founded_on: date | None

    @property
    def refusal(self) -> RuleViolation | None:
        """Why it would be refused, None if it would not."""
        if self.plan.obstacle is None:
            return None
        return resignation_refused(self.plan, self.rules, self.founded_on)

    @property
    def waits_for_a_day(self) -> bool:
        """Whether it is refused today only: the days of the plan are those of the next period."""
        return self.plan.obstacle in (
            ResignationObstacle.OUTSIDE_WINDOW,
            ResignationObstacle.FOUNDER,
        )

    @property
    def why_kept(self) -> str:
        """Why it counts as given on a later day."""
        return kept_text(self.plan, self.rules, self.founded_on)

    @property
    def withdraw_until(self) -> date | None:
        """The last day on which it could be taken back; None where it takes effect at once."""
        return last_withdrawal(self.plan.requested_on, self.plan.effective_on)


def last_withdrawal(given_on: date, effective_on: date | None) -> date | None:
    """The day before the effect, None where that lies before the request itself."""
    if effective_on is None or effective_on <= given_on:
        return None
    return effective_on - timedelta(days=1)


def foresee_resignation(
    session: Session, membership: Membership, day: date, shares: int | None = None
) -> Prospect:
    """What a resignation given on ``day`` would bring; ``shares`` None for all of them."""
    row, rules = rules_for(session, membership.cooperative_id, day)
    holding = holding_of(session, membership.id)
    leaving = holding.issued if shares is None else shares
    if shares is not None and not 1 <= shares <= max(holding.issued, 1):
        raise InvalidInput(
            _("The number of shares must be between 1 and %(most)s.", most=holding.issued),
            remedy=_("Write a whole number."),
            field="shares",
        )
    founder_since = founded_on(session, membership)
    plan = plan_resignation(
        rules,
        day,
        founded_on=founder_since,
        is_part=leaving < holding.issued,
        held=holding.issued,
    )
    amount = sum(
        cents for _lot, _n, cents in split_over_lots(holding, min(leaving, holding.issued))
    )
    return Prospect(plan, row, rules, holding.issued, leaving, amount, founder_since)


def foresee_request(session: Session, departure: Departure, day: date) -> Prospect:
    """What a request that was written down would bring if it were signed on ``day``.

    A request for a part of the shares is refused once no more than that part is held: signed for
    would be to give back a part and to stay.
    """
    prospect = foresee_resignation(session, departure.membership, day)
    asked = departure.shares
    if asked is None:
        return prospect
    if asked >= prospect.held:
        plan = replace(prospect.plan, obstacle=ResignationObstacle.PART_GONE)
        return replace(prospect, plan=plan)
    return foresee_resignation(session, departure.membership, day, asked)
