"""The certificate of a member's shares: what it says, as data for the PDF."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Category
from govern.i18n import day as in_words
from govern.i18n import local_text, money
from govern.pdf import render_pdf
from govern.register.models import EntryKind, Membership
from govern.register.rules.chain import canonical_json
from govern.register.rules.ledger import holding_on
from govern.register.services.holdings import as_rule_entry, entries_of
from govern.register.services.listing import category_on
from govern.register.services.members import categories_on
from govern.register.texts import ENTRY_KIND_NAMES


def certificate_pdf(session: Session, membership: Membership, day: date, language: str) -> bytes:
    """The certificate of what the register shows at the end of ``day``, in ``language``.

    Its digest covers the facts and the newest entry of the ledger that they rest on, so that the
    cooperative can tell an altered copy from its own.
    """
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    rows = [row for row in entries_of(session, membership.id) if row.effective_on <= day]
    holding = holding_on([as_rule_entry(row) for row in rows])
    facts = {
        "cooperative": cooperative.code,
        "day": day.isoformat(),
        "issued": holding.issued,
        "ledger": rows[-1].hash if rows else "",
        "member": membership.public_id,
        "member_number": membership.member_number,
        "paid": holding.paid,
        "paid_cents": holding.paid_cents,
    }
    digest = hashlib.sha256(canonical_json(facts)).hexdigest()
    with force_locale(language):
        data = {
            "cooperative": cooperative.name,
            "title": _("Certificate of shares"),
            "digest": digest,
            "verification_code": digest[:12].upper(),
            "statement": _statement(membership, holding, day, cooperative),
            "facts": _facts(session, membership, cooperative, holding, day),
            "entries_heading": _("Entries in the share register"),
            "columns": [_("Entry"), _("Counts from"), _("What"), _("Shares"), _("Capital")],
            "entries": [
                [
                    str(row.sequence),
                    in_words(row.effective_on, "medium"),
                    str(ENTRY_KIND_NAMES[EntryKind(row.kind)]),
                    f"{row.shares:+d}" if row.shares else "–",
                    money(row.amount_cents) if row.amount_cents else "–",
                ]
                for row in rows
            ],
            "notes": [
                _(
                    "A share is held personally. Every member has one vote, whatever the number "
                    "of shares."
                ),
                _(
                    "The digest and the number of the last entry allow the cooperative to "
                    "compare this certificate with its register."
                ),
            ],
        }
    return render_pdf("certificate", data, language)


def _statement(membership: Membership, holding: Any, day: date, cooperative: Cooperative) -> str:
    return ngettext(
        "%(cooperative)s certifies that at the end of %(day)s %(name)s held %(num)d share "
        "according to its share register.",
        "%(cooperative)s certifies that at the end of %(day)s %(name)s held %(num)d shares "
        "according to its share register.",
        holding.issued,
        cooperative=cooperative.name,
        day=in_words(day),
        name=membership.display_name,
    )


def _facts(
    session: Session,
    membership: Membership,
    cooperative: Cooperative,
    holding: Any,
    day: date,
) -> list[list[str]]:
    code = category_on(membership, day)
    names: dict[str, Category] = {
        category.code: category for category in categories_on(session, cooperative.id, day)
    }
    category = local_text(names[code].names) if code in names else ""
    facts = [
        [_("Member number"), membership.member_number],
        [_("Member"), membership.display_name],
    ]
    if membership.organisation is not None:
        facts.append([_("Enterprise number"), membership.organisation.enterprise_number])
    if membership.street:
        address = f"{membership.street}, {membership.postal_code} {membership.town}"
        facts.append([_("Address"), " ".join(address.split())])
    facts += [
        [_("Category"), f"{code} – {category}" if category else code],
        [_("Admitted on"), in_words(membership.joined_on)],
        [_("Shares issued"), str(holding.issued)],
        [_("Shares paid in full"), str(holding.paid)],
        [_("Capital paid"), money(holding.paid_cents)],
    ]
    if membership.ended_on is not None:
        facts.append([_("Membership ended on"), in_words(membership.ended_on)])
    return facts
