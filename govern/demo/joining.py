"""The demonstration's statutes, and two people who would like to become members."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from govern.access import SYSTEM, Role
from govern.accounts.tags import make_token, token_hash
from govern.cooperatives.models import Cooperative
from govern.demo.scene import Officers
from govern.demo.texts import INVENTED
from govern.joining.models import Application
from govern.joining.services.applying import (
    ApplicationInput,
    confirm_application,
    submit_application,
)
from govern.joining.services.deciding import accept_application
from govern.joining.services.statutes import add_statutes, statutes_in_force, text_for
from govern.payments.services import default_account
from govern.payments.services.accounts import add_bank_account
from govern.register.models import MemberKind
from govern.register.services.members import Contact

IBANS = {"BE": "BE68539007547034", "FR": "FR1420041010050500013M02606"}
"""Account numbers that banks print in their examples."""

STATUTES = {
    "fr": (
        "# Statuts (extrait)\n\n{invented}\n\n"
        "## Parts sociales\n\nUne part vaut 30 euros. Elle est nominative et ne donne droit à "
        "aucun dividende.\n\n"
        "## Voix\n\nChaque sociétaire a une voix, quel que soit le nombre de ses parts.\n\n"
        "## Entrée\n\nOn devient sociétaire le jour où la part est payée, ou le jour de "
        "l’acceptation si elle vient plus tard.\n"
    ),
    "nl": (
        "# Statuten (uittreksel)\n\n{invented}\n\n"
        "## Aandelen\n\nEen aandeel kost 30 euro. Het staat op naam en geeft geen recht op een "
        "dividend.\n\n"
        "## Stemmen\n\nElke vennoot heeft één stem, ongeacht het aantal aandelen.\n\n"
        "## Toetreding\n\nMen wordt vennoot op de dag waarop het aandeel betaald is, of op de dag "
        "van de aanvaarding als die later komt.\n"
    ),
    "de": (
        "# Satzung (Auszug)\n\n{invented}\n\n"
        "## Geschäftsanteile\n\nEin Anteil kostet 30 Euro. Er lautet auf den Namen und gibt keinen "
        "Anspruch auf eine Dividende.\n\n"
        "## Stimmen\n\nJedes Mitglied hat eine Stimme, gleich wie viele Anteile es hält.\n\n"
        "## Beitritt\n\nMitglied wird man an dem Tag, an dem der Anteil bezahlt ist, oder am Tag "
        "der Annahme, wenn diese später kommt.\n"
    ),
    "en": (
        "# Statutes (extract)\n\n{invented}\n\n"
        "## Shares\n\nA share costs 30 euros. It is held personally and gives no dividend.\n\n"
        "## Votes\n\nEvery member has one vote, whatever the number of shares.\n\n"
        "## Joining\n\nMembership takes effect on the day on which the share is paid, or on the "
        "day of acceptance if that comes later.\n"
    ),
}


def open_doors(session: Session, officers: Officers) -> None:
    """Statutes to agree to, and a bank account to be paid on."""
    cooperative = officers.cooperative
    add_statutes(
        session,
        officers.actor(session, Role.ADMINISTRATOR),
        cooperative,
        version="2017",
        adopted_on=date(2017, 1, 1),
        texts={
            code: STATUTES[code].format(invented=INVENTED[code]).encode()
            for code in cooperative.languages
        },
    )
    if default_account(session, cooperative.id) is None:
        add_bank_account(
            session,
            SYSTEM,
            cooperative,
            iban=IBANS[cooperative.country],
            bic="",
            holder=cooperative.name,
        )
    session.commit()


def let_people_apply(session: Session, officers: Officers, today: date) -> None:
    """One application waits for the registrar, another for its payment."""
    cooperative = officers.cooperative
    _apply(session, cooperative, "Noé", "Delvaux", "noe@example.org", "fr", today)
    accepted = _apply(session, cooperative, "Marieke", "Claes", "marieke@example.org", "nl", today)
    accept_application(session, officers.actor(session, Role.REGISTRAR), accepted)
    session.commit()


def _apply(
    session: Session,
    cooperative: Cooperative,
    given_name: str,
    family_name: str,
    email: str,
    language: str,
    today: date,
) -> Application:
    statutes = statutes_in_force(session, cooperative.id, today)
    if statutes is None:
        raise RuntimeError("the statutes come before the applications")
    application = submit_application(
        session,
        cooperative,
        ApplicationInput(
            kind=MemberKind.NATURAL,
            contact=Contact(
                language=language,
                email=email,
                street="Rue Emile Féron 70",
                postal_code="1060",
                town="Saint-Gilles",
                country="BE",
            ),
            category="A",
            shares=1,
            given_name=given_name,
            family_name=family_name,
            birth_date=date(1991, 3, 14),
            statutes_digest=text_for(statutes, language).digest,
            consents=True,
        ),
    )
    # The applicant's own click on the link in the mail.
    token = make_token()
    application.email_token_hash = token_hash(token)
    session.flush()
    confirm_application(session, cooperative, token)
    session.commit()
    return application
