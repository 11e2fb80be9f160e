"""Voting codes: one for each member, never two, none lost, and the server's list opens one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from govern.access import SYSTEM, Actor, Role
from govern.accounts.services import actor_for
from govern.audit import AuditEntry
from govern.errors import Conflict, Forbidden, InvalidInput, NotFound
from govern.jobs.models import BackgroundJob
from govern.mail import sending
from govern.mail.models import DeliveryState, OutboxMail
from govern.mail.queueing import read_content
from govern.register.models import RollEntry
from govern.register.services.rolls import correct_roll
from govern.voting import jobs, rollfile
from govern.voting.models import (
    CredentialIssue,
    CredentialPart,
    CredentialRun,
    Incident,
    PublicCredential,
)
from govern.voting.protocol.credentials import derive_credential, make_public_credentials
from govern.voting.protocol.groups import group_named
from govern.voting.services import credentials, notices, steps
from govern.voting.services.credentials import making
from govern.voting.texts import incident_sentence

PASSPHRASE = "correct horse battery staple"
CODE = re.compile(r"\b\w{5}-\w{6}-\w{5}-\w{6}\b")

pytestmark = pytest.mark.usefixtures("light_passphrases")


@pytest.fixture
def waiting(holding, monkeypatch):
    """An election whose codes this server makes, two at a time; the third member has no mail."""
    monkeypatch.setattr(making, "BATCH", 2)
    for has_email in (True, True, False, True, True):
        holding.add_member(email=has_email)
    return holding.with_keys(holding.draft(members=0, credential_mode="server"))


def start(held):
    key = credentials.make_list_key(PASSPHRASE)
    return credentials.start_server_run(held.session, SYSTEM, held.election, key)


def code_rows(held):
    return (
        held.session.query(OutboxMail)
        .filter(OutboxMail.category == "voting.code")
        .order_by(OutboxMail.id)
        .all()
    )


def codes_in_mails(held):
    return [
        CODE.search(read_content(row).text).group()
        for row in code_rows(held)
        if row.channel == "email" and row.state != "cancelled"
    ]


def entries(held):
    return held.session.query(RollEntry).filter_by(roll_id=held.election.roll_id).all()


def find(held, entry, passphrase=PASSPHRASE):
    return credentials.find_code(held.session, SYSTEM, held.election, entry, passphrase)


def public_keys(held):
    return set(held.session.scalars(select(PublicCredential.public_key)))


def test_each_member_gets_one_code_and_the_list_holds_the_same(holding, waiting, both_databases):
    start(waiting)
    holding.run_jobs()
    rows = code_rows(waiting)
    assert [row.channel for row in rows].count("letter") == 1
    group, uuid = group_named(waiting.election.group), waiting.election.uuid
    listed = [find(waiting, entry) for entry in entries(waiting)]
    assert len(set(listed)) == 5
    assert set(codes_in_mails(waiting)) < set(listed)
    assert {derive_credential(group, uuid, code).public.text for code in listed} == (
        public_keys(waiting)
    )
    holding.opened(waiting)


def test_the_codes_are_nowhere_in_the_database_in_clear(holding, waiting):
    start(waiting)
    holding.run_jobs()
    codes = [find(waiting, entry) for entry in entries(waiting)]
    waiting.session.commit()
    database = Path(waiting.session.get_bind().url.database)
    stored = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    assert len(stored) > 100_000
    for code in codes:
        assert code.encode() not in stored
    assert PASSPHRASE.encode() not in stored


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_crash_in_the_middle_gives_nobody_two_codes_and_loses_none(
    holding, waiting, monkeypatch, survived
):
    run = start(waiting)
    session = waiting.session
    real, calls = notices.send_code, []

    def die(*arguments, **more):
        calls.append(1)
        if len(calls) == 2 * survived + 1:
            raise MemoryError("the process died here")
        real(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(notices, "send_code", die)
        session.commit()
        with pytest.raises(MemoryError):
            jobs.make_credentials(session, run.id)
        session.rollback()
    assert len(code_rows(waiting)) == 2 * survived
    assert session.scalar(select(func.count()).select_from(CredentialIssue)) == 2 * survived
    kept = [row.id for row in code_rows(waiting)]
    jobs.make_credentials(session, run.id)
    session.commit()
    assert len(code_rows(waiting)) == 5
    assert [row.id for row in code_rows(waiting)][: 2 * survived] == kept
    assert len(public_keys(waiting)) == 5
    group = group_named(waiting.election.group)
    for code in codes_in_mails(waiting):
        made = derive_credential(group, waiting.election.uuid, code).public.text
        assert made in public_keys(waiting)


def test_running_the_job_twice_changes_nothing(holding, waiting):
    run = start(waiting)
    holding.run_jobs()
    before = (public_keys(waiting), [row.id for row in code_rows(waiting)])
    jobs.make_credentials(waiting.session, run.id)
    waiting.session.commit()
    assert (public_keys(waiting), [row.id for row in code_rows(waiting)]) == before


def test_two_makings_at_once_are_refused(waiting):
    start(waiting)
    with pytest.raises(Conflict):
        start(waiting)


def test_when_done_nothing_shows_which_codes_were_made_together(holding, waiting):
    start(waiting)
    holding.run_jobs()
    parts = waiting.session.query(CredentialPart).all()
    assert len(parts) == 3
    assert all(part.public_keys == [] for part in parts)


def test_a_lost_code_is_the_same_code_sent_again_and_logged(holding, waiting):
    start(waiting)
    holding.run_jobs()
    holding.opened(waiting)
    entry = credentials.find_entry(
        waiting.session, waiting.election, entries(waiting)[0].member_number
    )
    code = find(waiting, entry)
    credentials.send_code_again(waiting.session, SYSTEM, waiting.election, entry, code)
    waiting.session.commit()
    again = [row for row in code_rows(waiting) if row.to_address == entry.email]
    assert len(again) == 2
    assert {CODE.search(read_content(row).text).group() for row in again} == {code}
    assert waiting.session.query(Incident).filter_by(code="code_sent_again").count() == 1
    audited = waiting.session.query(AuditEntry).filter_by(tag="voting:code:sent_again").one()
    assert audited.details == {"membership": entry.membership_id}
    for line in waiting.session.query(Incident):
        assert entry.member_number not in f"{line.reason}{line.details}"


def test_a_wrong_passphrase_opens_nothing(holding, waiting):
    start(waiting)
    holding.run_jobs()
    with pytest.raises(InvalidInput):
        find(waiting, entries(waiting)[0], "another passphrase")
    with pytest.raises(InvalidInput):
        credentials.make_list_key("short")


def test_only_the_returning_officer_handles_codes(holding, waiting):
    secretary = holding.make_account(
        "Samuel", email="samuel@example.org", roles=[(holding.cooperative, Role.SECRETARY)]
    )
    actor = actor_for(waiting.session, secretary)
    assert isinstance(actor, Actor)
    key = credentials.ListKey("age1x", b"x")
    with pytest.raises(Forbidden):
        credentials.start_server_run(waiting.session, actor, waiting.election, key)
    with pytest.raises(Forbidden):
        credentials.find_code(
            waiting.session, actor, waiting.election, entries(waiting)[0], PASSPHRASE
        )


def test_void_codes_are_stopped_in_the_outbox_and_refused_by_the_box(holding, waiting):
    start(waiting)
    waiting.session.commit()
    jobs.make_credentials(waiting.session, 1)
    waiting.session.commit()
    old = {
        row.id: CODE.search(read_content(row).text)
        for row in code_rows(waiting)
        if row.channel == "email"
    }
    credentials.discard_run(
        waiting.session, SYSTEM, waiting.election, "The roll had to be corrected."
    )
    waiting.session.commit()
    for row in code_rows(waiting):
        assert (row.state, row.sealed) == (DeliveryState.CANCELLED.value, None)
    start(waiting)
    holding.run_jobs()
    holding.opened(waiting)
    group = group_named(waiting.election.group)
    for match in old.values():
        void = derive_credential(group, waiting.election.uuid, match.group()).public.text
        assert void not in public_keys(waiting)
    new = [row for row in code_rows(waiting) if row.state != "cancelled"]
    assert len(new) == 5
    assert "only this one counts" in read_content(new[0]).text or "seul" in (
        read_content(new[0]).text
    )


def claimed(held, handed_over):
    """The first code mails as a run holds that sends them; so many are on their way already."""
    mails = held.session.query(OutboxMail).filter(OutboxMail.category != "voting.code")
    mails.update({"state": DeliveryState.SENT.value})
    held.session.commit()
    ready = sending._put_together(held.session, sending.claim_batch(held.session))
    for item in ready[:handed_over]:
        assert sending._begin_handover(held.session, item)
    return ready


@pytest.mark.parametrize("answer", [DeliveryState.QUEUED, DeliveryState.SENT])
def test_a_void_code_that_is_being_handed_over_is_said_to_be_out_possibly(holding, waiting, answer):
    start(waiting)
    waiting.session.commit()
    jobs.make_credentials(waiting.session, 1)
    ready = claimed(waiting, handed_over=1)
    assert len(ready) == 4
    withdrawn = credentials.discard_run(
        waiting.session, SYSTEM, waiting.election, "The roll had to be corrected."
    )
    waiting.session.commit()
    assert (withdrawn.stopped, withdrawn.possibly_out) == (4, 1)
    # Whatever the mail server answers now: the void code is not sent a second time.
    sending._note(waiting.session, ready[0], sending._Outcome(answer))
    waiting.session.commit()
    assert not sending._begin_handover(waiting.session, ready[1])
    states = {row.id: (row.state, row.sealed) for row in code_rows(waiting)}
    assert states.pop(ready[0].mail_id) == (DeliveryState.UNCLEAR.value, None)
    assert set(states.values()) == {(DeliveryState.CANCELLED.value, None)}
    line = waiting.session.query(Incident).filter_by(code="credentials_discarded").one()
    assert "One mail" in incident_sentence(line.code, line.details)


def test_the_officer_is_told_of_codes_that_may_be_out(holding, waiting, client, sign_in):
    start(waiting)
    waiting.session.commit()
    jobs.make_credentials(waiting.session, 1)
    claimed(waiting, handed_over=2)
    officer = holding.make_account(
        "Rita", email="rita@example.org", roles=[(holding.cooperative, Role.RETURNING_OFFICER)]
    )
    sign_in(client, officer)
    page = client.post(
        f"/elections/{waiting.election.uuid}/manage/cancel",
        data={"reason": "The assembly was put off."},
        follow_redirects=True,
    ).get_data(as_text=True)
    assert "2 mails with voting codes were being handed over" in page


def test_the_codes_of_a_cancelled_election_do_not_leave(holding, waiting):
    from govern.voting.services import cancel_election

    start(waiting)
    waiting.session.commit()
    jobs.make_credentials(waiting.session, 1)
    waiting.session.commit()
    cancel_election(waiting.session, SYSTEM, waiting.election, "The assembly was put off.")
    assert {row.state for row in code_rows(waiting)} == {"cancelled"}


def upload(held, **changes):
    election = held.election
    group = group_named(election.group)
    elements = changes.pop("elements", None)
    if elements is None:
        elements = [
            group.power(group.generator, number + 2)
            for number in range(changes.pop("count", election.roll.heads))
        ]
    values = {
        "election_uuid": election.uuid,
        "group": election.group,
        "roll_digest": election.roll.digest,
        "public_credentials": make_public_credentials(elements),
    } | changes
    data = rollfile.write_public_file(**values)
    return credentials.upload_public_credentials(held.session, SYSTEM, election, data)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 5},
        {"count": 7},
        {"roll_digest": "0" * 64},
        {"election_uuid": "1" * 22},
        {"group": "BELENIOS-2048"},
    ],
)
def test_public_keys_that_do_not_fit_are_refused(holding, changes):
    held = holding.with_keys()
    with pytest.raises((Conflict, InvalidInput)):
        upload(held, **changes)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"kind":"govern-public-credentials"}'])
def test_a_file_that_is_none_is_refused(holding, data):
    held = holding.with_keys()
    with pytest.raises(InvalidInput):
        credentials.upload_public_credentials(held.session, SYSTEM, held.election, data)


def test_one_uploaded_key_outside_the_group_makes_the_upload_void(holding):
    held = holding.with_keys()
    texts = [f"{number:064x}" for number in range(1, held.election.roll.heads + 1)]

    class Text:
        def __init__(self, text):
            self.text = text

    upload(held, elements=[Text(text) for text in texts])
    holding.run_jobs()
    assert steps.current_run(held.session, held.election) is None
    assert held.session.query(Incident).filter_by(code="credentials_refused").count() == 1
    assert public_keys(held) == set()
    upload(held)
    holding.run_jobs()
    assert len(public_keys(held)) == 6


def test_a_roll_corrected_while_codes_are_made_makes_them_void(holding, waiting):
    run = start(waiting)
    waiting.session.commit()
    credentials.make_batch(waiting.session, run)
    waiting.session.commit()
    correct_roll(
        waiting.session, SYSTEM, waiting.election.roll, holding.add_member(), "Was forgotten."
    )
    holding.run_jobs()
    assert waiting.session.query(Incident).filter_by(code="credentials_outdated").count() == 1
    assert "queued" not in {row.state for row in code_rows(waiting)}
    assert public_keys(waiting) == set()
    start(waiting)
    holding.run_jobs()
    assert len(public_keys(waiting)) == 6


def test_the_server_has_no_codes_that_were_made_elsewhere(holding):
    held = holding.with_credentials()
    with pytest.raises(NotFound):
        find(held, entries(held)[0])


def test_no_argument_of_a_job_names_a_person(holding, waiting):
    start(waiting)
    holding.run_jobs()
    for row in waiting.session.query(BackgroundJob):
        assert all(isinstance(argument, int) for argument in row.arguments), row.name
    assert waiting.session.query(CredentialRun).one().total == 5
