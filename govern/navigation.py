"""The navigation of every page: features say what they offer, the layout shows it.

A feature calls ``register(fn)`` once, in its own ``register(app)``; ``fn(actor, cooperative)``
returns the items that this actor may use there. An item that leads to a refusal is never shown,
so ``fn`` asks ``actor.may(…)`` before it offers one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import flask
from flask import Flask, g, request

from govern.access import NOBODY, Actor

if TYPE_CHECKING:  # the cooperatives' own pages stand in the navigation too
    from govern.cooperatives.models import Cooperative


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation.

    ``order``: lower comes first (0 to 99 for members' pages, 100 and up for officers' ones).
    ``covers``: a path prefix under which the item counts as the current one (default: ``href``).
    ``exact``: current on its own page only, not on the pages below it.
    """

    label: str
    href: str
    order: int = 50
    covers: str = ""
    exact: bool = False

    @property
    def is_current(self) -> bool:
        """Whether the page being shown is this one or lies below it."""
        prefix = (self.covers or self.href).rstrip("/")
        path = request.path.rstrip("/")
        if self.exact or prefix == "":
            return path == prefix
        return path == prefix or path.startswith(prefix + "/")


ItemsOf = Callable[[Actor, "Cooperative | None"], list[NavItem]]

_sources: dict[str, ItemsOf] = {}


def register(source: ItemsOf) -> ItemsOf:
    """Let ``source`` offer items on every page (the same function twice counts once)."""
    _sources[f"{source.__module__}.{source.__qualname__}"] = source
    return source


def navigation() -> list[NavItem]:
    """What the person who asks can go to from this page, in order."""
    actor, cooperative = g.get("actor", NOBODY), g.get("cooperative")
    items = [item for source in _sources.values() for item in source(actor, cooperative)]
    return sorted(items, key=lambda item: (item.order, item.label))


def here() -> str:
    """Where to come back to after changing the language: this page, if it can be asked for."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return request.path


def has_endpoint(name: str) -> bool:
    """Whether this application has that page (the layout shows no link that leads nowhere)."""
    return name in flask.current_app.view_functions


def register_navigation(app: Flask) -> None:
    """Give the layout its helpers."""
    app.jinja_env.globals.update(navigation=navigation, here=here, has_endpoint=has_endpoint)
