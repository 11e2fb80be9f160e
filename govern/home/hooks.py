"""Where features say what is expected of a person, and what a cooperative's front page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from govern.access import Actor
from govern.cooperatives.models import Cooperative
from govern.hooks import Hook


@dataclass(frozen=True)
class HomeItem:
    """One thing that is expected of a person (or may interest them), and where to do it.

    ``due``: until when, an instant or a calendar day, None where nothing presses. ``tone``:
    "warn" for what must be done, "info" for what may be read, "good" for what is done.
    """

    title: str
    detail: str = ""
    due: datetime | date | None = None
    href: str = ""
    tone: str = "info"


@dataclass(frozen=True)
class FrontSection:
    """One part of a cooperative's front page: ``template`` is included with ``context``.

    The template renders inside a ``<section>`` whose heading is ``title``. Lower ``order`` first.
    """

    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    order: int = 50


home_items: Hook[Callable[[Session, Actor, int], list[HomeItem]]] = Hook(
    "what is expected of the person with that account id, by when"
)
cooperative_sections: Hook[Callable[[Session, Actor, Cooperative], list[FrontSection]]] = Hook(
    "what the front page of a cooperative shows to that actor"
)
