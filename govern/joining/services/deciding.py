"""Deciding about applications: accept, refuse, by the registrar or by a decision of the board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern import audit, clock
from govern.access import SYSTEM, Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import JoiningRules
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, RuleViolation
from govern.i18n import day as in_words
from govern.joining.models import Application, BoardDecision
from govern.joining.rules import (
    ApplicationState,
    Hold,
    IdentityChoice,
    payment_due,
    reminder_day,
)
from govern.joining.services import letters
from govern.joining.services.admitting import admit_when_ready, live_matches, whole_since
from govern.joining.services.giving_back import give_back, keep_after_all
from govern.joining.services.guards import (
    applied_on,
    lock_application,
    move,
    no_such_application,
    record,
    today_of,
)
from govern.joining.services.likeness import find_likenesses, needs_decision
from govern.payments.models import PaymentRequest, RequestState
from govern.payments.services import cancel_request, request_payment
from govern.register.rules import values
from govern.register.services import transfers
from govern.register.services.ledger import refuse_on_hold


def joining_rules(session: Session, cooperative: Cooperative) -> JoiningRules:
    """How one joins today."""
    return rules_on(session, cooperative.id, clock.today(cooperative.time_zone))[1].joining


def accept_application(session: Session, actor: Actor, application: Application) -> None:
    """Accept one application, today. It is admitted at once if it is paid already.

    Conflict where somebody has decided meanwhile; RuleViolation where the board decides, or where
    the register has somebody alike and nobody has said who it is.
    """
    actor.require(Permission.REGISTER_WRITE, application.cooperative_id)
    if joining_rules(session, application.cooperative).acceptance == "board":
        raise RuleViolation(
            _("In this cooperative the board decides about applications."),
            remedy=_("Record the decision of the board with the list that it decided on."),
        )
    application = lock_application(session, application.id)
    accept(session, actor, application, today_of(application))


def accept(
    session: Session,
    actor: Actor,
    application: Application,
    accepted_on: date,
    *,
    tell: bool = True,
    decision: BoardDecision | None = None,
) -> None:
    """Accept a locked application as of ``accepted_on``; who may, the caller has checked."""
    refuse_on_hold(application.cooperative)
    is_asked = application.identity != IdentityChoice.UNDECIDED.value
    # By itself (automatic acceptance) nobody is told to wait: the register asks at admission.
    if not actor.is_system and not is_asked:
        _refuse_unseen_likeness(session, application)
    rules = joining_rules(session, application.cooperative)
    today = today_of(application)
    move(application, ApplicationState.ACCEPTED)
    application.accepted_on = application.decided_on = accepted_on
    application.decided_by_id = actor.account_id
    application.decision_id = decision.id if decision else None
    if not application.is_by_transfer:
        due_on = payment_due(today, rules)
        application.payment_due_on, application.remind_on = due_on, reminder_day(today, due_on)
        application.reminded_on = None
        if application.request is not None and application.request.is_open:
            application.request.due_on = due_on
    session.flush()
    expects_money = application.paid_on is None and not application.is_by_transfer
    if tell and expects_money:
        letters.tell_accepted(session, application)
    record(session, actor, application, "accepted", day=accepted_on.isoformat())
    admit_when_ready(session, actor, application)


def _refuse_unseen_likeness(session: Session, application: Application) -> None:
    if needs_decision(find_likenesses(session, application)):
        raise RuleViolation(
            _("The register has somebody very much like %(name)s.", name=application.name),
            remedy=_("Say first whether it is the same person or organisation."),
            field="identity",
        )


def refuse_application(
    session: Session, actor: Actor, application: Application, reason: str
) -> None:
    """Refuse with a reason, which is mailed; what was paid is planned to go back."""
    actor.require(Permission.REGISTER_WRITE, application.cooperative_id)
    is_board = joining_rules(session, application.cooperative).acceptance == "board"
    application = lock_application(session, application.id)
    if is_board and application.status is ApplicationState.CONFIRMED:
        raise RuleViolation(
            _("In this cooperative the board decides about applications."),
            remedy=_("Record the decision of the board with the list that it decided on."),
        )
    _refuse(session, actor, application, reason, today_of(application))


def _refuse(
    session: Session,
    actor: Actor,
    application: Application,
    reason: str,
    decided_on: date,
    decision: BoardDecision | None = None,
) -> None:
    text = values.tidy_lines(reason)
    if not 5 <= len(text) <= 1000:
        raise InvalidInput(
            _("A refusal needs a reason of 5 to 1,000 characters."),
            remedy=_("Write it as the applicant will read it."),
            field="reason",
        )
    move(application, ApplicationState.REFUSED)
    application.decision_reason = text
    application.decided_on = decided_on
    application.decided_by_id = actor.account_id
    application.decision_id = decision.id if decision else None
    _close(session, actor, application)
    _release_promise(session, actor, application, is_refused=True)
    letters.tell_refused(session, application)
    record(session, actor, application, "refused")


def withdraw_application(session: Session, application: Application) -> None:
    """The applicant, who holds the secret link, gives up; what was paid is planned to go back."""
    application = lock_application(session, application.id)
    move(application, ApplicationState.WITHDRAWN)
    _close(session, SYSTEM, application)
    _release_promise(session, SYSTEM, application, is_refused=False)
    letters.tell_withdrawn(session, application)
    record(session, SYSTEM, application, "withdrawn")


def lapse(session: Session, application: Application) -> None:
    """End a locked application whose shares will not be transferred; the applicant is told."""
    move(application, ApplicationState.LAPSED)
    _close(session, SYSTEM, application)
    letters.tell_lapsed(session, application)
    record(session, SYSTEM, application, "lapsed")


def _release_promise(
    session: Session, actor: Actor, application: Application, *, is_refused: bool
) -> None:
    """Shares that were to come by a transfer are the giver's again, who is told."""
    if application.transfer is not None:
        transfers.release_promise(session, actor, application.transfer, is_refused=is_refused)


def expire_application(session: Session, application: Application) -> bool:
    """End an accepted application that was not paid in time; False when nothing had to be done."""
    application = lock_application(session, application.id)
    due = application.payment_due_on
    if (
        application.status is not ApplicationState.ACCEPTED
        or application.paid_on is not None
        or due is None
        or due >= today_of(application)
    ):
        return False
    move(application, ApplicationState.EXPIRED)
    _close(session, SYSTEM, application)
    letters.tell_expired(session, application)
    record(session, SYSTEM, application, "expired")
    return True


def reopen_application(session: Session, actor: Actor, application: Application) -> None:
    """Give an application that was not paid in time as many days again.

    What was paid of it and is still here counts, and is no longer given back. Once some of it has
    left, all of it goes back, and the whole amount is asked for under a new reference.
    ForbiddenTransition where it has not ended that way; NotFound once it was forgotten.
    """
    actor.require(Permission.REGISTER_WRITE, application.cooperative_id)
    application = lock_application(session, application.id)
    if application.forgotten_on is not None:
        raise no_such_application()
    cooperative = application.cooperative
    refuse_on_hold(cooperative)
    today = today_of(application)
    due_on = payment_due(today, joining_rules(session, cooperative))
    move(application, ApplicationState.ACCEPTED)
    request = _still_good(session, application)
    if request is None:
        request = request_payment(
            session,
            SYSTEM,
            cooperative,
            amount_cents=application.amount_cents,
            subject=f"application:{application.public_id}",
            payer_name=application.name,
            language=application.language,
            due_on=due_on,
        )
    application.request_id = request.id
    application.payment_due_on = request.due_on = due_on
    application.remind_on = reminder_day(today, due_on)
    application.reminded_on = application.closed_on = None
    application.hold, application.hold_note = Hold.NOTHING.value, ""
    if request.due_cents == 0:
        application.paid_on = whole_since(session, request)
    session.flush()
    session.expire(application, ["request"])
    letters.tell_reopened(session, application)
    record(session, actor, application, "reopened")
    admit_when_ready(session, actor, application)


def _still_good(session: Session, application: Application) -> PaymentRequest | None:
    """The request under which the application can go on being paid, None where it takes a new one.

    Its money stays here then. A request of which some has left for the payer again is over.
    """
    request = application.request
    if request is None or request.state == RequestState.CANCELLED.value:
        return None
    matches = live_matches(session, request)
    # Less where the bank took money back that the cooperative had given back: the payer owes it.
    is_here = sum(match.amount_cents for match in matches) == request.paid_cents
    if is_here and keep_after_all(session, SYSTEM, application, matches):
        return request
    # Not ``cancel_request``: what was paid on it is on its way back by payments of its own.
    request.state = RequestState.CANCELLED.value
    request.ended_at = clock.now()
    session.flush()
    audit.record(
        session,
        SYSTEM,
        "payments:request:cancelled",
        cooperative_id=request.cooperative_id,
        subject=f"payment_request:{request.public_id}",
        data={"amount_cents": request.amount_cents, "subject": request.subject},
    )
    return None


def _close(session: Session, actor: Actor, application: Application) -> None:
    """No more money is expected; what came in goes back."""
    application.closed_on = today_of(application)
    application.hold, application.hold_note = Hold.NOTHING.value, ""
    application.paid_on = None
    session.flush()
    request = application.request
    if request is None:
        return
    matches = live_matches(session, request)
    if matches:
        give_back(session, SYSTEM, application, matches)
    elif request.is_open:
        cancel_request(session, actor, request)


# -- who it is --------------------------------------------------------------------------------


def choose_identity(session: Session, actor: Actor, application: Application, key: str) -> None:
    """Say who the applicant is: ``"else"`` for somebody new, else the key of a likeness.

    The same person who is a member now gets the shares on that membership; one who was a member
    before becomes one again, under the same person. Admits at once where only this was missing.
    """
    actor.require(Permission.REGISTER_WRITE, application.cooperative_id)
    application = lock_application(session, application.id)
    if application.status not in (ApplicationState.CONFIRMED, ApplicationState.ACCEPTED):
        raise Conflict(
            _("This application is closed."), remedy=_("There is nothing to decide any more.")
        )
    application.linked_person_id = application.linked_organisation_id = None
    if key == "else":
        application.identity = IdentityChoice.SOMEBODY_ELSE.value
    else:
        alike = {item.key: item for item in find_likenesses(session, application)}
        if key not in alike:
            raise InvalidInput(
                _("Nobody like that is in the register."),
                remedy=_("Choose from the list."),
                field="identity",
            )
        chosen = alike[key]
        application.identity = IdentityChoice.SAME.value
        if chosen.person is not None:
            application.linked_person_id = chosen.person.id
        elif chosen.organisation is not None:
            application.linked_organisation_id = chosen.organisation.id
    application.hold, application.hold_note = Hold.NOTHING.value, ""
    application.changed_at = clock.now()
    session.flush()
    record(session, actor, application, "identified", choice=application.identity)
    admit_when_ready(session, actor, application)


def try_again(session: Session, actor: Actor, application: Application) -> bool:
    """Admit what was on hold, now that the registrar has mended the reason; whether it worked."""
    actor.require(Permission.REGISTER_WRITE, application.cooperative_id)
    application = lock_application(session, application.id)
    return admit_when_ready(session, actor, application) is not None


# -- the board --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What the board decided about one application: a refusal has a reason."""

    application: Application
    accepted: bool
    reason: str = ""


def record_board_decision(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    *,
    decided_on: date,
    reference: str,
    verdicts: Iterable[Verdict],
) -> BoardDecision:
    """Record a dated decision on a list of applications at once: all of it or nothing.

    Raises InvalidInput naming the field; RuleViolation for a day to come, or before one of the
    addresses was confirmed; Conflict where one was decided meanwhile.
    """
    actor.require(Permission.REGISTER_WRITE, cooperative.id)
    given = list(verdicts)
    reference = values.tidy(reference)
    if not given:
        raise InvalidInput(
            _("No application was chosen."),
            remedy=_("Say for one application at least what was decided."),
            field="reference",
        )
    if not 1 <= len(reference) <= 200:
        raise InvalidInput(
            _("The decision needs a reference of 1 to 200 characters."),
            remedy=_("Name the meeting and the item, as in the minutes."),
            field="reference",
        )
    if decided_on > clock.today(cooperative.time_zone):
        raise RuleViolation(
            _("%(day)s lies ahead.", day=in_words(decided_on)),
            remedy=_("Record the decision once the board has taken it."),
            field="decided_on",
        )
    decision = BoardDecision(
        cooperative_id=cooperative.id,
        decided_on=decided_on,
        reference=reference,
        recorded_at=clock.now(),
        recorded_by_id=actor.account_id,
    )
    session.add(decision)
    session.flush()
    # In the order of their numbers, so that two people with two lists do not wait for each other.
    for verdict in sorted(given, key=lambda item: item.application.id):
        application = lock_application(session, verdict.application.id)
        if application.cooperative_id != cooperative.id:
            raise ValueError("an application of another cooperative")
        _check_board_day(application, decided_on)
        if verdict.accepted:
            accept(session, actor, application, decided_on, decision=decision)
        else:
            _refuse(session, actor, application, verdict.reason, decided_on, decision)
    audit.record(
        session,
        actor,
        "joining:board_decision:recorded",
        cooperative_id=cooperative.id,
        subject=f"board_decision:{decision.public_id}",
        data={
            "decided_on": decided_on.isoformat(),
            "accepted": sum(item.accepted for item in given),
            "refused": sum(not item.accepted for item in given),
        },
    )
    return decision


def _check_board_day(application: Application, decided_on: date) -> None:
    first = applied_on(application)
    if decided_on < first:
        raise RuleViolation(
            _(
                "%(name)s applied only on %(day)s.",
                name=application.name,
                day=in_words(first),
            ),
            remedy=_("Give that day or a later one, or leave this application out."),
            field="decided_on",
        )
