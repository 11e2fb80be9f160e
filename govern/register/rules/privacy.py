"""What of a member's record each role sees: the one table that pages, exports and the API ask.

A *viewer* is a role, or the person concerned, or a stranger ("public"). A fellow member is the role
``member``: the law lets every member consult the register, and that shows names, categories and
numbers of shares. Somebody with several roles sees what any of them sees. An organisation's
representative is the person concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

SELF = "self"
"""The person concerned, or who represents the organisation concerned."""
PUBLIC = "public"
"""Whoever is not signed in, or holds no role in the cooperative."""


class FieldGroup(StrEnum):
    """Parts of a member's record that are shown or hidden together."""

    NAME = "name"
    NUMBER = "number"
    CATEGORY = "category"
    SHARES = "shares"
    MEMBERSHIP = "membership"
    LEDGER = "ledger"
    REPRESENTATIVE = "representative"
    ENTERPRISE_NUMBER = "enterprise_number"
    REACHED_BY = "reached_by"
    CONTACT = "contact"
    BIRTH_DATE = "birth_date"
    ADDRESS_PROBLEMS = "address_problems"
    REMARKS = "remarks"
    HISTORY = "history"
    READINGS = "readings"
    ERASURE = "erasure"


_KEEPERS = ("registrar", "auditor", "treasurer")
"""Those who may open a member's record at all (``register.read``)."""

_ROLL_READERS = ("registrar", "auditor", "secretary", "returning_officer")
"""Those who may read who is on a roll (``roll.read``)."""

VISIBLE: Mapping[FieldGroup, frozenset[str]] = {
    group: frozenset((SELF, *viewers))
    for group, viewers in (
        (FieldGroup.NAME, ("member", "treasurer", *_ROLL_READERS)),
        (FieldGroup.NUMBER, ("treasurer", *_ROLL_READERS)),
        (FieldGroup.CATEGORY, ("member", "treasurer", *_ROLL_READERS)),
        (FieldGroup.SHARES, ("member", "treasurer", *_ROLL_READERS)),
        (FieldGroup.MEMBERSHIP, _KEEPERS),
        (FieldGroup.LEDGER, _KEEPERS),
        (FieldGroup.REPRESENTATIVE, ("treasurer", *_ROLL_READERS)),
        (FieldGroup.ENTERPRISE_NUMBER, _KEEPERS),
        (FieldGroup.REACHED_BY, ("treasurer", *_ROLL_READERS)),
        (FieldGroup.CONTACT, ("registrar",)),
        (FieldGroup.BIRTH_DATE, ("registrar",)),
        (FieldGroup.ADDRESS_PROBLEMS, ("registrar",)),
        (FieldGroup.REMARKS, ("registrar",)),
        (FieldGroup.HISTORY, _KEEPERS),
        (FieldGroup.READINGS, ("registrar", "auditor")),
        (FieldGroup.ERASURE, ("registrar",)),
    )
}
"""Who sees what. ``REMARKS`` are the registrar's notes: the person concerned gets them too, in the
export of their own data."""

COLUMN_GROUPS: Mapping[str, FieldGroup] = {
    "member_number": FieldGroup.NUMBER,
    "family_name": FieldGroup.NAME,
    "given_name": FieldGroup.NAME,
    "birth_date": FieldGroup.BIRTH_DATE,
    "email": FieldGroup.CONTACT,
    "language": FieldGroup.CONTACT,
    "street": FieldGroup.CONTACT,
    "postal_code": FieldGroup.CONTACT,
    "town": FieldGroup.CONTACT,
    "country": FieldGroup.CONTACT,
    "category": FieldGroup.CATEGORY,
    "joined_on": FieldGroup.MEMBERSHIP,
    "shares": FieldGroup.SHARES,
    "paid": FieldGroup.LEDGER,
    "enterprise_number": FieldGroup.ENTERPRISE_NUMBER,
    "representative": FieldGroup.REPRESENTATIVE,
    "ended_on": FieldGroup.MEMBERSHIP,
}
"""To which group each column of an export belongs."""


def visible_to(viewers: Iterable[str]) -> frozenset[FieldGroup]:
    """What somebody who is all of ``viewers`` at once sees. Nobody sees less than the public."""
    asking = {*viewers, PUBLIC}
    return frozenset(group for group in FieldGroup if VISIBLE[group] & asking)
