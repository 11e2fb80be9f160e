"""A cooperative with members, and an assembly to convene."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from govern.access import SYSTEM, Role
from govern.accounts.services import actor_for
from govern.assemblies import services
from govern.assemblies.services import AssemblyInput, ItemInput, ResolutionInput
from govern.register.services.members import Contact, NewMember, add_member

TITLES = {"fr": "Assemblée générale 2018", "nl": "Algemene vergadering 2018",
          "de": "Generalversammlung 2018", "en": "General assembly 2018"}  # fmt: skip


def an_assembly(**changes: Any) -> AssemblyInput:
    """The assembly of 19 June 2018, 17:00 in Brussels."""
    values: dict[str, Any] = {
        "kind": "ordinary",
        "mode": "hybrid",
        "titles": TITLES,
        "languages": ["fr", "nl", "de", "en"],
        "starts_at": datetime(2018, 6, 19, 15, 0, tzinfo=UTC),
        "record_date": date(2018, 6, 1),
        "place": "Rue Émile Féron 70, Bruxelles",
        "objection_deadline": date(2018, 6, 12),
    }
    return AssemblyInput(**{**values, **changes})


@pytest.fixture
def shares_app() -> bool:
    """One application for all tests here."""
    return True


@pytest.fixture
def make_member(session, clock, cooperative) -> Callable[..., Any]:
    """A factory of members with paid shares; ``email=None`` for one who gets letters."""
    numbers = iter(range(1, 100_000))

    def make(
        given: str = "Ana",
        family: str = "Sample",
        email: str | None = "",
        language: str = "fr",
        shares: int = 1,
        paid: int | None = None,
        joined_on: date = date(2018, 1, 10),
        account: Any = None,
        **more: Any,
    ) -> Any:
        number = next(numbers)
        address = f"member{number}@example.org" if email == "" else (email or "")
        membership = add_member(
            session,
            SYSTEM,
            cooperative,
            NewMember(
                member_number=f"{number:05d}",
                joined_on=joined_on,
                category="A",
                contact=Contact(
                    language=language,
                    email=address,
                    street=f"Rue {number}",
                    postal_code="1000",
                    town="Bruxelles",
                    country="BE",
                ),
                given_name=given,
                family_name=f"{family} {number}",
                shares=shares,
                paid_cents=3000 * (shares if paid is None else paid),
                accept_duplicate=True,
                **more,
            ),
        )
        if account is not None:
            membership.person.account_id = account.id
        session.flush()
        return membership

    return make


@pytest.fixture
def officers(session, clock, cooperative, make_account) -> dict[str, Any]:
    """Accounts of a secretary and a returning officer."""
    return {
        "secretary": make_account(
            "Sam Secretary", email="sam@example.org", roles=[(cooperative, Role.SECRETARY)]
        ),
        "officer": make_account(
            "Rita Returning",
            email="rita@example.org",
            roles=[(cooperative, Role.RETURNING_OFFICER)],
        ),
    }


@pytest.fixture
def secretary(session, officers) -> Any:
    """The secretary as an actor."""
    return actor_for(session, officers["secretary"])


@pytest.fixture
def officer(session, officers) -> Any:
    """The returning officer as an actor."""
    return actor_for(session, officers["officer"])


@pytest.fixture
def draft(session, clock, cooperative, secretary) -> Any:
    """A draft with one item and a resolution of each majority."""
    assembly = services.create_assembly(session, secretary, cooperative, an_assembly())
    item = services.add_item(
        session,
        secretary,
        assembly,
        ItemInput("decision", {"fr": "Comptes annuels", "en": "Annual accounts"}),
    )
    services.add_resolution(
        session,
        secretary,
        item,
        ResolutionInput(
            {"fr": "Approbation des comptes 2017", "en": "Approval of the accounts 2017"},
            "ordinary",
            {
                "fr": "L’assemblée **approuve** les comptes.",
                "en": "The assembly **approves** them.",
            },
        ),
    )
    session.commit()
    return assembly


@pytest.fixture
def published(session, secretary, draft) -> Any:
    """The same, published."""
    services.publish_assembly(session, secretary, draft)
    session.commit()
    return draft
