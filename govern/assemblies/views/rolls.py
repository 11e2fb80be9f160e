"""The roll of an assembly: taking and freezing it."""

from __future__ import annotations

from typing import Any

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from govern.access import Permission, requires
from govern.assemblies import services
from govern.assemblies.rules import local_day
from govern.assemblies.views.blueprint import address, back_to, blueprint, load
from govern.clock import now
from govern.errors import InvalidInput
from govern.extensions import db


@blueprint.route("/<cooperative>/assemblies/<slug>/roll", methods=["GET", "POST"])
@requires(Permission.ROLL_TAKE)
def roll(cooperative: str, slug: str) -> Any:
    """Take the roll, look at it, take it again or freeze it."""
    session = db.session()
    assembly = load(slug)
    if request.method == "POST":
        action = request.form.get("action")
        if action == "take":
            services.take_assembly_roll(session, g.actor, assembly)
            said = _("The roll is taken. Look at it, then freeze it.")
        elif action == "drop":
            services.drop_assembly_roll(session, g.actor, assembly)
            said = _("The draft of the roll is dropped.")
        elif action == "freeze":
            services.freeze_assembly_roll(session, g.actor, assembly)
            said = _("The roll is frozen and its digest published.")
        else:
            raise InvalidInput(_("There is no such step."), remedy=_("Reload the page."))
        session.commit()
        flash(said, "good")
        return back_to(assembly, "roll")
    _row, rules = services.rules_of(session, assembly)
    return render_template(
        "assemblies/roll.html",
        assembly=assembly,
        roll=assembly.roll,
        categories={category.code: category.names for category in rules.categories},
        has_come=local_day(now(), g.cooperative.time_zone) >= assembly.record_date,
        back=address(assembly),
    )
