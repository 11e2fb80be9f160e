"""The sentences that pages, mails and refusals say about elections, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from govern.i18n import instant
from govern.voting.rules import (
    MAXIMUM_ANSWERS,
    CredentialMode,
    ElectionState,
    Missing,
    Problem,
)


def state_label(state: ElectionState) -> str:
    """One or two words for a state."""
    return {
        ElectionState.DRAFT: _("Draft"),
        ElectionState.KEYS: _("Keys being made"),
        ElectionState.CREDENTIALS: _("Voting codes being made"),
        ElectionState.OPEN: _("Open"),
        ElectionState.CLOSED: _("Closed"),
        ElectionState.TALLYING: _("Being counted"),
        ElectionState.PUBLISHED: _("Result published"),
        ElectionState.CANCELLED: _("Cancelled"),
    }[state]


STATE_TONES: Mapping[ElectionState, str] = {
    ElectionState.DRAFT: "neutral",
    ElectionState.KEYS: "info",
    ElectionState.CREDENTIALS: "info",
    ElectionState.OPEN: "good",
    ElectionState.CLOSED: "warn",
    ElectionState.TALLYING: "warn",
    ElectionState.PUBLISHED: "good",
    ElectionState.CANCELLED: "bad",
}
"""The tone of the pill that shows a state."""


def mode_label(mode: CredentialMode) -> str:
    """Who makes the voting codes, in a few words."""
    if mode is CredentialMode.SERVER:
        return _("Made by this server")
    return _("Made by an authority outside this server")


def mode_sentence(mode: CredentialMode) -> str:
    """What it means for the vote that the codes are made there."""
    if mode is CredentialMode.SERVER:
        return _(
            "The voting codes of this election are made and sent by this server. A dishonest "
            "server could vote in the place of members who do not vote; every member can see "
            "whether a vote was cast in their name."
        )
    return _(
        "The voting codes of this election are made and sent by an authority outside this "
        "server. The server knows only their public half, so it cannot vote for anybody."
    )


def missing_sentence(missing: Missing) -> str:
    """What is missing, and who can do something about it."""
    have, need = missing.have, missing.need
    sentences: dict[str, Callable[[], str]] = {
        "questions": lambda: _("The election has no question yet."),
        "trustees": lambda: _("No trustee has been named."),
        "frozen_roll": lambda: _("The roll is not frozen yet."),
        "group": lambda: _(
            "The roll holds %(have)s members; this election needs at least %(need)s, so that "
            "nobody's vote can be told from the result.",
            have=have,
            need=need,
        ),
        "future_closing": lambda: _("The closing time is past: set a later one."),
        "keys": lambda: _(
            "%(have)s of %(need)s trustees have registered their key; all are needed.",
            have=have,
            need=need,
        ),
        "credentials": lambda: _(
            "The voting codes are not complete: %(have)s of %(need)s.", have=have, need=need
        ),
        "credential_count": lambda: _(
            "There are %(have)s voting codes for %(need)s members on the roll: make them again.",
            have=have,
            need=need,
        ),
        "credentials_of_this_roll": lambda: _(
            "The roll was corrected after the voting codes were made: make them again."
        ),
        "opening_time": lambda: _("The opening time has not come."),
        "closing_time": lambda: _("The closing time has not come."),
        "sound_box": lambda: _(
            "The check of the ballot box found an entry that is not what was written."
        ),
        "encrypted_tally": lambda: _("The sealed ballots have not been added up yet."),
        "ballots_for_group": lambda: ngettext(
            "Only one ballot was counted; at least %(need)s are needed, since the result would "
            "show how somebody voted.",
            "Only %(num)s ballots were counted; at least %(need)s are needed, since the result "
            "would show how somebody voted.",
            have,
            need=need,
        ),
        "decryptions": lambda: _(
            "%(have)s of %(need)s trustees have opened their part of the count; all are needed.",
            have=have,
            need=need,
        ),
        "recount": lambda: _("The ballot box is still being counted again from its first entry."),
    }
    return sentences[missing.code]()


def problem_sentence(problem: Problem) -> str:
    """What is wrong with an input, and the remedy."""
    value = problem.value
    sentences: dict[str, Callable[[], str]] = {
        "text_missing": lambda: _("A text is missing in every language."),
        "separator_in_text": lambda: _(
            "“%(text)s” holds a slash between spaces, which separates the languages on the "
            "ballot: write it without the spaces.",
            text=value,
        ),
        "text_too_long": lambda: _("A text is longer than %(limit)s characters.", limit=value),
        "text_not_plain": lambda: _("A text holds a character that cannot be shown."),
        "answer_count": lambda: _(
            "A question needs between 1 and %(limit)s answers.", limit=MAXIMUM_ANSWERS
        ),
        "choice_limits": lambda: _(
            "The least and the greatest number of choices must lie between 0 and the number of "
            "answers (%(count)s), the least first.",
            count=value,
        ),
        "resolution_shape": lambda: _(
            "A resolution is answered by exactly one of for, against and abstain."
        ),
        "question_count": lambda: _(
            "An election needs between 1 and %(limit)s questions.", limit=value
        ),
        "question_twice": lambda: _("The question “%(key)s” stands there twice.", key=value),
        "closes_before_opening": lambda: _("The closing time must be after the opening time."),
        "open_too_long": lambda: _("An election stays open for at most three months."),
    }
    return sentences[problem.code]()


def incident_sentence(code: str, details: Mapping[str, Any]) -> str:
    """One line of the incident log; ``details`` holds numbers, hashes and ISO times."""
    values = {**details}
    for name in ("opens_at", "closes_at", "before", "after"):
        if name in values:
            values[name] = _when(values[name])
    sentences: dict[str, Callable[[], str]] = {
        "created": lambda: _("The election was created."),
        "trustees_named": lambda: ngettext(
            "One trustee was named.", "%(num)s trustees were named.", int(values["count"])
        ),
        "rescheduled": lambda: _("New times: from %(opens_at)s to %(closes_at)s.", **values),
        "keys": lambda: _("The trustees were asked to make their keys."),
        "key_registered": lambda: _("Trustee %(position)s registered a key.", **values),
        "key_reset": lambda: _("The key of trustee %(position)s was taken back.", **values),
        "trustee_replaced": lambda: _("Trustee %(position)s was replaced.", **values),
        "credentials": lambda: _(
            "All keys are there; the election is fixed with fingerprint %(fingerprint)s.",
            **values,
        ),
        "credentials_started": lambda: _(
            "The server began to make %(count)s voting codes.", **values
        ),
        "credentials_uploaded": lambda: _(
            "The public half of %(count)s voting codes was uploaded.", **values
        ),
        "credentials_made": lambda: _(
            "All %(count)s voting codes are made; digest %(digest)s.", **values
        ),
        "credentials_refused": lambda: _(
            "The uploaded list of public keys was refused: an entry is not a valid key."
        ),
        "credentials_outdated": lambda: _and_mails(
            _("The roll was corrected while the voting codes were made: they are void."), values
        ),
        "credentials_discarded": lambda: _and_mails(
            _("The voting codes were declared void."), values
        ),
        "code_sent_again": lambda: _("A lost voting code was sent again to one member."),
        "opening_failed": lambda: _("The election could not open at its time."),
        "open": lambda: _(
            "The election opened with %(heads)s members on the roll (digest %(roll_digest)s), "
            "digest of the codes %(credentials_digest)s, hash of the set-up %(setup_hash)s.",
            **values,
        ),
        "extended": lambda: _("The closing time was moved from %(before)s to %(after)s.", **values),
        "closed_early": lambda: _(
            "The vote was closed before its time, which was %(before)s.", **values
        ),
        "closed": lambda: _(
            "The box was closed with %(ballots)s ballots from %(voters)s voters.", **values
        ),
        "salt_renewed": lambda: _(
            "After a restore, whoever had voted before it cannot vote again."
        ),
        "attendance_scrubbed": lambda: _(
            "The traces of the order in which members voted were removed."
        ),
        "tallying": lambda: _(
            "The sealed ballots of %(voters)s voters were added up; hash of the sum %(hash)s.",
            **values,
        ),
        "partial_decryption": lambda: _(
            "Trustee %(position)s opened their part of the count.", **values
        ),
        "recounted": lambda: _(
            "The box was counted again from its first entry: the sum is the same."
        ),
        "box_unsound": lambda: _("The check of the box failed at entry %(height)s.", **values),
        "audited": lambda: _("The strict verifier accepted the archive."),
        "audit_refused": lambda: _(
            "The strict verifier refused the archive at its step %(step)s.", **values
        ),
        "published": lambda: _("The result was published."),
        "cancelled": lambda: _and_mails(_("The election was cancelled."), values),
    }
    return sentences[code]()


def possibly_out_sentence(count: int) -> str:
    """That mails with void codes were being handed over when they were withdrawn."""
    return ngettext(
        "One mail with a voting code was being handed over at that moment and may have arrived: "
        "its code is void all the same.",
        "%(num)s mails with voting codes were being handed over at that moment and may have "
        "arrived: their codes are void all the same.",
        count,
    )


def _and_mails(sentence: str, details: Mapping[str, Any]) -> str:
    """The sentence, and one more where withdrawn codes may have gone out."""
    count = int(details.get("possibly_out", 0))
    return f"{sentence} {possibly_out_sentence(count)}" if count else sentence


def _when(text: str) -> str:
    return instant(datetime.fromisoformat(text))
