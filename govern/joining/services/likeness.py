"""Whom in the register an applicant is like. For the registrar's eyes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.orm import Session

from govern.joining.models import Application
from govern.joining.services.guards import today_of
from govern.register.models import (
    MemberKind,
    Membership,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules.folding import fold, name_key

MOST = 20
"""So many people alike are shown at most; a name that so many bear says little."""


class Sign(StrEnum):
    """What the two have in common."""

    EMAIL = "email"
    NAME = "name"
    NAME_AND_BIRTH = "name_and_birth"
    ENTERPRISE_NUMBER = "enterprise_number"


STRONG = frozenset({Sign.NAME_AND_BIRTH, Sign.ENTERPRISE_NUMBER})


@dataclass(frozen=True)
class Likeness:
    """Somebody in the register: a membership (past or present), or a representative of one."""

    membership: Membership
    person: Person | None
    organisation: Organisation | None
    signs: frozenset[Sign]
    is_current: bool

    @property
    def key(self) -> str:
        """How a form names the person or organisation."""
        if self.person is not None:
            return f"person-{self.person.id}"
        return f"organisation-{self.organisation.id if self.organisation else 0}"

    @property
    def is_strong(self) -> bool:
        """Whether this is hardly a coincidence: nobody is admitted past it unasked."""
        return bool(self.signs & STRONG) or {Sign.EMAIL, Sign.NAME} <= self.signs


def find_likenesses(session: Session, application: Application) -> list[Likeness]:
    """People or organisations of this register like the applicant, the most alike first."""
    today = today_of(application)
    if application.kind == MemberKind.LEGAL.value:
        found = _organisations(session, application, today)
    else:
        found = _people(session, application, today)
    # Somebody with a past and a present membership is one person: the present one says more.
    found.sort(key=lambda item: (not item.is_current, not item.is_strong))
    unique: dict[str, Likeness] = {}
    for item in found:
        unique.setdefault(item.key, item)
    return sorted(unique.values(), key=lambda item: not item.is_strong)[:MOST]


def needs_decision(likenesses: list[Likeness]) -> bool:
    """Whether a registrar must say who this is before anybody is admitted."""
    return any(item.is_strong for item in likenesses)


def _is_current(membership: Membership, today: date) -> bool:
    return membership.ended_on is None or membership.ended_on > today


def _ids(application: Application, sign: ColumnElement[bool]) -> Select[int]:
    return select(Membership.id).where(
        Membership.cooperative_id == application.cooperative_id, sign
    )


def _either(*found: Select[int]) -> Select[tuple[int]]:
    """Memberships with one sign at least. Each sign has an index of its own; an OR over two
    tables would read the whole register."""
    either = union(*found).subquery()
    return select(either.c.id)


def _people(session: Session, application: Application, today: date) -> list[Likeness]:
    key = name_key(application.given_name, application.family_name)
    swapped = name_key(application.family_name, application.given_name)
    # Asked for by themselves: joined, SQLite would begin with all members of the register.
    namesakes = select(Person.id).where(Person.name_key.in_([key, swapped]))
    members = session.execute(
        select(Membership, Person)
        .join(Person, Membership.person_id == Person.id)
        .where(
            Membership.id.in_(
                _either(
                    _ids(application, Membership.email_key == application.email_key),
                    _ids(application, Membership.person_id.in_(namesakes)),
                )
            )
        )
        .order_by(Membership.id.desc())
        .limit(MOST * 5)
    )
    found = [
        Likeness(membership, person, None, signs, _is_current(membership, today))
        for membership, person in members
        if (signs := _signs_of(application, membership, person, (key, swapped)))
    ]
    represented = (
        select(Membership.id)
        .join(Representative, Representative.organisation_id == Membership.organisation_id)
        .where(Representative.person_id.in_(namesakes))
    )
    delegates = session.execute(
        select(Membership, Person)
        .join(Representative, Representative.organisation_id == Membership.organisation_id)
        .join(Person, Representative.person_id == Person.id)
        .where(
            Membership.cooperative_id == application.cooperative_id,
            Membership.id.in_(represented),
            Person.name_key.in_([key, swapped]),
        )
        .order_by(Membership.id.desc())
        .limit(MOST)
    )
    known = {item.person.id for item in found if item.person is not None}
    found += [
        # Who represents an organisation is no member by that: never current.
        Likeness(membership, person, None, signs, is_current=False)
        for membership, person in delegates
        if person.id not in known
        and (signs := _signs_of(application, membership, person, (key, swapped)))
    ]
    return found


def _signs_of(
    application: Application, membership: Membership, person: Person, keys: tuple[str, str]
) -> frozenset[Sign]:
    signs = set()
    if membership.email_key == application.email_key:
        signs.add(Sign.EMAIL)
    if person.name_key in keys:
        if person.birth_date is None or application.birth_date is None:
            signs.add(Sign.NAME)
        elif person.birth_date == application.birth_date:
            signs.add(Sign.NAME_AND_BIRTH)
    return frozenset(signs)


def _organisations(session: Session, application: Application, today: date) -> list[Likeness]:
    rows = session.execute(
        select(Membership, Organisation)
        .join(Organisation, Membership.organisation_id == Organisation.id)
        .where(
            Membership.id.in_(
                _either(
                    _ids(application, Membership.email_key == application.email_key),
                    _ids(
                        application,
                        Organisation.enterprise_number == application.enterprise_number,
                    ).join(Organisation, Membership.organisation_id == Organisation.id),
                    _ids(application, Membership.sort_name == fold(application.organisation_name)),
                )
            )
        )
        .order_by(Membership.id.desc())
        .limit(MOST * 5)
    )
    found = []
    for membership, organisation in rows:
        signs = set()
        if membership.email_key == application.email_key:
            signs.add(Sign.EMAIL)
        if organisation.enterprise_number == application.enterprise_number:
            signs.add(Sign.ENTERPRISE_NUMBER)
        if fold(organisation.name) == fold(application.organisation_name):
            signs.add(Sign.NAME)
        found.append(
            Likeness(
                membership, None, organisation, frozenset(signs), _is_current(membership, today)
            )
        )
    return found
