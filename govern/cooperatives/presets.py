"""Rule sets to start a cooperative from: Belgian cooperative companies and French SCICs.

The figures come from the project's domain notes (annual report 2018 of Smart; Belgian code of
companies and associations, book 6; French law of 10 September 1947). The legal texts themselves
were not read here, so every citation stays ``confirmed=False``: the page of the rules says so.
Sources are named as lawyers name them, in the languages of the text itself, so that one form
serves readers of all languages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from govern.cooperatives.rules import (
    Category,
    Citation,
    JoiningRules,
    LeavingRules,
    MajorityRule,
    Rules,
)

SHARE_NOMINAL_CENTS = 3000

_NAMES_ORDINARY = {
    "fr": "Décision ordinaire",
    "nl": "Gewoon besluit",
    "de": "Gewöhnlicher Beschluss",
    "en": "Ordinary decision",
}
_WHO_USERS = {
    "fr": "Vous utilisez les services de la coopérative pour votre travail.",
    "nl": "U gebruikt de diensten van de coöperatie voor uw werk.",
    "de": "Sie nutzen die Dienste der Genossenschaft für Ihre Arbeit.",
    "en": "You use the services of the cooperative for your work.",
}
_WHO_STAFF = {
    "fr": "Vous faites partie du personnel permanent de la coopérative.",
    "nl": "U behoort tot de vaste medewerkers van de coöperatie.",
    "de": "Sie gehören zu den ständigen Beschäftigten der Genossenschaft.",
    "en": "You belong to the permanent staff of the cooperative.",
}
_WHO_CLIENTS = {
    "fr": "Vous confiez des missions aux membres de la coopérative.",
    "nl": "U geeft opdrachten aan leden van de coöperatie.",
    "de": "Sie erteilen Mitgliedern der Genossenschaft Aufträge.",
    "en": "You give work to members of the cooperative.",
}
_WHO_PARTNERS = {
    "fr": "Vous soutenez le projet ou travaillez avec la coopérative, comme personne ou comme "
    "organisation.",
    "nl": "U steunt het project of werkt samen met de coöperatie, als persoon of als organisatie.",
    "de": "Sie unterstützen das Vorhaben oder arbeiten mit der Genossenschaft zusammen, als Person "
    "oder als Organisation.",
    "en": "You support the project or work with the cooperative, as a person or an organisation.",
}
_WHO_OTHERS = {
    "fr": "Vous êtes partenaire, membre du personnel permanent, ou une organisation.",
    "nl": "U bent partner of vaste medewerker, of u bent een organisatie.",
    "de": "Sie sind Partner oder ständig beschäftigt, oder Sie sind eine Organisation.",
    "en": "You are a partner or on the permanent staff, or you are an organisation.",
}
_NAMES_STATUTES = {
    "fr": "Modification des statuts",
    "nl": "Statutenwijziging",
    "de": "Satzungsänderung",
    "en": "Change of statutes",
}
_NAMES_OBJECT = {
    "fr": "Modification de l’objet, de la finalité ou des valeurs",
    "nl": "Wijziging van voorwerp, doel of waarden",
    "de": "Änderung des Gegenstands, des Zwecks oder der Werte",
    "en": "Change of object, purpose or values",
}


def _majorities(statutes: str, purpose: str, ordinary: str) -> tuple[MajorityRule, ...]:
    """The three kinds of resolution; the arguments are their citations."""
    statutes_rule = MajorityRule(
        "statutes",
        _NAMES_STATUTES,
        3,
        4,
        False,
        Citation(statutes),
        quorum_numerator=1,
        quorum_denominator=2,
        quorum_basis="shares_issued",
        second_assembly_without_quorum=True,
    )
    return (
        MajorityRule("ordinary", _NAMES_ORDINARY, 1, 2, True, Citation(ordinary)),
        statutes_rule,
        replace(
            statutes_rule,
            code="purpose",
            names=_NAMES_OBJECT,
            majority_numerator=4,
            majority_denominator=5,
            citation=Citation(purpose),
        ),
    )


def belgium_2017() -> Rules:
    """Belgium before the code of 2019: categories A (users) and B (all others)."""
    return Rules(
        categories=(
            Category(
                "A",
                {
                    "fr": "Utilisateurs et utilisatrices des services",
                    "nl": "Gebruikers van de diensten",
                    "de": "Nutzerinnen und Nutzer der Dienste",
                    "en": "Users of the services",
                },
                _WHO_USERS,
            ),
            Category(
                "B",
                {
                    "fr": "Partenaires, personnel permanent et personnes morales",
                    "nl": "Partners, vaste medewerkers en rechtspersonen",
                    "de": "Partner, ständige Beschäftigte und juristische Personen",
                    "en": "Partners, permanent staff and legal persons",
                },
                _WHO_OTHERS,
            ),
        ),
        share_nominal_cents=SHARE_NOMINAL_CENTS,
        notice_days=15,
        notice_citation=Citation("Statuts / Statuten / Satzung 2017"),
        majorities=_majorities(
            "C. soc. / W. Venn. 1999, art. 558",
            "C. soc. / W. Venn. 1999, art. 559",
            "Statuts / Statuten / Satzung 2017",
        ),
        joining=JoiningRules(citation=Citation("Statuts / Statuten / Satzung 2017")),
        leaving=LeavingRules(
            founders_years=0,
            effective="request",
            citation=Citation("C. soc. / W. Venn. 1999, art. 366–376"),
        ),
    )


def belgium_2020() -> Rules:
    """Belgium under book 6 of the code of companies and associations: categories A, B and C."""
    return replace(
        belgium_2017(),
        categories=(
            belgium_2017().categories[0],
            Category(
                "B",
                {
                    "fr": "Personnel permanent",
                    "nl": "Vaste medewerkers",
                    "de": "Ständige Beschäftigte",
                    "en": "Permanent staff",
                },
                _WHO_STAFF,
            ),
            Category(
                "C",
                {"fr": "Partenaires", "nl": "Partners", "de": "Partner", "en": "Partners"},
                _WHO_PARTNERS,
            ),
        ),
        notice_citation=Citation("CSA / WVV / GGV, art. 6:70"),
        majorities=_majorities(
            "CSA / WVV / GGV, art. 6:85",
            "CSA / WVV / GGV, art. 6:86",
            "CSA / WVV / GGV, livre / boek / Buch 6",
        ),
        joining=JoiningRules(citation=Citation("CSA / WVV / GGV, art. 6:105–6:108")),
        leaving=LeavingRules(citation=Citation("CSA / WVV / GGV, art. 6:115–6:116, 6:120–6:123")),
    )


def france_scic() -> Rules:
    """A French collective-interest cooperative with four categories and one vote per head."""
    return Rules(
        categories=(
            Category(
                "A",
                {
                    "fr": "Bénéficiaires (entrepreneurs et entrepreneuses salariés)",
                    "nl": "Begunstigde vennoten",
                    "de": "Begünstigte Mitglieder",
                    "en": "Beneficiary members",
                },
                _WHO_USERS,
            ),
            Category(
                "B",
                {
                    "fr": "Salariés permanents",
                    "nl": "Vaste medewerkers",
                    "de": "Ständige Beschäftigte",
                    "en": "Permanent staff",
                },
                _WHO_STAFF,
            ),
            Category(
                "C",
                {"fr": "Clients", "nl": "Klanten", "de": "Kunden", "en": "Clients"},
                _WHO_CLIENTS,
            ),
            Category(
                "D",
                {"fr": "Partenaires", "nl": "Partners", "de": "Partner", "en": "Partners"},
                _WHO_PARTNERS,
            ),
        ),
        share_nominal_cents=SHARE_NOMINAL_CENTS,
        notice_days=15,
        notice_citation=Citation("Statuts de la SCIC"),
        majorities=_majorities(
            "Loi n° 47-1775 du 10 septembre 1947",
            "Loi n° 47-1775 du 10 septembre 1947",
            "Loi n° 47-1775 du 10 septembre 1947",
        ),
        joining=JoiningRules(
            acceptance="board",
            citation=Citation("Loi n° 47-1775 du 10 septembre 1947, art. 19 septies; statuts"),
        ),
        leaving=LeavingRules(
            resignation_months=12,
            founders_years=0,
            effective="request",
            repayment_years=5,
            citation=Citation("Loi n° 47-1775 du 10 septembre 1947, art. 7 et 18; statuts"),
        ),
    )


PRESETS: dict[str, tuple[Callable[[], Rules], date, str]] = {
    "be-2017": (
        belgium_2017,
        date(2017, 1, 1),
        "Statuts / Statuten / Satzung 2017",
    ),
    "be-2020": (
        belgium_2020,
        date(2020, 1, 1),
        "Statuts / Statuten / Satzung, CSA / WVV / GGV",
    ),
    "fr-scic": (france_scic, date(2008, 1, 1), "Statuts de la SCIC"),
}
"""Name → (maker of the rules, first day in force, source)."""
