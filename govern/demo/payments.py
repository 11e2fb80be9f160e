"""The demonstration's first bank statement: what a treasurer finds in the morning."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from govern.access import Role
from govern.demo.scene import Officers
from govern.payments.services import require_default_account
from govern.payments.services.statements import read_file

ROWS = (
    # Somebody of whom a payment is expected forgot the reference: a person has to look.
    ("30,00", "BE71096123456769", "CLAES MARIEKE", "aandeel"),
    ("45,00", "BE57539007547135", "Boulangerie du Midi", "facture 2018/044"),
    ("-1250,00", "BE05910000000075", "Immo Saint-Gilles", "loyer"),
)
"""Amount, account, name and message, all invented."""


def read_first_statement(session: Session, officers: Officers, today: date) -> None:
    """Read the statement of yesterday: one entry is doubtful, one unmatched, one not ours."""
    cooperative = officers.cooperative
    account = require_default_account(session, cooperative)
    day = (today - timedelta(days=1)).strftime("%d/%m/%Y")
    rows = ["Compte;Date comptable;Montant;Compte contrepartie;Nom contrepartie;Communication"]
    rows += [
        f"{account.iban};{day};{amount};{iban};{name};{message}"
        for amount, iban, name, message in ROWS
    ]
    read_file(
        session,
        officers.actor(session, Role.TREASURER),
        cooperative,
        file_name="extrait.csv",
        content="\r\n".join(rows).encode(),
    )
    session.commit()
