"""What runs later: handing the deliveries of a notice to the outbox."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from govern import jobs
from govern.assemblies.models import (
    DeliveryChannel,
    HandOver,
    Notice,
    NoticeDelivery,
    NoticeKind,
)
from govern.assemblies.services.deliveries import notice_progress
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.notice_texts import notice_context, postal_lines
from govern.assemblies.services.notices import NOTICE_JOB, notice_by_id
from govern.database import reading
from govern.errors import InvalidInput
from govern.i18n import speaking
from govern.mail import OutboxMail, queue_letter, queue_mail
from govern.pdf import render_pdf
from govern.register.models import Membership

STEP = 20
"""Deliveries per transaction: what a crash costs, how often the bar moves, and how long others
who write must wait (letters take about 10 ms each)."""

TEMPLATES = {
    NoticeKind.CONVENING.value: "assembly_notice",
    NoticeKind.CANCELLATION.value: "assembly_cancelled",
}


@jobs.job(NOTICE_JOB)
def hand_over_notice(session: Session, notice_id: int) -> None:
    """Give every waiting delivery its mail or letter in the outbox, ``STEP`` per transaction.

    A run that dies loses at most the step it was in, which had not been committed; the next run
    goes on with what still waits. The outbox refuses a second mail with the same key.
    """
    contexts: dict[str, dict[str, Any]] = {}
    while True:
        notice = notice_by_id(session, notice_id)
        deliveries = _next_step(session, notice)
        if not deliveries:
            break
        for delivery in deliveries:
            _hand_over(session, notice, delivery, contexts)
        session.commit()
        with reading(session):
            progress = notice_progress(session, notice_by_id(session, notice_id))
        jobs.report_progress(progress.total - progress.waiting, progress.total)


def _next_step(session: Session, notice: Notice) -> list[NoticeDelivery]:
    return list(
        session.scalars(
            select(NoticeDelivery)
            .where(
                NoticeDelivery.notice_id == notice.id,
                NoticeDelivery.state == HandOver.WAITING.value,
            )
            .order_by(NoticeDelivery.id)
            .limit(STEP)
            .with_for_update(skip_locked=True, of=NoticeDelivery)
            .options(
                joinedload(NoticeDelivery.membership).joinedload(Membership.person),
                joinedload(NoticeDelivery.membership).joinedload(Membership.organisation),
            )
        )
    )


def _hand_over(
    session: Session,
    notice: Notice,
    delivery: NoticeDelivery,
    contexts: dict[str, dict[str, Any]],
) -> None:
    language = language_for(notice, delivery.membership.language)
    if language not in contexts:
        _row, rules = rules_of(session, notice.assembly)
        with speaking(language):
            contexts[language] = notice_context(notice.assembly, notice, rules)
    context = contexts[language]
    outbox = None
    if delivery.channel == DeliveryChannel.EMAIL.value and delivery.membership.email:
        outbox = _mail(session, notice, delivery, language, context)
    if outbox is None:
        delivery.channel = DeliveryChannel.LETTER.value
        outbox = _letter(session, notice, delivery, language, context)
    delivery.outbox_id = outbox.id
    delivery.state = HandOver.HANDED_OVER.value
    session.flush()


def language_for(notice: Notice, wanted: str) -> str:
    """The member's language if the assembly is held in it, else the assembly's first."""
    languages = notice.assembly.languages
    return wanted if wanted in languages else languages[0]


def _mail(
    session: Session,
    notice: Notice,
    delivery: NoticeDelivery,
    language: str,
    context: dict[str, Any],
) -> OutboxMail | None:
    """The mail, or None for an address that no mail can go to: that member gets a letter."""
    membership = delivery.membership
    try:
        return queue_mail(
            session,
            cooperative_id=notice.assembly.cooperative_id,
            to_address=membership.email or "",
            to_name=membership.display_name,
            language=language,
            template=TEMPLATES[notice.kind],
            context=context,
            dedupe_key=dedupe_key(notice, delivery),
            category="notice",
            about=f"membership:{membership.public_id}",
        )
    except InvalidInput:
        return None


def _letter(
    session: Session,
    notice: Notice,
    delivery: NoticeDelivery,
    language: str,
    context: dict[str, Any],
) -> OutboxMail:
    membership = delivery.membership
    with speaking(language):
        subject = _letter_subject(notice, context)
        data = letter_data(notice, context, postal_lines(membership))
    return queue_letter(
        session,
        cooperative_id=notice.assembly.cooperative_id,
        to_name=membership.display_name,
        language=language,
        subject=subject,
        pdf=render_pdf("assembly_letter", data, language),
        filename=f"{notice.assembly.slug}-{membership.member_number}.pdf".replace("/", "-"),
        dedupe_key=dedupe_key(notice, delivery),
        category="notice",
        about=f"membership:{membership.public_id}",
    )


def dedupe_key(notice: Notice, delivery: NoticeDelivery) -> str:
    """The outbox's name for this notice to this member: there is never a second one."""
    return f"notice:{notice.public_id}:{delivery.membership.public_id}"


def _letter_subject(notice: Notice, context: dict[str, Any]) -> str:
    if notice.kind == NoticeKind.CANCELLATION.value:
        return _("Cancelled: %(title)s", title=context["title"])
    return _("Notice: %(title)s", title=context["title"])


def letter_data(notice: Notice, context: dict[str, Any], address: list[str]) -> dict[str, Any]:
    """What ``templates/pdf/assembly_letter.typ`` prints, in the language in force."""
    cancelled = notice.kind == NoticeKind.CANCELLATION.value
    words = {"title": context["title"], "cooperative": context["cooperative"]}
    opening = (
        _("%(cooperative)s has cancelled the following assembly.", **words)
        if cancelled
        else _("%(cooperative)s convenes you to the following assembly.", **words)
    )
    facts = [[_("When"), context["when"]], [_("How"), context["mode"]]]
    if context["place"]:
        facts.append([_("Where"), context["place"]])
    notes = _cancellation_notes(context) if cancelled else _convening_notes(context)
    return {
        "cooperative": context["cooperative"],
        "title": _letter_subject(notice, context),
        "address": address,
        "sender": [
            line
            for line in (context["cooperative"], context["seat"], context["enterprise_number"])
            if line
        ],
        "sent_on": context["sent_on"],
        "salutation": _("Dear member,"),
        "opening": opening,
        "name": context["title"],
        "assembly_kind": context["kind"],
        "assembly_facts": facts,
        "introduction": "" if cancelled else context["introduction"],
        "agenda_heading": _("Agenda"),
        "agenda": [] if cancelled else [asdict(line) for line in context["agenda"]],
        "notes": notes,
        "link": context["address"],
    }


def _cancellation_notes(context: dict[str, Any]) -> list[str]:
    return [_("Reason: %(reason)s", reason=context["cancel_reason"])]


def _convening_notes(context: dict[str, Any]) -> list[str]:
    notes = []
    if context["late"]:
        notes.append(context["late"])
    if context["is_second"]:
        notes.append(
            _("This is a second assembly: it decides whatever the number of those taking part.")
        )
    notes.append(
        _(
            "Whoever is in the register as a member with at least one paid share at the end of "
            "%(day)s may vote.",
            day=context["record_date"],
        )
    )
    if context["objection_deadline"]:
        notes.append(
            _(
                "Objections to the roll are possible until %(day)s.",
                day=context["objection_deadline"],
            )
        )
    if context["vote"]:
        notes.append(context["vote"])
    notes.append(
        _("The documents can be read at the address below, or will be sent to you on request.")
    )
    if context["contact"]:
        notes.append(_("Write to %(address)s for them.", address=context["contact"]))
    return notes
