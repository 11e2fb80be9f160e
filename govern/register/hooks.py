"""What features above the register add to its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import g
from sqlalchemy.orm import Session

from govern.access import NOBODY, Actor
from govern.cooperatives.models import Cooperative
from govern.hooks import Hook
from govern.navigation import NavItem
from govern.register.models import Membership, Person, ShareEntry, TransferRequest

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


# -- shares promised to somebody who is no member yet ------------------------------------------

invitations: Hook[Callable[[Session, TransferRequest, str], str | None]] = Hook(
    "the address of the page on which whoever holds the secret answers a promise of shares; None "
    "where they cannot become a member by themselves"
)

transfer_links: Hook[Callable[[Session, Actor, TransferRequest], Sequence[NavItem]]] = Hook(
    "pages of other features about a transfer, for a registrar"
)

# -- what is kept about a person, and how it goes ---------------------------------------------


@dataclass(frozen=True)
class OwnSection:
    """One part of what a person takes out about themself.

    ``key`` is its stable name in the JSON file; ``title``, ``headings`` and ``note`` are in words,
    in the person's language. ``rows`` hold texts, one per heading. Attendance at votes is no part
    of it, and nothing may tie a person to a ballot.
    """

    key: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


own_data: Hook[Callable[[Session, Person], Sequence[OwnSection]]] = Hook(
    "what a feature keeps about a person, for that person's own export"
)

erasing: Hook[Callable[[Session, Membership, str], int]] = Hook(
    "erase what a feature keeps about a membership; the number of rows erased. The third argument "
    'is "now" (what need not be kept) or "end" (everything, once the book need not be kept)'
)

erasure_holds: Hook[Callable[[Session, Membership], Sequence[str]]] = Hook(
    "why nothing can be erased yet, in sentences (a refund is still to be paid)"
)

# -- what must not be undone or moved yet -----------------------------------------------------

reversal_holds: Hook[Callable[[Session, Sequence[ShareEntry]], Sequence[str]]] = Hook(
    "why the entries of an act cannot be taken back, in sentences (what was owed for them is paid)"
)

merge_holds: Hook[Callable[[Session, Membership], Sequence[str]]] = Hook(
    "why a membership cannot be brought together with another one yet, in sentences"
)
