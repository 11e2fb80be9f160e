"""Mails and letters of leaving. Each has a key of its own, so that nobody gets one twice.

Whoever has no address in the register, or one that no mail can go to, gets the same words as a
letter for somebody to print and post.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flask
from babel import Locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import clock
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import LeavingRules
from govern.errors import InvalidInput
from govern.i18n import day as in_words
from govern.i18n import speaking
from govern.leaving.models import Departure, Refund
from govern.leaving.services.foreseeing import last_withdrawal
from govern.mail import Attachment, OutboxMail, queue_letter, queue_mail
from govern.mail.texts import render_mail
from govern.pdf import render_pdf
from govern.register.models import ContactChannel, EndReason, Membership
from govern.register.services.quality.addresses import problems_of

CATEGORY = "leaving"


def own_address(departure: Departure, *more: str) -> str:
    """The whole address of the departure among the member's own pages, for mails."""
    public_url = flask.current_app.config["GOVERN"].public_url
    path = "/".join(
        (
            departure.cooperative.code,
            "me",
            departure.membership.public_id,
            "leaving",
            departure.public_id,
            *more,
        )
    )
    return f"{public_url}/{path}"


def postal_lines(membership: Membership) -> list[str]:
    """The lines of the address window, without empty ones; the country only of a letter abroad."""
    town = f"{membership.postal_code} {membership.town}".strip()
    lines = [membership.display_name, membership.street, town]
    if membership.country and membership.country != membership.cooperative.country:
        # The post of the sending country reads it: in its language, or in French (postal union).
        names = Locale("fr").territories
        lines.append(names.get(membership.country, membership.country).upper())
    return [line for line in lines if line]


def is_reached_by_mail(session: Session, membership: Membership) -> bool:
    """Whether mails go to the member: there is an address, and none of them came back."""
    problems = problems_of(session, [membership.id]).get(membership.id, ())
    refused = any(problem.channel == ContactChannel.EMAIL.value for problem in problems)
    return bool(membership.email) and not refused


def tell(
    session: Session,
    departure: Departure,
    template: str,
    key: str,
    *,
    attachments: Sequence[Attachment] = (),
    **context: Any,
) -> OutboxMail:
    """Tell the member: by mail where there is an address, else by letter."""
    membership = departure.membership
    shared = {
        "cooperative": departure.cooperative.name,
        "member_number": membership.member_number,
        "link": own_address(departure),
        **context,
    }
    if membership.email and is_reached_by_mail(session, membership):
        try:
            return queue_mail(
                session,
                cooperative_id=departure.cooperative_id,
                to_address=membership.email,
                to_name=membership.display_name,
                language=membership.language,
                template=template,
                context=shared,
                dedupe_key=key,
                category=CATEGORY,
                about=f"membership:{membership.public_id}",
                attachments=attachments,
            )
        except InvalidInput:
            pass  # an address that no mail can go to: the letter goes out
    with speaking(membership.language):
        words = render_mail(template, {**shared, "recipient_name": membership.display_name})
        pdf = letter_pdf(membership, words.subject, words.text, membership.language)
    return queue_letter(
        session,
        cooperative_id=departure.cooperative_id,
        to_name=membership.display_name,
        language=membership.language,
        subject=words.subject,
        pdf=pdf,
        filename=f"{departure.kind}-{membership.member_number}.pdf".replace("/", "-"),
        dedupe_key=key,
        category=CATEGORY,
        about=f"membership:{membership.public_id}",
    )


def letter_pdf(membership: Membership, title: str, text: str, language: str, **more: Any) -> bytes:
    """A letter of the cooperative to the member; ``text`` in paragraphs."""
    cooperative = membership.cooperative
    with speaking(language):
        data = {
            "cooperative": cooperative.name,
            "title": title,
            "address": postal_lines(membership),
            "sender": [
                line
                for line in (cooperative.name, cooperative.seat, cooperative.enterprise_number)
                if line
            ],
            "sent_on": in_words(clock.today(cooperative.time_zone)),
            "text": text,
            **more,
        }
    return render_pdf("leaving_letter", data, language)


def tell_what_happens(session: Session, departure: Departure, rules: LeavingRules) -> None:
    """The acknowledgement of a request: what happens when, and what may delay it."""
    with speaking(departure.membership.language):
        words = effect_words(departure, rules)
    tell(
        session,
        departure,
        "leaving_acknowledged",
        f"leaving:acknowledged:{departure.public_id}",
        requested_on=departure.requested_on,
        **words,
    )


def effect_words(departure: Departure, rules: LeavingRules) -> dict[str, Any]:
    """Days, amount and source for a text, in the language in force."""
    return {
        "shares": departure.shares,
        "is_kept": bool(departure.counts_from and departure.counts_from > departure.requested_on),
        "counts_from": departure.counts_from,
        "effective_on": departure.effective_on,
        "withdraw_until": last_withdrawal(
            clock.today(departure.cooperative.time_zone), departure.effective_on
        ),
        "repay_by": departure.repay_by,
        "iban_missing": not departure.iban,
        "source": rules.citation.text,
    }


def tell_effect(session: Session, departure: Departure, refunds: Sequence[Refund]) -> None:
    """It has taken effect: what has left the register and what is owed."""
    tell(
        session,
        departure,
        "leaving_effective",
        f"leaving:effective:{departure.public_id}",
        effective_on=departure.effective_on,
        has_ended=departure.membership.ended_on is not None,
        shares_left=departure.shares_left or 0,
        amount_cents=departure.amount_cents or 0,
        repay_by=departure.repay_by,
        iban_missing=not departure.iban,
    )


def tell_refund(session: Session, refund: Refund, what: str, key: str, **context: Any) -> None:
    """What became of a refund: ``what`` is paid, returned or postponed. Nobody writes to the dead:
    whoever speaks for the estate is told by people."""
    if refund.membership.end_reason == EndReason.DEATH.value:
        return
    tell(
        session,
        refund.departure,
        f"leaving_refund_{what}",
        f"leaving:refund:{what}:{refund.public_id}:{key}",
        amount_cents=refund.amount_cents,
        reason=refund.reason,
        **context,
    )


def exclusion_pdf(
    cooperative: Cooperative,
    membership: Membership,
    *,
    title: str,
    opening: str,
    reasons: str,
    closing: Sequence[str],
    facts: Sequence[Sequence[str]],
    digest: str,
) -> bytes:
    """The proposal or the decision as it is sent: what, why, and what follows."""
    return letter_pdf(
        membership,
        title,
        opening,
        membership.language,
        letter_facts=[list(pair) for pair in facts],
        reasons_heading=_("Reasons"),
        reasons=reasons,
        closing=list(closing),
        digest=digest,
    )
