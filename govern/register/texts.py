"""The register's own words for people: states, kinds, reasons, obstacles, problems of an import."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from govern.i18n import day
from govern.register.rules.roll import Obstacle


def obstacle_text(obstacle: Obstacle, record_date: date) -> str:
    """Why a member is not on the roll of ``record_date``, as a sentence."""
    when = day(record_date)
    sentences = {
        Obstacle.JOINED_LATER: _("You joined after the record date, %(day)s.", day=when),
        Obstacle.ENDED: _("The membership had ended by the record date, %(day)s.", day=when),
        Obstacle.NO_SHARE: _("No share was held on the record date, %(day)s.", day=when),
        Obstacle.NO_PAID_SHARE: _(
            "No share was paid in full on the record date, %(day)s.", day=when
        ),
        Obstacle.NO_CATEGORY: _("No category was recorded on the record date, %(day)s.", day=when),
        Obstacle.REMOVED: _("The entry was removed by a correction of the roll."),
        Obstacle.RECORDED_LATER: _(
            "It was recorded in the register only after the roll was taken."
        ),
    }
    return sentences[obstacle]
