"""What a notice says, in one language: for the mail and for the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from flask import current_app
from flask_babel import format_datetime
from flask_babel import gettext as _

from govern.assemblies.labels import AGENDA_KINDS, KINDS, MODES
from govern.assemblies.models import Assembly, Notice, NoticeKind, Resolution
from govern.assemblies.rules import AgendaKind, AssemblyKind, AssemblyMode
from govern.assemblies.services.agenda import AgendaNode, agenda_list
from govern.assemblies.services.elections import binding_election
from govern.assemblies.services.explanations import requirement_sentence, rule_sentence
from govern.cooperatives.rules import Rules
from govern.i18n import as_spoken, day, local_text
from govern.markdown import plain_text
from govern.register.models import Membership


@dataclass(frozen=True)
class AgendaLine:
    """One agenda item as a notice prints it; ``resolutions`` are (title, text, requirement)."""

    number: str
    title: str
    kind: str
    text: str
    resolutions: tuple[tuple[str, str, str], ...]


def assembly_url(assembly: Assembly) -> str:
    """The address of the assembly's page. Works without a request, for mails and letters."""
    base = current_app.config["GOVERN"].public_url
    return f"{base}/{assembly.cooperative.code}/assemblies/{assembly.slug}"


def local_moment(value: datetime, time_zone: str) -> str:
    """Day with its weekday, and time, in the language in force."""
    local = value.astimezone(ZoneInfo(time_zone))
    return as_spoken(str(format_datetime(local, "full", rebase=False)))


def local_span(assembly: Assembly) -> str:
    """When the assembly is, in the language in force; the time zone is named."""
    zone = ZoneInfo(assembly.cooperative.time_zone)
    starts = assembly.starts_at.astimezone(zone)
    words = {
        "day": day(starts.date(), "full"),
        "start": str(format_datetime(starts, "H:mm", rebase=False)),
        "zone": assembly.cooperative.time_zone,
    }
    if assembly.ends_at is None:
        return _("%(day)s at %(start)s (%(zone)s)", **words)
    ends = assembly.ends_at.astimezone(zone)
    if ends.date() != starts.date():
        return _(
            "%(day)s at %(start)s until %(end)s (%(zone)s)",
            end=str(format_datetime(ends, "short", rebase=False)),
            **words,
        )
    return _(
        "%(day)s from %(start)s to %(end)s (%(zone)s)",
        end=str(format_datetime(ends, "H:mm", rebase=False)),
        **words,
    )


def notice_context(assembly: Assembly, notice: Notice, rules: Rules) -> dict[str, Any]:
    """Everything that mail and letter print, in the language in force, but the recipient."""
    cooperative = assembly.cooperative
    election = binding_election(assembly)
    return {
        "cooperative": cooperative.name,
        "seat": cooperative.seat,
        "enterprise_number": cooperative.enterprise_number,
        "legal_form": cooperative.legal_form,
        "contact": cooperative.email,
        "title": local_text(assembly.titles),
        "kind": str(KINDS[AssemblyKind(assembly.kind)]),
        "mode": str(MODES[AssemblyMode(assembly.mode)]),
        "when": local_span(assembly),
        "place": assembly.place,
        "introduction": plain_text(local_text(assembly.introductions)),
        "agenda": [agenda_line(node, rules) for node in agenda_list(assembly)],
        "documents": [document.title for document in assembly.documents],
        "is_second": assembly.second_of_id is not None,
        "record_date": day(assembly.record_date),
        "objection_deadline": (
            day(assembly.objection_deadline) if assembly.objection_deadline else ""
        ),
        "vote": _vote_sentence(election.opens_at, election.closes_at, cooperative.time_zone)
        if election is not None
        else "",
        "late": late_sentence(notice),
        "cancel_reason": assembly.cancel_reason,
        "address": assembly_url(assembly),
        "sent_on": day(notice.leaves_on),
    }


def agenda_line(node: AgendaNode, rules: Rules) -> AgendaLine:
    """One item, with what is put to the vote under it."""
    item = node.item
    return AgendaLine(
        number=node.number,
        title=local_text(item.titles),
        kind=str(AGENDA_KINDS[AgendaKind(item.kind)]),
        text=plain_text(local_text(item.texts)),
        resolutions=tuple(_resolution_lines(resolution, rules) for resolution in item.resolutions),
    )


def _resolution_lines(resolution: Resolution, rules: Rules) -> tuple[str, str, str]:
    text = plain_text(local_text(resolution.texts))
    if resolution.is_about_people:
        names = ", ".join(candidate.name for candidate in resolution.candidates)
        candidates = _("Candidates: %(names)s", names=names)
        return local_text(resolution.titles), f"{text}\n\n{candidates}".strip(), ""
    return local_text(resolution.titles), text, resolution_requirement(resolution, rules)


def resolution_requirement(resolution: Resolution, rules: Rules) -> str:
    """What the resolution needs, and where the rule stands; "" for a rule that is gone."""
    rule = majority_as_mapping(rules, resolution.majority_rule)
    if rule is None:
        return ""
    return f"{requirement_sentence(dict(rule))} {rule_sentence(dict(rule))}"


def majority_as_mapping(rules: Rules, code: str) -> Mapping[str, Any] | None:
    """The majority rule ``code`` in the form in which outcomes quote it."""
    return next((asdict(rule) for rule in rules.majorities if rule.code == code), None)


def late_sentence(notice: Notice) -> str:
    """What a notice that leaves too late prints about it; "" for one in time."""
    if not notice.was_late or notice.kind != NoticeKind.CONVENING.value:
        return ""
    return _(
        "This notice leaves %(given)s days before the assembly instead of %(required)s. Reason: "
        "%(reason)s",
        given=notice.days_given,
        required=notice.days_required,
        reason=notice.override_reason,
    )


def _vote_sentence(opens_at: datetime, closes_at: datetime, time_zone: str) -> str:
    return _(
        "Voting with sealed ballots is open from %(opens)s to %(closes)s.",
        opens=local_moment(opens_at, time_zone),
        closes=local_moment(closes_at, time_zone),
    )


def postal_lines(membership: Membership) -> list[str]:
    """The lines of the address window, without empty ones; the country only of a letter abroad."""
    town = f"{membership.postal_code} {membership.town}".strip()
    lines = [membership.display_name, membership.street, town]
    if membership.country and membership.country != membership.cooperative.country:
        # The post of the sending country reads it: in its language, or in French (postal union).
        names = Locale("fr").territories
        lines.append(names.get(membership.country, membership.country).upper())
    return [line for line in lines if line]
