"""Trial elections: they bind nobody, and they leave the roll that they rehearse on as it was."""

from __future__ import annotations

import json

import pytest

from govern.access import SYSTEM
from govern.audit import AuditEntry
from govern.config import LOCALES
from govern.errors import Conflict
from govern.i18n import speaking
from govern.register.models import RollEntry
from govern.register.services.rolls import copy_frozen_roll, correct_roll, take_roll, verify_roll


def test_an_open_trial_leaves_the_roll_free_to_be_corrected(holding, both_databases):
    roll = holding.make_roll()
    session, digest = holding.session, roll.digest
    trial = holding.opened(roll=roll, is_trial=True).election
    assert trial.roll_id != roll.id
    assert (trial.roll.is_locked, roll.is_locked) == (True, False)
    assert trial.roll_digest == digest
    # Whoever reads of the copy reads of it in their own language.
    titles = {}
    for language in LOCALES:
        with speaking(language):
            titles[language] = trial.roll.title
    assert "Copy for a trial election" in titles["en"]
    assert len({title.replace(roll.label, "") for title in titles.values()}) == len(LOCALES)
    correct_roll(session, SYSTEM, roll, holding.add_member(), "Was forgotten.")
    leaver = session.query(RollEntry).filter_by(roll_id=roll.id).first()
    correct_roll(session, SYSTEM, roll, leaver.membership, "Had left.", remove=True)
    session.commit()
    assert roll.digest != digest
    verify_roll(session, trial.roll)
    verify_roll(session, roll)
    # The vote that binds is held on the corrected roll, and that one is locked then.
    binding = holding.opened(roll=roll).election
    assert (binding.roll_id, binding.roll_digest) == (roll.id, roll.digest)
    assert roll.is_locked


def test_members_vote_in_a_trial_on_its_copy_of_the_roll(holding):
    held = holding.opened(is_trial=True)
    for voter in held.voters[:3]:
        held.cast(voter)
    holding.published(held)
    assert held.election.heads == 6


def test_a_copy_has_every_entry_as_it_was_and_says_of_what_it_is_a_copy(holding):
    roll = holding.make_roll()
    session = holding.session
    copy = copy_frozen_roll(session, SYSTEM, roll, "Trial", {"fr": "Essai"})
    columns = [column for column in RollEntry.__table__.columns if column.name != "id"]

    def rows(which):
        query = session.query(*columns).filter(RollEntry.roll_id == which.id)
        return [row[1:] for row in query.order_by(RollEntry.member_number)]

    assert columns[0].name == "roll_id"
    assert rows(copy) == rows(roll)
    assert (copy.heads, copy.shares_paid, copy.digest) == (6, 12, roll.digest)
    entry = session.query(AuditEntry).filter_by(tag="register:roll:copied").one()
    assert json.loads(entry.data)["of"] == roll.public_id


def test_a_draft_of_a_roll_is_not_copied(holding):
    roll = holding.make_roll()
    draft = take_roll(holding.session, SYSTEM, holding.cooperative, roll.record_date, "Draft")
    with pytest.raises(Conflict):
        copy_frozen_roll(holding.session, SYSTEM, draft, "Trial", {})
