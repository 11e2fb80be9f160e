"""What the pages of assemblies share."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint, g
from flask_babel import gettext as _

from govern.access import Permission
from govern.assemblies.models import Assembly
from govern.assemblies.services.editing import find_assembly
from govern.errors import NotFound
from govern.extensions import db

blueprint = Blueprint("assemblies", __name__)


def may(permission: Permission) -> bool:
    """Whether the one who asks may, in the cooperative of the page."""
    return bool(g.actor.may(permission, g.cooperative.id))


def load(slug: str) -> Assembly:
    """The assembly of the address, for a page that anyone may open.

    A draft is NotFound for whoever may not edit it.
    """
    assembly = find_assembly(db.session(), g.cooperative, slug)
    if not assembly.is_public and not may(Permission.ASSEMBLY_EDIT):
        raise NotFound(
            _("There is no such assembly."), remedy=_("Choose one from the list of assemblies.")
        )
    return assembly


def address(assembly: Assembly, name: str = "show", **more: Any) -> str:
    """The address of one of the pages of ``assembly``."""
    return flask.url_for(
        f"assemblies.{name}", cooperative=assembly.cooperative.code, slug=assembly.slug, **more
    )


def back_to(assembly: Assembly, name: str = "show", **more: Any) -> flask.Response:
    """Go to one of the pages of ``assembly`` after a change (the browser asks with GET)."""
    return flask.redirect(address(assembly, name, **more), 303)  # type: ignore[return-value]
