"""What the services of leaving share: finding, locking, moving, recording."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from govern import audit, clock
from govern.access import Actor
from govern.cooperatives.models import Cooperative, RuleSet
from govern.cooperatives.rules import LeavingRules, rules_from_json
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, NotFound
from govern.i18n import day as in_words
from govern.leaving.files import ENDINGS, MAX_BYTES, detect_paper, safe_name
from govern.leaving.models import Departure, Founder, LeavingDocument, Refund
from govern.leaving.rules.exclusion import Step
from govern.leaving.rules.states import (
    OPEN,
    DepartureKind,
    DepartureState,
    RefundState,
    departure_may,
    refund_may,
)
from govern.register.models import Membership
from govern.register.services import memberships_for_account
from govern.register.services.chain import lock_register

MAX_TEXT = 20_000
SOURCE = "departure:"


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    filename: str
    content: bytes


def lock_membership(session: Session, membership: Membership) -> Cooperative:
    """Whoever changes anything about leaving waits here; the membership is read anew."""
    lock_register(session, membership.cooperative_id)
    session.refresh(membership)
    return session.get_one(Cooperative, membership.cooperative_id)


def lock_departure(session: Session, departure: Departure) -> Cooperative:
    """The same, for what is done to a departure."""
    lock_register(session, departure.cooperative_id)
    session.refresh(departure)
    session.refresh(departure.membership)
    return session.get_one(Cooperative, departure.cooperative_id)


def own_membership(
    session: Session, actor: Actor, cooperative: Cooperative, public_id: str
) -> Membership:
    """The membership, if it is one of the actor's (or of an organisation that they represent)."""
    if actor.account_id is not None:
        for membership in memberships_for_account(session, actor.account_id, cooperative.id):
            if membership.public_id == public_id:
                return membership
    raise NotFound(
        _("This is not one of your memberships."), remedy=_("Choose one from your own page.")
    )


def ledger_source(departure: Departure) -> str:
    """How the ledger names a departure as the source of its entries."""
    return f"{SOURCE}{departure.public_id}"


def with_holder(path: Any) -> list[Any]:
    """Loader options: the membership and who holds it come along in one query."""
    return [
        joinedload(path).joinedload(Membership.person),
        joinedload(path).joinedload(Membership.organisation),
    ]


def departure_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Departure:
    """The departure of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(Departure).where(
            Departure.public_id == public_id, Departure.cooperative_id == cooperative.id
        )
    )
    if found is None:
        raise NotFound(_("There is no such departure."), remedy=_("Choose one from the list."))
    return found


def refund_by_public_id(session: Session, cooperative: Cooperative, public_id: str) -> Refund:
    """The refund of that cooperative; NotFound otherwise."""
    found = session.scalar(
        select(Refund).where(Refund.public_id == public_id, Refund.cooperative_id == cooperative.id)
    )
    if found is None:
        raise NotFound(_("There is no such refund."), remedy=_("Choose one from the list."))
    return found


def open_departures(session: Session, membership_id: int) -> list[Departure]:
    """What is under way for a membership."""
    return list(
        session.scalars(
            select(Departure)
            .where(
                Departure.membership_id == membership_id,
                Departure.state.in_([state.value for state in OPEN]),
            )
            .order_by(Departure.id)
        )
    )


def departures_of(session: Session, membership_id: int) -> list[Departure]:
    """Everything that was ever under way for a membership, newest first."""
    return list(
        session.scalars(
            select(Departure)
            .where(Departure.membership_id == membership_id)
            .order_by(Departure.id.desc())
        )
    )


def refunds_of(session: Session, departure: Departure) -> list[Refund]:
    """What is owed or was paid for a departure, by due date."""
    return list(
        session.scalars(
            select(Refund)
            .where(Refund.departure_id == departure.id)
            .order_by(Refund.due_on, Refund.id)
        )
    )


def may_be_read(departure: Departure) -> bool:
    """Whether it is the member's to read: a proposal to exclude is, once it was sent."""
    if departure.kind != DepartureKind.EXCLUSION.value:
        return True
    return any(step.step == Step.PROPOSAL_SENT.value for step in departure.steps)


def move(departure: Departure, state: DepartureState) -> None:
    """Take one step of ``DEPARTURE_TRANSITIONS``; ForbiddenTransition otherwise."""
    if not departure_may(DepartureState(departure.state), state):
        raise ForbiddenTransition(
            _("This is no longer possible: the departure is past that step."),
            remedy=_("Reload the page to see where it stands."),
        )
    departure.state = state.value
    departure.token_hash = departure.token_expires_at = None
    if state not in OPEN:
        departure.closed_at = clock.now()


def move_refund(refund: Refund, state: RefundState) -> None:
    """Take one step of ``REFUND_TRANSITIONS``; ForbiddenTransition otherwise."""
    if not refund_may(RefundState(refund.state), state):
        raise ForbiddenTransition(
            _("This is no longer possible: the refund is past that step."),
            remedy=_("Reload the page to see where it stands."),
        )
    refund.state = state.value


def rules_for(session: Session, cooperative_id: int, day: date) -> tuple[RuleSet, LeavingRules]:
    """The rule set of ``day`` and what it says about leaving."""
    row, rules = rules_on(session, cooperative_id, day)
    return row, rules.leaving


def rules_of(session: Session, departure: Departure) -> LeavingRules:
    """The rules under which the departure was begun: they hold to its end."""
    row = session.get_one(RuleSet, departure.rule_set_id)
    return rules_from_json(row.rules).leaving


def founded_on(session: Session, membership: Membership) -> date | None:
    """The day on which a founder joined, None for everybody else."""
    if session.get(Founder, membership.id) is None:
        return None
    return membership.joined_on


def refuse_ended(membership: Membership, remedy: str = "") -> None:
    """Conflict when the membership has ended, with what can be done where something can."""
    if membership.ended_on is not None:
        raise Conflict(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.ended_on),
            ),
            remedy=remedy or _("Nothing needs to be done."),
        )


def refuse_days(
    cooperative: Cooperative, membership: Membership, day: date, field: str = "done_on"
) -> None:
    """InvalidInput for a day that lies ahead or before the membership."""
    if day > clock.today(cooperative.time_zone):
        raise InvalidInput(
            _("%(day)s lies ahead.", day=in_words(day)),
            remedy=_("Record it on the day on which it happens, or later."),
            field=field,
        )
    if day < membership.joined_on:
        raise InvalidInput(
            _(
                "Member %(number)s joined only on %(day)s.",
                number=membership.member_number,
                day=in_words(membership.joined_on),
            ),
            remedy=_("Give that day or a later one."),
            field=field,
        )


def checked_text(text: str, field: str, *, least: int = 5) -> str:
    """The text without surrounding space; InvalidInput when it is too short or too long."""
    lines = "\n".join(line.strip() for line in text.replace("\r\n", "\n").split("\n"))
    tidy = re.sub(r"\n{3,}", "\n\n", lines).strip()
    if not least <= len(tidy) <= MAX_TEXT:
        raise InvalidInput(
            _("This needs %(least)s to %(most)s characters.", least=least, most=MAX_TEXT),
            remedy=_("Write it out."),
            field=field,
        )
    return tidy


def keep_document(
    session: Session,
    actor: Actor,
    cooperative_id: int,
    title: str,
    upload: Upload | None,
    *,
    departure: Departure | None = None,
    field: str = "document",
) -> LeavingDocument | None:
    """Keep a paper; None where none was sent. InvalidInput for an empty, large or other file."""
    if upload is None:
        return None
    kind = detect_paper(upload.content)
    if kind is None or len(upload.content) > MAX_BYTES:
        raise InvalidInput(
            _("This file is empty, damaged, larger than 10 MB, or of another kind."),
            remedy=_("Accepted are: %(endings)s.", endings=", ".join(ENDINGS)),
            field=field,
        )
    row = LeavingDocument(
        cooperative_id=cooperative_id,
        departure_id=departure.id if departure is not None else None,
        title=title[:200],
        filename=safe_name(upload.filename, kind),
        media_type=kind.media_type,
        size=len(upload.content),
        digest=hashlib.sha256(upload.content).hexdigest(),
        content=upload.content,
        added_at=clock.now(),
        added_by_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    if departure is not None:
        session.expire(departure, ["documents"])
    return row


def record(
    session: Session,
    actor: Actor,
    departure: Departure,
    action: str,
    data: dict[str, Any] | None = None,
) -> None:
    """One entry of the audit log about a departure."""
    audit.record(
        session,
        actor,
        f"leaving:departure:{action}",
        cooperative_id=departure.cooperative_id,
        subject=f"departure:{departure.public_id}",
        data={"kind": departure.kind, **(data or {})},
    )


def record_refund(
    session: Session,
    actor: Actor,
    refund: Refund,
    action: str,
    data: dict[str, Any] | None = None,
) -> None:
    """One entry of the audit log about a refund."""
    audit.record(
        session,
        actor,
        f"leaving:refund:{action}",
        cooperative_id=refund.cooperative_id,
        subject=f"refund:{refund.public_id}",
        data={"amount_cents": refund.amount_cents, **(data or {})},
    )
