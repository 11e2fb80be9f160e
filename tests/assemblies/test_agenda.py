"""The agenda: a tree that is moved one step at a time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govern.assemblies import services
from govern.assemblies.models import AgendaItem, Document, DocumentContent
from govern.assemblies.services import CandidateInput, ItemInput, ResolutionInput
from govern.assemblies.services.agenda import MOVES, agenda_list, item_revision, removal_of
from govern.errors import Conflict, InvalidInput, RuleViolation


@pytest.fixture
def plain(session, secretary, draft):
    """The draft with four plain items A to D after its decision."""
    for name in "ABCD":
        services.add_item(session, secretary, draft, ItemInput("information", {"fr": name}))
    return draft


def outline(session, assembly):
    session.expire(assembly, ["items"])
    return [f"{node.number} {node.item.titles['fr']}" for node in agenda_list(assembly)]


def item(assembly, name):
    return next(one for one in assembly.items if one.titles["fr"] == name)


def move(session, secretary, assembly, name, *steps):
    for step in steps:
        services.move_item(session, secretary, item(assembly, name), step)
    return outline(session, assembly)


def test_items_stand_in_the_order_in_which_they_were_added(session, plain):
    assert outline(session, plain) == ["1 Comptes annuels", "2 A", "3 B", "4 C", "5 D"]


def test_an_item_moves_up_and_down(session, secretary, plain):
    assert move(session, secretary, plain, "B", "up") == [
        "1 Comptes annuels", "2 B", "3 A", "4 C", "5 D"]  # fmt: skip
    assert move(session, secretary, plain, "B", "down")[2] == "3 B"


def test_an_item_moves_in_below_the_one_before_and_out_after_it(session, secretary, plain):
    assert move(session, secretary, plain, "B", "in")[1:4] == ["2 A", "2.1 B", "3 C"]
    assert move(session, secretary, plain, "C", "in")[1:4] == ["2 A", "2.1 B", "2.2 C"]
    assert move(session, secretary, plain, "B", "out")[1:4] == ["2 A", "2.1 C", "3 B"]


def test_what_hangs_below_an_item_moves_with_it(session, secretary, plain):
    move(session, secretary, plain, "B", "in")
    assert move(session, secretary, plain, "A", "up")[:2] == ["1 A", "1.1 B"]


def test_the_first_item_cannot_go_up_and_the_last_not_down(session, secretary, plain):
    for name, step in (("Comptes annuels", "up"), ("D", "down"), ("A", "out")):
        with pytest.raises(Conflict, match="cannot be moved"):
            services.move_item(session, secretary, item(plain, name), step)


def test_items_nest_three_deep_and_no_deeper(session, secretary, plain):
    move(session, secretary, plain, "B", "in")
    move(session, secretary, plain, "C", "in", "in")
    assert outline(session, plain)[1:4] == ["2 A", "2.1 B", "2.1.1 C"]
    move(session, secretary, plain, "D", "in", "in")
    with pytest.raises(Conflict):
        services.move_item(session, secretary, item(plain, "D"), "in")
    with pytest.raises(RuleViolation, match="nest"):
        services.add_item(
            session, secretary, plain, ItemInput("information", {"fr": "E"}), under=item(plain, "C")
        )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(MOVES)), max_size=8))
def test_however_items_are_moved_none_is_lost_and_the_numbers_follow(
    session, secretary, plain, steps
):
    for name, step in steps:
        try:
            services.move_item(session, secretary, item(plain, name), step)
        except Conflict:
            continue
    shown = outline(session, plain)
    assert sorted(line.split(" ", 1)[1] for line in shown) == [
        "A",
        "B",
        "C",
        "Comptes annuels",
        "D",
    ]
    numbers = [tuple(map(int, line.split(" ")[0].split("."))) for line in shown]
    assert numbers == sorted(numbers)
    assert max(map(len, numbers)) <= 3


def test_removing_an_item_removes_what_is_below_it_and_its_documents(session, secretary, plain):
    move(session, secretary, plain, "B", "in")
    services.add_document(
        session, secretary, plain, title="Note", filename="n.txt", content=b"read me",
        item=item(plain, "B"),
    )  # fmt: skip
    removal = removal_of(plain, item(plain, "A"))
    assert (removal.items, removal.resolutions, removal.documents) == (2, 0, 1)
    services.remove_item(session, secretary, item(plain, "A"))
    assert outline(session, plain) == ["1 Comptes annuels", "2 C", "3 D"]
    assert session.query(Document).count() == 0


def test_the_content_of_a_removed_document_goes_when_nobody_else_uses_it(session, secretary, draft):
    one = services.add_document(
        session, secretary, draft, title="A", filename="a.txt", content=b"same"
    )
    other = services.add_document(
        session, secretary, draft, title="B", filename="b.txt", content=b"same", language="fr"
    )
    services.remove_document(session, secretary, one)
    assert session.query(DocumentContent).count() == 1
    services.remove_document(session, secretary, other)
    assert session.query(DocumentContent).count() == 0


def test_two_people_who_edit_an_item_at_once_do_not_overwrite_each_other(session, secretary, draft):
    row = draft.items[0]
    seen = item_revision(row)
    services.edit_item(session, secretary, row, ItemInput("decision", {"fr": "Un"}), seen=seen)
    with pytest.raises(Conflict):
        services.edit_item(
            session, secretary, row, ItemInput("decision", {"fr": "Deux"}), seen=seen
        )


def test_only_decisions_and_elections_are_voted_on(session, secretary, plain):
    with pytest.raises(RuleViolation, match="voted on"):
        services.add_resolution(
            session, secretary, item(plain, "A"), ResolutionInput({"fr": "x"}, "ordinary")
        )


def test_a_decision_with_a_resolution_stays_a_decision(session, secretary, draft):
    with pytest.raises(RuleViolation, match="carry"):
        services.edit_item(
            session, secretary, draft.items[0], ItemInput("information", {"fr": "Comptes"})
        )


def test_a_resolution_needs_a_majority_that_the_rules_know(session, secretary, draft):
    with pytest.raises(InvalidInput) as refused:
        services.add_resolution(
            session, secretary, draft.items[0], ResolutionInput({"fr": "x"}, "by-acclamation")
        )
    assert refused.value.field == "majority_rule"


@pytest.fixture
def people(session, secretary, draft):
    """An election of two people among three candidates."""
    row = services.add_item(session, secretary, draft, ItemInput("election", {"fr": "CA"}))
    resolution = services.add_resolution(
        session, secretary, row,
        ResolutionInput(
            {"fr": "Conseil d’administration"}, "ordinary", seats=2,
            candidates=[CandidateInput(name) for name in ("Ann", "Bob", "Cem")],
        ),
    )  # fmt: skip
    return resolution


def names(session, resolution):
    session.expire(resolution, ["candidates"])
    return [one.name for one in resolution.candidates]


def test_candidates_keep_their_order_and_their_identity(session, secretary, people):
    bob = people.candidates[1].public_id
    services.put_candidate(
        session, secretary, people, CandidateInput("Bob B.", {"fr": "Je…"}, public_id=bob)
    )
    services.put_candidate(session, secretary, people, CandidateInput("Dee"))
    assert names(session, people) == ["Ann", "Bob B.", "Cem", "Dee"]
    assert people.candidates[1].public_id == bob
    services.remove_candidate(session, secretary, people, bob)
    assert names(session, people) == ["Ann", "Cem", "Dee"]


def test_nobody_stands_twice(session, secretary, people):
    with pytest.raises(InvalidInput, match="twice"):
        services.put_candidate(session, secretary, people, CandidateInput("  ANN "))


def test_a_candidate_of_another_list_cannot_be_taken_over(session, secretary, draft, people):
    other = services.add_resolution(
        session, secretary, people.item,
        ResolutionInput({"fr": "Comité"}, "ordinary", seats=1, candidates=[CandidateInput("Eve")]),
    )  # fmt: skip
    services.put_candidate(
        session, secretary, people, CandidateInput("Eve", public_id=other.candidates[0].public_id)
    )
    assert names(session, other) == ["Eve"]
    assert names(session, people) == ["Ann", "Bob", "Cem", "Eve"]


def test_an_election_of_people_says_how_many_seats(session, secretary, people):
    for seats in (None, 0, 101):
        with pytest.raises(InvalidInput) as refused:
            services.edit_resolution(
                session, secretary, people, ResolutionInput({"fr": "CA"}, "ordinary", seats=seats)
            )
        assert refused.value.field == "seats"


def test_a_resolution_can_be_removed(session, secretary, draft):
    services.remove_resolution(session, secretary, draft.items[0].resolutions[0])
    assert draft.items[0].resolutions == []
    assert session.query(AgendaItem).count() == 1
