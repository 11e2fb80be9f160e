"""What happens to cooperatives and their rule sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor, Permission
from govern.config import LOCALES
from govern.cooperatives.models import ACCENTS, Cooperative, CooperativeStatus, RuleSet
from govern.cooperatives.rules import Rules, rules_from_json, rules_to_json
from govern.errors import Conflict, Forbidden, InvalidInput, RuleViolation

CODE = re.compile(r"[a-z][a-z0-9-]{1,39}")
RESERVED_CODES = frozenset(
    (
        "static",
        "elections",
        "sign-in",
        "sign-out",
        "profile",
        "mailbox",
        "healthz",
        "readyz",
        "styleguide",
        "language",
        "calendar",
        "documents",
        "verify",
        "account",
        "accounts",
        "api",
        "admin",
    )
)


def create_cooperative(
    session: Session,
    actor: Actor,
    *,
    code: str,
    name: str,
    country: str,
    legal_form: str = "",
    enterprise_number: str = "",
    seat: str = "",
    email: str = "",
    time_zone: str = "Europe/Brussels",
    languages: Sequence[str] = LOCALES,
    accent: str = "red",
    is_demonstration: bool = False,
    status: CooperativeStatus = CooperativeStatus.ACTIVE,
) -> Cooperative:
    """Add a legal entity. Only the system (command line) may: it has no administrator yet.

    Raises InvalidInput naming the field, Conflict when the code is taken.
    """
    if not actor.is_system:
        raise Forbidden(
            _("A cooperative is added by whoever runs the server."),
            remedy=_("Use the command “govern cooperatives create”."),
        )
    if not CODE.fullmatch(code) or code in RESERVED_CODES:
        raise InvalidInput(
            _("“%(code)s” cannot be the code of a cooperative.", code=code),
            remedy=_(
                "Use 2 to 40 lower-case letters, digits and hyphens, beginning with a letter."
            ),
            field="code",
        )
    unknown = [item for item in languages if item not in LOCALES]
    if unknown or not languages:
        raise InvalidInput(
            _("“%(language)s” is not a language of this application.", language=", ".join(unknown)),
            remedy=_("Use one or more of: %(known)s.", known=", ".join(LOCALES)),
            field="languages",
        )
    if accent not in ACCENTS:
        raise InvalidInput(
            _("“%(accent)s” is not one of the colours.", accent=accent),
            remedy=_("Use one of: %(known)s.", known=", ".join(ACCENTS)),
            field="accent",
        )
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(
            _("“%(zone)s” is not a time zone.", zone=time_zone),
            remedy=_("Use a name such as Europe/Brussels."),
            field="time_zone",
        ) from error
    if session.scalar(select(Cooperative.id).where(Cooperative.code == code)) is not None:
        raise Conflict(
            _("There is already a cooperative “%(code)s”.", code=code),
            remedy=_("Choose another code."),
            field="code",
        )
    cooperative = Cooperative(
        code=code,
        name=name,
        country=country.upper(),
        legal_form=legal_form,
        enterprise_number=enterprise_number,
        seat=seat,
        email=email,
        time_zone=time_zone,
        languages=list(languages),
        accent=accent,
        status=status.value,
        is_demonstration=is_demonstration,
        created_at=clock.now(),
    )
    session.add(cooperative)
    session.flush()
    audit.record(
        session,
        actor,
        "cooperatives:cooperative:created",
        cooperative_id=cooperative.id,
        subject=code,
    )
    return cooperative


def add_rule_set(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    rules: Rules,
    starts_on: date,
    source: str,
    source_confirmed: bool = False,
) -> RuleSet:
    """Let ``rules`` apply from ``starts_on``; a set in force is superseded, never edited.

    Raises RuleViolation for a start that lies before the latest set, Conflict for the same day.
    """
    actor.require(Permission.RULES_MANAGE, cooperative.id)
    latest = session.scalar(
        select(RuleSet)
        .where(RuleSet.cooperative_id == cooperative.id)
        .order_by(RuleSet.starts_on.desc())
        .limit(1)
    )
    if latest is not None and latest.starts_on == starts_on:
        raise Conflict(
            _("A rule set already starts on that day."),
            remedy=_("Choose another day."),
            field="starts_on",
        )
    if latest is not None and starts_on < latest.starts_on:
        raise RuleViolation(
            _("A rule set cannot start before one that was recorded already."),
            remedy=_("Choose a later day."),
            field="starts_on",
        )
    row = RuleSet(
        cooperative_id=cooperative.id,
        starts_on=starts_on,
        source=source,
        source_confirmed=source_confirmed,
        rules=rules_to_json(rules),
        recorded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "cooperatives:rule_set:added",
        cooperative_id=cooperative.id,
        subject=str(row.id),
        data={"starts_on": starts_on.isoformat()},
    )
    return row


def rules_on(session: Session, cooperative_id: int, day: date) -> tuple[RuleSet, Rules]:
    """The rule set in force on ``day`` and what it says; RuleViolation when there is none."""
    row = session.scalar(
        select(RuleSet)
        .where(RuleSet.cooperative_id == cooperative_id, RuleSet.starts_on <= day)
        .order_by(RuleSet.starts_on.desc())
        .limit(1)
    )
    if row is None:
        raise RuleViolation(
            _("No rule set was in force on %(day)s.", day=day.isoformat()),
            remedy=_("Record the rules of the cooperative with an earlier first day."),
        )
    return row, rules_from_json(row.rules)
