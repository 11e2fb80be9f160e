"""The pages of assemblies in a real browser, on a telephone and at a desk, in two languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from govern.access import SYSTEM, Role
from govern.assemblies import services
from govern.assemblies.services import CandidateInput, ItemInput, ResolutionInput
from tests.assemblies.conftest import an_assembly
from tests.assemblies.test_elections import (  # noqa: F401
    VOTE,
    agenda,
    by_shares,
    held,
    holding,
    vote,
)
from tests.browser import DESK, TELEPHONE, check_page, press

pytestmark = pytest.mark.browser

PASSWORD = "four quiet herons walk"
SIZES = [(TELEPHONE, "fr"), (DESK, "en")]
LONG = {
    "fr": "Approbation des comptes annuels 2017, affectation du résultat et décharge des "
    "administratrices et administrateurs",
    "en": "Approval of the annual accounts 2017, allocation of the result and discharge of the "
    "directors",
}
TEXT = {
    "fr": "L’assemblée **approuve** :\n\n1. les comptes ;\n2. la décharge.\n\n"
    "| Poste | € |\n|-|-|\n| Réserve | 1 234 567 |",
    "en": "The assembly **approves**:\n\n1. the accounts;\n2. the discharge.",
}


@pytest.fixture
def officers(session, clock, cooperative, make_account):
    """One person who is both secretary and returning officer, with a password."""
    account = make_account(
        "Sam Secretary", email="sam@example.org", password=PASSWORD,
        roles=[(cooperative, Role.SECRETARY), (cooperative, Role.RETURNING_OFFICER)],
    )  # fmt: skip
    return {"secretary": account, "officer": account}


def enter(page, server, identifier="sam@example.org"):
    page.goto(f"{server}/sign-in")
    page.fill("#identifier", identifier)
    page.fill("#password", PASSWORD)
    press(page, "form[action='/sign-in'] .button.primary")


def furnish(session, secretary, assembly):
    """Everything that an agenda can hold."""
    item = services.add_item(
        session, secretary, assembly,
        ItemInput("decision", LONG, TEXT, duration_minutes=20, presented_by="Conseil"),
    )  # fmt: skip
    services.add_resolution(session, secretary, item, ResolutionInput(LONG, "statutes", TEXT))
    services.add_item(
        session, secretary, assembly, ItemInput("workshop", {"fr": "Atelier"}), under=item
    )
    board = services.add_item(session, secretary, assembly, ItemInput("election", {"fr": "CA"}))
    services.add_resolution(
        session, secretary, board,
        ResolutionInput(
            {"fr": "Conseil d’administration", "en": "Board"}, "ordinary", seats=2,
            candidates=[CandidateInput("Ann", {"fr": "Je **veux**."}), CandidateInput("Bob")],
        ),
    )  # fmt: skip
    services.add_document(
        session, secretary, assembly, title="Rapport annuel 2017", language="fr", item=item,
        filename="un-nom-de-fichier-extraordinairement-long-pour-un-rapport-annuel-2017.pdf",
        content=b"%PDF-1.7\n%%EOF\n",
    )  # fmt: skip
    services.add_document(
        session, secretary, assembly, title="Statuts", filename="s.txt", content=b"Art. 1"
    )


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_the_secretary_prepares_an_assembly(
    live_server, open_page, session, clock, cooperative, secretary, officers, make_member, width,
    language, run_jobs,
):  # fmt: skip
    cooperative.email = "assemblee@smartcoop.example.org"
    officers["secretary"].language = language
    make_member("Ana")
    make_member("Bob", email=None)
    session.commit()
    page = open_page(width=width, language=language)
    enter(page, live_server)
    base = f"{live_server}/smartcoop/assemblies"
    check_page(page, base, name="list-empty")
    check_page(page, f"{base}/new", name="new")

    # What is refused comes back with what was typed.
    page.fill("#titles_fr", "Assemblée / générale")
    page.fill("#starts_on", "2018-06-19")
    page.fill("#starts_time", "17:00")
    page.fill("#record_date", "2018-06-01")
    page.fill("#place", "Rue Émile Féron 70\n1060 Bruxelles")
    press(page, "main .button.primary")
    check_page(page, name="new-refused")
    assert page.input_value("#titles_fr") == "Assemblée / générale"
    page.fill("#titles_fr", "Assemblée générale 2018")
    press(page, "main .button.primary")
    page.wait_for_url("**/assemblies/2018-06-19/agenda")
    check_page(page, name="agenda-empty")

    page.goto(f"{base}/2018-06-19/agenda/new")
    page.fill("#titles_fr", "Comptes annuels")
    check_page(page, name="item-new")
    press(page, "main .button.primary")
    page.wait_for_url("**/resolutions/new")
    check_page(page, name="resolution-new")
    press(page, "main .button.primary")
    page.wait_for_url("**/2018-06-19/agenda")
    assembly = services.find_assembly(session, cooperative, "2018-06-19")
    furnish(session, secretary, assembly)
    board = services.resolutions_of(assembly)[-1].public_id
    session.commit()
    check_page(page, f"{base}/2018-06-19/agenda", name="agenda")
    # By keyboard: the second item goes up, and the focus is brought back to it.
    page.locator("article", has_text="2. ").first.locator("button[value=up]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#item-*")
    assert page.locator("article h2").first.inner_text().startswith(("1. Approb", "1. Approv"))
    check_page(page, f"{base}/2018-06-19/resolutions/{board}/edit", name="people")
    check_page(page, f"{base}/2018-06-19/resolutions/{board}/candidates/new", name="candidate")
    check_page(page, f"{base}/2018-06-19/documents", name="documents")
    check_page(page, f"{base}/2018-06-19/publish", name="publish")
    check_page(page, f"{base}/2018-06-19/cancel", name="cancel")
    page.goto(f"{base}/2018-06-19/publish")
    press(page)
    page.wait_for_url("**/notice")
    check_page(page, name="notice-plan")
    clock.set(datetime(2018, 6, 8, 10, 0, tzinfo=UTC))
    enter(page, live_server)
    check_page(page, f"{base}/2018-06-19/notice", name="notice-late")
    page.fill("#override_reason", "Le rapport du réviseur est arrivé avec deux jours de retard.")
    press(page, "main form .button.danger")
    check_page(page, name="notice-running")
    run_jobs()
    session.commit()
    # The page follows the work by itself, and comes back to itself when it is done.
    page.wait_for_selector(".progress", state="detached")
    check_page(page, f"{base}/2018-06-19/notice", name="notice-sent")
    check_page(page, f"{base}/2018-06-19/roll", name="roll-none")
    press(page)
    check_page(page, name="roll-draft")
    press(page, "main .confirm .button.primary")
    check_page(page, name="roll-frozen")
    check_page(page, f"{base}/2018-06-19/vote", name="vote")
    check_page(page, f"{base}/2018-06-19", name="show-officer")
    check_page(page, f"{live_server}/account/calendar", name="calendar-none")
    press(page)
    check_page(page, name="calendar")


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_member_meets_a_decided_assembly(
    live_server, open_page, session, agenda, held, holding, cooperative, secretary,  # noqa: F811
    width, language,
):  # fmt: skip
    by_shares(session, held, 6, 5, 1, 2)
    account = holding.account_of(held.voters[0])
    voters = list(held.voters)
    session.commit()
    page = open_page(width=width, language=language)
    check_page(page, f"{live_server}/smartcoop/assemblies/2018-06-19", name="show-open")
    held.voters = voters
    vote(held, ("f", "f", {0, 1}), ("f", "a", {0}), ("a", "f", {1, 2}), ("x", "x", set()))
    holding.published(held)
    services.hold_assembly(session, SYSTEM, agenda)
    later = an_assembly(
        starts_at=agenda.starts_at + timedelta(days=30), record_date=date(2018, 7, 1),
        objection_deadline=None,
    )  # fmt: skip
    coming = services.create_assembly(session, secretary, cooperative, later)
    furnish(session, secretary, coming)
    services.publish_assembly(session, secretary, coming)
    session.commit()
    check_page(page, f"{live_server}/smartcoop/assemblies/2018-06-19", name="show-decided")
    check_page(page, f"{live_server}/smartcoop/assemblies", name="list")
    check_page(page, f"{live_server}/smartcoop/", name="front")
    check_page(page, f"{live_server}/elections/{held.election.public_id}", name="election")
    assert account.id


def test_a_decided_assembly_in_the_dark(live_server, open_page, session, secretary, published):
    furnish_again = services.find_assembly(session, published.cooperative, published.slug)
    furnish(session, secretary, furnish_again)
    session.commit()
    page = open_page(width=TELEPHONE, language="en", scheme="dark")
    check_page(page, f"{live_server}/smartcoop/assemblies/2018-06-19", name="show-dark")
