"""The list of a cooperative's assemblies."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from govern.access import Permission, public
from govern.assemblies.services.reading import assemblies_query
from govern.assemblies.views.blueprint import blueprint, may
from govern.extensions import db
from govern.paging import paginate


@blueprint.get("/<cooperative>/assemblies")
@public
def index(cooperative: str) -> Any:
    """Those to come, and those that were held."""
    session = db.session()
    coming = session.scalars(assemblies_query(g.actor, g.cooperative, coming=True)).all()
    past = paginate(session, assemblies_query(g.actor, g.cooperative, coming=False), per_page=20)
    return render_template(
        "assemblies/list.html",
        coming=coming,
        past=past,
        may_edit=may(Permission.ASSEMBLY_EDIT),
        on_hold=g.cooperative.status == "on_hold",
    )
