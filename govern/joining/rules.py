"""What is decided about applications for membership. Pure: no database, no clock.

An application is written by a stranger, confirmed from its e-mail address, accepted by whoever the
rule set says, paid, and then admitted. Acceptance and payment are independent facts: membership
takes effect on the later of their two days.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from govern.cooperatives.rules import Acceptance, JoiningRules, ShareClass

CONFIRMATION_LIFE = timedelta(hours=48)
"""How long the link that confirms an address works; then the application is deleted."""

MAILS_PER_ADDRESS = 5
"""How many applications per hour from one address are answered with a mail."""

ADDRESS_WINDOW = timedelta(hours=1)

FORGET_AFTER = timedelta(days=183)
"""When an application that led to nothing loses its personal data."""

OLDEST_BIRTH = date(1900, 1, 1)

MANY_SHARES = 10_000
"""More shares than this are not asked for through a form, where the rule set has no maximum."""


class ApplicationState(StrEnum):
    """Where an application stands. ``lapsed``: the shares that were to be transferred with it will
    not be."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    ADMITTED = "admitted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    LAPSED = "lapsed"


S = ApplicationState
TRANSITIONS: dict[ApplicationState, frozenset[ApplicationState]] = {
    S.UNCONFIRMED: frozenset({S.CONFIRMED}),
    S.CONFIRMED: frozenset({S.ACCEPTED, S.REFUSED, S.WITHDRAWN, S.LAPSED}),
    # An accepted application that turns out to be a member's own second one is refused still.
    S.ACCEPTED: frozenset({S.ADMITTED, S.REFUSED, S.WITHDRAWN, S.EXPIRED, S.LAPSED}),
    S.EXPIRED: frozenset({S.ACCEPTED}),
    S.ADMITTED: frozenset(),
    S.REFUSED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.LAPSED: frozenset(),
}
"""An unconfirmed application that nobody confirms is deleted rather than kept in a state."""

OPEN_STATES = frozenset({S.CONFIRMED, S.ACCEPTED})
CLOSED_STATES = frozenset({S.REFUSED, S.WITHDRAWN, S.EXPIRED, S.LAPSED})


def may_become(state: ApplicationState, following: ApplicationState) -> bool:
    """Whether an application in ``state`` may go on to ``following``."""
    return following in TRANSITIONS[state]


class IdentityChoice(StrEnum):
    """Who the applicant is, where the register has somebody alike: the registrar says."""

    UNDECIDED = "undecided"
    SOMEBODY_ELSE = "somebody_else"
    SAME = "same"


class Hold(StrEnum):
    """Why an application that is accepted and paid is not admitted by itself."""

    NOTHING = ""
    LIKENESS = "likeness"
    REFUSED = "refused_by_register"


class OrderState(StrEnum):
    """Where a member's order of more shares stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def decides_itself(acceptance: Acceptance) -> bool:
    """Whether nobody needs to decide about an application."""
    return acceptance == "automatic"


def effective_day(paid_on: date, accepted_on: date) -> date:
    """The day on which membership takes effect: the later one of payment and acceptance."""
    return max(paid_on, accepted_on)


def payment_due(from_day: date, rules: JoiningRules) -> date:
    """The last calendar day on which a payment is in time."""
    return from_day + timedelta(days=rules.payment_days)


def reminder_day(from_day: date, due_on: date) -> date:
    """When an unpaid applicant is reminded: a week before the end, half-way where that is less."""
    days = (due_on - from_day).days
    return due_on - timedelta(days=min(7, days // 2))


@dataclass(frozen=True)
class ShareRange:
    """How many shares may be asked for. ``most`` below ``least``: none at all."""

    least: int
    most: int

    def holds(self, shares: int) -> bool:
        return self.least <= shares <= self.most


def shares_for_joining(rules: JoiningRules) -> ShareRange:
    """How many shares an applicant may ask for."""
    return ShareRange(rules.minimum_shares, rules.maximum_shares or MANY_SHARES)


def shares_for_member(rules: JoiningRules, held: int, ordered: int = 0) -> ShareRange:
    """How many more shares a member may ask for who holds ``held`` and has ordered ``ordered``."""
    if rules.maximum_shares is None:
        return ShareRange(1, MANY_SHARES)
    return ShareRange(1, max(0, rules.maximum_shares - held - ordered))


def classes_for(classes: tuple[ShareClass, ...], category: str) -> list[ShareClass]:
    """The classes of shares that members of ``category`` may hold, in the order of the rules."""
    return [item for item in classes if not item.categories or category in item.categories]


def same_words(left: str, right: str) -> bool:
    """Whether two names are the same without case, accents and order of their words."""
    return _words(left) == _words(right) != []


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return sorted(plain.split())
