"""Invented members: names, addresses and shares in realistic proportions, always the same ones.

The rows have the columns of an import file, so that the demonstration takes the same road into
the register as a real cooperative's spreadsheet.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

GIVEN_NAMES = {
    "fr": "Amélie Antoine Aurélie Baptiste Camille Céline Charlotte Clément Delphine Élodie Émile "
    "Fabrice Fatima Florence François Gaëlle Guillaume Hélène Inès Jérôme Juliette Karim Laurence "
    "Léa Louis Lucie Manon Mathieu Maxime Nadia Nathalie Nicolas Noémie Olivier Pauline Quentin "
    "Raphaël Salma Sébastien Simon Sophie Thibault Valérie Victor Virginie Yasmine Zoé".split(),
    "nl": "Annelies Arne Bart Bram Charlotte Daan Dries Eline Els Emma Femke Floor Griet Hannes "
    "Ilse Jan Jasper Jef Joke Karen Kobe Koen Lander Lien Lotte Maarten Marieke Mieke Nele Niels "
    "Pieter Reinhilde Ruben Saar Sander Sofie Stijn Tine Tom Veerle Wannes Wim Wouter Yara".split(),
    "de": "Andrea Anja Christoph Daniela Elke Erik Helga Ingo Jana Jürgen Katja Klaus Lena Leonie "
    "Lukas Manuel Markus Miriam Nora Philipp Ralf Sabine Stefan Ulrike Uwe Wiebke".split(),
}
FAMILY_NAMES = {
    "fr": "Adam Bailly Baudoux Benali Bernard Bodart Collignon Colson Dardenne Delcourt Delfosse "
    "Delvaux Denis Deprez Dubois Dumont Dupont El-Amrani Evrard Fontaine François Gérard Gillet "
    "Grégoire Hardy Henrard Jacquet Lambert Laurent Leclercq Legrand Lejeune Lemaire Leroy Libert "
    "Lambrechts Mahieu Marchal Martin Mathieu Michel Moreau Noël Nguyen Pirard Piron Poncelet "
    "Renard Rousseau Simon Thiry Thomas Toussaint Urbain Wauters Yilmaz".split(),
    "nl": "Aerts Baert Bogaert Bosmans Claes Claeys Coppens Cools De-Backer De-Clercq De-Smet "
    "De-Vos Declercq Desmet Dewulf Geerts Goossens Hendrickx Hermans Jacobs Janssens Lemmens "
    "Maes Martens Mertens Michiels Nijs Pauwels Peeters Segers Smets Stevens Thijs Timmermans "
    "Van-Damme Van-den-Berghe Vandenbroucke Verhaegen Verhoeven Vermeulen Willems Wouters".split(),
    "de": "Bauer Becker Braun Fischer Heinen Hoffmann Jansen Keller Klein Koch Kremer Krings Lang "
    "Lenz Meyer Müller Peters Pauels Richter Schäfer Schmitz Schneider Schröder Wagner Weber "
    "Wolf".split(),
}
STREETS = {
    "fr": ("rue des Tisserands", "avenue du Parc", "rue de l’Écluse", "chaussée de la Gare"),
    "nl": ("Molenstraat", "Stationslaan", "Kerkplein", "Lindenlaan"),
    "de": ("Hauptstraße", "Bahnhofstraße", "Am Mühlbach", "Gartenweg"),
}
PLACES: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "BE": {
        "fr": (("1060", "Saint-Gilles"), ("4000", "Liège"), ("5000", "Namur"), ("7000", "Mons")),
        "nl": (("9000", "Gent"), ("2000", "Antwerpen"), ("3000", "Leuven"), ("1000", "Brussel")),
        "de": (("4700", "Eupen"), ("4780", "Sankt Vith")),
    },
    "FR": {
        "fr": (
            ("59000", "Lille"),
            ("75011", "Paris"),
            ("35000", "Rennes"),
            ("44000", "Nantes"),
            ("13001", "Marseille"),
            ("34000", "Montpellier"),
        ),
    },
}
LANGUAGE_WEIGHTS = {
    "BE": (("fr", 62), ("nl", 36), ("de", 2)),
    "FR": (("fr", 100),),
}
COMPANY_KINDS = {
    "fr": ("Atelier", "Compagnie", "Collectif", "Studio"),
    "nl": ("Werkplaats", "Gezelschap", "Collectief", "Studio"),
    "de": ("Werkstatt", "Ensemble", "Kollektiv", "Studio"),
}

HEADERS = (
    "Member number",
    "Name",
    "Given name",
    "Birth date",
    "E-mail",
    "Language",
    "Street and number",
    "Postal code",
    "Municipality",
    "Country",
    "Category",
    "Joined on",
    "Number of shares",
    "Paid amount",
    "Enterprise number",
    "Representative",
    "Left on",
)


@dataclass(frozen=True)
class SampleMember:
    """A member whose name and address somebody who tries the demonstration must know."""

    number: int
    given_name: str
    family_name: str
    email: str
    language: str


TWICE = {159: 59}
"""Somebody who is entered a second time, under a later number, with another address: the pair to
try a merge with. The second entry is later than the assemblies of June 2018."""


def invent_rows(
    count: int, country: str, *, seed: int, samples: dict[int, SampleMember]
) -> Iterator[tuple[str, ...]]:
    """``count`` rows under ``HEADERS``, one per member, numbered from 1, the same for a ``seed``.

    About one in a hundred is an organisation, one in twenty-five has no e-mail address, one in
    sixty has left, a few have not paid in full. In Belgium one person stands there ``TWICE``.
    """
    entered: dict[int, tuple[str, str, str]] = {}
    chance = random.Random(seed)  # noqa: S311 (invented people, no secret)
    languages, weights = zip(*LANGUAGE_WEIGHTS[country], strict=True)
    first_day = date(2017, 1, 2) if country == "BE" else date(2008, 3, 3)
    # Growth: joining days are denser towards the end of 2018, as in the report.
    span = (date(2018, 12, 28) - first_day).days
    for number in range(1, count + 1):
        language = chance.choices(languages, weights)[0]
        joined = first_day + timedelta(days=int(span * chance.random() ** 0.8))
        given = chance.choice(GIVEN_NAMES[language])
        family = chance.choice(FAMILY_NAMES[language]).replace("-", " ")
        shares = chance.choices((1, 2, 3, 5, 10, 34), (88, 6, 3, 2, 0.8, 0.2))[0]
        paid = 0 if chance.random() < 0.004 else shares
        address = f"{chance.choice(STREETS[language])} {chance.randint(1, 180)}"
        postal_code, place = chance.choice(PLACES[country][language])
        email = "" if chance.random() < 0.04 else f"m{number}.{country.lower()}@example.org"
        left = ""
        if chance.random() < 1 / 60:
            left = (joined + timedelta(days=chance.randint(200, 2000))).isoformat()
        birth = (date(1950, 1, 1) + timedelta(days=chance.randint(0, 18_600))).isoformat()
        category = chance.choices(("A", "B"), (97, 3))[0]
        enterprise = representative = ""
        if chance.random() < 0.01:
            representative = f"{given} {family}"
            family = f"{chance.choice(COMPANY_KINDS[language])} {family} {number}"
            given = birth = ""
            category = "B"
            enterprise = _enterprise_number(country, number)
        sample = samples.get(number)
        if sample is not None:
            given, family, email = sample.given_name, sample.family_name, sample.email
            language, category, left, shares, paid = sample.language, "A", "", 1, 1
            joined = first_day
            birth, enterprise, representative = "1985-05-05", "", ""
        if number in TWICE and country == "BE":
            given, family, birth = entered[TWICE[number]]
            given, family = _without_accents(given), _without_accents(family)
            email, left = f"{given}.{family}@example.org".lower(), ""
        entered[number] = (given, family, birth)
        yield (
            str(number),
            family,
            given,
            birth,
            email,
            language.upper(),
            address,
            postal_code,
            place,
            country,
            category,
            joined.isoformat(),
            str(shares),
            f"{paid * 30}.00",
            enterprise,
            representative,
            left,
        )


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _enterprise_number(country: str, number: int) -> str:
    """A number with right check digits (BE: 97 minus the remainder; FR: Luhn)."""
    stem = 10_000_000 + number
    if country == "BE":
        return f"{stem}{97 - stem % 97:02d}"
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(str(stem))]
    return f"{stem}{-sum(d - 9 if d > 9 else d for d in doubled) % 10}"
