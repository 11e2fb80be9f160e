"""What a rule set says, as frozen values: categories, shares, joining, leaving, majorities.

A legal sentence that could not be read at its source is kept with ``confirmed=False``; the page of
the rules marks it as "to be confirmed" and explains that, and no sentence elsewhere repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any, Literal

Texts = Mapping[str, str]
"""One text per language code ("fr", "nl", "de", "en")."""


@dataclass(frozen=True)
class Citation:
    """Where a rule comes from. ``confirmed`` is true only if we read the text itself."""

    text: str
    confirmed: bool = False


@dataclass(frozen=True)
class Category:
    """A category (college) of members, with its name in the languages of the cooperative.

    ``explanations``: who belongs to it, for people who choose one when they apply.
    """

    code: str
    names: Texts
    explanations: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class MajorityRule:
    """What a kind of resolution needs.

    ``majority``: the share of *for* among *for + against* that must be exceeded
    (``strict=True``) or reached. ``quorum``: the share of ``quorum_basis`` ("heads",
    "shares_issued") that must be present or represented, None for no quorum.
    ``second_assembly_without_quorum``: a second assembly may decide whatever the presence.
    """

    code: str
    names: Texts
    majority_numerator: int
    majority_denominator: int
    strict: bool
    citation: Citation
    quorum_numerator: int | None = None
    quorum_denominator: int | None = None
    quorum_basis: str = "heads"
    second_assembly_without_quorum: bool = False

    @property
    def majority(self) -> Fraction:
        return Fraction(self.majority_numerator, self.majority_denominator)

    @property
    def quorum(self) -> Fraction | None:
        if self.quorum_numerator is None or self.quorum_denominator is None:
            return None
        return Fraction(self.quorum_numerator, self.quorum_denominator)


ORDINARY = "ordinary"
"""The class of a share where the rule set knows only one."""

ORDINARY_NAMES: Texts = {
    "fr": "Part ordinaire",
    "nl": "Gewoon aandeel",
    "de": "Gewöhnlicher Geschäftsanteil",
    "en": "Ordinary share",
}

Acceptance = Literal["automatic", "delegate", "board"]
"""Who admits: nobody has to, whom the board has charged with it, or the board from a list."""

Effect = Literal["end_of_window", "request", "year_end"]
"""When a resignation takes effect: on the last day of the period in which it may be given, on the
day of the request, or on the last day of the financial year."""

OutsideWindow = Literal["refuse", "keep"]
"""A resignation given outside that period is refused, or kept as one of the next period."""


@dataclass(frozen=True)
class ShareClass:
    """A class of shares: its value in cents, and which categories may hold it (() for all)."""

    code: str
    names: Texts
    nominal_cents: int
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class JoiningRules:
    """How somebody becomes a member.

    ``maximum_shares`` None for no limit; ``payment_days``: calendar days to pay in after the
    acceptance.
    """

    acceptance: Acceptance = "delegate"
    minimum_shares: int = 1
    maximum_shares: int | None = None
    payment_days: int = 30
    citation: Citation = Citation("")


@dataclass(frozen=True)
class LeavingRules:
    """How a membership ends and when its value is due.

    ``resignation_months``: a resignation counts only in the first so many months of the financial
    year (12: at any time); ``outside_window`` says what becomes of one given at another time.
    ``founders_years``: financial years that must have ended before a
    founder may leave. ``whole_only``: all shares at once or none. ``repayment_years``: what the
    board has to pay back. ``observation_days_months``: months that a member to be excluded has to
    answer; ``exclusion_notice_days``: days to tell them of the decision. ``keep_years``: how long
    the book keeps personal data after the ending.
    """

    financial_year_starts_month: int = 1
    resignation_months: int = 6
    founders_years: int = 2
    whole_only: bool = True
    effective: Effect = "end_of_window"
    outside_window: OutsideWindow = "refuse"
    repayment_years: int = 3
    observation_days_months: int = 1
    exclusion_notice_days: int = 15
    keep_years: int = 10
    citation: Citation = Citation("")


@dataclass(frozen=True)
class Rules:
    """One rule set. Money in integer cents, periods in whole calendar days.

    There is always an ordinary class of shares, of the value ``share_nominal_cents``; further
    classes stand beside it in ``share_classes``.
    """

    categories: tuple[Category, ...]
    share_nominal_cents: int
    notice_days: int
    notice_citation: Citation
    majorities: tuple[MajorityRule, ...]
    vote_weighting: str = "per_head"
    minimum_group: int = 3
    extra: Mapping[str, Any] = field(default_factory=dict)
    share_classes: tuple[ShareClass, ...] = ()
    joining: JoiningRules = field(default_factory=JoiningRules)
    leaving: LeavingRules = field(default_factory=LeavingRules)

    def __post_init__(self) -> None:
        stated = {item.code: item for item in self.share_classes}
        ordinary = stated.pop(ORDINARY, ShareClass(ORDINARY, ORDINARY_NAMES, 0))
        ordinary = replace(ordinary, nominal_cents=self.share_nominal_cents)
        object.__setattr__(self, "share_classes", (ordinary, *stated.values()))

    def share_class(self, code: str) -> ShareClass:
        """The class of shares with that code; KeyError if the rule set has none."""
        found: ShareClass = next_or_key_error(
            (item for item in self.share_classes if item.code == code), code
        )
        return found

    def category(self, code: str) -> Category:
        """The category with that code; KeyError if the rule set has none."""
        return next_or_key_error((c for c in self.categories if c.code == code), code)

    def majority_rule(self, code: str) -> MajorityRule:
        """The majority rule with that code; KeyError if the rule set has none."""
        return next_or_key_error((m for m in self.majorities if m.code == code), code)


def has_unconfirmed_source(rules: Rules) -> bool:
    """Whether any source named in the rules has not been compared with its text."""
    cited = [rules.notice_citation, rules.joining.citation, rules.leaving.citation]
    cited += [majority.citation for majority in rules.majorities]
    return any(citation.text and not citation.confirmed for citation in cited)


def next_or_key_error(found: Iterable[Any], code: str) -> Any:
    for item in found:
        return item
    raise KeyError(code)


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """The JSON form, the inverse of ``rules_from_json``."""
    return asdict(rules)


def rules_from_json(data: Mapping[str, Any]) -> Rules:
    """Read the JSON form; KeyError or TypeError when a field is missing or unknown.

    Rule sets from before share classes, joining and leaving were part of them read as the defaults.
    """
    return Rules(
        categories=tuple(Category(**item) for item in data["categories"]),
        share_nominal_cents=data["share_nominal_cents"],
        notice_days=data["notice_days"],
        notice_citation=Citation(**data["notice_citation"]),
        majorities=tuple(
            MajorityRule(**{**item, "citation": Citation(**item["citation"])})
            for item in data["majorities"]
        ),
        vote_weighting=data["vote_weighting"],
        minimum_group=data["minimum_group"],
        extra=dict(data["extra"]),
        share_classes=tuple(
            ShareClass(**{**item, "categories": tuple(item["categories"])})
            for item in data.get("share_classes", ())
        ),
        joining=_cited(JoiningRules, data.get("joining", {})),
        leaving=_cited(LeavingRules, data.get("leaving", {})),
    )


def _cited(kind: type[Any], data: Mapping[str, Any]) -> Any:
    stated = dict(data)
    if "citation" in stated:
        stated["citation"] = Citation(**stated["citation"])
    return kind(**stated)


def in_force(rule_sets: Iterable[Any], day: date) -> Any:
    """The latest rule set that has begun on ``day``; LookupError when none has."""
    begun = [item for item in rule_sets if item.starts_on <= day]
    if not begun:
        raise LookupError(f"no rule set had begun on {day.isoformat()}")
    return max(begun, key=lambda item: item.starts_on)
