"""The agendas of the demonstration, in four languages.

The dates, places, numbers of people and subjects of June 2018 are those of the annual report of
2018; the report does not print the resolutions or the figures of each vote, so their wording and
all counts are invented and say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Texts = dict[str, str]

INVENTED: Texts = {
    "fr": "Chiffres et formulations inventés pour la démonstration.",
    "nl": "Cijfers en formuleringen zijn verzonnen voor de demonstratie.",
    "de": "Zahlen und Formulierungen sind für die Vorführung erfunden.",
    "en": "Figures and wordings are invented for the demonstration.",
}


@dataclass(frozen=True)
class DemoItem:
    """An agenda item; a decision has a ``majority`` and how the invented votes fall.

    ``votes`` are the parts of for, against and abstain in hundredths of the ballots.
    """

    kind: str
    title: Texts
    text: Texts = field(default_factory=dict)
    majority: str | None = None
    votes: tuple[int, int, int] = (0, 0, 0)
    candidates: tuple[str, ...] = ()
    seats: int = 0


def _t(fr: str, nl: str, de: str, en: str) -> Texts:
    return {"fr": fr, "nl": nl, "de": de, "en": en}


def _accounts(year: int) -> DemoItem:
    return DemoItem(
        "decision",
        _t(
            f"Approbation des comptes annuels {year}",
            f"Goedkeuring van de jaarrekening {year}",
            f"Genehmigung des Jahresabschlusses {year}",
            f"Approval of the annual accounts {year}",
        ),
        _t(
            f"L’assemblée approuve les comptes annuels de l’exercice {year} et l’affectation du "
            "résultat à la réserve indisponible, sans dividende.",
            f"De vergadering keurt de jaarrekening van het boekjaar {year} goed en de toewijzing "
            "van het resultaat aan de onbeschikbare reserve, zonder dividend.",
            f"Die Versammlung genehmigt den Jahresabschluss {year} und die Zuweisung des "
            "Ergebnisses an die unverfügbare Rücklage, ohne Dividende.",
            f"The assembly approves the annual accounts of {year} and the allocation of the "
            "result to the reserve, without dividend.",
        ),
        majority="ordinary",
        votes=(84, 4, 12),
    )


def _discharge(year: int) -> DemoItem:
    return DemoItem(
        "decision",
        _t(
            "Décharge des administrateurs et administratrices",
            "Kwijting aan de bestuurders",
            "Entlastung des Verwaltungsrats",
            "Discharge of the directors",
        ),
        _t(
            "L’assemblée donne décharge aux membres du conseil d’administration pour l’exercice "
            f"{year}.",
            f"De vergadering verleent de leden van de raad van bestuur kwijting voor {year}.",
            f"Die Versammlung erteilt den Mitgliedern des Verwaltungsrats Entlastung für {year}.",
            f"The assembly discharges the members of the board for the year {year}.",
        ),
        majority="ordinary",
        votes=(78, 6, 16),
    )


SIP_RESULTS = DemoItem(
    "information",
    _t(
        "Smart In Progress : recommandations des quatre groupes de travail",
        "Smart In Progress: aanbevelingen van de vier werkgroepen",
        "Smart In Progress: Empfehlungen der vier Arbeitsgruppen",
        "Smart In Progress: recommendations of the four workgroups",
    ),
    _t(
        "Comité d’éthique, représentation, transparence financière et outils informatiques : "
        "les recommandations adaptées avec le conseil d’administration le 22 mars 2018.",
        "Ethisch comité, vertegenwoordiging, financiële transparantie en informaticatools: de "
        "aanbevelingen zoals aangepast met de raad van bestuur op 22 maart 2018.",
        "Ethikausschuss, Vertretung, finanzielle Transparenz und IT-Werkzeuge: die am "
        "22. März 2018 mit dem Verwaltungsrat angepassten Empfehlungen.",
        "Ethics committee, representation, financial transparency and IT tools: the "
        "recommendations as adapted with the board on 22 March 2018.",
    ),
)

SIP_THEMES = DemoItem(
    "decision",
    _t(
        "Troisième cycle Smart In Progress : trois thèmes",
        "Derde ronde Smart In Progress: drie thema’s",
        "Dritter Zyklus Smart In Progress: drei Themen",
        "Third cycle of Smart In Progress: three themes",
    ),
    _t(
        "L’assemblée lance trois groupes : réseaux sectoriels au sein de la coopérative, centrale "
        "d’achat écologiquement responsable, mesure de l’impact social.",
        "De vergadering start drie groepen: sectorale netwerken binnen de coöperatie, een "
        "ecologisch verantwoorde aankoopcentrale, het meten van de sociale impact.",
        "Die Versammlung startet drei Gruppen: Branchennetzwerke in der Genossenschaft, "
        "verantwortungsvoller gemeinsamer Einkauf, Messung der sozialen Wirkung.",
        "The assembly launches three groups: sector networks within the cooperative, responsible "
        "group purchasing, measuring social impact.",
    ),
    majority="ordinary",
    votes=(93, 2, 5),
)

WORKSHOPS = DemoItem(
    "workshop",
    _t(
        "Ateliers et tables rondes, la moitié animée par les sociétaires",
        "Workshops en rondetafelgesprekken, de helft begeleid door vennoten",
        "Werkstätten und Gesprächsrunden, zur Hälfte von Mitgliedern geleitet",
        "Workshops and round tables, half of them run by members",
    ),
    _t(
        "Thème de la journée : la collaboration au sens large.",
        "Thema van de dag: samenwerking in brede zin.",
        "Thema des Tages: Zusammenarbeit im weiten Sinn.",
        "Theme of the day: collaboration in the wide sense.",
    ),
)

REPORT = DemoItem(
    "take_note",
    _t(
        "Rapport annuel et rapport du commissaire",
        "Jaarverslag en verslag van de commissaris",
        "Jahresbericht und Bericht des Prüfers",
        "Annual report and report of the auditor",
    ),
)

STATUTES = DemoItem(
    "decision",
    _t(
        "Modification des statuts : adaptation au code des sociétés et des associations",
        "Statutenwijziging: aanpassing aan het wetboek van vennootschappen en verenigingen",
        "Satzungsänderung: Anpassung an das Gesellschaftsgesetzbuch",
        "Change of the statutes: adaptation to the code of companies and associations",
    ),
    _t(
        "L’assemblée adopte le texte coordonné des statuts joint à la convocation.",
        "De vergadering neemt de gecoördineerde tekst van de statuten bij de oproeping aan.",
        "Die Versammlung nimmt die der Einberufung beigefügte Fassung der Satzung an.",
        "The assembly adopts the coordinated text of the statutes attached to the notice.",
    ),
    majority="statutes",
)

BOARD_ELECTION = DemoItem(
    "election",
    _t(
        "Élection de deux membres du conseil d’administration, catégorie A",
        "Verkiezing van twee bestuurders, categorie A",
        "Wahl von zwei Mitgliedern des Verwaltungsrats, Kategorie A",
        "Election of two directors, category A",
    ),
    _t(
        "Choisissez au plus deux personnes ; le vote blanc est possible.",
        "Kies hoogstens twee personen; blanco stemmen kan.",
        "Wählen Sie höchstens zwei Personen; eine leere Stimme ist möglich.",
        "Choose at most two people; a blank vote is possible.",
    ),
    candidates=("Camille Bodart", "Jasper Claeys", "Inès Moreau", "Ulrike Krings"),
    seats=2,
)

BELGIUM_2018 = (REPORT, _accounts(2017), _discharge(2017), SIP_RESULTS, SIP_THEMES, WORKSHOPS)

FRANCE_2018 = (
    REPORT,
    _accounts(2017),
    _discharge(2017),
    DemoItem(
        "discussion",
        _t(
            "Bilans participatifs : synthèse de la tournée des douze villes",
            "Bilans participatifs: samenvatting van de ronde langs twaalf steden",
            "Bilans participatifs: Zusammenfassung der Rundreise durch zwölf Städte",
            "Bilans participatifs: summary of the tour of twelve cities",
        ),
        _t(
            "Environ 350 personnes y ont pris part en juin 2018.",
            "Ongeveer 350 mensen namen deel in juni 2018.",
            "Rund 350 Personen nahmen im Juni 2018 teil.",
            "About 350 people took part in June 2018.",
        ),
    ),
)


def coming_agenda(year: int) -> tuple[DemoItem, ...]:
    """The agenda of the assembly a few days from now, on the accounts of ``year``."""
    return (REPORT, _accounts(year), _discharge(year), STATUTES, BOARD_ELECTION, WORKSHOPS)
