"""Which partner a cell means, and whether a partner is the member of that number here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from govern.register.importing.odoo.reading import (
    Partner,
)
from govern.register.rules.folding import fold


class People:
    """Finds the partner that a cell means: by identifier, by number, or by a name that is one."""

    def __init__(self, partners: Sequence[Partner]) -> None:
        self.by_key = {partner.key: partner for partner in partners if partner.key}
        self.by_number = {partner.number: partner for partner in partners if partner.number}
        self.by_name: dict[str, list[Partner]] = defaultdict(list)
        for partner in partners:
            self.by_name[fold(partner.name)].append(partner)

    def find(self, reference: str) -> tuple[Partner | None, str]:
        """The partner, or None and the code of the problem."""
        if reference.startswith("number:"):
            found = self.by_number.get(reference[7:])
            return found, "" if found else "partner_unknown"
        if reference in self.by_key:
            return self.by_key[reference], ""
        alike = self.by_name.get(fold(reference), [])
        holders = [partner for partner in alike if partner.number] or alike
        if len(holders) == 1:
            return holders[0], ""
        return None, "partner_ambiguous" if holders else "partner_unknown"


def same_name(partner: Partner, name: str) -> bool:
    """Whether the names hold the same words, in any order: Odoo writes "Peeters, An" too."""
    kept = sorted(fold(name).split())
    written = (partner.name, f"{partner.given_name} {partner.family_name}")
    return any(sorted(fold(text).split()) == kept for text in written)
