"""Import, roll and member list at 30,000 members (``ROWS``), on SQLite, as the server does them."""

from __future__ import annotations

import csv
import io
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

ROWS = 30_000


def bench_import(rows: int = ROWS) -> dict[str, Any]:
    """Seconds and peak memory of ``govern register import`` in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        return _in_own_process("import", folder, rows)


def bench_roll(rows: int = ROWS) -> dict[str, Any]:
    """Seconds to take, freeze and verify a roll."""
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        return _in_own_process("roll", folder, rows)


def bench_member_list(rows: int = ROWS) -> dict[str, Any]:
    """Milliseconds at the server for pages of the member list: first, last, searches, filters."""
    with tempfile.TemporaryDirectory(prefix="govern-bench-") as folder:
        return _in_own_process("member_list", folder, rows)


def _in_own_process(what: str, folder: str, rows: int) -> dict[str, Any]:
    """Run one measurement where nothing else has used memory yet."""
    import json

    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.register", what, folder, str(rows)],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# -- in that process --------------------------------------------------------------------------


@contextmanager
def _application(folder: str) -> Iterator[Any]:
    from govern import schema
    from govern.access import SYSTEM
    from govern.app import create_app
    from govern.config import Config
    from govern.cooperatives.presets import PRESETS
    from govern.cooperatives.services import add_rule_set, create_cooperative
    from govern.extensions import db

    app = create_app(
        Config(
            environment="testing",
            instance_dir=Path(folder),
            secret_key="a secret of the measurement, long enough",  # noqa: S106
            database_url=f"sqlite:///{folder}/govern.sqlite",
        )
    )
    app.config["GOVERN_NO_REDIS"] = True
    with app.app_context():
        schema.upgrade(db.engine)
        cooperative = create_cooperative(
            db.session, SYSTEM, code="bench", name="Bench", country="BE"
        )
        make, _starts_on, source = next(iter(PRESETS.values()))
        add_rule_set(
            db.session,
            SYSTEM,
            cooperative,
            rules=make(),
            starts_on=date(2000, 1, 1),
            source=source,
        )
        db.session.commit()
        yield app
        db.session.remove()


def sample_file(rows: int) -> bytes:
    """``rows`` invented members as a CSV file in Windows-1252 with semicolons."""
    from govern.demo.people import HEADERS, invent_rows

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(HEADERS)
    writer.writerows(invent_rows(rows, "BE", seed=2018, samples={}))
    return text.getvalue().encode("cp1252")


def _import(content: bytes) -> dict[str, float]:
    from sqlalchemy import select

    from govern.access import SYSTEM
    from govern.cooperatives.models import Cooperative
    from govern.extensions import db
    from govern.register import jobs
    from govern.register.services import imports

    cooperative = db.session.scalars(select(Cooperative)).one()
    started = time.perf_counter()
    batch = imports.start_import(db.session, SYSTEM, cooperative, "bench.csv", content)
    db.session.commit()
    jobs.check_import(db.session, batch.id)
    db.session.commit()
    checked = time.perf_counter()
    imports.confirm_import(db.session, SYSTEM, batch, batch.plan_digest)
    db.session.commit()
    jobs.run_import(db.session, batch.id)
    db.session.commit()
    done = time.perf_counter()
    return {
        "check_seconds": round(checked - started, 2),
        "write_seconds": round(done - checked, 2),
        "seconds": round(done - started, 2),
        "imported": batch.counts["new"],
    }


def _measure_import(folder: str, rows: int) -> dict[str, Any]:
    content = sample_file(rows)
    with _application(folder):
        result: dict[str, Any] = {"rows": rows, **_import(content)}
        # Linux counts in KiB.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result["peak_mib"] = round(peak / 1024)
    return result


def _measure_roll(folder: str, rows: int) -> dict[str, Any]:
    from sqlalchemy import select

    from govern.access import SYSTEM
    from govern.cooperatives.models import Cooperative
    from govern.extensions import db
    from govern.register.services import freeze_roll, take_roll, verify_roll

    with _application(folder):
        _import(sample_file(rows))
        cooperative = db.session.scalars(select(Cooperative)).one()
        started = time.perf_counter()
        roll = take_roll(db.session, SYSTEM, cooperative, date(2018, 12, 31), "Bench")
        db.session.commit()
        taken = time.perf_counter()
        freeze_roll(db.session, SYSTEM, roll)
        db.session.commit()
        frozen = time.perf_counter()
        verify_roll(db.session, roll)
        return {
            "rows": rows,
            "heads": roll.heads,
            "take_seconds": round(taken - started, 2),
            "freeze_seconds": round(frozen - taken, 2),
            "verify_seconds": round(time.perf_counter() - frozen, 2),
        }


def _measure_member_list(folder: str, rows: int) -> dict[str, Any]:
    from sqlalchemy import select

    from govern.access import SYSTEM, Role
    from govern.accounts.services import create_account, grant_role, start_session
    from govern.cooperatives.models import Cooperative
    from govern.extensions import db

    with _application(folder) as app:
        _import(sample_file(rows))
        cooperative = db.session.scalars(select(Cooperative)).one()
        account = create_account(db.session, name="Registrar", email=None, language="fr")
        grant_role(db.session, SYSTEM, account, cooperative.id, Role.REGISTRAR)
        token = start_session(db.session, account)
        db.session.commit()
        db.session.remove()
        client = app.test_client()
        _sign_in(client, token)
        pages = {
            "first_page": "",
            "last_page": f"?page={-(-rows // 50)}",
            "search_name": "?q=zoe+vermeulen",
            "search_number": "?q=12345",
            "search_rare": "?q=xyzzy",
            "no_email": "?email=none",
            "category": "?category=B",
            "former": "?state=ended",
            "unpaid": "?state=unpaid",
        }
        result: dict[str, Any] = {"rows": rows}
        for name, query in pages.items():
            address = f"/bench/register/members{query}"
            result[f"{name}_ms"] = _median_ms(lambda a=address: _get(client, a))
        return result


def _sign_in(client: Any, token: str) -> None:
    from govern.accounts.identity import session_values

    with client.session_transaction() as cookie:
        cookie.update(session_values(token))


def _get(client: Any, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")


def _median_ms(call: Callable[[], None], times: int = 7) -> float:
    call()
    spent = []
    for _time in range(times):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return round(statistics.median(spent) * 1000, 1)


if __name__ == "__main__":
    import json

    what, folder_name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    measure = {
        "import": _measure_import,
        "roll": _measure_roll,
        "member_list": _measure_member_list,
    }[what]
    json.dump(measure(folder_name, count), sys.stdout)
