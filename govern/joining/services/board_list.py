"""The list of applications that the board decides about, as a document to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask_babel import gettext as _

from govern.cooperatives.models import Cooperative
from govern.i18n import day as in_words
from govern.i18n import money, speaking
from govern.joining.models import Application
from govern.joining.services.guards import applied_on
from govern.joining.services.letters import giver_of
from govern.pdf import render_pdf


def board_list_pdf(
    cooperative: Cooperative,
    applications: Sequence[Application],
    categories: Mapping[str, str],
    day: date,
    language: str,
) -> bytes:
    """Names, towns, categories and shares only: a board needs no birth dates and no addresses."""
    with speaking(language):
        data = {
            "cooperative": cooperative.name,
            "title": _("Applications for membership"),
            "subtitle": in_words(day),
            "columns": [
                _("Applied on"),
                _("Name"),
                _("Municipality"),
                _("Category"),
                _("Shares"),
                _("Amount"),
                _("What the board decides"),
            ],
            "rows": [
                [
                    in_words(applied_on(item), "medium"),
                    item.name,
                    item.town,
                    _category(item.category, categories),
                    str(item.shares),
                    _how_paid(item),
                    "",
                ]
                for item in applications
            ],
            "empty": _("No application waits for a decision."),
            "signature": _("Date and signature"),
        }
        return render_pdf("applications", data, language)


def _how_paid(application: Application) -> str:
    if not application.is_by_transfer:
        return money(application.amount_cents)
    return _("by transfer from %(giver)s", giver=giver_of(application) or "–")


def _category(code: str, names: Mapping[str, str]) -> str:
    return f"{code} – {names[code]}" if code in names else code
