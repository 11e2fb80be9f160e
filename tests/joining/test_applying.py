"""What a stranger learns, and what the registrar sees: forms, mails, likenesses."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from govern import jobs
from govern.access import SYSTEM
from govern.errors import Conflict, InvalidInput, NotFound, RuleViolation
from govern.joining.models import Application, Statutes
from govern.joining.rules import MAILS_PER_ADDRESS, ApplicationState, Hold
from govern.joining.services import applying, deciding
from govern.joining.services.likeness import Sign, find_likenesses, needs_decision
from govern.joining.services.statutes import add_statutes, add_statutes_text
from govern.mail.models import OutboxMail
from govern.register.models import EndReason, MemberKind, Membership, Person
from govern.register.services.holdings import holding_of
from govern.register.services.members import end_membership
from tests.joining.conftest import TODAY, mails_of, text_of

BORN = date(1980, 5, 4)


def keys(session):
    return mails_of(session, "joining:answer")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"shares": 0}, "shares"),
        ({"shares": 11}, "shares"),
        ({"category": "Q"}, "category"),
        ({"consents": False}, "consents"),
        ({"email": "not an address"}, "email"),
        ({"birth_date": date(2018, 6, 2)}, "birth_date"),
        ({"given_name": " "}, "given_name"),
        ({"share_class": "preferred"}, "share_class"),
    ],
)
def test_a_form_says_which_field_is_wrong(session, submit, set_joining, wrong, field):
    set_joining(maximum_shares=10)
    with pytest.raises(InvalidInput) as caught:
        submit(**wrong)
    assert caught.value.field == field
    assert caught.value.remedy


def test_an_organisation_needs_an_enterprise_number_whose_check_digits_fit(session, submit):
    firm = {
        "kind": MemberKind.LEGAL,
        "organisation_name": "Firm",
        "representative_given_name": "Rik",
        "representative_family_name": "Claes",
    }
    with pytest.raises(InvalidInput) as caught:
        submit(enterprise_number="0403.170.702", **firm)
    assert caught.value.field == "enterprise_number"
    assert submit(enterprise_number="BE 0403.170.701", **firm).enterprise_number == "0403170701"


def test_the_version_and_digest_that_were_agreed_to_are_kept(session, cooperative, submit):
    application = submit()
    assert application.statutes.version == "2017"
    assert application.statutes_language == "en"
    later = add_statutes(
        session,
        SYSTEM,
        cooperative,
        version="2018",
        adopted_on=date(2018, 5, 31),
        texts={"en": b"Article 2"},
    )
    session.commit()
    with pytest.raises(Conflict) as caught:
        submit()
    assert caught.value.field == "consents"
    assert submit(statutes_digest=later.texts[0].digest).statutes_id == later.id
    assert application.statutes.version == "2017"


def test_recorded_statutes_cannot_be_changed(session, cooperative, statutes, both_databases):
    import sqlalchemy as sa

    with pytest.raises(Conflict):
        add_statutes_text(session, SYSTEM, statutes, "fr", b"Autre chose")
    add_statutes_text(session, SYSTEM, statutes, "nl", b"Artikel 1")
    session.commit()
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        session.execute(sa.update(Statutes).values(version="2019"))
    session.rollback()


def test_a_known_member_gets_another_mail_and_nothing_to_confirm(
    session, cooperative, submit, make_member, run_jobs
):
    member = make_member("Ana", "Sample", email="ana@example.org")
    application = submit()
    run_jobs()
    assert keys(session) == ["joining:answer"]
    assert member.member_number in text_of(session, "answer")
    assert "join/confirm" not in text_of(session, "answer")
    assert application.state == ApplicationState.UNCONFIRMED.value


def test_the_request_does_the_same_work_whoever_is_meant(session, cooperative, submit, make_member):
    """Nothing but one row and one job: the rest is the job's."""
    import sqlalchemy as sa

    counts = []
    make_member("Ana", "Sample", email="ana@example.org")
    for email in ("ana@example.org", "stranger@example.org"):
        statements = []

        def note(_c, _cursor, statement, *_more, into=statements):
            into.append(statement.split("(")[0])

        engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", note)
        submit(email=email)
        sa.event.remove(engine, "before_cursor_execute", note)
        counts.append(statements)
    assert counts[0] == counts[1]
    assert not any("membership" in statement for statement in counts[0])


def test_two_people_who_share_an_address_are_two_people(session, submit, make_member, token_of):
    make_member("Otto", "Sample", email="ana@example.org", birth_date=date(1975, 1, 1))
    assert token_of(submit())


def test_whoever_applies_twice_is_led_to_the_first_application(
    session, cooperative, apply_for, submit, run_jobs
):
    first = apply_for()
    second = submit()
    run_jobs()
    assert f"join/application/{first.public_id}" in text_of(session, "answer")
    assert second.state == ApplicationState.UNCONFIRMED.value


def test_two_links_of_one_person_make_one_application(
    session, cooperative, submit, token_of, account
):
    first, second = (token_of(submit()) for _ in range(2))
    applying.confirm_application(session, cooperative, first)
    session.commit()
    with pytest.raises(Conflict):
        applying.confirm_application(session, cooperative, second)


def test_an_address_gets_only_so_many_mails_an_hour(session, submit, run_jobs):
    for number in range(MAILS_PER_ADDRESS + 2):
        submit(given_name=f"Ana{number}")
    run_jobs()
    assert len(keys(session)) == MAILS_PER_ADDRESS


def test_answering_twice_sends_one_mail(session, submit, run_jobs):
    application = submit()
    run_jobs()
    token = application.email_token_hash
    applying.answer_application(session, application.id)
    session.commit()
    assert (application.email_token_hash, len(keys(session))) == (token, 1)


def test_what_nobody_confirms_is_deleted_after_two_days(
    session, submit, token_of, clock, cooperative
):
    token = token_of(submit())
    clock.advance(hours=49)
    with pytest.raises(NotFound):
        applying.read_confirmation(session, cooperative, token)
    jobs.tick()
    assert session.scalar(select(Application.id)) is None


# -- who it is --------------------------------------------------------------------------------


def test_the_registrar_says_who_it_is_before_anybody_alike_is_accepted(
    session, apply_for, make_member
):
    make_member("Ana", "Sample", birth_date=BORN)
    application = apply_for()
    (alike,) = find_likenesses(session, application)
    assert alike.signs == {Sign.NAME_AND_BIRTH}
    with pytest.raises(RuleViolation):
        deciding.accept_application(session, _registrar(session), application)


def _registrar(session):
    from govern.access import Actor, Role

    return Actor(account_id=1, roles={1: frozenset({Role.REGISTRAR})})


def test_the_same_name_without_a_birth_date_is_shown_but_stops_nothing(
    session, apply_for, make_member
):
    make_member("Ana", "Sample")
    application = apply_for()
    likenesses = find_likenesses(session, application)
    assert [item.signs for item in likenesses] == [{Sign.NAME}]
    assert not needs_decision(likenesses)


def test_a_former_member_becomes_one_again_under_the_same_person(
    session, apply_for, make_member, pay
):
    old = make_member("Ana", "Sample", birth_date=BORN)
    end_membership(session, SYSTEM, old, date(2018, 5, 1), EndReason.RESIGNATION)
    application = apply_for()
    (alike,) = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    deciding.accept_application(session, SYSTEM, application)
    session.commit()
    pay(application.request, 3000)
    again = session.scalars(select(Membership).order_by(Membership.id.desc())).first()
    assert (again.person_id, again.joined_on) == (old.person_id, TODAY)
    assert again.member_number != old.member_number
    assert len(session.scalars(select(Person)).all()) == 1
    third = apply_for(email="ana.new@example.org")
    (alike,) = find_likenesses(session, third)
    assert (alike.membership.id, alike.is_current) == (again.id, True)


def test_a_present_member_gets_the_shares_on_the_same_membership(
    session, apply_for, make_member, pay
):
    member = make_member("Ana", "Sample", birth_date=BORN)
    application = apply_for(shares=2)
    (alike,) = find_likenesses(session, application)
    deciding.choose_identity(session, SYSTEM, application, alike.key)
    deciding.accept_application(session, SYSTEM, application)
    session.commit()
    pay(application.request, 6000)
    assert application.membership_id == member.id
    assert holding_of(session, member.id).paid == 3
    assert len(session.scalars(select(Membership)).all()) == 1


def test_acceptance_by_itself_tells_nothing_and_waits_with_the_money(
    session, apply_for, make_member, pay, set_joining
):
    set_joining(acceptance="automatic")
    make_member("Ana", "Sample", birth_date=BORN)
    application = apply_for()
    assert application.status is ApplicationState.ACCEPTED
    pay(application.request, 3000)
    assert (application.status, application.hold) == (
        ApplicationState.ACCEPTED,
        Hold.LIKENESS.value,
    )
    deciding.choose_identity(session, SYSTEM, application, "else")
    session.commit()
    assert application.status is ApplicationState.ADMITTED
    assert application.membership.joined_on == TODAY
    assert len(session.scalars(select(Person)).all()) == 2


# -- time -------------------------------------------------------------------------------------


def test_an_unpaid_applicant_is_reminded_once_and_then_the_application_ends(
    session, apply_for, clock
):
    application = apply_for()
    deciding.accept_application(session, SYSTEM, application)
    session.commit()
    clock.advance(days=23)
    jobs.tick()
    jobs.tick()
    assert mails_of(session).count("joining:reminder") == 1
    clock.advance(days=7)
    jobs.tick()
    session.expire_all()
    assert application.status is ApplicationState.ACCEPTED
    clock.advance(days=1)
    jobs.tick()
    session.expire_all()
    assert application.status is ApplicationState.EXPIRED
    assert application.request.state == "cancelled"
    first = application.request.reference
    deciding.reopen_application(session, SYSTEM, application)
    session.commit()
    assert application.request.is_open
    assert application.request.reference != first
    clock.advance(days=32)
    jobs.tick()
    session.expire_all()
    assert application.status is ApplicationState.EXPIRED
    clock.advance(days=184)
    jobs.tick()
    session.expire_all()
    assert (application.name, application.email, application.birth_date) == ("", "", None)


# -- the board --------------------------------------------------------------------------------


def test_the_board_decides_about_a_list_at_once(
    session, cooperative, apply_for, set_joining, clock
):
    set_joining(acceptance="board")
    rows = [apply_for(email=f"a{n}@example.org", given_name=f"Ana{n}") for n in range(3)]
    clock.advance(days=10)
    decision = deciding.record_board_decision(
        session,
        SYSTEM,
        cooperative,
        decided_on=date(2018, 6, 8),
        reference="Board of 8 June, item 4",
        verdicts=[
            deciding.Verdict(rows[0], True),
            deciding.Verdict(rows[1], False, "Not in our field of work."),
        ],
    )
    session.commit()
    assert [row.state for row in rows] == ["accepted", "refused", "confirmed"]
    assert rows[0].accepted_on == date(2018, 6, 8)
    assert rows[1].decision_id == decision.id


def test_a_decision_that_fails_for_one_application_changes_none(
    session, cooperative, apply_for, set_joining
):
    set_joining(acceptance="board")
    rows = [apply_for(email=f"a{n}@example.org", given_name=f"Ana{n}") for n in range(2)]
    with pytest.raises(InvalidInput):
        deciding.record_board_decision(
            session,
            SYSTEM,
            cooperative,
            decided_on=TODAY,
            reference="Board",
            verdicts=[deciding.Verdict(rows[0], True), deciding.Verdict(rows[1], False, "")],
        )
    session.rollback()
    assert [row.state for row in rows] == ["confirmed", "confirmed"]
    assert "joining:accepted" not in mails_of(session)


def test_no_mail_of_joining_names_the_secret_link_in_the_clear(session, apply_for):
    apply_for()
    rows = session.scalars(select(OutboxMail).where(OutboxMail.category == "joining")).all()
    assert rows
    assert not any("join/" in row.text_body for row in rows)
