"""Applying: the form of a stranger, the mail that answers it, and the confirmed address.

The web request only writes a row. A job looks at who it is and sends one mail, so that neither the
page nor its timing says whether somebody is known. Only pressing the button behind the link
confirms the address, since programs that inspect mails open links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from govern import clock
from govern.access import SYSTEM
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import ShareClass
from govern.cooperatives.services import rules_on
from govern.errors import Conflict, InvalidInput, NotFound
from govern.jobs import enqueue
from govern.joining.models import Application
from govern.joining.rules import (
    ADDRESS_WINDOW,
    CONFIRMATION_LIFE,
    MAILS_PER_ADDRESS,
    OPEN_STATES,
    ApplicationState,
    decides_itself,
    payment_due,
    same_words,
)
from govern.joining.services import letters
from govern.joining.services.checking import check_birth_date, check_shares, checked_address
from govern.joining.services.deciding import accept
from govern.joining.services.guards import lock_application, move, record, today_of
from govern.joining.services.statutes import statutes_in_force
from govern.mail.queueing import find_by_key
from govern.payments.services import request_payment
from govern.register.models import MemberKind, Membership
from govern.register.rules.folding import email_key
from govern.register.services.ledger import refuse_on_hold
from govern.register.services.members import Contact
from govern.register.services.members.checking import checked_enterprise_number, checked_name

ANSWER_JOB = "joining.answer_application"


@dataclass(frozen=True)
class ApplicationInput:
    """What somebody typed. ``statutes_digest`` is that of the text that the form named."""

    kind: MemberKind
    contact: Contact
    category: str
    shares: int
    statutes_digest: str
    consents: bool
    share_class: str = ""
    given_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    organisation_name: str = ""
    enterprise_number: str = ""
    representative_given_name: str = ""
    representative_family_name: str = ""


def submit_application(
    session: Session, cooperative: Cooperative, given: ApplicationInput
) -> Application:
    """Keep what was typed, until the address is confirmed; a job sends the mail.

    Raises InvalidInput naming the field, RuleViolation where the cooperative is on hold, Conflict
    where new statutes were recorded while the form was open.
    """
    refuse_on_hold(cooperative)
    _row, rules = rules_on(session, cooperative.id, clock.today(cooperative.time_zone))
    share_class = check_shares(rules, given.category, given.share_class, given.shares)
    application = new_application(session, cooperative, given, share_class)
    session.add(application)
    session.flush()
    enqueue(session, ANSWER_JOB, application.id)
    return application


def new_application(
    session: Session, cooperative: Cooperative, given: ApplicationInput, share_class: ShareClass
) -> Application:
    """What was typed, checked but for the shares, as a row that is not in the session yet.

    Raises as ``submit_application``.
    """
    today = clock.today(cooperative.time_zone)
    contact = checked_address(given.contact)
    statutes = statutes_in_force(session, cooperative.id, today)
    if statutes is None:
        raise NotFound(
            _("The statutes of this cooperative are not recorded here yet."),
            remedy=_("Write to the cooperative to become a member."),
        )
    text = next((item for item in statutes.texts if item.digest == given.statutes_digest), None)
    if text is None:
        raise Conflict(
            _("The statutes have changed since you opened this page."),
            remedy=_("Read the new ones and agree to them, then send the form again."),
            field="consents",
        )
    if not given.consents:
        raise InvalidInput(
            _("Nobody becomes a member without agreeing to the statutes."),
            remedy=_("Tick the box if you agree."),
            field="consents",
        )
    now = clock.now()
    application = Application(
        cooperative_id=cooperative.id,
        state=ApplicationState.UNCONFIRMED.value,
        kind=given.kind.value,
        email=contact.email,
        email_key=email_key(contact.email),
        language=contact.language,
        street=contact.street,
        postal_code=contact.postal_code,
        town=contact.town,
        country=contact.country,
        category=given.category,
        shares=given.shares,
        share_class=share_class.code,
        price_cents=share_class.nominal_cents,
        statutes_id=statutes.id,
        statutes_language=text.language,
        statutes_digest=text.digest,
        consented_at=now,
        # Nobody knows this token; the job makes the one that is mailed.
        email_token_hash=token_hash(make_token()),
        token_expires_at=now + CONFIRMATION_LIFE,
        created_at=now,
        changed_at=now,
    )
    _put_names(application, given, contact.country, today)
    return application


def _put_names(
    application: Application, given: ApplicationInput, country: str, today: date
) -> None:
    if given.kind is MemberKind.LEGAL:
        application.organisation_name = checked_name(
            given.organisation_name, 250, "organisation_name"
        )
        application.enterprise_number = checked_enterprise_number(given.enterprise_number, country)
        application.representative_given_name = checked_name(
            given.representative_given_name, 120, "representative_given_name"
        )
        application.representative_family_name = checked_name(
            given.representative_family_name, 120, "representative_family_name"
        )
        return
    application.given_name = checked_name(given.given_name, 120, "given_name")
    application.family_name = checked_name(given.family_name, 120, "family_name")
    check_birth_date(given.birth_date, today)
    application.birth_date = given.birth_date


# -- the mail that answers --------------------------------------------------------------------


def answer_application(session: Session, application_id: int) -> None:
    """Send the one mail that answers a form: confirm, or "you are a member already".

    A form of somebody known stays, unconfirmed and without a usable link, until it is too old: so
    it counts among the mails to that address.
    """
    application = session.get(Application, application_id)
    if application is None or application.state != ApplicationState.UNCONFIRMED.value:
        return
    if find_by_key(session, letters.answer_key(application)) is not None:
        return
    if _mails_lately(session, application) > MAILS_PER_ADDRESS:
        return
    member = known_member(session, application)
    if member is not None:
        letters.tell_member(session, application, member)
        return
    other = open_application_like(session, application)
    if other is not None:
        letters.tell_applicant(session, application, other)
        return
    token = make_token()
    application.email_token_hash = token_hash(token)
    session.flush()
    letters.ask_to_confirm(session, application, token)


def _mails_lately(session: Session, application: Application) -> int:
    count = session.scalar(
        select(func.count(Application.id)).where(
            Application.email_key == application.email_key,
            Application.created_at > clock.now() - ADDRESS_WINDOW,
            Application.id <= application.id,
        )
    )
    return count or 0


def known_member(session: Session, application: Application) -> Membership | None:
    """The present member of the same address who bears the same name or number, if there is one.

    Two people who share an address are two people.
    """
    today = today_of(application)
    query = select(Membership).where(
        Membership.cooperative_id == application.cooperative_id,
        Membership.email_key == application.email_key,
        (Membership.ended_on.is_(None)) | (Membership.ended_on > today),
    )
    for membership in session.scalars(query):
        organisation, person = membership.organisation, membership.person
        if application.kind == MemberKind.LEGAL.value:
            if organisation is not None and (
                organisation.enterprise_number == application.enterprise_number
                or same_words(organisation.name, application.organisation_name)
            ):
                return membership
        elif person is not None and (
            same_words(person.name, application.name)
            or (person.birth_date is not None and person.birth_date == application.birth_date)
        ):
            return membership
    return None


def open_application_like(session: Session, application: Application) -> Application | None:
    """Another confirmed application, not decided or not paid yet, of the same address and name."""
    query = select(Application).where(
        Application.cooperative_id == application.cooperative_id,
        Application.email_key == application.email_key,
        Application.kind == application.kind,
        Application.id != application.id,
        Application.state.in_([state.value for state in OPEN_STATES]),
    )
    for other in session.scalars(query):
        if same_words(other.name, application.name):
            return other
    return None


# -- the confirmed address --------------------------------------------------------------------


def read_confirmation(session: Session, cooperative: Cooperative, token: str) -> Application:
    """The application whose address the link confirms, unused; NotFound if the link is over."""
    application = session.scalar(
        select(Application).where(
            Application.email_token_hash == token_hash(token),
            Application.cooperative_id == cooperative.id,
            Application.token_expires_at > clock.now(),
        )
    )
    if application is None:
        raise NotFound(
            _("This link was used already, or is too old."),
            remedy=_(
                "If you have confirmed your address, look for our next mail; else apply again."
            ),
        )
    return application


def confirm_application(session: Session, cooperative: Cooperative, token: str) -> Application:
    """Use the link up: the address is right, payment is asked for, whoever decides can decide.

    Raises NotFound if the link is over, Conflict when the same person has applied already.
    """
    application = lock_application(session, read_confirmation(session, cooperative, token).id)
    if application.email_token_hash != token_hash(token):
        # Somebody pressed the button twice: the first press has confirmed.
        raise NotFound(
            _("This link was used already, or is too old."),
            remedy=_("Look for our next mail: it says how to go on."),
        )
    if open_application_like(session, application) is not None:
        raise Conflict(
            _("You have applied already."),
            remedy=_("Follow that application by the link that we mailed to you."),
        )
    refuse_on_hold(cooperative)
    today = today_of(application)
    _row, rules = rules_on(session, cooperative.id, today)
    application.email_token_hash = None
    application.email_confirmed_at = clock.now()
    move(application, ApplicationState.CONFIRMED)
    request = request_payment(
        session,
        SYSTEM,
        cooperative,
        amount_cents=application.amount_cents,
        subject=f"application:{application.public_id}",
        payer_name=application.name,
        language=application.language,
        due_on=payment_due(today, rules.joining),
    )
    application.request_id = request.id
    session.flush()
    session.expire(application, ["request"])
    is_automatic = decides_itself(rules.joining.acceptance)
    letters.tell_received(session, application, is_automatic=is_automatic)
    record(session, SYSTEM, application, "confirmed")
    if is_automatic:
        accept(session, SYSTEM, application, today, tell=False)
    return application
