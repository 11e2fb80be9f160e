"""Which categories of members might hold a class of shares, on the days that history is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from govern.cooperatives.rules import Rules

Holders = Mapping[str, tuple[tuple[date, tuple[str, ...]], ...]]
"""Class → (first day, categories that may hold it, () for all) of each rule set that has it."""


def holders_of(rule_sets: Iterable[tuple[date, Rules]]) -> Holders:
    """What each of ``rule_sets`` (first day, rules; in order) says about every class."""
    found: dict[str, list[tuple[date, tuple[str, ...]]]] = defaultdict(list)
    for day, rules in rule_sets:
        for item in rules.share_classes:
            found[item.code].append((day, item.categories))
    return {code: tuple(said) for code, said in found.items()}


def refused_holders(
    holders: Holders, share_class: str, category: str, first: date, last: date
) -> tuple[str, ...]:
    """The categories that may hold the class, if ``category`` was not among them on any day from
    ``first`` to ``last``; () where it was.

    Who held shares while the rules allowed it holds them rightly, whatever the rules say since.
    Before the first rule set that has the class, that one counts.
    """
    said = holders.get(share_class, ())
    if not said:
        return ()
    begun = [item for item in said if item[0] <= first][-1:] or [said[0]]
    later = [item for item in said if first < item[0] <= last]
    allowed: dict[str, None] = {}
    for _day, categories in (*begun, *later):
        if not categories or category in categories:
            return ()
        allowed |= dict.fromkeys(categories)
    return tuple(allowed)
