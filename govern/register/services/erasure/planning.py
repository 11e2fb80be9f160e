"""What an erasure would do, what must be kept and until when, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.services import rules_on
from govern.i18n import day as in_words
from govern.register.hooks import erasure_holds
from govern.register.models import Membership
from govern.register.rules.erasure import kept_until
from govern.register.services.holdings import holding_of


@dataclass(frozen=True)
class ErasurePlan:
    """``holds``: why nothing can be erased yet. ``keep_until``: when the rest goes (None while
    the membership lasts)."""

    holds: Sequence[str]
    goes_now: Sequence[str]
    is_kept: Sequence[str]
    keep_until: date | None

    @property
    def is_possible(self) -> bool:
        """Whether what need not be kept can be erased now."""
        return not self.holds


def plan_erasure(session: Session, membership: Membership) -> ErasurePlan:
    """What erasing would do now, what stays, why, and until when."""
    cooperative = membership.cooperative
    today = clock.today(cooperative.time_zone)
    ended = membership.ended_on if membership.ended_on and membership.ended_on <= today else None
    _row, rules = rules_on(session, cooperative.id, ended or today)
    years = rules.leaving.keep_years
    until = kept_until(ended, years) if ended is not None else None
    return ErasurePlan(_holds(session, membership, ended), _going(), _kept(until, years), until)


def _holds(session: Session, membership: Membership, ended: date | None) -> list[str]:
    found = []
    if ended is None:
        found.append(
            _(
                "The membership lasts. The law obliges the cooperative to keep a register of its "
                "members, and to convene each of them."
            )
        )
    elif held := holding_of(session, membership.id).issued:
        found.append(
            ngettext(
                "%(num)d share has not been refunded or given on yet.",
                "%(num)d shares have not been refunded or given on yet.",
                held,
            )
        )
    for ask in erasure_holds:
        found += ask(session, membership)
    return found


def _going() -> list[str]:
    return [
        _("The e-mail and postal address in the register"),
        _("Remarks of the registrar"),
        _("The texts of mails and letters that were sent, and to which address"),
        _("Notes about addresses that did not work"),
        _("The account for signing in, unless another membership or an office needs it"),
        _("Applications and requests"),
    ]


def _kept(until: date | None, years: int) -> list[str]:
    book = _(
        "The share register: name, birth date or enterprise number, member number, category, "
        "shares and their dates. It is the legal book of the cooperative."
    )
    when = (
        _("It is kept until %(day)s and erased then.", day=in_words(until))
        if until is not None
        else ngettext(
            "It is kept for %(num)d year after the membership ends and erased then.",
            "It is kept for %(num)d years after the membership ends and erased then.",
            years,
        )
    )
    return [
        f"{book} {when}",
        _(
            "The name on the rolls of assemblies: they belong to the minutes, and their published "
            "digests cover it. The contact data on them go with the register."
        ),
        _("The record of who did what: it holds numbers, no names."),
        _("Copies in backups, until these are overwritten."),
    ]
