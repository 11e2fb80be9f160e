"""What a rule set says, as frozen values: categories, share, notice, majorities, quorums.

A legal sentence that could not be read at its source is kept with ``confirmed=False`` and shown
as "to be confirmed".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

Texts = Mapping[str, str]
"""One text per language code ("fr", "nl", "de", "en")."""


@dataclass(frozen=True)
class Citation:
    """Where a rule comes from. ``confirmed`` is true only if we read the text itself."""

    text: str
    confirmed: bool = False


@dataclass(frozen=True)
class Category:
    """A category (college) of members, with its name in the languages of the cooperative."""

    code: str
    names: Texts


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


@dataclass(frozen=True)
class Rules:
    """One rule set. Money in integer cents, periods in whole calendar days."""

    categories: tuple[Category, ...]
    share_nominal_cents: int
    notice_days: int
    notice_citation: Citation
    majorities: tuple[MajorityRule, ...]
    vote_weighting: str = "per_head"
    minimum_group: int = 3
    extra: Mapping[str, Any] = field(default_factory=dict)

    def category(self, code: str) -> Category:
        """The category with that code; KeyError if the rule set has none."""
        return next_or_key_error((c for c in self.categories if c.code == code), code)

    def majority_rule(self, code: str) -> MajorityRule:
        """The majority rule with that code; KeyError if the rule set has none."""
        return next_or_key_error((m for m in self.majorities if m.code == code), code)


def next_or_key_error(found: Iterable[Any], code: str) -> Any:
    for item in found:
        return item
    raise KeyError(code)


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """The JSON form, the inverse of ``rules_from_json``."""
    return asdict(rules)


def rules_from_json(data: Mapping[str, Any]) -> Rules:
    """Read the JSON form; KeyError or TypeError when a field is missing or unknown."""
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
    )


def in_force(rule_sets: Iterable[Any], day: date) -> Any:
    """The latest rule set that has begun on ``day``; LookupError when none has."""
    begun = [item for item in rule_sets if item.starts_on <= day]
    if not begun:
        raise LookupError(f"no rule set had begun on {day.isoformat()}")
    return max(begun, key=lambda item: item.starts_on)
