"""What an outcome says to people: whole sentences, made in the reader's language when shown.

Every sentence is one message for the translators, with named placeholders. The figures come from
the recorded outcome, so that a page of today quotes the rule of then.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel import Locale
from babel.numbers import format_percent
from flask_babel import format_decimal, get_locale, ngettext
from flask_babel import gettext as _

from govern.assemblies.labels import VERDICT_TONES, VERDICTS
from govern.assemblies.models import RecordedOutcome
from govern.assemblies.rules import (
    PeopleVerdict,
    QuorumState,
    Reason,
    ResolutionKind,
    Verdict,
    decimals_to_tell_apart,
)
from govern.i18n import local_text


@dataclass(frozen=True)
class QuorumView:
    """The quorum, for a gauge: counted in heads or issued shares."""

    present: int
    total: int
    needed: int | None
    in_shares: bool
    sentence: str


@dataclass(frozen=True)
class OutcomeText:
    """An outcome in words. ``sentence`` says how it was reached; ``details`` what else counts.

    ``bars`` are (label, votes, tone) for a text, or (name, votes) for people, best first.
    ``threshold`` is the share of for and against that the rule wants.
    """

    label: str
    tone: str
    title: str
    sentence: str
    details: tuple[str, ...]
    rule: str
    citation: str
    is_about_people: bool
    bars: tuple[tuple[Any, ...], ...]
    elected: int
    threshold: Fraction | None
    mark: str
    quorum: QuorumView | None
    digest: str

    @property
    def explanation(self) -> str:
        """Everything in one paragraph."""
        return " ".join((self.sentence, *self.details, self.rule))


def explain(outcome: RecordedOutcome) -> OutcomeText:
    """``outcome`` in the language in force."""
    data = outcome.data
    people = data["kind"] == ResolutionKind.PEOPLE.value
    rule = data["rule"]
    verdict = PeopleVerdict(outcome.verdict) if people else Verdict(outcome.verdict)
    quorum = _quorum_view(data["quorum"])
    sentence = _people_sentence(data) if people else _text_sentence(data, Reason(outcome.reason))
    details = _people_details(data) if people else _text_details(data)
    threshold = (
        None if people else Fraction(rule["majority_numerator"], rule["majority_denominator"])
    )
    return OutcomeText(
        label=str(VERDICTS[verdict]),
        tone=VERDICT_TONES[verdict],
        title=local_text(data["titles"]),
        sentence=sentence,
        details=(*details, *((quorum.sentence,) if quorum is not None else ())),
        rule=rule_sentence(rule),
        citation=rule["citation"]["text"],
        is_about_people=people,
        bars=_people_bars(data) if people else _text_bars(data),
        elected=len(data["elected"]) if people else 0,
        threshold=threshold,
        mark="" if threshold is None else _mark(rule, threshold),
        quorum=quorum,
        digest=outcome.digest,
    )


# -- resolutions ------------------------------------------------------------------------------


def _text_sentence(data: dict[str, Any], reason: Reason) -> str:
    votes, rule = data["votes"], data["rule"]
    expressed = votes["for"] + votes["against"]
    if reason is Reason.QUORUM_MISSED:
        return _("Nothing was decided: too few were present, whatever the votes say.")
    if reason is Reason.NO_VOTES:
        return _("Rejected: nobody voted for or against.")
    if reason is Reason.TIE:
        return ngettext(
            "Rejected: %(count)s vote for and as many against; a tie rejects.",
            "Rejected: %(count)s votes for and as many against; a tie rejects.",
            votes["for"],
            count=number(votes["for"]),
        )
    threshold = Fraction(rule["majority_numerator"], rule["majority_denominator"])
    share = Fraction(votes["for"], expressed)
    decimals = decimals_to_tell_apart(share, threshold)
    words = {
        "votes_for": number(votes["for"]),
        "expressed": number(expressed),
        "share": percent(share, decimals),
        "threshold": percent(threshold, decimals),
    }
    if reason is Reason.MAJORITY_MET and rule["strict"]:
        return _(
            "Accepted: of %(expressed)s votes for or against, %(votes_for)s were for, that is "
            "%(share)s; more than %(threshold)s was needed.",
            **words,
        )
    if reason is Reason.MAJORITY_MET:
        return _(
            "Accepted: of %(expressed)s votes for or against, %(votes_for)s were for, that is "
            "%(share)s; at least %(threshold)s was needed.",
            **words,
        )
    if rule["strict"]:
        return _(
            "Rejected: of %(expressed)s votes for or against, %(votes_for)s were for, that is "
            "%(share)s; more than %(threshold)s was needed.",
            **words,
        )
    return _(
        "Rejected: of %(expressed)s votes for or against, %(votes_for)s were for, that is "
        "%(share)s; at least %(threshold)s was needed.",
        **words,
    )


def _text_details(data: dict[str, Any]) -> tuple[str, ...]:
    votes = data["votes"]
    total = votes["for"] + votes["against"] + votes["abstain"]
    if not votes["abstain"]:
        return (_("Nobody abstained."),)
    return (
        ngettext(
            "%(count)s abstention (%(share)s of all votes) counts neither for nor against.",
            "%(count)s abstentions (%(share)s of all votes) count neither for nor against.",
            votes["abstain"],
            count=number(votes["abstain"]),
            share=percent(Fraction(votes["abstain"], total)),
        ),
    )


def _text_bars(data: dict[str, Any]) -> tuple[tuple[str, int, str], ...]:
    votes = data["votes"]
    return (
        (_("For"), votes["for"], "for"),
        (_("Against"), votes["against"], "against"),
        (_("Abstention"), votes["abstain"], "abstain"),
    )


def _mark(rule: dict[str, Any], threshold: Fraction) -> str:
    if rule["strict"]:
        return _("more than %(share)s", share=percent(threshold))
    return _("at least %(share)s", share=percent(threshold))


# -- people -----------------------------------------------------------------------------------


def _people_sentence(data: dict[str, Any]) -> str:
    verdict = PeopleVerdict(data["verdict"])
    names = {one["key"]: one["name"] for one in data["candidates"]}
    elected = ", ".join(names[key] for key in data["elected"])
    if verdict is PeopleVerdict.NO_QUORUM:
        return _("Nobody is elected: too few were present, whatever the votes say.")
    if not data["elected"] and verdict is PeopleVerdict.VACANT:
        return _("Nobody is elected: no candidate was named on any ballot.")
    if verdict is PeopleVerdict.FILLED:
        return ngettext(
            "Elected to the seat: %(names)s, named most often.",
            "Elected to the %(count)s seats: %(names)s, named most often.",
            data["seats"],
            count=number(data["seats"]),
            names=elected,
        )
    if verdict is PeopleVerdict.VACANT:
        return ngettext(
            "Elected: %(names)s. %(count)s seat stays empty: nobody else was named on any ballot.",
            "Elected: %(names)s. %(count)s seats stay empty: nobody else was named on any ballot.",
            data["seats_empty"],
            count=number(data["seats_empty"]),
            names=elected,
        )
    level = ", ".join(names[key] for key in data["level"])
    if not data["elected"]:
        return ngettext(
            "%(level)s have equally many votes for %(count)s seat: it stays undecided, and the "
            "statutes say how to decide it.",
            "%(level)s have equally many votes for %(count)s seats: they stay undecided, and the "
            "statutes say how to decide them.",
            data["seats_undecided"],
            count=number(data["seats_undecided"]),
            level=level,
        )
    return ngettext(
        "Elected: %(names)s. %(level)s have equally many votes for %(count)s more seat: it stays "
        "undecided, and the statutes say how to decide it.",
        "Elected: %(names)s. %(level)s have equally many votes for %(count)s more seats: they stay "
        "undecided, and the statutes say how to decide them.",
        data["seats_undecided"],
        count=number(data["seats_undecided"]),
        names=elected,
        level=level,
    )


def _people_details(data: dict[str, Any]) -> tuple[str, ...]:
    if not data["blank"]:
        return (_("The seats go to those whom most ballots name. No ballot was blank."),)
    return (
        ngettext(
            "The seats go to those whom most ballots name. %(count)s ballot of %(ballots)s was "
            "blank.",
            "The seats go to those whom most ballots name. %(count)s ballots of %(ballots)s were "
            "blank.",
            data["blank"],
            count=number(data["blank"]),
            ballots=number(data["ballots"]),
        ),
    )


def _people_bars(data: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((one["name"], one["votes"]) for one in data["candidates"])


# -- quorum and rule --------------------------------------------------------------------------


def _quorum_view(quorum: dict[str, Any]) -> QuorumView | None:
    state, in_shares = QuorumState(quorum["state"]), quorum["basis"] == "shares_issued"
    words = {
        "present": number(quorum["present"]),
        "total": number(quorum["total"]),
        "needed": number(quorum["needed"]),
    }
    if state is QuorumState.NOT_REQUIRED:
        return None
    sentence = _quorum_in_shares(state, words) if in_shares else _quorum_in_heads(state, words)
    return QuorumView(quorum["present"], quorum["total"], quorum["needed"], in_shares, sentence)


def _quorum_in_shares(state: QuorumState, words: dict[str, str]) -> str:
    if state is QuorumState.MET:
        return _(
            "The quorum was reached: holders of %(present)s of all %(total)s issued shares took "
            "part, and %(needed)s were needed.",
            **words,
        )
    if state is QuorumState.WAIVED:
        return _(
            "Holders of %(present)s of all %(total)s issued shares took part. As a second "
            "assembly it decides whatever the number (the first needed %(needed)s).",
            **words,
        )
    return _(
        "The quorum was missed: holders of %(present)s of all %(total)s issued shares took part, "
        "and %(needed)s were needed. A second assembly can be convened.",
        **words,
    )


def _quorum_in_heads(state: QuorumState, words: dict[str, str]) -> str:
    if state is QuorumState.MET:
        return _(
            "The quorum was reached: %(present)s of the %(total)s members on the roll took part, "
            "and %(needed)s were needed.",
            **words,
        )
    if state is QuorumState.WAIVED:
        return _(
            "%(present)s of the %(total)s members on the roll took part. As a second assembly it "
            "decides whatever the number (the first needed %(needed)s).",
            **words,
        )
    return _(
        "The quorum was missed: %(present)s of the %(total)s members on the roll took part, and "
        "%(needed)s were needed. A second assembly can be convened.",
        **words,
    )


def rule_sentence(rule: dict[str, Any]) -> str:
    """Which rule applies and where it stands. Whether somebody has compared the source is told on
    the page of the cooperative's rules."""
    return _(
        "Rule: %(name)s (%(citation)s).",
        name=local_text(rule["names"]),
        citation=rule["citation"]["text"],
    )


def requirement_sentence(rule: dict[str, Any]) -> str:
    """What ``rule`` asks for, to be read before the vote."""
    threshold = percent(Fraction(rule["majority_numerator"], rule["majority_denominator"]))
    quorum = None
    if rule["quorum_numerator"] is not None:
        quorum = percent(Fraction(rule["quorum_numerator"], rule["quorum_denominator"]))
    if quorum is None and rule["strict"]:
        return _(
            "Accepted if more than %(threshold)s of the votes for or against are for; no quorum.",
            threshold=threshold,
        )
    if quorum is None:
        return _(
            "Accepted if at least %(threshold)s of the votes for or against are for; no quorum.",
            threshold=threshold,
        )
    words = {"threshold": threshold, "quorum": quorum}
    in_shares = rule["quorum_basis"] == "shares_issued"
    if rule["strict"] and in_shares:
        return _(
            "Accepted if more than %(threshold)s of the votes for or against are for and holders "
            "of at least %(quorum)s of the issued shares take part.",
            **words,
        )
    if in_shares:
        return _(
            "Accepted if at least %(threshold)s of the votes for or against are for and holders "
            "of at least %(quorum)s of the issued shares take part.",
            **words,
        )
    if rule["strict"]:
        return _(
            "Accepted if more than %(threshold)s of the votes for or against are for and at "
            "least %(quorum)s of the members take part.",
            **words,
        )
    return _(
        "Accepted if at least %(threshold)s of the votes for or against are for and at least "
        "%(quorum)s of the members take part.",
        **words,
    )


def number(value: int) -> str:
    """A whole number in the form of the current language."""
    return str(format_decimal(value))


def percent(share: Fraction, decimals: int = 1) -> str:
    """A share in per cent in the form of the current language, with at most ``decimals``.

    Rounds exactly, half up; what decides is never computed from it.
    """
    unit = 10**decimals
    rounded = Decimal(int(share * 100 * unit + Fraction(1, 2))) / unit / 100
    locale = get_locale() or Locale("en")
    # Each language writes the sign its own way (50 %, 50%): keep that, allow the decimals.
    pattern = str(locale.percent_formats[None].pattern)
    digits = "#,##0." + "#" * decimals if decimals else "#,##0"
    return str(
        format_percent(
            rounded,
            format=pattern.replace("#,##0", digits),
            locale=locale,
            decimal_quantization=False,
        )
    )
