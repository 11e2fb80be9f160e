"""Which column of an Odoo export holds what: technical names, and labels in several languages.

Odoo's export writes either the name of a field ("share_unit_price") or its label in the language
of whoever exports ("Prix de la part"), with "/id" or "/ID" behind it for the identifier of another
record. Headers are compared folded: without case, accents and punctuation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from govern.register.rules.folding import fold

PARTNERS, REGISTER, LINES = "partners", "register", "lines"

# The label of an identifier in Odoo's export, per language.
_IDENTIFIER = ("id", "external id", "id externe", "externe id", "externe id", "id de la base")

_PARTNER_OF = "partner_id; cooperator; partner; coopérateur; coöperant; vennoot; genossenschafter"

NAMES: Mapping[str, Mapping[str, str]] = {
    PARTNERS: {
        "id": "id; external id; id externe; externe id; externe-id; externes id",
        "name": "name; nom; naam; display_name; display name; nom affiché; weergavenaam",
        "given_name": "firstname; first name; prénom; voornaam; vorname",
        "family_name": "lastname; last name; nom de famille; achternaam; familienaam; nachname",
        "is_company": "is_company; is a company; est une société; is een bedrijf; company type; "
        "company_type; type de société; ist ein unternehmen",
        "number": "cooperator_register_number; cooperator number; numéro de coopérateur; "
        "nummer coöperant; coöperantnummer; cooperative_membership_id/cooperator_register_number",
        "share_type": "cooperator_type; cooperator type; type de coopérateur; type coöperant",
        "email": "email; e-mail; courriel; e-mailadres; e-mail-adresse",
        "street": "street; rue; straat; straße; adresse; address",
        "street2": "street2; street 2; rue 2; straat 2; rue2; straat2",
        "postal_code": "zip; zip code; code postal; postcode; plz",
        "town": "city; ville; stad; plaats; ort; stadt",
        "country": "country_id; country; pays; land",
        "language": "lang; language; langue; taal; sprache",
        "birth_date": "birthdate_date; birthdate; birth date; date of birth; date de naissance; "
        "geboortedatum; geburtsdatum",
        "enterprise_number": "company_register_number; company register number; "
        "numéro d'entreprise; ondernemingsnummer; numéro de registre de commerce",
        "vat": "vat; tax id; tva; numéro de tva; btw; btw-nummer; n° tva",
        "representative": "representative; legal representative; représentant légal; "
        "wettelijk vertegenwoordiger; gesetzlicher vertreter",
        "parent": "parent_id; related company; société liée; gerelateerd bedrijf; "
        "company name entity; parent",
    },
    REGISTER: {
        "operation": "register_number_operation; register number operation; name; "
        "number operation; numéro de transaction; numéro d'opération; transactienummer",
        "kind": "type; operation type; type de transaction; type d'opération; type transactie; "
        "bewerkingstype",
        "day": "date; subscription date; date de la souscription; datum; inschrijvingsdatum; "
        "datum van inschrijving",
        "partner": _PARTNER_OF,
        "receiver": "partner_id_to; transfered to; transferred to; transféré à; transféré vers; "
        "overgedragen aan; übertragen an",
        "shares": "quantity; number of share; number of shares; nombre de parts; aantal aandelen; "
        "anzahl anteile",
        "price": "share_unit_price; share price; prix de la part; prijs van het aandeel; "
        "aandeelprijs; anteilspreis",
        "share_type": "share_short_name; share type name; nom du type de part; naam aandeeltype",
        "share_product": "share_product_id; share type; type de part; aandeeltype; anteilsart",
        "to_shares": "quantity_to; number of share to; nombre de parts à; "
        "nombre de parts après conversion; aantal aandelen naar",
        "to_price": "share_to_unit_price; share to price; prix du type de part après conversion",
        "to_type": "share_to_short_name; share to type name; nom du type de part après conversion",
        "to_product": "share_to_product_id; share to type; type de part après conversion",
    },
    LINES: {
        "partner": _PARTNER_OF,
        "shares": "share_number; number of share; number of shares; nombre de parts; "
        "aantal aandelen; anzahl anteile",
        "price": "share_unit_price; share price; prix de la part; prijs van het aandeel; "
        "aandeelprijs; anteilspreis",
        "share_type": "share_short_name; share type name; nom du type de part; naam aandeeltype",
        "share_product": "share_product_id; share type; type de part; aandeeltype; anteilsart",
        "day": "effective_date; effective date; date effective; ingangsdatum",
    },
}
"""Per file: field → what may stand above its column, separated by semicolons."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    PARTNERS: ("number", "name"),
    REGISTER: ("operation", "kind", "day", "partner", "shares", "price"),
    LINES: ("partner", "shares"),
}
"""Fields without which a file cannot be read. Given and family name stand for the name."""

KINDS: Mapping[str, str] = {
    fold(word): kind
    for kind, words in {
        "subscription": "subscription; souscription; inschrijving; zeichnung",
        "transfer": "transfer; transfert; overdracht; übertragung",
        "sell_back": "sell_back; sell back; revente; terugverkoop; rückverkauf",
        "convert": "convert; conversion; conversie; omzetting; umwandlung",
    }.items()
    for word in words.split(";")
}
"""The operation types of the register, by what stands in the cell (folded)."""

REFERENCES = ("partner", "receiver", "parent", "country", "share_product", "to_product")
"""Fields that may be exported by the identifier of the other record too."""


@cache
def _by_name(file: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, words in NAMES[file].items():
        for word in words.split(";"):
            known.setdefault(fold(word), name)
    return known


def recognise(file: str, headers: Sequence[str]) -> dict[str, int]:
    """Field → column (from 0). ``partner/id`` counts as ``partner`` and goes before the name."""
    found: dict[str, int] = {}
    by_identifier: dict[str, int] = {}
    known = _by_name(file)
    for column, header in enumerate(headers):
        folded = fold(header)
        if folded in known:
            found.setdefault(known[folded], column)
            continue
        head, _slash, tail = header.rpartition("/")
        name = known.get(fold(head)) if head else None
        if name in REFERENCES and fold(tail) in _IDENTIFIER:
            by_identifier.setdefault(name, column)
        elif name == "partner" and _by_name(PARTNERS).get(fold(tail)) == "number":
            by_identifier["partner_number"] = column
        elif name == "receiver" and _by_name(PARTNERS).get(fold(tail)) == "number":
            by_identifier["receiver_number"] = column
    # The database's own number (".id") folds to "id" as well.
    return found | by_identifier


def missing(file: str, mapping: Mapping[str, int]) -> list[str]:
    """Required fields that no column holds."""
    there = set(mapping)
    if {"given_name", "family_name"} <= there:
        there.add("name")
    if "partner_number" in there:
        there.add("partner")
    return [name for name in REQUIRED[file] if name not in there]
