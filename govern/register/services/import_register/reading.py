"""The register as an import sees it: what the rules allow, and every member there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from govern import clock
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import Rules, rules_from_json
from govern.errors import RuleViolation
from govern.register.importing.comparing import KnownMember, Register, register_index
from govern.register.importing.rows import Context
from govern.register.models import (
    Erasure,
    ErasureState,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
)
from govern.register.rules.classes import holders_of
from govern.register.rules.folding import fold
from govern.register.services.holdings import holdings_on


def import_context(session: Session, cooperative: Cooperative) -> Context:
    """What the rule sets of the cooperative allow today. RuleViolation when none has begun."""
    today = clock.today(cooperative.time_zone)
    rule_sets = [
        (row.starts_on, rules_from_json(row.rules))
        for row in session.scalars(
            select(RuleSet)
            .where(RuleSet.cooperative_id == cooperative.id, RuleSet.starts_on <= today)
            .order_by(RuleSet.starts_on)
        )
    ]
    if not rule_sets:
        raise RuleViolation(
            _("No rule set of %(name)s is in force.", name=cooperative.name),
            remedy=_("Record the rules of the cooperative with an earlier first day."),
        )
    present = rule_sets[-1][1].categories
    former = [category for _day, rules in rule_sets for category in rules.categories]

    def by_word(items: Iterable[Any]) -> dict[str, str]:
        named = list(items)
        words = {fold(name): item.code for item in named for name in item.names.values()}
        return words | {fold(item.code): item.code for item in named}

    return Context(
        categories=by_word(present),
        former_categories=by_word(former) | by_word(present),
        category_codes=tuple(category.code for category in present),
        share_classes=by_word(item for _day, rules in rule_sets for item in rules.share_classes),
        class_holders=holders_of(rule_sets),
        nominals=_nominals(rule_sets),
        language=cooperative.languages[0],
        country=cooperative.country,
        today=today,
    )


def _nominals(rule_sets: list[tuple[date, Rules]]) -> dict[str, tuple[tuple[date, int], ...]]:
    """Class of shares → (first day, value in cents) of each rule set that has it."""
    found: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for day, rules in rule_sets:
        for item in rules.share_classes:
            found[item.code].append((day, item.nominal_cents))
    return {code: tuple(values) for code, values in found.items()}


def load_register(session: Session, cooperative: Cooperative) -> Register:
    """What the register says today about every member, former ones too."""
    today = clock.today(cooperative.time_zone)
    holding = holdings_on(cooperative.id, today)
    delegate = aliased(Person)
    done = (ErasureState.PARTIAL.value, ErasureState.COMPLETE.value)
    erased = select(Erasure.membership_id).where(Erasure.state.in_(done))
    query = (
        select(
            Membership.id,
            Membership.member_number,
            Membership.joined_on,
            Membership.ended_on,
            Membership.email,
            Membership.language,
            Membership.street,
            Membership.postal_code,
            Membership.town,
            Membership.country,
            Person.given_name,
            Person.family_name,
            Person.name_key,
            Person.birth_date,
            Organisation.name.label("organisation"),
            Organisation.enterprise_number,
            delegate.given_name.label("delegate_given_name"),
            delegate.family_name.label("delegate_family_name"),
            MembershipCategory.code.label("category"),
            holding.c.issued,
            holding.c.paid_cents,
            Membership.id.in_(erased).label("is_erased"),
        )
        .outerjoin(Person, Membership.person_id == Person.id)
        .outerjoin(Organisation, Membership.organisation_id == Organisation.id)
        .outerjoin(
            Representative,
            (Representative.organisation_id == Organisation.id) & Representative.ends_on.is_(None),
        )
        .outerjoin(delegate, Representative.person_id == delegate.id)
        .outerjoin(
            MembershipCategory,
            (MembershipCategory.membership_id == Membership.id)
            & MembershipCategory.ends_on.is_(None),
        )
        .outerjoin(holding, holding.c.membership_id == Membership.id)
        .where(Membership.cooperative_id == cooperative.id)
    )
    return register_index(_known_member(row) for row in session.execute(query))


def _known_member(row: Any) -> KnownMember:
    is_organisation = row.organisation is not None
    name = row.organisation if is_organisation else f"{row.given_name} {row.family_name}".strip()
    delegate = f"{row.delegate_given_name or ''} {row.delegate_family_name or ''}".strip()
    return KnownMember(
        membership_id=row.id,
        member_number=row.member_number,
        is_organisation=is_organisation,
        name=name,
        name_key=row.name_key or "",
        birth_date=row.birth_date,
        enterprise_number=row.enterprise_number or "",
        representative=delegate,
        category=row.category or "",
        joined_on=row.joined_on,
        ended_on=row.ended_on,
        email=row.email or "",
        language=row.language,
        street=row.street,
        postal_code=row.postal_code,
        town=row.town,
        country=row.country,
        shares=int(row.issued or 0),
        paid_cents=int(row.paid_cents or 0),
        is_erased=row.is_erased,
    )
