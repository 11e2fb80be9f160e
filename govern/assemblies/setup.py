"""Bind assemblies to an application: pages, signals of elections, places on other pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flask
from flask import Flask
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import navigation
from govern.access import Actor
from govern.assemblies import jobs  # noqa: F401  (its job registers itself)
from govern.assemblies.models import Assembly, RecordedOutcome, Resolution
from govern.assemblies.services.elections import assembly_of_election, release_resolutions
from govern.assemblies.services.explanations import OutcomeText, explain
from govern.assemblies.services.outcomes import outcomes_of_election, record_outcomes
from govern.assemblies.services.reading import front_page
from govern.assemblies.services.tasks import expected_of
from govern.assemblies.views import blueprint
from govern.cooperatives.models import Cooperative
from govern.home.hooks import FrontSection, cooperative_sections, home_items
from govern.i18n import local_text
from govern.navigation import NavItem
from govern.voting import slots
from govern.voting.models import Election, ElectionQuestion
from govern.voting.signals import election_cancelled, election_published


def register(app: Flask) -> None:
    """Register the pages and subscribe to what elections tell."""
    app.register_blueprint(blueprint)
    election_published.connect(_on_published)
    election_cancelled.connect(_on_cancelled)
    slots.outcome_providers.register(outcome_views)
    slots.document_providers.register(question_documents)
    slots.context_providers.register(way_back)
    home_items.register(expected_of)
    cooperative_sections.register(front_sections)
    navigation.register(offer_assemblies)


def _on_published(election: Election, session: Session, **_more: Any) -> None:
    record_outcomes(session, election)


def _on_cancelled(election: Election, session: Session, **_more: Any) -> None:
    release_resolutions(session, election)


def offer_assemblies(actor: Actor, cooperative: Cooperative | None) -> list[NavItem]:
    """The list of assemblies, to everyone."""
    if cooperative is None:
        return []
    href = flask.url_for("assemblies.index", cooperative=cooperative.code)
    return [NavItem(_("Assemblies"), href, order=20)]


def front_sections(session: Session, actor: Actor, cooperative: Cooperative) -> list[FrontSection]:
    """The next assembly and the last decisions, on the cooperative's front page."""
    shown = front_page(session, cooperative)
    if not shown.coming and not shown.past:
        return []
    return [
        FrontSection(
            _("Assemblies"),
            "assemblies/_front.html",
            {"coming": shown.coming, "past": shown.past, "cooperative": cooperative},
            order=20,
        )
    ]


# -- on the pages of elections ----------------------------------------------------------------


def outcome_views(session: Session, election: Election) -> list[slots.OutcomeView]:
    """What each question's result means, for the page of the result."""
    return [_as_view(outcome) for outcome in outcomes_of_election(session, election)]


def _as_view(outcome: RecordedOutcome) -> slots.OutcomeView:
    text = explain(outcome)
    return slots.OutcomeView(
        question_key=outcome.resolution.question_key,
        label=text.label,
        sentence=text.sentence,
        tone=text.tone,
        threshold=float(text.threshold) if text.threshold is not None else None,
        citation=text.rule,
        mark=text.mark,
        details=text.details,
        quorum=_as_gauge(text),
        elected=_winners(outcome),
        digest=text.digest,
    )


def _as_gauge(text: OutcomeText) -> slots.QuorumGauge | None:
    quorum = text.quorum
    if quorum is None:
        return None
    label = _("Quorum, in issued shares") if quorum.in_shares else _("Quorum, in members")
    return slots.QuorumGauge(
        quorum.present, quorum.total, quorum.needed or 0, label, quorum.sentence
    )


def _winners(outcome: RecordedOutcome) -> tuple[int, ...]:
    elected = set(outcome.data.get("elected", ()))
    return tuple(
        number
        for number, candidate in enumerate(outcome.resolution.candidates)
        if candidate.public_id in elected
    )


def question_documents(
    session: Session, question: ElectionQuestion
) -> Sequence[slots.QuestionDocument]:
    """The text of the resolution and the documents of its agenda item, beside the question."""
    resolution = session.scalar(select(Resolution).where(Resolution.public_id == question.key))
    if resolution is None:
        return []
    item = resolution.item
    page = _page(item.assembly)
    found = []
    if any(resolution.texts.values()) or resolution.is_about_people:
        name = (
            _("The candidates and what they say")
            if resolution.is_about_people
            else _("Text of the resolution")
        )
        found.append(slots.QuestionDocument(name, f"{page}#resolution-{resolution.public_id}"))
    for document in item.documents:
        href = flask.url_for(
            "assemblies.document", public_id=document.public_id, filename=document.filename
        )
        found.append(slots.QuestionDocument(document.title, href, document.size, document.digest))
    return found


def way_back(session: Session, election: Election) -> list[slots.ContextLink]:
    """The assembly that an election belongs to."""
    assembly = assembly_of_election(session, election.id)
    if assembly is None or not assembly.is_public:
        return []
    return [slots.ContextLink(local_text(assembly.titles), _page(assembly))]


def _page(assembly: Assembly) -> str:
    return flask.url_for(
        "assemblies.show", cooperative=assembly.cooperative.code, slug=assembly.slug
    )
