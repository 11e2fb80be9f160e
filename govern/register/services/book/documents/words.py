"""What the documents of the book share: names in words, both times, amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.cooperatives.services import rules_on
from govern.errors import RuleViolation
from govern.i18n import current_language, instant, local_text, money
from govern.i18n import day as in_words
from govern.register.models import EntryKind, TransferCause
from govern.register.services.book.entries import BookEntry
from govern.register.services.book.extracts import (
    BookLine,
)
from govern.register.services.book.moments import BookMoment
from govern.register.texts import CAUSE_NAMES, ENTRY_KIND_NAMES


@dataclass(frozen=True)
class Words:
    """Names of categories and classes of shares, as the rule set of the day has them."""

    categories: Mapping[str, Any]
    classes: Mapping[str, Any]
    _made: dict[tuple[str, str, int], str] = field(default_factory=dict, compare=False, repr=False)

    def category(self, code: str) -> str:
        texts = self.categories.get(code)
        return f"{code} – {local_text(texts)}" if texts else code or _("none")

    def share_class(self, code: str, nominal_cents: int) -> str:
        # Every line of a book asks for one of a few.
        key = (current_language(), code, nominal_cents)
        if key not in self._made:
            texts = self.classes.get(code)
            self._made[key] = _(
                "%(name)s at %(value)s",
                name=local_text(texts) if texts else code,
                value=money(nominal_cents),
            )
        return self._made[key]


def words_on(session: Session, cooperative: Cooperative, day: date) -> Words:
    """The words of the rule set of ``day``, or of today's where ``day`` is before any rule."""
    try:
        rules = rules_on(session, cooperative.id, day)[1]
    except RuleViolation:
        rules = rules_on(session, cooperative.id, clock.today(cooperative.time_zone))[1]
    return Words(
        {category.code: category.names for category in rules.categories},
        {item.code: item.names for item in rules.share_classes},
    )


def kind_name(entry: BookEntry) -> str:
    """What an entry is, in words, with the cause of a transfer."""
    name = str(ENTRY_KIND_NAMES[EntryKind(entry.kind)])
    if not entry.cause:
        return name
    cause = CAUSE_NAMES[TransferCause(entry.cause)]
    return _("%(kind)s (%(cause)s)", kind=name, cause=cause)


def holder_name(line: BookLine | BookEntry) -> str:
    """The name on a line, or that it was erased."""
    if line.name:
        return line.name
    return _("(name erased)")


def moment_facts(moment: BookMoment) -> list[list[str]]:
    """Both times and the head of the chain, for the top of every extract."""
    return [
        [_("Holdings at the end of"), in_words(moment.on)],
        [_("As known at"), instant(moment.known_at)],
        [_("Newest entry known"), _("number %(number)s", number=moment.sequence)],
        [_("Hash of that entry"), moment.hash],
    ]


def euro(cents: int) -> Decimal:
    """Cents as the amount that a workbook shows."""
    return Decimal(cents).scaleb(-2)
