"""The certificate of a member's shares as a PDF, and what its digest covers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import flask
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from govern.cooperatives.models import Cooperative
from govern.cooperatives.rules import Category
from govern.i18n import day as in_words
from govern.i18n import instant, local_text, money, speaking
from govern.pdf import render_pdf
from govern.register.models import (
    EntryKind,
    HolderOpening,
    Membership,
    ShareCertificate,
    ShareEntry,
)
from govern.register.rules.chain import canonical_json
from govern.register.rules.ledger import Holding, holding_on
from govern.register.services.holdings import as_rule_entry, entries_of, numbers_per_class
from govern.register.services.listing import category_on
from govern.register.services.members import categories_on
from govern.register.texts import ENTRY_KIND_NAMES, share_class_name


@dataclass(frozen=True)
class CertifiedFacts:
    """What a certificate says of a member's shares, and the entries that say so."""

    holding: Holding
    numbers: dict[str, str]
    rows: list[ShareEntry]
    digest: str


def certified_facts(
    session: Session,
    membership: Membership,
    day: date,
    ledger_sequence: int,
    ledger_hash: str,
) -> CertifiedFacts:
    """The member's shares at the end of ``day``, with the entries up to ``ledger_sequence``.

    The digest covers them, the end of the ledger that they rest on, and the commitment to who the
    member is, so that the cooperative can tell an altered copy from its own.
    """
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    rows = [
        row
        for row in entries_of(session, membership.id)
        if row.effective_on <= day and row.sequence <= ledger_sequence
    ]
    holding = holding_on([as_rule_entry(row) for row in rows])
    numbers = numbers_per_class(rows)
    # The first commitment to who holds it now: a merge that was taken back has left another.
    present = aliased(HolderOpening)
    commitment = session.scalar(
        select(HolderOpening.commitment)
        .join(present, present.membership_id == HolderOpening.membership_id)
        .where(
            HolderOpening.membership_id == membership.id,
            present.is_current,
            HolderOpening.statement == present.statement,
        )
        .order_by(HolderOpening.recorded_at, HolderOpening.commitment)
        .limit(1)
    )
    facts = {
        "cooperative": cooperative.code,
        "day": day.isoformat(),
        "ended_on": membership.ended_on.isoformat() if membership.ended_on else None,
        "holder": commitment or "",
        "issued": holding.issued,
        "ledger_hash": ledger_hash,
        "ledger_sequence": ledger_sequence,
        "member": membership.public_id,
        "member_number": membership.member_number,
        "numbers": numbers,
        "paid": holding.paid,
        "paid_cents": holding.paid_cents,
    }
    digest = hashlib.sha256(b"govern/share-certificate/1\n" + canonical_json(facts)).hexdigest()
    return CertifiedFacts(holding, numbers, rows, digest)


def make_document(
    session: Session, certificate: ShareCertificate, facts: CertifiedFacts, language: str
) -> bytes:
    """The PDF of a certificate that was issued, in ``language``."""
    membership = certificate.membership
    cooperative = session.get_one(Cooperative, membership.cooperative_id)
    day = certificate.certified_on
    with speaking(language):
        data = {
            "cooperative": cooperative.name,
            "title": _("Certificate of shares"),
            "digest": certificate.digest,
            "verification_code": certificate.code,
            "verify_at": verification_address(cooperative, certificate.code),
            "statement": _statement(membership, facts.holding, day, cooperative),
            "facts": _facts(session, membership, cooperative, facts, day),
            "entries_heading": _("Entries in the share register"),
            "columns": [
                _("Entry"),
                _("Counts from"),
                _("What"),
                _("Shares"),
                _("Share numbers"),
                _("Capital"),
            ],
            "entries": [
                [
                    str(row.sequence),
                    in_words(row.effective_on, "medium"),
                    _what(row),
                    f"{row.shares:+d}" if row.shares else "–",
                    spaced(row.numbers) or "–",
                    money(row.amount_cents) if row.amount_cents else "–",
                ]
                for row in facts.rows
            ],
            "notes": [
                _(
                    "A share is held personally. Every member has one vote, whatever the number "
                    "of shares."
                ),
                _(
                    "Issued on %(moment)s, after entry %(entry)s of the share ledger.",
                    moment=instant(certificate.issued_at, "short"),
                    entry=certificate.ledger_sequence,
                ),
                _(
                    "Whether this certificate was issued, and whether anything changed since, can "
                    "be checked with its code at the address below."
                ),
            ],
        }
    return render_pdf("certificate", data, language)


def verification_address(cooperative: Cooperative, code: str) -> str:
    """Where anybody can check a certificate."""
    public_url = flask.current_app.config["GOVERN"].public_url
    return f"{public_url}/{cooperative.code}/certificates/{code}"


def spaced(numbers: str) -> str:
    """Numbers of shares as people read them: "1–3, 7"."""
    return numbers.replace("-", "–").replace(",", ", ")


def _what(row: ShareEntry) -> str:
    """The kind of an entry in words, and which one it takes back."""
    kind = str(ENTRY_KIND_NAMES[EntryKind(row.kind)])
    if row.reverses is None:
        return kind
    return _("%(kind)s, takes back entry %(number)s", kind=kind, number=row.reverses.sequence)


def _statement(
    membership: Membership, holding: Holding, day: date, cooperative: Cooperative
) -> str:
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
    certified: CertifiedFacts,
    day: date,
) -> list[list[str]]:
    holding = certified.holding
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
    several = len(certified.numbers) > 1
    for share_class, numbers in certified.numbers.items():
        label = _("Share numbers")
        if several:
            name = share_class_name(session, cooperative.id, share_class, day)
            label = _("Share numbers (%(share_class)s)", share_class=name)
        facts.append([label, spaced(numbers)])
    if membership.ended_on is not None:
        facts.append([_("Membership ended on"), in_words(membership.ended_on)])
    return facts
