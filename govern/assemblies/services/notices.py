"""Notices: who gets one, whether it leaves in time, and handing it to the outbox once each.

**Who is convened.** Every member in force on the day the notice leaves (admitted, not left, at
least one share paid that day), and everyone on the roll if it has been taken. The record date
usually lies after the notice, so the roll cannot be the list of those convened; and whoever is on
the roll but no longer a member may still vote, so must be told. Members admitted later get the
same notice by ``extend_notice``.

**Once each.** Starting a notice writes one delivery row per member, all in the transaction of the
click that starts it. The job hands them to the outbox in small steps; delivery row, outbox row
and the outbox's own key are written together, so that a run which is killed and started again
never writes to anyone twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Case, Select, case, func, insert, literal, or_, select, union
from sqlalchemy.orm import Session

from govern import audit, clock, jobs
from govern.access import Actor, Permission
from govern.assemblies import rules
from govern.assemblies.models import (
    Assembly,
    DeliveryChannel,
    HandOver,
    Notice,
    NoticeDelivery,
    NoticeKind,
)
from govern.assemblies.rules import AssemblyState, DayCount, NoticeCheck
from govern.assemblies.services.deliveries import count_deliveries
from govern.assemblies.services.editing import rules_of
from govern.assemblies.services.guards import lock_assembly, refuse_on_hold
from govern.cooperatives.models import RuleSet
from govern.cooperatives.rules import Rules
from govern.errors import InvalidInput, NotFound, RuleViolation
from govern.register.models import Membership, RollEntry
from govern.register.services.holdings import holdings_on

NOTICE_JOB = "assemblies.notice"


@dataclass(frozen=True)
class Audience:
    """How many members a notice goes to, and how."""

    by_mail: int
    by_letter: int

    @property
    def total(self) -> int:
        return self.by_mail + self.by_letter


@dataclass(frozen=True)
class NoticePlan:
    """What would happen if the notice left now."""

    audience: Audience
    check: NoticeCheck
    rule_set: RuleSet
    rules: Rules


def plan_notice(session: Session, assembly: Assembly) -> NoticePlan:
    """Count the members and hold the days against the rules of the assembly's day."""
    rule_set, in_force = rules_of(session, assembly)
    return NoticePlan(
        audience=count_audience(session, assembly),
        check=check_days(assembly, in_force),
        rule_set=rule_set,
        rules=in_force,
    )


def check_days(assembly: Assembly, in_force: Rules) -> NoticeCheck:
    """Hold a notice that leaves now against the legal days before ``assembly``."""
    return rules.check_notice(
        clock.now(),
        assembly.starts_at,
        assembly.cooperative.time_zone,
        in_force.notice_days,
        DayCount(in_force.extra.get("notice_counting", DayCount.CALENDAR.value)),
    )


def count_audience(session: Session, assembly: Assembly) -> Audience:
    """How many members a notice would go to now."""
    members = _members(assembly).subquery()
    by_mail, total = session.execute(
        select(func.count(Membership.email), func.count()).join(
            members, members.c.id == Membership.id
        )
    ).one()
    return Audience(by_mail=by_mail, by_letter=total - by_mail)


def send_notice(
    session: Session, actor: Actor, assembly: Assembly, *, override_reason: str = ""
) -> Notice:
    """Convene the members: write down every delivery and start handing them over.

    The same click twice is one notice. Raises RuleViolation for an assembly that is not
    published, one that has begun, or a notice that would be late without a reason;
    ``override_reason`` is printed on every notice that leaves late.
    """
    actor.require(Permission.NOTICE_SEND, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    present = find_notice(session, assembly, NoticeKind.CONVENING)
    if present is not None:
        return present
    refuse_on_hold(assembly.cooperative)
    if assembly.state != AssemblyState.CONVENED.value:
        raise RuleViolation(
            _("Only a published assembly can be convened."), remedy=_("Publish it first.")
        )
    if clock.now() >= assembly.starts_at:
        raise RuleViolation(
            _("The assembly has already begun: a notice would come too late."),
            remedy=_("Cancel it and convene another one."),
        )
    plan = plan_notice(session, assembly)
    reason = _reason_for(plan.check, override_reason)
    if plan.audience.total == 0:
        raise RuleViolation(
            _("There is no member to convene."), remedy=_("Import the register first.")
        )
    return _start(session, actor, assembly, NoticeKind.CONVENING, plan, reason)


def send_cancellation(session: Session, actor: Actor, assembly: Assembly) -> Notice | None:
    """Tell those who were convened that the assembly is off; None when nobody had been."""
    actor.require(Permission.NOTICE_SEND, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    present = find_notice(session, assembly, NoticeKind.CANCELLATION)
    if present is not None:
        return present
    if assembly.state != AssemblyState.CANCELLED.value:
        raise RuleViolation(
            _("The assembly is not cancelled."), remedy=_("Cancel it first, with a reason.")
        )
    if find_notice(session, assembly, NoticeKind.CONVENING) is None:
        return None
    plan = plan_notice(session, assembly)
    return _start(session, actor, assembly, NoticeKind.CANCELLATION, plan, "")


def extend_notice(session: Session, actor: Actor, notice: Notice) -> int:
    """Also send ``notice`` to members who were admitted since; their number.

    Nobody who has it gets it again.
    """
    assembly = notice.assembly
    actor.require(Permission.NOTICE_SEND, assembly.cooperative_id)
    assembly = lock_assembly(session, assembly)
    if assembly.state != AssemblyState.CONVENED.value or clock.now() >= assembly.starts_at:
        raise RuleViolation(
            _("The assembly has begun or is over: nobody can be convened any more."),
            remedy=_("Tell the members concerned yourself."),
        )
    added = _write_deliveries(session, notice, _members(assembly))
    if added:
        jobs.enqueue(session, NOTICE_JOB, notice.id)
        audit.record(
            session,
            actor,
            "assemblies:notice:extended",
            cooperative_id=assembly.cooperative_id,
            subject=notice.public_id,
            data={"deliveries": added},
        )
    return added


def missing_members(session: Session, notice: Notice) -> int:
    """How many members there are now to whom ``notice`` did not go."""
    members = _members(notice.assembly).subquery()
    had = select(NoticeDelivery.membership_id).where(NoticeDelivery.notice_id == notice.id)
    return (
        session.scalar(select(func.count()).select_from(members).where(members.c.id.not_in(had)))
        or 0
    )


def find_notice(
    session: Session, assembly: Assembly, kind: NoticeKind = NoticeKind.CONVENING
) -> Notice | None:
    """The notice of that kind, if it was started."""
    return session.scalar(
        select(Notice).where(Notice.assembly_id == assembly.id, Notice.kind == kind.value)
    )


# -- inside -----------------------------------------------------------------------------------


def _members(assembly: Assembly) -> Select[int]:
    """The ids of those who are convened (see the module's docstring), each once."""
    today = clock.today(assembly.cooperative.time_zone)
    in_force = in_force_on(assembly.cooperative_id, today)
    if assembly.roll_id is None:
        return in_force
    on_roll = select(RollEntry.membership_id).where(RollEntry.roll_id == assembly.roll_id)
    both = union(in_force, on_roll).subquery()
    return select(both.c.id)


def in_force_on(cooperative_id: int, day: date) -> Select[int]:
    """The ids of the memberships with at least one paid share at the end of ``day``."""
    holding = holdings_on(cooperative_id, day)
    return (
        select(Membership.id)
        .join(holding, holding.c.membership_id == Membership.id)
        .where(
            Membership.cooperative_id == cooperative_id,
            Membership.joined_on <= day,
            or_(Membership.ended_on.is_(None), Membership.ended_on > day),
            holding.c.paid >= 1,
        )
    )


def _reason_for(check: NoticeCheck, override_reason: str) -> str:
    reason = " ".join(override_reason.split())
    if check.is_in_time:
        return ""
    if not reason:
        raise RuleViolation(
            _(
                "The notice would leave %(given)s days before the assembly; the rules ask for "
                "%(required)s.",
                given=check.days_given,
                required=check.days_required,
            ),
            remedy=_(
                "Choose a later day, or override this with a reason that is printed on every "
                "notice."
            ),
            field="override_reason",
        )
    if not 10 <= len(reason) <= 1000:
        raise InvalidInput(
            _("The reason needs 10 to 1,000 characters."),
            remedy=_("Say why the assembly cannot wait: every member will read it."),
            field="override_reason",
        )
    return reason


def _start(
    session: Session,
    actor: Actor,
    assembly: Assembly,
    kind: NoticeKind,
    plan: NoticePlan,
    reason: str,
) -> Notice:
    check = plan.check
    notice = Notice(
        assembly_id=assembly.id,
        kind=kind.value,
        rule_set_id=plan.rule_set.id,
        leaves_on=check.leaves_on,
        latest_day=check.latest_day,
        days_given=check.days_given,
        days_required=check.days_required,
        override_reason=reason,
        audience="members" if assembly.roll_id is None else "members_and_roll",
        sent_by_id=actor.account_id,
        started_at=clock.now(),
    )
    session.add(notice)
    session.flush()
    members = _members(assembly)
    if kind is NoticeKind.CANCELLATION:
        convening = find_notice(session, assembly)
        members = select(NoticeDelivery.membership_id.label("id")).where(
            NoticeDelivery.notice_id == (convening.id if convening is not None else 0)
        )
    count = _write_deliveries(session, notice, members)
    jobs.enqueue(session, NOTICE_JOB, notice.id)
    audit.record(
        session,
        actor,
        f"assemblies:notice:{kind.value}",
        cooperative_id=assembly.cooperative_id,
        subject=notice.public_id,
        data={
            "assembly": assembly.public_id,
            "deliveries": count,
            "days_given": check.days_given,
            "days_required": check.days_required,
            "overridden": bool(reason),
        },
    )
    return notice


def _write_deliveries(session: Session, notice: Notice, members: Select[int]) -> int:
    """One row for each of ``members`` who has none yet, in one statement; the number of rows."""
    chosen = members.subquery()
    had = select(NoticeDelivery.membership_id).where(NoticeDelivery.notice_id == notice.id)
    before = count_deliveries(session, notice)
    session.execute(
        insert(NoticeDelivery).from_select(
            ["notice_id", "membership_id", "channel", "state"],
            select(
                literal(notice.id),
                Membership.id,
                _channel(),
                literal(HandOver.WAITING.value),
            )
            .join(chosen, chosen.c.id == Membership.id)
            .where(Membership.id.not_in(had))
            .order_by(Membership.sort_name, Membership.id),
            include_defaults=False,
        )
    )
    return count_deliveries(session, notice) - before


def _channel() -> Case[str]:
    return case(
        (Membership.email.is_(None), DeliveryChannel.LETTER.value),
        else_=DeliveryChannel.EMAIL.value,
    )


def notice_by_id(session: Session, notice_id: int) -> Notice:
    """The notice of that number (a job's argument)."""
    notice = session.get(Notice, notice_id)
    if notice is None:
        raise NotFound(_("There is no such notice."))
    return notice
