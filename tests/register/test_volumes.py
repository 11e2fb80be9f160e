"""The book on paper in volumes: all of it, each line once, the same for a moment whenever asked."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from html import unescape

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, text

from govern.access import SYSTEM, Role
from govern.errors import InvalidInput
from govern.pdf import render_large_pdf, render_pdf
from govern.register.cli import register
from govern.register.models import HolderOpening, RegisterHead
from govern.register.services import book, ledger, members
from govern.register.services.book import documents, volumes

ROWS = 3


@pytest.fixture(autouse=True)
def _small_volumes(clock, monkeypatch):
    """Three lines a volume; everything happens on 1 June 2018 unless a test lets time pass."""
    monkeypatch.setattr(volumes, "VOLUME_ROWS", ROWS)


@pytest.fixture
def register_of_nine(session, cooperative, make_member):
    """Numbers 2 to 10, of whom 4 and 9 gave everything away and 5 holds shares in two lots."""
    made = {
        number: make_member(str(number), given_name=f"G{number}", family_name=f"F{20 - number}")
        for number in range(2, 11)
    }
    for giver in (4, 9):
        ledger.transfer_shares(session, SYSTEM, made[giver], made[5], 1, date(2018, 5, 2))
    session.commit()
    return made


def held_in(session, moment):
    """The member numbers and the entries of each volume."""
    plan = book.volumes_of(session, moment)
    return [
        (
            [line.member_number for line in book.lines_in(session, moment, volume)],
            [entry.sequence for entry in book.entries_in(session, moment, volume)],
        )
        for volume in plan.all
    ]


def test_each_holder_and_each_entry_is_in_exactly_one_volume(
    session, cooperative, register_of_nine, both_databases
):
    moment = book.book_at(session, cooperative)
    held = held_in(session, moment)
    assert [lines for lines, _entries in held if lines] == [
        ["2", "3", "5"],
        ["6", "7", "8"],
        ["10"],
    ]
    entries = [entries for _lines, entries in held if entries]
    assert all(len(part) <= ROWS for part in entries)
    assert [number for part in entries for number in part] == list(range(1, moment.sequence + 1))
    # Holders first, then entries: no volume of several has both.
    assert all(not (lines and entries) for lines, entries in held)


def test_a_volume_says_which_holders_and_entries_it_has(session, cooperative, register_of_nine):
    moment = book.book_at(session, cooperative, date(2018, 3, 1))
    plan = book.volumes_of(session, moment)
    assert (plan.holders, plan.entries) == (9, 18)
    first, last = plan.all[0].holders, plan.all[-1].entries
    assert first == book.HolderPart(1, 3, "2", "4")
    assert (last.first, last.last, last.first_sequence, last.last_sequence) == (16, 18, 16, 18)
    assert "member numbers 2 to 4" in documents.contents_of(plan, plan.all[0])


def test_the_entries_of_a_past_day_leave_out_those_that_count_later(
    session, cooperative, register_of_nine, make_member
):
    make_member("11", given_name="Late")
    moment = book.book_at(session, cooperative, date(2018, 3, 1))
    entries = [entry for _lines, part in held_in(session, moment) for entry in part]
    assert entries == [*range(1, 19), 23, 24]


def test_a_holder_with_many_lots_is_not_divided(
    session, cooperative, register_of_nine, both_databases
):
    """Number 3 holds five lots, more than a volume has lines: 2 stays with 3, 5 begins another."""
    for value in range(4):
        session.execute(
            text(
                "INSERT INTO share_entry (cooperative_id, sequence, membership_id, kind, "
                "share_class, nominal_cents, shares, amount_cents, effective_on, recorded_at, "
                "act_id, source, commitment, previous_hash, hash, version, numbers, cause, "
                "row_digest) SELECT cooperative_id, sequence + :more, membership_id, kind, "
                "share_class, :nominal, shares, amount_cents, effective_on, recorded_at, 'x', "
                "source, commitment, previous_hash, hash, version, numbers, cause, row_digest "
                "FROM share_entry WHERE membership_id = :holder AND shares > 0 AND sequence < 50"
            ),
            {"more": 100 + value, "nominal": 5000 + value, "holder": register_of_nine[3].id},
        )
    session.get_one(RegisterHead, cooperative.id).sequence = 150
    moment = book.book_at(session, cooperative)
    held = [lines for lines, _entries in held_in(session, moment) if lines]
    assert held == [["2", *["3"] * 5], ["5", "6", "7"], ["8", "10"]]


def test_a_small_register_has_one_volume_with_everything(session, cooperative, make_member):
    make_member("1")
    [(lines, entries)] = held_in(session, book.book_at(session, cooperative))
    assert (lines, entries) == (["1"], [1, 2])


def test_an_empty_register_has_one_volume(session, cooperative):
    assert held_in(session, book.book_at(session, cooperative)) == [([], [])]


def test_an_entry_that_was_not_written_by_then_fixes_no_moment(
    session, cooperative, register_of_nine, clock
):
    then = clock.now
    newest = book.book_at(session, cooperative).sequence
    clock.advance(days=1)
    assert book.book_at(session, cooperative, None, then, newest - 1).sequence == newest - 1
    with pytest.raises(InvalidInput):
        book.book_at(session, cooperative, None, then, newest + 1)


# -- the pages --------------------------------------------------------------------------------


@pytest.fixture
def registrar(client, cooperative, make_account, sign_in):
    sign_in(client, make_account("R", "r@example.org", roles=[(cooperative, Role.REGISTRAR)]))


def links_on(page):
    return [unescape(link) for link in re.findall(r'href="([^"]*volume\.pdf[^"]*)"', page)]


@pytest.mark.usefixtures("registrar")
def test_the_volumes_stay_the_same_whatever_is_written_between_two_downloads(
    client, session, cooperative, register_of_nine, clock
):
    base = f"/{cooperative.code}/register"
    assert "book/volumes" in client.get(f"{base}/book").text
    assert client.get(f"{base}/book.pdf").status_code == 302
    answer = client.get(f"{base}/book/volumes")
    address = answer.location
    before = client.get(address).text
    links = links_on(before)
    first = client.get(links[0]).data
    assert first.startswith(b"%PDF")
    clock.advance(hours=1)
    ledger.subscribe_shares(session, SYSTEM, register_of_nine[2], 9, date(2018, 3, 1))
    members.change_identity(
        session, SYSTEM, register_of_nine[2], given_name="Anna", family_name="Zoé"
    )
    session.commit()
    assert links_on(client.get(address).text) == links
    assert client.get(links[0]).data == first
    # The newest entry is 23 now; the volumes end with 22.
    assert client.get(links[-1]).status_code == 200
    assert "numbers 22 to 22" in before
    assert client.get(f"{base}/book/volumes").location != address


@pytest.mark.usefixtures("registrar")
def test_a_volume_is_refused_to_a_list_from_before_a_name_was_erased(
    client, session, cooperative, register_of_nine
):
    base = f"/{cooperative.code}/register"
    link = links_on(client.get(client.get(f"{base}/book/volumes").location).text)[0]
    session.execute(
        delete(HolderOpening).where(HolderOpening.membership_id == register_of_nine[10].id)
    )
    session.commit()
    answer = client.get(link)
    assert answer.status_code == 409
    assert "Open the list again" in answer.text


@pytest.mark.usefixtures("registrar")
def test_addresses_of_no_moment_and_of_no_volume_are_answered_with_what_to_do(
    client, cooperative, register_of_nine
):
    base = f"/{cooperative.code}/register/book/volumes"
    volume = base.replace("volumes", "volume.pdf")
    fixed = client.get(base).location.split("?")[1]
    assert client.get(f"{volume}?number=99&{fixed}").status_code == 404
    assert client.get(f"{base}?known=2018-05-05T33:00:00Z&entry=1").status_code == 422
    assert client.get(f"{base}?known=2018-05-05T03:00:00&entry=1").status_code == 422
    assert client.get(f"{base}?known=2018-05-05T03:00:00Z&entry=900").status_code == 422
    beyond = 10**20
    assert client.get(f"{base}?known=2018-05-05T03:00:00Z&entry={beyond}").status_code == 422
    # Without a fixed moment a volume leads to the list, which has one.
    assert client.get(volume).status_code == 302


# -- the command ------------------------------------------------------------------------------


@pytest.fixture
def write(app, session, tmp_path):
    """``write(…)``: the command, into the folder ``book``."""

    def call(*more):
        session.commit()
        arguments = ["book-pdf", "--cooperative", "smartcoop", "--out", str(tmp_path / "book")]
        return CliRunner().invoke(register, [*arguments, *more], obj=app)

    return call


@pytest.mark.usefixtures("session")
def test_a_large_document_made_in_a_process_of_its_own_has_the_same_bytes(tmp_path, monkeypatch):
    # What lies where the server was started is no part of the program.
    (tmp_path / "typst.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    data = {"cooperative": "Smart", "title": "T", "wide_page": True, "lead": "", "facts": []}
    data |= {"sections": [], "notes": ["é"]}
    whole = render_pdf("register_tables", data, "fr")
    assert render_large_pdf("register_tables", data, "fr") == whole
    with pytest.raises(ValueError, match=r"register_tables\.typ"):
        render_large_pdf("register_tables", {"cooperative": "Smart", "title": "T"}, "fr")


def test_the_command_writes_every_volume_and_their_digests(
    write, tmp_path, session, cooperative, register_of_nine
):
    result = write("--language", "en")
    assert result.exit_code == 0, result.output
    plan = book.volumes_of(session, book.book_at(session, cooperative))
    names = sorted(path.name for path in (tmp_path / "book").glob("*.pdf"))
    assert len(names) == len(plan.all) == 11
    assert names[0] == "smartcoop-register-2018-06-01-volume-01-of-11.pdf"
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "book").iterdir()} == {0o600}
    sums = (tmp_path / "book" / "SHA256SUMS").read_text().splitlines()
    found = {name: hashlib.sha256((tmp_path / "book" / name).read_bytes()) for name in names}
    assert sums == [f"{found[name].hexdigest()}  {name}" for name in names]


def test_a_folder_that_was_begun_is_finished_with_its_own_moment(
    write, tmp_path, session, register_of_nine, clock
):
    assert write().exit_code == 0
    folder = tmp_path / "book"
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    # As if the process had died: a volume and its digest were not written yet.
    lost = sorted(folder.glob("*.pdf"))[4]
    lost.unlink()
    (folder / "SHA256SUMS").unlink()
    clock.advance(days=1)
    ledger.subscribe_shares(session, SYSTEM, register_of_nine[2], 1, date(2018, 5, 1))
    result = write()
    assert result.exit_code == 0, result.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


def test_nothing_else_is_overwritten(write, tmp_path, register_of_nine):
    assert write().exit_code == 0
    volume = sorted((tmp_path / "book").glob("*.pdf"))[2]
    volume.write_bytes(b"notes of somebody")
    refused = write()
    assert refused.exit_code == 1
    assert "exists and is something else" in refused.output
    assert volume.read_bytes() == b"notes of somebody"
    assert "holds another extract" in write("--without-domiciles").output
    assert "holds another extract" in write("--on", "2018-03-01").output
