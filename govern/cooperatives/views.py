"""The rules of a cooperative, for everybody to read: what is in force, and what was before."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import flask
from flask import Blueprint, Flask, g, render_template
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from govern import clock, navigation
from govern.access import Actor, public
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import (
    JoiningRules,
    LeavingRules,
    MajorityRule,
    Rules,
    has_unconfirmed_source,
    rules_from_json,
)
from govern.extensions import db
from govern.navigation import NavItem

blueprint = Blueprint("cooperatives", __name__)


@blueprint.get("/<cooperative>/rules")
@public
def rules(cooperative: str) -> Any:
    """Every rule set of the cooperative, the one in force first."""
    today = clock.today(g.cooperative.time_zone)
    rows = db.session.scalars(
        select(RuleSet)
        .where(RuleSet.cooperative_id == g.cooperative.id)
        .order_by(RuleSet.starts_on.desc())
    ).all()
    shown = _with_states(list(rows), today)
    return render_template(
        "cooperatives/rules.html",
        shown=shown,
        has_unconfirmed=any(
            has_unconfirmed_source(item["rules"]) or not item["row"].source_confirmed
            for item in shown
        ),
        majority=majority_in_words,
        quorum=quorum_in_words,
        weighting=weighting_in_words,
        acceptance=acceptance_in_words,
        shares_to_begin=shares_to_begin_in_words,
        resignation=resignation_in_words,
        founders=founders_in_words,
        effect=effect_in_words,
    )


def _with_states(rows: list[RuleSet], today: date) -> list[dict[str, Any]]:
    """The rule sets, newest first, each with the day before the next one began."""
    shown: list[dict[str, Any]] = []
    following: date | None = None
    for row in rows:
        if row.starts_on > today:
            state = "coming"
        else:
            state = "past" if any(item["state"] == "present" for item in shown) else "present"
        shown.append(
            {
                "row": row,
                "rules": rules_from_json(row.rules),
                "state": state,
                "until": following,
            }
        )
        following = row.starts_on
    return sorted(shown, key=lambda item: ("present", "coming", "past").index(item["state"]))


def majority_in_words(rule: MajorityRule) -> str:
    """What must be reached among the votes for and against, as a sentence."""
    share = _fraction(rule.majority)
    if rule.strict and rule.majority == Fraction(1, 2):
        return _("More votes for than against; abstentions do not count, a tie rejects.")
    if rule.strict:
        return _("More than %(share)s of the votes for and against.", share=share)
    return _("At least %(share)s of the votes for and against.", share=share)


def quorum_in_words(rule: MajorityRule) -> str:
    """Who must be present or represented, as a sentence."""
    if rule.quorum is None:
        return _("No quorum.")
    share = _fraction(rule.quorum)
    if rule.quorum_basis == "shares_issued":
        sentence = _("At least %(share)s of the shares present or represented.", share=share)
    else:
        sentence = _("At least %(share)s of the members present or represented.", share=share)
    if rule.second_assembly_without_quorum:
        second = _("If that fails, a second assembly decides whatever the presence.")
        return f"{sentence} {second}"
    return sentence


def weighting_in_words(rules_in_force: Rules) -> str:
    """How votes are weighed, as a sentence."""
    if rules_in_force.vote_weighting == "per_college":
        return _("The votes of each college weigh as the statutes say.")
    return _("One person, one vote, whatever the number of shares.")


def acceptance_in_words(joining: JoiningRules) -> str:
    """Who admits, as a sentence."""
    if joining.acceptance == "automatic":
        return _("Whoever fulfils the conditions and has paid is admitted.")
    if joining.acceptance == "board":
        return _("The board admits, from a list.")
    return _("Whom the board has charged with it admits.")


def shares_to_begin_in_words(joining: JoiningRules) -> str:
    """How many shares a new member takes, as a sentence."""
    least = ngettext("At least %(num)d share.", "At least %(num)d shares.", joining.minimum_shares)
    if joining.maximum_shares is None:
        return least
    most = ngettext("At most %(num)d share.", "At most %(num)d shares.", joining.maximum_shares)
    return f"{least} {most}"


def resignation_in_words(leaving: LeavingRules) -> str:
    """When and with what one may leave, as sentences."""
    if leaving.resignation_months >= 12:
        when = _("At any time.")
    else:
        when = ngettext(
            "In the first month of the financial year.",
            "In the first %(num)d months of the financial year.",
            leaving.resignation_months,
        )
    with_what = (
        _("With all shares at once.")
        if leaving.whole_only
        else _("With all shares or a part of them.")
    )
    if leaving.resignation_months >= 12:
        return f"{when} {with_what}"
    otherwise = (
        _("A request given at another time is kept for the next period.")
        if leaving.outside_window == "keep"
        else _("A request given at another time is refused.")
    )
    return f"{when} {with_what} {otherwise}"


def founders_in_words(leaving: LeavingRules) -> str:
    """When founders may leave, as a sentence."""
    if not leaving.founders_years:
        return _("As everybody else.")
    return ngettext(
        "Not before %(num)d financial year has ended.",
        "Not before %(num)d financial years have ended.",
        leaving.founders_years,
    )


def effect_in_words(leaving: LeavingRules) -> str:
    """From which day a resignation counts, as a sentence."""
    if leaving.effective == "request":
        return _("On the day of the request.")
    if leaving.effective == "year_end":
        return _("On the last day of the financial year.")
    return _("On the last day of the period in which one may resign.")


def _fraction(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


def offer_rules(_actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The page of rules, on the pages of a cooperative."""
    if cooperative is None:
        return []
    href = flask.url_for("cooperatives.rules", cooperative=cooperative.code)
    return [NavItem(_("Rules"), href, order=90)]


def register(app: Flask) -> None:
    """Register the page and its item of the navigation."""
    app.register_blueprint(blueprint)
    navigation.register(offer_rules)
