"""Planning an assembly and taking it through its states."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from govern.access import NOBODY
from govern.assemblies import services
from govern.assemblies.services import ItemInput
from govern.assemblies.services.editing import assembly_revision
from govern.audit import AuditEntry, verify_chain
from govern.cooperatives.models import CooperativeStatus
from govern.errors import Conflict, ForbiddenTransition, InvalidInput, RuleViolation, SignInRequired
from tests.assemblies.conftest import an_assembly


def test_the_address_names_the_local_day_of_the_assembly(session, secretary, cooperative, clock):
    # 23:30 in Brussels on the 18th is still the 18th, though it is 21:30 in Greenwich.
    late = datetime(2018, 6, 18, 21, 30, tzinfo=UTC)
    assembly = services.create_assembly(
        session, secretary, cooperative, an_assembly(starts_at=late)
    )
    assert assembly.slug == "2018-06-18"
    just_after_midnight = datetime(2018, 6, 18, 22, 30, tzinfo=UTC)
    other = services.create_assembly(
        session, secretary, cooperative, an_assembly(starts_at=just_after_midnight)
    )
    assert other.slug == "2018-06-19"


def test_two_assemblies_on_one_day_have_two_addresses(session, secretary, cooperative, draft):
    second = services.create_assembly(session, secretary, cooperative, an_assembly())
    assert second.slug == "2018-06-19-2"


def test_a_cooperative_on_hold_convenes_nothing(session, secretary, cooperative, draft):
    cooperative.status = CooperativeStatus.ON_HOLD.value
    with pytest.raises(RuleViolation, match="on hold"):
        services.create_assembly(session, secretary, cooperative, an_assembly())
    with pytest.raises(RuleViolation, match="on hold"):
        services.publish_assembly(session, secretary, draft)


def test_only_the_secretary_plans_assemblies(session, officer, cooperative, clock):
    with pytest.raises(Exception, match="role"):
        services.create_assembly(session, officer, cooperative, an_assembly())
    with pytest.raises(SignInRequired):
        services.create_assembly(session, NOBODY, cooperative, an_assembly())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "party"}, "kind"),
        ({"mode": "by telepathy"}, "mode"),
        ({"titles": {}}, "titles-fr"),
        ({"titles": {"fr": "x" * 301}}, "titles-fr"),
        ({"titles": {"fr": "Un / deux"}}, "titles-fr"),
        ({"introductions": {"nl": "x" * 20_001}}, "introductions-nl"),
        ({"introductions": {"nl": "a\x00b"}}, "introductions-nl"),
        ({"languages": []}, "languages"),
        ({"languages": ["fr", "it"]}, "languages"),
        ({"ends_at": datetime(2018, 6, 19, 14, 0, tzinfo=UTC)}, "ends_at"),
        ({"record_date": date(2018, 6, 20)}, "record_date"),
        ({"objection_deadline": date(2018, 5, 31)}, "objection_deadline"),
        ({"objection_deadline": date(2018, 6, 20)}, "objection_deadline"),
        ({"place": "x" * 1001}, "place"),
        ({"links": [{"kind": "stream", "url": "javascript:alert(1)"}]}, "links-0-url"),
        ({"links": [{"kind": "stream", "url": "https://["}]}, "links-0-url"),
        ({"links": [{"kind": "spam", "url": "https://example.org"}]}, "links-0-kind"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    session, secretary, cooperative, clock, changes, field
):
    with pytest.raises(InvalidInput) as refused:
        services.create_assembly(session, secretary, cooperative, an_assembly(**changes))
    assert refused.value.field == field
    assert refused.value.remedy


def test_two_people_who_edit_at_once_do_not_overwrite_each_other(session, secretary, draft):
    seen = assembly_revision(draft)
    services.edit_assembly(session, secretary, draft, an_assembly(place="Gent"), seen=seen)
    with pytest.raises(Conflict, match="Somebody else"):
        services.edit_assembly(session, secretary, draft, an_assembly(place="Liège"), seen=seen)
    assert draft.place == "Gent"


def test_a_draft_that_moves_to_another_day_gets_another_address(session, secretary, draft):
    given = an_assembly(starts_at=datetime(2018, 6, 26, 15, 0, tzinfo=UTC))
    services.edit_assembly(session, secretary, draft, given)
    assert draft.slug == "2018-06-26"


def test_the_day_of_a_published_assembly_stays(session, secretary, published):
    given = an_assembly(starts_at=datetime(2018, 6, 26, 15, 0, tzinfo=UTC))
    with pytest.raises(RuleViolation, match="day of a published"):
        services.edit_assembly(session, secretary, published, given)
    services.edit_assembly(
        session, secretary, published,
        an_assembly(starts_at=datetime(2018, 6, 19, 16, 0, tzinfo=UTC)),
    )  # fmt: skip
    assert published.starts_at.hour == 16


def test_an_empty_draft_cannot_be_published(session, secretary, cooperative, clock):
    assembly = services.create_assembly(session, secretary, cooperative, an_assembly(place=""))
    with pytest.raises(RuleViolation) as refused:
        services.publish_assembly(session, secretary, assembly)
    assert "agenda is empty" in refused.value.remedy
    assert "where the assembly" in refused.value.remedy


def test_an_assembly_that_has_begun_cannot_be_published(session, secretary, draft, clock):
    clock.set(draft.starts_at)
    with pytest.raises(RuleViolation) as refused:
        services.publish_assembly(session, secretary, draft)
    assert "already have begun" in refused.value.remedy


def test_an_election_of_people_without_candidates_cannot_be_published(session, secretary, draft):
    item = services.add_item(session, secretary, draft, ItemInput("election", {"fr": "CA"}))
    services.add_resolution(
        session, secretary, item, services.ResolutionInput({"fr": "CA"}, "ordinary", seats=2)
    )
    with pytest.raises(RuleViolation) as refused:
        services.publish_assembly(session, secretary, draft)
    assert "no candidates" in refused.value.remedy


def test_publishing_twice_is_publishing_once(session, secretary, published):
    before = published.published_at
    services.publish_assembly(session, secretary, published)
    tags = [entry.tag for entry in session.query(AuditEntry)]
    assert published.published_at == before
    assert tags.count("assemblies:assembly:published") == 1
    verify_chain(session)


def test_an_assembly_is_held_only_after_it_began(session, secretary, published, clock):
    with pytest.raises(RuleViolation, match="not begun"):
        services.hold_assembly(session, secretary, published)
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    services.close_assembly(session, secretary, published)
    assert published.state == "closed"


def test_a_held_assembly_cannot_be_cancelled(session, secretary, published, clock):
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    with pytest.raises(ForbiddenTransition):
        services.cancel_assembly(session, secretary, published, "We changed our mind")


def test_a_cancellation_needs_a_reason_that_members_can_read(session, secretary, published):
    with pytest.raises(InvalidInput, match="reason"):
        services.cancel_assembly(session, secretary, published, "  ")
    services.cancel_assembly(session, secretary, published, "The hall burnt down.")
    assert (published.state, published.is_public) == ("cancelled", True)


def test_nothing_of_a_closed_assembly_can_be_edited(session, secretary, published, clock):
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    with pytest.raises(RuleViolation, match="can no longer be changed"):
        services.edit_assembly(session, secretary, published, an_assembly(place="Gent"))


def test_a_second_assembly_follows_one_that_was_held(session, secretary, cooperative, published,
                                                     clock):  # fmt: skip
    later = an_assembly(
        starts_at=datetime(2018, 7, 10, 15, 0, tzinfo=UTC),
        record_date=date(2018, 6, 30),
        objection_deadline=None,
        second_of_id=published.id,
    )
    with pytest.raises(InvalidInput) as refused:
        services.create_assembly(session, secretary, cooperative, later)
    assert refused.value.field == "second_of"
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    second = services.create_assembly(session, secretary, cooperative, later)
    assert second.second_of == published
    with pytest.raises(Conflict, match="already has a second"):
        services.create_assembly(session, secretary, cooperative, later)


def test_an_assembly_of_another_cooperative_is_never_the_first_of_ours(
    session, secretary, make_cooperative, published, clock
):
    clock.set(published.starts_at)
    services.hold_assembly(session, secretary, published)
    other = make_cooperative("smartfr", "Smart France")
    foreign = replace(secretary, roles={other.id: next(iter(secretary.roles.values()))})
    given = an_assembly(
        starts_at=datetime(2018, 7, 10, 15, 0, tzinfo=UTC),
        record_date=date(2018, 6, 30),
        objection_deadline=None,
        second_of_id=published.id,
    )
    with pytest.raises(InvalidInput):
        services.create_assembly(session, foreign, other, given)
