"""What the codes of assemblies are called, for pages, mails and letters."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from govern.assemblies.rules import (
    AgendaKind,
    AssemblyKind,
    AssemblyMode,
    AssemblyState,
    LinkKind,
    PeopleVerdict,
    ResolutionKind,
    Verdict,
)

KINDS = {
    AssemblyKind.ORDINARY: _l("Ordinary assembly"),
    AssemblyKind.EXTRAORDINARY: _l("Extraordinary assembly"),
}
MODES = {
    AssemblyMode.PHYSICAL: _l("On site"),
    AssemblyMode.HYBRID: _l("On site and online"),
    AssemblyMode.REMOTE: _l("Online only"),
}
STATES = {
    AssemblyState.DRAFT: _l("Draft"),
    AssemblyState.CONVENED: lazy_pgettext("assembly", "Published"),
    AssemblyState.HELD: _l("Held"),
    AssemblyState.CLOSED: lazy_pgettext("assembly", "Closed"),
    AssemblyState.CANCELLED: lazy_pgettext("assembly", "Cancelled"),
}
STATE_TONES = {
    AssemblyState.DRAFT: "neutral",
    AssemblyState.CONVENED: "info",
    AssemblyState.HELD: "info",
    AssemblyState.CLOSED: "good",
    AssemblyState.CANCELLED: "bad",
}
AGENDA_KINDS = {
    AgendaKind.DECISION: _l("Decision"),
    AgendaKind.INFORMATION: _l("Information"),
    AgendaKind.TAKE_NOTE: _l("To be noted"),
    AgendaKind.ELECTION: _l("Election of people"),
    AgendaKind.DISCUSSION: _l("Discussion"),
    AgendaKind.WORKSHOP: _l("Workshop"),
}
LINK_KINDS = {
    LinkKind.STREAM: _l("Live stream (members only)"),
    LinkKind.REGISTRATION: _l("Register to attend"),
    LinkKind.INFORMATION: _l("More information"),
}
RESOLUTION_KINDS = {
    ResolutionKind.TEXT: _l("For, against or abstain"),
    ResolutionKind.PEOPLE: _l("Choice among candidates"),
}
VERDICTS = {
    Verdict.ACCEPTED: _l("Accepted"),
    Verdict.REJECTED: _l("Rejected"),
    Verdict.NO_QUORUM: _l("No quorum, nothing decided"),
    PeopleVerdict.FILLED: _l("All seats filled"),
    PeopleVerdict.UNDECIDED: _l("A seat is undecided"),
    PeopleVerdict.VACANT: _l("A seat stays empty"),
}
VERDICT_TONES = {
    Verdict.ACCEPTED: "good",
    Verdict.REJECTED: "bad",
    Verdict.NO_QUORUM: "warn",
    PeopleVerdict.FILLED: "good",
    PeopleVerdict.UNDECIDED: "warn",
    PeopleVerdict.VACANT: "warn",
}
