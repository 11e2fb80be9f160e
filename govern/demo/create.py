"""Making the demonstration: two cooperatives, the assemblies of June 2018, and a coming one.

It is made in a database of its own and put in place when it is whole, so that an interrupted
first start leaves nothing behind.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from govern import audit
from govern.access import SYSTEM, Role
from govern.accounts.hooks import account_openers
from govern.accounts.services import set_password
from govern.assemblies.models import Assembly
from govern.assemblies.services import agenda, editing, notices, resolutions, rolls, states
from govern.assemblies.services.elections import VoteInput, prepare_election
from govern.cooperatives.models import Cooperative
from govern.cooperatives.presets import PRESETS
from govern.cooperatives.services import add_rule_set, create_cooperative
from govern.demo import scene
from govern.demo.joining import let_people_apply, open_doors
from govern.demo.leaving import let_people_leave
from govern.demo.payments import read_first_statement
from govern.demo.people import HEADERS, SampleMember, invent_rows
from govern.demo.texts import (
    BELGIUM_2018,
    FRANCE_2018,
    INVENTED,
    DemoItem,
    coming_agenda,
)
from govern.jobs import tick
from govern.register.models import Membership, RollEntry
from govern.register.services import imports
from govern.voting.keyfile import write_key_file
from govern.voting.models import Election, ElectionQuestion
from govern.voting.services import credentials

BRUSSELS = ZoneInfo("Europe/Brussels")
FULL_SIZE = 27_158
"""Members in Belgium at the end of 2018 (annual report)."""

BELGIUM_VOTERS, FRANCE_VOTERS = 638, 75
"""Electronic voters of June 2018 (annual report)."""

CREATED = "demo:demonstration:created"

SAMPLES = {
    1: SampleMember(1, "Amina", "Lejeune", "amina@example.org", "fr"),
    2: SampleMember(2, "Jef", "Peeters", "jef@example.org", "nl"),
    3: SampleMember(3, "Ulrike", "Krings", "ulrike@example.org", "de"),
}

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DemoSize:
    """How large the demonstration is: members in Belgium; the rest follows in proportion."""

    belgium: int

    @property
    def france(self) -> int:
        return max(150, self.belgium // 12)

    def voters(self, of_report: int, roll_heads: int) -> int:
        """Ballots of 2018: those of the report, or in proportion in a smaller demonstration."""
        wanted = of_report if self.belgium >= FULL_SIZE else of_report * self.belgium // FULL_SIZE
        return min(max(wanted, 12), roll_heads - 1)


def is_created(session: Session) -> bool:
    """Whether this database holds a whole demonstration."""
    return (
        session.scalar(select(audit.AuditEntry.tag).where(audit.AuditEntry.tag == CREATED))
        is not None
    )


def create_demonstration(session: Session, size: DemoSize, folder: Path, report: Report) -> None:
    """Fill an empty, migrated database. ``folder`` receives the trustee's key file."""
    start = datetime(2018, 5, 22, 9, 0, tzinfo=BRUSSELS)
    now = datetime.now(UTC)
    with scene.demo_clock(start) as time_now, ProcessPoolExecutor(2) as pool:
        belgium = _found(session, "smartcoop", "SmartCoop", "BE", "be-2017", "fr")
        france = _found(session, "smartfr", "Smartfr", "FR", "fr-scic", "fr")
        until = date(2018, 5, 15)
        _import(session, belgium, _rows(size.belgium, "BE", SAMPLES, None, until), report)
        _import(session, france, _rows(size.france, "FR", {}, None, until), report)
        _hold_june_2018(session, belgium, france, size, time_now, pool, report)
        time_now.set(datetime(2019, 1, 10, 10, 0, tzinfo=BRUSSELS))
        year_end = date(2018, 12, 31)
        _import(session, belgium, _rows(size.belgium, "BE", SAMPLES, until, year_end), report)
        _import(session, france, _rows(size.france, "FR", {}, until, year_end), report)
        time_now.set(datetime(2020, 1, 1, 9, 0, tzinfo=BRUSSELS))
        make_rules, first_day, source = PRESETS["be-2020"]
        add_rule_set(
            session,
            SYSTEM,
            belgium.cooperative,
            rules=make_rules(),
            starts_on=first_day,
            source=source,
        )
        session.commit()
        _open_samples(session, belgium.cooperative)
        _prepare_coming(session, belgium, now, time_now, folder, report)
        time_now.set(now)
        for officers in (belgium, france):
            open_doors(session, officers)
        let_people_apply(session, belgium, now.astimezone(BRUSSELS).date())
        read_first_statement(session, belgium, now.astimezone(BRUSSELS).date())
        let_people_leave(session, belgium, now.astimezone(BRUSSELS).date())
        audit.record(session, SYSTEM, CREATED, cooperative_id=None)
        session.commit()


def _found(
    session: Session, code: str, name: str, country: str, preset: str, language: str
) -> scene.Officers:
    cooperative = create_cooperative(
        session,
        SYSTEM,
        code=code,
        name=name,
        country=country,
        time_zone="Europe/Brussels" if country == "BE" else "Europe/Paris",
        languages=("fr", "nl", "de", "en") if country == "BE" else ("fr", "en"),
        seat="Bruxelles / Brussel" if country == "BE" else "Lille",
        email=f"assembly@{code}.example.org",
        accent="red" if country == "BE" else "blue",
        is_demonstration=True,
    )
    _add_rules(session, cooperative, preset)
    return scene.appoint_officers(session, cooperative, language)


def _add_rules(session: Session, cooperative: Cooperative, preset: str) -> None:
    make_rules, first_day, source = PRESETS[preset]
    add_rule_set(
        session, SYSTEM, cooperative, rules=make_rules(), starts_on=first_day, source=source
    )
    session.commit()


def _rows(
    count: int,
    country: str,
    samples: dict[int, SampleMember],
    after: date | None,
    until: date,
) -> bytes:
    """An import file of those who joined after ``after`` and no later than ``until``."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(HEADERS)
    joined, left = HEADERS.index("Joined on"), HEADERS.index("Left on")
    seed = 1998 if country == "BE" else 2008
    for row in invent_rows(count, country, seed=seed, samples=samples):
        if row[joined] > until.isoformat() or (after and row[joined] <= after.isoformat()):
            continue
        cells = list(row)
        if cells[left] > until.isoformat():
            cells[left] = ""
        writer.writerow(cells)
    return text.getvalue().encode()


def _import(session: Session, officers: scene.Officers, content: bytes, report: Report) -> None:
    actor = officers.actor(session, Role.REGISTRAR)
    name = f"{officers.cooperative.code}.csv"
    report(f"{officers.cooperative.name}: register", 0, 1)
    batch = imports.start_import(session, actor, officers.cooperative, name, content)
    scene.run_jobs(session)
    imports.confirm_import(session, actor, batch, batch.plan_digest or "")
    scene.run_jobs(session)
    if batch.state != "imported":
        raise RuntimeError(f"the sample register was not imported: {batch.state} {batch.failure}")
    report(f"{officers.cooperative.name}: register", 1, 1)


def _open_samples(session: Session, cooperative: Cooperative) -> None:
    """Give the sample members a password; others sign in by a link to their address."""
    for number in SAMPLES:
        person_id = session.scalar(
            select(Membership.person_id).where(
                Membership.cooperative_id == cooperative.id,
                Membership.member_number == str(number),
            )
        )
        for opener in account_openers:
            account = opener(session, int(person_id or 0))
            if account is not None:
                set_password(session, SYSTEM, account, scene.PASSWORD)
                account.language = SAMPLES[number].language
    session.commit()


# -- assemblies -------------------------------------------------------------------------------


def _convene(
    session: Session,
    officers: scene.Officers,
    titles: dict[str, str],
    starts_at: datetime,
    record_date: date,
    place: str,
    items: Sequence[DemoItem],
    introduction: dict[str, str],
) -> Assembly:
    """A published assembly with its agenda and its frozen roll."""
    actor = officers.actor(session, Role.SECRETARY)
    languages = officers.cooperative.languages
    assembly = editing.create_assembly(
        session,
        actor,
        officers.cooperative,
        editing.AssemblyInput(
            kind="ordinary",
            mode="hybrid",
            titles=_only(titles, languages),
            languages=languages,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3),
            record_date=record_date,
            place=place,
            introductions=_only(introduction, languages),
            objection_deadline=record_date + timedelta(days=5),
        ),
    )
    for item in items:
        _put_on_agenda(session, officers, assembly, item, languages)
    states.publish_assembly(session, actor, assembly)
    rolls.take_assembly_roll(session, actor, assembly)
    rolls.freeze_assembly_roll(session, actor, assembly)
    session.commit()
    return assembly


def _put_on_agenda(
    session: Session,
    officers: scene.Officers,
    assembly: Assembly,
    item: DemoItem,
    languages: Sequence[str],
) -> None:
    actor = officers.actor(session, Role.SECRETARY)
    decides = item.majority is not None or bool(item.candidates)
    # What is decided stands in the resolution, once.
    texts = {} if decides else _only(item.text, languages)
    given = agenda.ItemInput(item.kind, _only(item.title, languages), texts)
    row = agenda.add_item(session, actor, assembly, given)
    if not decides:
        return
    resolutions.add_resolution(
        session,
        actor,
        row,
        resolutions.ResolutionInput(
            titles=_only(item.title, languages),
            majority_rule=item.majority or "ordinary",
            texts=_only(item.text, languages),
            seats=item.seats or None,
            candidates=[resolutions.CandidateInput(name) for name in item.candidates],
        ),
    )


def _only(texts: dict[str, str], languages: Sequence[str]) -> dict[str, str]:
    return {code: texts[code] for code in languages if code in texts}


def _hold_june_2018(
    session: Session,
    belgium: scene.Officers,
    france: scene.Officers,
    size: DemoSize,
    time_now: scene.DemoClock,
    pool: ProcessPoolExecutor,
    report: Report,
) -> None:
    """Both assemblies of June 2018, with every step of their votes, to the published results."""
    time_now.set(datetime(2018, 5, 28, 9, 0, tzinfo=BRUSSELS))
    record_date = date(2018, 5, 25)
    opens_at = datetime(2018, 6, 4, 8, 0, tzinfo=BRUSSELS)
    plan = (
        (france, FRANCE_2018, date(2018, 6, 18), "Lille", FRANCE_VOTERS, 2008),
        (belgium, BELGIUM_2018, date(2018, 6, 19), "Bruxelles / Brussel", BELGIUM_VOTERS, 1998),
    )
    prepared = []
    for officers, items, day, place, voters, seed in plan:
        starts_at = datetime.combine(day, time(17, 0), BRUSSELS)
        titles = {
            "fr": f"Assemblée générale ordinaire du {day.day} juin 2018",
            "nl": f"Gewone algemene vergadering van {day.day} juni 2018",
            "de": f"Ordentliche Generalversammlung vom {day.day}. Juni 2018",
            "en": f"Ordinary general assembly of {day.day} June 2018",
        }
        assembly = _convene(
            session, officers, titles, starts_at, record_date, place, items, INVENTED
        )
        holder = officers.accounts[Role.TRUSTEE]
        election = prepare_election(
            session,
            officers.actor(session, Role.RETURNING_OFFICER),
            assembly,
            VoteInput(
                opens_at=opens_at,
                closes_at=starts_at + timedelta(hours=1),
                group="BELENIOS-2048",
                credential_mode="offline",
                credential_authority="Demonstration",
            ),
            trustees=[holder],
        )
        (key,) = scene.register_keys(session, election, [holder])
        report(f"{officers.cooperative.name}: voting codes", 0, 1)
        codes = scene.hand_in_offline_codes(session, election)
        report(f"{officers.cooperative.name}: voting codes", 1, 1)
        prepared.append((officers, assembly, election, key, codes, items, voters, seed))
    time_now.set(opens_at)
    _tick(session)
    time_now.set(datetime(2018, 6, 12, 12, 0, tzinfo=BRUSSELS))
    for officers, _assembly, election, _key, codes, items, voters, seed in prepared:
        ballots = _invent_ballots(codes, items, size.voters(voters, len(codes)), seed)
        shown = partial(report, f"{officers.cooperative.name}: ballots")
        scene.cast_ballots(session, election, ballots, pool, shown)
    for officers, assembly, election, key, _codes, _items, _voters, _seed in prepared:
        time_now.set(election.closes_at)
        _count(session, officers, election, key)
        actor = officers.actor(session, Role.SECRETARY)
        states.hold_assembly(session, actor, assembly)
        states.close_assembly(session, actor, assembly)
        session.commit()
        report(f"{officers.cooperative.name}: result of 2018", 1, 1)


def _invent_ballots(
    codes: dict[int, str], items: Sequence[DemoItem], count: int, seed: int
) -> list[tuple[int, str, list[list[int]]]]:
    chance = random.Random(seed)  # noqa: S311 (who votes what in an invented vote)
    voters = chance.sample(sorted(codes), count)
    columns = [scene.spread(count, item.votes, chance) for item in items if item.majority]
    return [
        (entry, codes[entry], [scene.one_of(column[place], 3) for column in columns])
        for place, entry in enumerate(voters)
    ]


def _tick(session: Session) -> None:
    session.commit()
    tick()
    scene.run_jobs(session)


def _count(session: Session, officers: scene.Officers, election: Election, key: int) -> None:
    _tick(session)
    scene.open_tally(session, election, officers.accounts[Role.TRUSTEE], key)
    _tick(session)
    if election.state != "published":
        raise RuntimeError(f"the result of {election.uuid} is not published: {election.state}")


def _prepare_coming(
    session: Session,
    officers: scene.Officers,
    now: datetime,
    time_now: scene.DemoClock,
    folder: Path,
    report: Report,
) -> None:
    """An assembly six days from now whose vote opened the day before yesterday."""
    today = now.astimezone(BRUSSELS).date()
    time_now.set(datetime.combine(today - timedelta(days=18), time(9, 0), BRUSSELS))
    starts_at = datetime.combine(today + timedelta(days=6), time(18, 0), BRUSSELS)
    titles = {
        "fr": "Assemblée générale de démonstration",
        "nl": "Algemene vergadering (demonstratie)",
        "de": "Generalversammlung (Vorführung)",
        "en": "Demonstration general assembly",
    }
    assembly = _convene(
        session,
        officers,
        titles,
        starts_at,
        today - timedelta(days=20),
        "Bruxelles / Brussel",
        coming_agenda(today.year - 1),
        INVENTED,
    )
    report(f"{officers.cooperative.name}: notices", 0, 1)
    notices.send_notice(session, officers.actor(session, Role.SECRETARY), assembly)
    scene.run_jobs(session)
    report(f"{officers.cooperative.name}: notices", 1, 1)
    holder = officers.accounts[Role.TRUSTEE]
    election = prepare_election(
        session,
        officers.actor(session, Role.RETURNING_OFFICER),
        assembly,
        VoteInput(
            opens_at=datetime.combine(today - timedelta(days=2), time(8, 0), BRUSSELS),
            closes_at=starts_at + timedelta(hours=1),
            group="Ed25519",
        ),
        trustees=[holder],
    )
    (key,) = scene.register_keys(session, election, [holder])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"govern-trustee-key-{election.uuid}.age"
    path.write_bytes(write_key_file(election.uuid, election.group, key, scene.PASSWORD))
    path.chmod(0o600)
    report(f"{officers.cooperative.name}: voting codes", 0, 1)
    officer = officers.actor(session, Role.RETURNING_OFFICER)
    list_key = credentials.make_list_key(scene.PASSWORD)
    credentials.start_server_run(session, officer, election, list_key)
    scene.run_jobs(session)
    report(f"{officers.cooperative.name}: voting codes", 1, 1)
    time_now.set(election.opens_at)
    _tick(session)
    time_now.set(now - timedelta(hours=1))
    _some_ballots(session, election)
    if election.state != "open":
        raise RuntimeError(f"the vote of the demonstration did not open: {election.state}")


def _some_ballots(session: Session, election: Election) -> None:
    """Half a dozen early voters, none of them a sample member."""
    chance = random.Random(2018)  # noqa: S311 (who votes what in an invented vote)
    entries = session.scalars(
        select(RollEntry).where(RollEntry.roll_id == election.roll_id).order_by(RollEntry.id)
    ).all()
    questions = sorted(election.questions, key=lambda question: question.position)
    others = [entry for entry in entries if int(entry.member_number) not in SAMPLES]
    with ProcessPoolExecutor(2) as pool:
        ballots = [
            (
                entry.id,
                credentials.find_code(session, SYSTEM, election, entry, scene.PASSWORD),
                [_early_choice(question, chance) for question in questions],
            )
            for entry in chance.sample(others, 6)
        ]
        scene.cast_ballots(session, election, ballots, pool, lambda _done, _total: None)


def _early_choice(question: ElectionQuestion, chance: random.Random) -> list[int]:
    answers = len(question.answers)
    if question.blank:
        return [0, *scene.one_of(chance.randrange(answers), answers)]
    return scene.one_of(chance.choice((0, 0, 0, 1, 2)), answers)
