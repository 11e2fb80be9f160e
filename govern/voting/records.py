"""The printable record of the count: what was decided by how many, and how to verify it."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session

from govern.components import number, percent
from govern.i18n import current_language, instant, local_text
from govern.pdf import render_pdf
from govern.voting import slots
from govern.voting.models import BoxState, Election
from govern.voting.rules import GROUP_READERS, CredentialMode
from govern.voting.services.notices import election_url
from govern.voting.services.steps import incidents_of
from govern.voting.services.tally import ElectionResult, QuestionResult, read_result
from govern.voting.texts import incident_sentence, mode_label


def verification_commands(election: Election) -> list[tuple[str, str]]:
    """The two commands with which anyone verifies the archive, and what each is."""
    version = GROUP_READERS[election.group]
    return [
        (
            _("The strict verifier of this software:"),
            f"govern audit {election.uuid}.bel",
        ),
        (
            _(
                "An independent verifier, belenios-tool %(version)s or later, in the folder that "
                "holds the archive:",
                version=version,
            ),
            "belenios-tool election verify --dir=.",
        ),
    ]


def render_record(session: Session, election: Election) -> bytes:
    """The record of a published election as PDF, in the current language."""
    result = read_result(session, election)
    box = session.get_one(BoxState, election.id)
    language = current_language()
    turnout = result.turnout
    data: dict[str, Any] = {
        "cooperative": election.cooperative.name,
        "title": _("Record of the count"),
        "subtitle": local_text(election.title),
        "trial": _("Trial election: it binds nobody.") if election.is_trial else None,
        "facts": [
            [_("Opened"), instant(election.opened_at or election.opens_at)],
            [_("Closed"), instant(election.closed_at or election.closes_at)],
            [_("Result published"), instant(election.published_at or election.closes_at)],
            [_("Members on the roll"), number(turnout.heads_on_roll)],
            [
                _("Votes counted"),
                _(
                    "%(count)s (%(share)s of the roll)",
                    count=number(result.ballots),
                    share=percent(result.ballots, turnout.heads_on_roll),
                ),
            ],
            [_("Trustees"), ", ".join(trustee.name for trustee in election.trustees)],
            [_("Voting codes"), mode_label(CredentialMode(election.credential_mode))],
        ],
        "questions": [
            _question(session, election, result, question) for question in result.questions
        ],
        "headings": [
            _("Answer"),
            pgettext("number", "Votes"),
            _("of all votes"),
            _("without abstentions"),
        ],
        "digests_title": _("Numbers to compare"),
        "digests": [
            [_("Fingerprint of the election"), election.fingerprint],
            [_("Hash of the set-up"), election.setup_hash],
            [_("Digest of the roll"), election.roll_digest],
            [
                _("End of the share ledger that the roll was taken from"),
                election.roll.register_hash,
            ],
            [_("Digest of the public halves of the voting codes"), election.credentials_digest],
            [_("End of the chain"), box.head],
        ],
        "verify_title": _("How anyone verifies this"),
        "verify_text": _(
            "Download the ballot box from %(address)s and run:",
            address=election_url(election, f"{election.uuid}.bel"),
        ),
        "commands": [[text, command] for text, command in verification_commands(election)],
        "log_title": _("Log of the election"),
        "log": [
            [
                instant(item.recorded_at),
                " ".join([incident_sentence(item.code, item.details), item.reason]).strip(),
            ]
            for item in incidents_of(session, election)
        ],
        "digest": box.head,
        "verify_at": election_url(election),
        "verification_code": election.uuid,
    }
    return render_pdf("voting_record", data, language)


def _question(
    session: Session, election: Election, result: ElectionResult, question: QuestionResult
) -> dict[str, Any]:
    rows = [
        [
            local_text(answer),
            number(share.votes),
            percent(share.of_ballots),
            "–" if share.of_expressed is None else percent(share.of_expressed),
        ]
        for answer, share in zip(question.answers, question.shares, strict=True)
    ]
    if question.blank_allowed:
        rows.append(
            [_("Blank"), number(question.blank), percent(question.blank, result.ballots), "–"]
        )
    outcomes = slots.outcomes_of(session, election).get(question.key, [])
    return {
        "text": local_text(question.texts),
        "rows": rows,
        "outcomes": [f"{view.label}. {view.sentence} {view.citation}".strip() for view in outcomes],
    }
