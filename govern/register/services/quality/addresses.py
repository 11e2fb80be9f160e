"""Addresses at which a member could not be reached: flagged, shown, cleared.

A flag names the address that it is about and counts only while the member still has it, whoever
changes it and however (a form, an import): a new address needs no clearing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM, Actor
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.mail import OutboxMail
from govern.register.models import ContactChannel, ContactProblem, Membership, ProblemSource
from govern.register.rules.folding import email_key
from govern.register.rules.values import tidy
from govern.register.services.members.finding import open_membership, record_change

_BREAK = "\n"


def still_applies() -> ColumnElement[bool]:
    """The condition that a ContactProblem counts for the Membership it is joined with."""
    postal = (
        Membership.street
        + _BREAK
        + Membership.postal_code
        + _BREAK
        + Membership.town
        + _BREAK
        + Membership.country
    )
    return and_(
        ContactProblem.membership_id == Membership.id,
        ContactProblem.cleared_on.is_(None),
        or_(
            and_(
                ContactProblem.channel == ContactChannel.EMAIL.value,
                ContactProblem.about == Membership.email_key,
            ),
            and_(
                ContactProblem.channel == ContactChannel.POST.value,
                ContactProblem.about == postal,
            ),
        ),
    )


def with_problem() -> Select[Any]:
    """The memberships (row numbers) with an address that does not work."""
    return select(Membership.id).join(ContactProblem, still_applies())


def problems_of(
    session: Session, membership_ids: Iterable[int]
) -> Mapping[int, Sequence[ContactProblem]]:
    """The problems that count now, per membership; e-mail before post."""
    rows = session.scalars(
        select(ContactProblem)
        .join(Membership, ContactProblem.membership_id == Membership.id)
        .where(ContactProblem.membership_id.in_(list(membership_ids)), still_applies())
        .order_by(ContactProblem.membership_id, ContactProblem.channel)
    )
    found: dict[int, list[ContactProblem]] = {}
    for row in rows:
        found.setdefault(row.membership_id, []).append(row)
    return found


def note_refusal(mail: OutboxMail, *, session: Session, reason: str) -> None:
    """A mail server refused the address of ``mail``: flag every membership that has it.

    Within the cooperative that wrote; a mail that no cooperative sent (a sign-in link) concerns
    all. Called from the mail's own transaction by ``govern.mail.signals.address_refused``.
    """
    query = select(Membership).where(Membership.email_key == email_key(mail.to_address))
    if mail.cooperative_id is not None:
        query = query.where(Membership.cooperative_id == mail.cooperative_id)
    for membership in session.scalars(query):
        zone = session.get_one(Cooperative, membership.cooperative_id).time_zone
        _flag(
            session,
            SYSTEM,
            membership,
            ContactChannel.EMAIL,
            ProblemSource.REFUSED,
            tidy(reason)[:300],
            clock.today(zone),
        )


def flag_address(
    session: Session, actor: Actor, membership: Membership, channel: ContactChannel, reason: str
) -> ContactProblem:
    """Note by hand that mails or letters to the member come back, with the reason in words.

    Raises RuleViolation where there is no such address, InvalidInput without a reason.
    """
    cooperative = open_membership(session, actor, membership)
    reason = tidy(reason)
    if not 3 <= len(reason) <= 300:
        raise InvalidInput(
            _("A reason of 3 to 300 characters is needed."),
            remedy=_("Write what came back, such as “moved away” or “unknown at this address”."),
            field="reason",
        )
    if not address_of(membership, channel):
        raise RuleViolation(
            _("Member %(number)s has no such address.", number=membership.member_number),
            remedy=_("There is nothing to flag."),
            field="channel",
        )
    day = clock.today(cooperative.time_zone)
    return _flag(session, actor, membership, channel, ProblemSource.HAND, reason, day)


def clear_address(
    session: Session, actor: Actor, membership: Membership, channel: ContactChannel
) -> None:
    """Say that the address works after all. Conflict when it is not flagged."""
    cooperative = open_membership(session, actor, membership)
    problem = _open_problem(session, membership, channel)
    if problem is None:
        raise Conflict(
            _("This address is not flagged any more."), remedy=_("Nothing needs to be done.")
        )
    problem.cleared_on = max(clock.today(cooperative.time_zone), problem.noted_on)
    problem.cleared_by_id = actor.account_id
    session.flush()
    record_change(session, actor, membership, "address_cleared", {"channel": channel.value})


def address_of(membership: Membership, channel: ContactChannel) -> str:
    """The address as a flag compares it, "" where the member has none."""
    if channel is ContactChannel.EMAIL:
        return membership.email_key or ""
    parts = (membership.street, membership.postal_code, membership.town, membership.country)
    return _BREAK.join(parts) if any((membership.street, membership.town)) else ""


def _open_problem(
    session: Session, membership: Membership, channel: ContactChannel
) -> ContactProblem | None:
    return session.scalar(
        select(ContactProblem).where(
            ContactProblem.membership_id == membership.id,
            ContactProblem.channel == channel.value,
            ContactProblem.cleared_on.is_(None),
        )
    )


def _flag(
    session: Session,
    actor: Actor,
    membership: Membership,
    channel: ContactChannel,
    source: ProblemSource,
    reason: str,
    day: date,
) -> ContactProblem:
    """Flag the present address; what was flagged before about another one is closed by it."""
    about = address_of(membership, channel)
    problem = _open_problem(session, membership, channel)
    if problem is not None and problem.about == about:
        # Known already: the first day stays, the newest words count.
        problem.reason, problem.source = reason, source.value
        session.flush()
        return problem
    if problem is not None:
        problem.cleared_on = max(day, problem.noted_on)
        session.flush()
    row = ContactProblem(
        membership_id=membership.id,
        channel=channel.value,
        source=source.value,
        about=about,
        reason=reason,
        noted_on=day,
        noted_by_id=actor.account_id,
    )
    session.add(row)
    session.flush()
    record_change(
        session,
        actor,
        membership,
        "address_flagged",
        {"channel": channel.value, "source": source.value},
    )
    return row
