"""Which column holds what: headers recognised by name in four languages, or mapped by hand."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cache

from govern.register.rules.folding import fold

NAMES: Mapping[str, str] = {
    "member_number": """
        member number; member no; member id; number of member; membership number; number
        n° sociétaire; numéro de sociétaire; n sociétaire; no sociétaire; numéro sociétaire;
        numéro de membre; n° membre; n° coopérateur; numéro de coopérateur; numéro; matricule
        lidnummer; lid nr; lidnr; vennootnummer; vennoot nr; nummer vennoot; nummer
        mitgliedsnummer; mitgliednummer; mitglieds nr; mitgl nr; mitglied nr; nr
    """,
    "family_name": """
        name; last name; family name; surname
        nom; nom de famille; nom ou dénomination; nom ou raison sociale
        naam; familienaam; achternaam
        familienname; nachname; zuname
    """,
    "organisation_name": """
        organisation; organization; company; company name; organisation name; legal name
        raison sociale; dénomination; dénomination sociale; société; nom de la société
        organisatie; bedrijf; bedrijfsnaam; firma; firmanaam; naam organisatie; vennootschapsnaam
        unternehmen; firmenname; organisation name; name der organisation
    """,
    "given_name": """
        given name; first name; forename; given names; prénom; prénoms
        voornaam; voornamen; vorname; vornamen
    """,
    "birth_date": """
        birth date; date of birth; birthday; born on; born
        date de naissance; né le; naissance
        geboortedatum; geboren op
        geburtsdatum; geburtstag; geboren am
    """,
    "email": """
        e-mail; email; e-mail address; email address; mail
        courriel; adresse courriel; adresse e-mail; adresse mail; adresse électronique
        e-mailadres; e-mail adres; mailadres
        e-mail-adresse; mailadresse
    """,
    "language": """
        language; lang; preferred language
        langue; langue de contact
        taal; taalcode
        sprache; korrespondenzsprache
    """,
    "street": """
        street and number; street; address; street address; address line 1
        adresse; rue; rue et numéro; adresse postale; domicile
        straat en nummer; straat; adres; straat en nr; woonplaats adres
        straße und hausnummer; straße; anschrift; straße und nummer; straße nr
    """,
    "postal_code": """
        postal code; postcode; zip; zip code; post code
        code postal; cp
        postnummer
        postleitzahl; plz
    """,
    "town": """
        municipality; town; city; place
        localité; commune; ville
        gemeente; stad; plaats; woonplaats
        gemeinde; ort; stadt; wohnort
    """,
    "country": """
        country; country code
        pays; code pays
        land; landcode
        ländercode; staat
    """,
    "category": """
        category; member category; class; college
        catégorie; collège; catégorie de parts
        categorie; aandelencategorie; soort
        kategorie; kurie; gruppe
    """,
    "joined_on": """
        joined on; joining date; date joined; member since; admission date; date of admission
        date d'adhésion; adhésion; date d'entrée; membre depuis; date d'admission; sociétaire depuis
        datum toetreding; toetredingsdatum; toetreding; lid sinds; vennoot sinds
        datum van toetreding
        beitrittsdatum; beitritt; mitglied seit; eintrittsdatum; eintritt
    """,
    "shares": """
        number of shares; shares; share count; no of shares
        nombre de parts; parts; parts sociales; nombre de parts sociales; nb parts; nbre de parts
        aantal aandelen; aandelen
        anzahl anteile; anteile; anzahl der anteile; geschäftsanteile; zahl der geschäftsanteile
    """,
    "paid": """
        paid amount; amount paid; paid; paid-in capital; paid up amount
        montant libéré; montant payé; capital libéré; libéré; montant versé
        gestort bedrag; betaald bedrag; gestort; gestort kapitaal
        eingezahlter betrag; einzahlung; gezahlter betrag; eingezahlt
    """,
    "share_class": """
        share class; class of shares; share type; type of shares
        classe de parts; classe de part; type de parts; type de part
        aandelenklasse; klasse van aandelen; soort aandelen
        anteilsklasse; klasse der anteile; anteilsart
    """,
    "enterprise_number": """
        enterprise number; company number; vat number; registration number
        n° d'entreprise; numéro d'entreprise; n° entreprise; numéro bce; bce; tva; n° tva; siren;
        siret; numéro de tva
        ondernemingsnummer; kbo nummer; kbo; btw nummer; btw
        unternehmensnummer; handelsregisternummer; ust-idnr; mwst nummer
    """,
    "representative": """
        representative; represented by; legal representative; permanent representative
        représentant; représentante; représenté par; représentant permanent; représentant légal
        vertegenwoordiger; vaste vertegenwoordiger; vertegenwoordigd door
        vertreter; vertreterin; vertreten durch; ständiger vertreter
    """,
    "ended_on": """
        left on; leaving date; end date; date left; ended on; date of leaving
        date de sortie; sortie; date de fin; date de départ; date de démission
        datum uittreding; uittredingsdatum; uittreding; einddatum; datum van uittreding
        austrittsdatum; austritt; ausgetreten am
    """,
}
"""What people write above a column, per field: entries are separated by semicolons or lines."""

FIELDS = tuple(NAMES)
REQUIRED = ("member_number", "family_name", "category", "joined_on", "shares")
"""Columns without which no row can be imported."""

SIMILAR_ENOUGH = 0.86


@cache
def _by_name() -> dict[str, str]:
    known: dict[str, str] = {}
    for field, names in NAMES.items():
        for line in names.splitlines():
            for name in filter(None, (fold(part) for part in line.split(";"))):
                if known.setdefault(name, field) != field:
                    raise ValueError(f"the header {name!r} stands for two fields")
    return known


def recognise(header: str) -> str | None:
    """The field that a header names: exactly but for case, accents and punctuation, else nearly."""
    name = fold(header)
    known = _by_name()
    if not name or name in known:
        return known.get(name)
    if len(name) < 4:
        return None
    close = difflib.get_close_matches(name, known, n=1, cutoff=SIMILAR_ENOUGH)
    return known[close[0]] if close else None


def count_known(headers: Sequence[str]) -> int:
    """How many different fields are named exactly (a quick test for which row is the heading)."""
    known = _by_name()
    return len({field for header in headers if (field := known.get(fold(header)))})


def recognise_columns(headers: Sequence[str]) -> dict[str, int]:
    """Field → column (from 0). An exact name wins over a similar one, the left column over later
    ones; a field is found once."""
    found: dict[str, int] = {}
    known = _by_name()
    for column, header in enumerate(headers):
        field = known.get(fold(header))
        if field is not None:
            found.setdefault(field, column)
    taken = set(found.values())
    for column, header in enumerate(headers):
        field = recognise(header)
        if column not in taken and field is not None and field not in found:
            found[field] = column
            taken.add(column)
    return found


def missing_columns(mapping: Mapping[str, int]) -> list[str]:
    """Required fields that no column holds. One of the two names is enough."""
    return [
        field
        for field in REQUIRED
        if field not in mapping and not (field == "family_name" and "organisation_name" in mapping)
    ]
