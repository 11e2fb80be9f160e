"""Admission, contact data, names, categories, representatives and endings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.audit import AuditEntry
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleViolation
from govern.register.models import EndReason, Membership, MembershipCategory
from govern.register.models.people import COUNTED, COUNTED_ORDER
from govern.register.services import members
from govern.register.services.holdings import holding_of
from govern.register.services.members import Contact, NewMember, PossibleDuplicate
from govern.register.services.verifying import verify_ledger

Make = Callable[..., Membership]
CONTACT = Contact(language="fr", email="an@example.org", street="Rue 1", town="Mons", country="BE")


def person(**changes: Any) -> NewMember:
    values: dict[str, Any] = {
        "member_number": "",
        "joined_on": date(2018, 1, 10),
        "category": "A",
        "contact": CONTACT,
        "given_name": "An",
        "family_name": "Peeters",
        "birth_date": date(1980, 2, 1),
    }
    return NewMember(**{**values, **changes})


def firm(**changes: Any) -> NewMember:
    values: dict[str, Any] = {
        "member_number": "",
        "joined_on": date(2018, 1, 10),
        "category": "B",
        "contact": CONTACT,
        "organisation_name": "Atelier CV",
        "enterprise_number": "BE 0871.985.062",
        "representative_given_name": "Victor",
        "representative_family_name": "Verelst",
    }
    return NewMember(**{**values, **changes})


def test_a_person_is_admitted_with_shares(session: Session, cooperative: Cooperative) -> None:
    made = members.add_member(session, SYSTEM, cooperative, person(shares=2, paid_cents=6000))
    assert made.member_number == "1"
    assert made.display_name == "An Peeters"
    assert made.categories[0].code == "A"
    assert holding_of(session, made.id).paid == 2
    assert made.sort_name == "peeters an"
    assert " an peeters " in f"{made.search_text} "
    verify_ledger(session, cooperative)


def test_an_organisation_is_admitted_with_its_representative(
    session: Session, cooperative: Cooperative
) -> None:
    made = members.add_member(session, SYSTEM, cooperative, firm())
    assert made.organisation is not None
    assert made.organisation.enterprise_number == "0871985062"
    assert made.organisation.representatives[0].person.name == "Victor Verelst"
    assert "victor verelst" in made.search_text


def test_the_next_free_number_follows_the_highest(
    both_databases: str, session: Session, cooperative: Cooperative
) -> None:
    members.add_member(session, SYSTEM, cooperative, person(member_number="1041"))
    members.add_member(
        session, SYSTEM, cooperative, person(member_number="A-7", accept_duplicate=True)
    )
    for number in ("999", "0001040", "9000x", "9" * 19):
        members.add_member(
            session, SYSTEM, cooperative, person(member_number=number, accept_duplicate=True)
        )
    made = members.add_member(session, SYSTEM, cooperative, person(accept_duplicate=True))
    assert made.member_number == "1042"
    if session.get_bind().dialect.name == "sqlite":
        highest = (
            f"SELECT member_number FROM membership WHERE cooperative_id = 1 AND {COUNTED} "
            f"ORDER BY {', '.join(f'{part} DESC' for part in COUNTED_ORDER)} LIMIT 1"
        )
        plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {highest}")).all())
        assert "ix_membership_counted" in plan
        assert "TEMP B-TREE" not in plan
    with pytest.raises(Conflict, match="1042 is in use"):
        members.add_member(
            session, SYSTEM, cooperative, person(member_number="1042", accept_duplicate=True)
        )


@pytest.mark.parametrize(
    "again",
    [
        person(contact=Contact(language="fr"), family_name="PEETERS"),
        person(family_name="Somebody", contact=Contact(language="nl", email="AN@example.org")),
    ],
)
def test_somebody_who_may_be_in_the_register_already_is_asked_about(
    again: NewMember, session: Session, cooperative: Cooperative
) -> None:
    members.add_member(session, SYSTEM, cooperative, person())
    with pytest.raises(PossibleDuplicate, match="Member 1, An Peeters") as error:
        members.add_member(session, SYSTEM, cooperative, again)
    assert error.value.field == "accept_duplicate"


def test_an_organisation_is_recognised_by_its_number(
    session: Session, cooperative: Cooperative
) -> None:
    members.add_member(session, SYSTEM, cooperative, firm())
    other = Contact(language="nl", email="other@example.org")
    with pytest.raises(PossibleDuplicate):
        members.add_member(
            session,
            SYSTEM,
            cooperative,
            firm(organisation_name="Bis", enterprise_number="0871985062", contact=other),
        )


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (person(family_name=" "), "family_name"),
        (person(given_name=""), "given_name"),
        (person(given_name="x" * 121), "given_name"),
        (person(category="Z"), "category"),
        (person(member_number="=1"), "member_number"),
        (person(contact=Contact(language="fr", email="geen")), "email"),
        (person(contact=Contact(language="xx")), "language"),
        (person(contact=Contact(language="fr", country="Atlantis")), "country"),
        (person(contact=Contact(language="fr", street="x" * 251)), "street"),
        (firm(enterprise_number="0871985063"), "enterprise_number"),
        (firm(representative_family_name=""), "representative_family_name"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    new: NewMember, field: str, session: Session, cooperative: Cooperative
) -> None:
    with pytest.raises(InvalidInput) as error:
        members.add_member(session, SYSTEM, cooperative, new)
    assert error.value.field == field
    assert error.value.remedy


def test_nobody_is_admitted_ahead_or_on_hold(
    session: Session, cooperative: Cooperative, clock: Any
) -> None:
    with pytest.raises(RuleViolation, match="lies ahead"):
        members.add_member(session, SYSTEM, cooperative, person(joined_on=date(2018, 6, 2)))
    cooperative.status = "on_hold"
    session.flush()
    with pytest.raises(RuleViolation, match="on hold"):
        members.add_member(session, SYSTEM, cooperative, person())


def test_contact_data_change_and_the_audit_says_which_but_not_what(
    session: Session, make_member: Make
) -> None:
    member = make_member(email="an@example.org")
    changed = members.change_contact(
        session,
        SYSTEM,
        member,
        Contact(language="de", email="", street="Weg 1", town="Eupen", country="Belgien"),
    )
    assert set(changed) == {"language", "email", "street", "postal_code", "town"}
    assert (member.email, member.email_key, member.country) == (None, None, "BE")
    assert "eupen" in member.search_text
    noted = session.scalars(select(AuditEntry).order_by(AuditEntry.position.desc())).first()
    assert noted is not None
    assert noted.details == {"fields": changed}
    assert (
        members.change_contact(
            session,
            SYSTEM,
            member,
            Contact(language="de", street="Weg 1", town="Eupen", country="BE"),
        )
        == []
    )


def test_a_category_is_dated(session: Session, make_member: Make, clock: Any) -> None:
    member = make_member()
    members.change_category(session, SYSTEM, member, "B", date(2018, 4, 1))
    rows = session.scalars(select(MembershipCategory).order_by(MembershipCategory.starts_on)).all()
    assert [(row.code, row.starts_on, row.ends_on) for row in rows] == [
        ("A", date(2018, 1, 10), date(2018, 4, 1)),
        ("B", date(2018, 4, 1), None),
    ]
    with pytest.raises(Conflict, match="that category already"):
        members.change_category(session, SYSTEM, member, "B", date(2018, 5, 1))
    with pytest.raises(RuleViolation, match="began on"):
        members.change_category(session, SYSTEM, member, "A", date(2018, 4, 1))
    with pytest.raises(InvalidInput, match="not a category"):
        members.change_category(session, SYSTEM, member, "Z", date(2018, 5, 1))
    with pytest.raises(RuleViolation, match="lies ahead") as ahead:
        members.change_category(session, SYSTEM, member, "A", date(2018, 6, 2))
    assert ahead.value.field == "starts_on"
    with pytest.raises(RuleViolation, match="joined only on"):
        members.change_category(session, SYSTEM, member, "A", date(2018, 1, 9))
    members.end_membership(session, SYSTEM, member, date(2018, 5, 10), EndReason.RESIGNATION)
    with pytest.raises(RuleViolation, match="ended on 10 May 2018"):
        members.change_category(session, SYSTEM, member, "A", date(2018, 5, 10))


def test_an_organisation_has_one_representative_at_a_time(
    session: Session, make_member: Make
) -> None:
    organisation = make_member(organisation_name="Atelier")
    own = make_member("77", given_name="Bo")
    row = members.change_representative(
        session, SYSTEM, organisation, date(2018, 4, 1), member_number="77"
    )
    assert row.person_id == own.person_id
    assert organisation.organisation is not None
    session.refresh(organisation.organisation)
    first, second = organisation.organisation.representatives
    assert (first.ends_on, second.ends_on) == (date(2018, 4, 1), None)
    assert "bo peeters" in organisation.search_text
    with pytest.raises(InvalidInput, match="No person has the member number"):
        members.change_representative(
            session,
            SYSTEM,
            organisation,
            date(2018, 5, 1),
            member_number=organisation.member_number,
        )
    with pytest.raises(InvalidInput) as error:
        members.change_representative(session, SYSTEM, organisation, date(2018, 5, 1))
    assert error.value.field == "representative_given_name"
    with pytest.raises(RuleViolation, match="votes personally"):
        members.change_representative(
            session, SYSTEM, own, date(2018, 5, 1), given_name="A", family_name="B"
        )


def test_the_database_itself_allows_one_open_representative(
    both_databases: str, session: Session, make_member: Make
) -> None:
    from govern.register.models import Representative

    organisation = make_member(organisation_name="Atelier")
    row = session.scalars(select(Representative)).one()
    session.add(
        Representative(
            organisation_id=organisation.organisation_id,
            person_id=row.person_id,
            starts_on=date(2018, 2, 1),
            recorded_at=row.recorded_at,
        )
    )
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_an_ending_has_a_day_and_a_reason(session: Session, make_member: Make, clock: Any) -> None:
    member = make_member()
    with pytest.raises(RuleViolation, match="joined only on"):
        members.end_membership(session, SYSTEM, member, date(2018, 1, 9), EndReason.DEATH)
    with pytest.raises(RuleViolation, match="lies ahead"):
        members.end_membership(session, SYSTEM, member, date(2018, 6, 2), EndReason.DEATH)
    members.end_membership(
        session, SYSTEM, member, date(2018, 5, 1), EndReason.RESIGNATION, "by letter"
    )
    assert (member.end_reason, member.end_note) == ("resignation", "by letter")
    with pytest.raises(Conflict, match="ended on"):
        members.end_membership(session, SYSTEM, member, date(2018, 5, 2), EndReason.DEATH)
    noted = session.scalars(select(AuditEntry).order_by(AuditEntry.position.desc())).first()
    assert noted is not None
    assert "letter" not in noted.data


def test_a_member_of_another_cooperative_is_not_found(
    session: Session,
    cooperative: Cooperative,
    make_member: Make,
    make_cooperative: Callable[..., Cooperative],
    make_account: Callable[..., Any],
) -> None:
    member = make_member()
    other = make_cooperative("elsewhere", "Elsewhere")
    with pytest.raises(NotFound):
        members.membership_by_public_id(session, other, member.public_id)
    actor = actor_for(session, make_account("Rita", roles=[(other, Role.REGISTRAR)]))
    for service, arguments in (
        (members.change_contact, (CONTACT,)),
        (members.change_category, ("B", date(2018, 4, 1))),
        (members.end_membership, (date(2018, 4, 1), EndReason.DEATH)),
    ):
        with pytest.raises(Forbidden):
            service(session, actor, member, *arguments)
    with pytest.raises(Forbidden):
        members.add_member(session, actor, cooperative, person())
