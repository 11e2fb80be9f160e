"""What features above the register add to its pages."""

from __future__ import annotations

from collections.abc import Callable

from flask import g

from govern.access import NOBODY, Actor
from govern.cooperatives.models import Cooperative
from govern.hooks import Hook
from govern.navigation import NavItem

register_tabs: Hook[Callable[[Actor, Cooperative], list[NavItem]]] = Hook(
    "the officers' pages of a register that stand side by side, to that actor"
)


def register_tab_items() -> list[NavItem]:
    """The tabs of the register that is being shown, in order, to whoever is asking."""
    actor, cooperative = g.get("actor", NOBODY), g.get("cooperative")
    if cooperative is None:
        return []
    items = [item for offer in register_tabs for item in offer(actor, cooperative)]
    return sorted(items, key=lambda item: (item.order, str(item.label)))
