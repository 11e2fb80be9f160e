"""Turning a published result into what was decided, under the rules of the assembly's day."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import SYSTEM
from govern.assemblies import rules
from govern.assemblies.models import (
    AgendaItem,
    Assembly,
    AssemblyElection,
    RecordedOutcome,
    Resolution,
)
from govern.assemblies.rules import local_day
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.elections import assembly_of_election, resolutions_decided_by
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import MajorityRule, Rules, rules_from_json
from govern.voting.models import Election
from govern.voting.rules import ABSTAIN, AGAINST, FOR
from govern.voting.services.tally import ElectionResult, QuestionResult, read_result


@dataclass(frozen=True)
class _Decision:
    """What is written down about one resolution, whatever its kind."""

    verdict: str
    reason: str
    figures: dict[str, Any]


def record_outcomes(session: Session, election: Election) -> list[RecordedOutcome]:
    """Decide every resolution that ``election`` (published) binds, once; trials decide nothing.

    Called in the transaction that publishes the result: there is never a result without its
    outcomes. The rules are those of ``rules_for_vote``; the presence is everybody who cast a
    ballot in this election.
    """
    assembly = assembly_of_election(session, election.id)
    if assembly is None or election.is_trial:
        return []
    rule_set, in_force = rules_for_vote(session, assembly, election)
    result = read_result(session, election)
    presence = presence_in(result)
    attended = {
        "heads": [presence.heads_present, presence.heads_on_roll],
        "shares_issued": [presence.shares_present, presence.shares_issued],
    }
    recorded = []
    for resolution in resolutions_decided_by(session, election):
        if resolution.outcome is not None:
            continue
        rule = in_force.majority_rule(resolution.majority_rule)
        question = result.question(resolution.question_key)
        decide = _decide_people if resolution.is_about_people else _decide_text
        waived = is_quorum_waived(session, assembly, resolution)
        decision = decide(waived, resolution, rule, question, presence, result.ballots)
        decision.figures["presence"] = attended
        recorded.append(_store(session, assembly, election, resolution, rule_set, decision))
    session.flush()
    if recorded:
        audit.record(
            session,
            SYSTEM,
            "assemblies:outcome:recorded",
            cooperative_id=assembly.cooperative_id,
            subject=assembly.public_id,
            data={
                "election": election.public_id,
                "rule_set": rule_set.id,
                "digests": [outcome.digest for outcome in recorded],
            },
        )
    return recorded


def rules_for_vote(
    session: Session, assembly: Assembly, election: Election
) -> tuple[RuleSet, Rules]:
    """The rule set of the day of ``assembly``, as it was recorded when the vote was prepared.

    A set that is recorded later with an earlier first day changes nothing about a vote that was
    prepared under another: nobody can move a threshold after seeing how the vote goes.
    """
    day = local_day(assembly.starts_at, assembly.cooperative.time_zone)
    row = session.scalar(
        select(RuleSet)
        .join(AssemblyElection, AssemblyElection.election_id == election.id)
        .where(
            RuleSet.cooperative_id == assembly.cooperative_id,
            RuleSet.starts_on <= day,
            RuleSet.recorded_at <= AssemblyElection.prepared_at,
        )
        .order_by(RuleSet.starts_on.desc())
        .limit(1)
    )
    return (row, rules_from_json(row.rules)) if row is not None else rules_of(session, assembly)


def presence_in(result: ElectionResult) -> rules.Presence:
    """Who was present by casting a ballot, against the whole roll."""
    turnout = result.turnout
    return rules.Presence(
        heads_present=turnout.heads,
        heads_on_roll=turnout.heads_on_roll,
        shares_present=turnout.shares_issued,
        shares_issued=turnout.shares_issued_on_roll,
    )


def is_quorum_waived(session: Session, assembly: Assembly, resolution: Resolution) -> bool:
    """Whether a second assembly decides ``resolution`` whatever the presence.

    Not where the first one decided under the same majority rule: it had its quorum, and a text
    that it rejected cannot be passed by fewer. Where nothing is recorded here of the first (it
    voted by hand, or could not vote), that it lacked the quorum stands in its minutes.
    """
    if assembly.second_of_id is None:
        return False
    verdicts = session.scalars(
        select(RecordedOutcome.verdict)
        .join(Resolution, RecordedOutcome.resolution_id == Resolution.id)
        .join(AgendaItem, Resolution.item_id == AgendaItem.id)
        .where(
            AgendaItem.assembly_id == assembly.second_of_id,
            Resolution.majority_rule == resolution.majority_rule,
        )
    ).all()
    return not verdicts or rules.Verdict.NO_QUORUM.value in verdicts


def _decide_text(
    waived: bool,
    resolution: Resolution,
    rule: MajorityRule,
    question: QuestionResult,
    presence: rules.Presence,
    ballots: int,
) -> _Decision:
    counts = question.counts
    tally = rules.Tally(counts[FOR], counts[AGAINST], counts[ABSTAIN] + question.blank)
    outcome = rules.decide(rule, tally, presence, is_second=waived)
    return _Decision(
        outcome.verdict.value,
        outcome.reason.value,
        {
            "votes": {
                "for": tally.votes_for,
                "against": tally.votes_against,
                "abstain": tally.abstentions,
            },
            "needed": outcome.numbers.needed,
            "quorum": _quorum(outcome.quorum),
        },
    )


def _decide_people(
    waived: bool,
    resolution: Resolution,
    rule: MajorityRule,
    question: QuestionResult,
    presence: rules.Presence,
    ballots: int,
) -> _Decision:
    candidates = resolution.candidates
    votes = {
        candidate.public_id: count
        for candidate, count in zip(candidates, question.counts, strict=True)
    }
    outcome = rules.elect(
        rule,
        votes,
        seats=resolution.seats or 1,
        blank=question.blank,
        presence=presence,
        is_second=waived,
    )
    names = {candidate.public_id: candidate.name for candidate in candidates}
    return _Decision(
        outcome.verdict.value,
        "",
        {
            "candidates": [
                {"key": key, "name": names[key], "votes": count} for key, count in outcome.ranking
            ],
            "seats": outcome.seats,
            "elected": list(outcome.elected),
            "level": list(outcome.level),
            "seats_undecided": outcome.seats_undecided,
            "seats_empty": outcome.seats_empty,
            "blank": outcome.blank,
            "ballots": ballots,
            "quorum": _quorum(outcome.quorum),
        },
    )


def _store(
    session: Session,
    assembly: Assembly,
    election: Election,
    resolution: Resolution,
    rule_set: RuleSet,
    decision: _Decision,
) -> RecordedOutcome:
    rule = rules_from(rule_set, resolution.majority_rule)
    figures = canonical_figures(
        {
            **decision.figures,
            "kind": resolution.kind,
            "resolution": resolution.public_id,
            "titles": dict(resolution.titles),
            "election": election.public_id,
            "assembly": f"{assembly.cooperative.code}/{assembly.slug}",
            "second_assembly": assembly.second_of_id is not None,
            "rule": rule,
            "rule_set": {
                "starts_on": rule_set.starts_on.isoformat(),
                "source": rule_set.source,
                "source_confirmed": rule_set.source_confirmed,
            },
            "verdict": decision.verdict,
            "reason": decision.reason,
        }
    )
    outcome = RecordedOutcome(
        resolution_id=resolution.id,
        election_id=election.id,
        rule_set_id=rule_set.id,
        verdict=decision.verdict,
        reason=decision.reason,
        figures=figures,
        digest=hashlib.sha256(figures.encode()).hexdigest(),
        recorded_at=clock.now(),
    )
    session.add(outcome)
    return outcome


def rules_from(rule_set: RuleSet, code: str) -> dict[str, Any]:
    """The majority rule ``code`` as the rule set says it: quoted, not referred to."""
    return next(dict(rule) for rule in rule_set.rules["majorities"] if rule["code"] == code)


def canonical_figures(figures: dict[str, Any]) -> str:
    """Canonical JSON: sorted keys, no spaces, unescaped."""
    return json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _quorum(check: rules.QuorumCheck) -> dict[str, Any]:
    return {
        "state": check.state.value,
        "basis": check.basis,
        "present": check.present,
        "total": check.total,
        "needed": check.needed,
    }


def outcomes_of_election(session: Session, election: Election) -> list[RecordedOutcome]:
    """What ``election`` decided, in the order of its questions."""
    order = {question.key: question.position for question in election.questions}
    found = session.scalars(
        select(RecordedOutcome).join(Resolution).where(RecordedOutcome.election_id == election.id)
    ).all()
    return sorted(found, key=lambda outcome: order.get(outcome.resolution.question_key, 0))
