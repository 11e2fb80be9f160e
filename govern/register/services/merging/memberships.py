"""Two memberships of one holder in one cooperative become one."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import Actor
from govern.errors import RuleViolation
from govern.i18n import day as in_words
from govern.i18n import money
from govern.register.hooks import merge_holds
from govern.register.models import EndReason, Membership, Merge, MergeKind
from govern.register.services import ledger
from govern.register.services.holdings import holding_of
from govern.register.services.ledger.common import check_day
from govern.register.services.members.changes import end_membership
from govern.register.services.members.finding import open_membership
from govern.register.services.quality.duplicates import checked_reason

CAUSE = "merger"
"""What the ledger notes about a transfer between two memberships of one holder."""


def merge_memberships(
    session: Session,
    actor: Actor,
    kept: Membership,
    merged: Membership,
    reason: str,
    effective_on: date | None = None,
) -> Merge:
    """Bring two memberships of one holder together on ``effective_on`` (default: today).

    Shares, with the capital paid on them, go to the kept one; the other ends that day. Member
    number, category, contact data and day of admission are those of the kept one.
    Raises RuleViolation naming what stands against it.
    """
    reason = checked_reason(reason)
    cooperative = open_membership(session, actor, kept)
    session.refresh(merged)
    day = effective_on or clock.today(cooperative.time_zone)
    _refuse_unfit(kept, merged, day)
    for membership in (kept, merged):
        check_day(membership, cooperative, day)
    holds = [sentence for ask in merge_holds for sentence in ask(session, merged)]
    if holds:
        raise RuleViolation(
            " ".join(holds),
            remedy=_("Let it take its course or have it ended first, or keep the other one."),
        )
    holding = holding_of(session, merged.id, day)
    if holding.overpaid_cents:
        raise RuleViolation(
            _(
                "Member %(number)s has paid %(amount)s beyond the value of the shares.",
                number=merged.member_number,
                amount=money(holding.overpaid_cents),
            ),
            remedy=_("Give that back first, or subscribe shares for it."),
        )
    if holding_of(session, merged.id).issued != holding.issued:
        raise RuleViolation(
            _(
                "The shares of member %(number)s change after that day.",
                number=merged.member_number,
            ),
            remedy=_("Choose a later day."),
            field="effective_on",
        )
    act = ""
    if holding.issued:
        entries = ledger.transfer_shares(
            session, actor, merged, kept, holding.issued, day, cause=CAUSE
        )
        act = entries[0].act_id
    has_ended = merged.ended_on is not None
    if not has_ended:
        end_membership(session, actor, merged, day, EndReason.TRANSFER)
    merge = Merge(
        cooperative_id=cooperative.id,
        kind=MergeKind.MEMBERSHIP.value,
        kept_id=kept.id,
        merged_id=merged.id,
        reason=reason,
        moved={"act": act, "ended_on": None if has_ended else day.isoformat()},
        made_at=clock.now(),
        made_by_id=actor.account_id,
    )
    session.add(merge)
    session.flush()
    audit.record(
        session,
        actor,
        "register:membership:merged",
        cooperative_id=cooperative.id,
        subject=f"membership:{merged.public_id}",
        data={"kept": kept.public_id, "merge": merge.public_id, "shares": holding.issued},
    )
    return merge


def _refuse_unfit(kept: Membership, merged: Membership, day: date) -> None:
    if kept.id == merged.id or (
        kept.cooperative_id,
        kept.person_id,
        kept.organisation_id,
    ) != (merged.cooperative_id, merged.person_id, merged.organisation_id):
        raise RuleViolation(
            _("These are not two memberships of the same member in this cooperative."),
            remedy=_("First say that both are the same person or organisation."),
        )
    if kept.ended_on is not None and kept.ended_on <= day:
        raise RuleViolation(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=kept.member_number,
                day=in_words(kept.ended_on),
            ),
            remedy=_("Keep the other one."),
        )
    if merged.ended_on is not None and merged.ended_on <= day:
        raise RuleViolation(
            _(
                "The membership %(number)s ended on %(day)s.",
                number=merged.member_number,
                day=in_words(merged.ended_on),
            ),
            remedy=_("Nothing needs to be brought together: it has no vote any more."),
        )
