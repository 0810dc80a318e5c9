"""What the review queue finds of frauds that were planted in a year like the reference county's.

The honest year is the demo's: the same volunteers, organizations and services, gathered into shifts
of a dozen, with what happens to honest people too: paper lists, broken screens, fixed teams, floods,
couples with one phone, late lists, organizers who serve. Twelve kinds of fraud are planted among it,
each in several strengths: some stay below the county's numbers on purpose, as a careful cheat would.

Printed for each kind: how many of its cases the queue shows (recall), and for each signal how many of
its entries are about a planted case (precision). The tree is left empty: no signal reads it.
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import county
import numpy as np
from county import BOOK, SERVICES, VOLUNTEERS, YEAR, County

from timebank import postgres
from timebank.domain.period import Period, day_start
from timebank.domain.scope import Scope
from timebank.domain.signal import Measure, SignalKind
from timebank.queries.review_queue import find_queue

ZONE = ZoneInfo("Asia/Shanghai")
SCALE = 100
"""The usual run has one service of so many; its county is as large, its organizations fewer."""

CROWD = 12
"""Volunteers of an honest shift, on average."""

SEED = 330424
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LENGTHS = (90, 120, 150, 180, 240)
SCANNED, CONFIRMED, DECLARED = (1, 3), (1, 1), (0, 0)

TRANSFER = [
    "book_id",
    "seq",
    "key",
    "kind",
    "unit",
    "debit",
    "credit",
    "amount",
    "effective_at",
    "recorded_at",
    "volunteer",
    "assurance",
    "measured",
    "activity_book",
    "activity",
    "shift",
    "field",
    "place",
]


@dataclass(frozen=True, slots=True)
class Case:
    """A planted fraud: every entry of the queue about one of its subjects has found it.

    Where an organization is the fraud, so is each of its shifts.
    """

    kind: str
    subjects: frozenset[str]

    def is_about(self, seen: Measure) -> bool:
        about = (seen.subject, f"organization/{seen.book}/{seen.organization}")
        return any(each in about or seen.subject.startswith(f"{each}/") for each in self.subjects)


@dataclass(slots=True)
class Rows:
    """What is written to the tables, table by table."""

    villages: Sequence[int]
    random: np.random.Generator
    organizations: list[tuple[Any, ...]] = field(default_factory=list)
    activities: list[tuple[Any, ...]] = field(default_factory=list)
    shifts: list[tuple[Any, ...]] = field(default_factory=list)
    signups: list[tuple[Any, ...]] = field(default_factory=list)
    attendance: list[tuple[Any, ...]] = field(default_factory=list)
    appointments: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    flags: list[tuple[Any, ...]] = field(default_factory=list)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)

    def organization(self) -> int:
        number = len(self.organizations) + 1
        village = int(self.villages[int(self.random.integers(len(self.villages)))])
        self.places[number] = village
        opened = county.OPENED
        self.organizations.append((BOOK, number, f"志愿服务队 {number}", "team", village, opened))
        return number

    def activity(self, organization: int) -> int:
        number = len(self.activities) + 1
        place = self.places[organization]
        self.activities.append(
            (
                BOOK,
                organization,
                number,
                f"活动 {number}",
                1,
                "-",
                "-",
                place,
                "-",
                None,
                county.OPENED,
                None,
                True,
            )
        )
        return number

    def shift(
        self,
        organization: int,
        activity: int,
        starts_at: datetime,
        minutes: int,
        *,
        closed: bool = True,
    ) -> "Shift":
        number = len(self.shifts) + 1
        ends_at = starts_at + minutes * MINUTE
        closed_at = ends_at + 30 * MINUTE if closed else None
        self.shifts.append((BOOK, number, activity, starts_at, ends_at, 5_000, None, closed_at))
        return Shift(self, organization, activity, number, starts_at, minutes)

    def credit(
        self,
        shift: "Shift",
        volunteer: int,
        *,
        begins: datetime,
        minutes: int,
        evidence: tuple[int, int],
        recorded_at: datetime,
        place: int | None = None,
    ) -> None:
        where = place or self.places[shift.organization]
        self.entries.append(
            (
                recorded_at,
                volunteer,
                minutes,
                begins,
                *evidence,
                shift.activity,
                shift.number,
                where,
            )
        )


@dataclass(slots=True)
class Shift:
    rows: Rows
    organization: int
    activity: int
    number: int
    starts_at: datetime
    minutes: int

    @property
    def subject(self) -> str:
        return f"shift/{BOOK}/{self.number}"

    def serve(
        self,
        volunteer: int,
        *,
        evidence: tuple[int, int] = SCANNED,
        late: int = 0,
        early: int = 0,
        signed_up: timedelta = -DAY,
        recorded_after: timedelta = timedelta(),
        place: int | None = None,
    ) -> None:
        """Sign up, come, leave and be credited."""
        begins = self.starts_at + late * MINUTE
        ends = self.starts_at + (self.minutes - early) * MINUTE
        self.rows.signups.append(
            (BOOK, volunteer, BOOK, self.number, self.starts_at + signed_up, None)
        )
        if evidence != DECLARED:
            self.rows.attendance.append(
                (BOOK, volunteer, BOOK, self.number, begins, True, ends, evidence == SCANNED)
            )
        self.rows.credit(
            self,
            volunteer,
            begins=begins,
            minutes=self.minutes - late - early,
            evidence=evidence,
            recorded_at=ends + recorded_after,
            place=place,
        )


@cache
def at(day: int, hour: int) -> datetime:
    """Return an hour of a day of the year, both counted from 0, where the county is."""
    return day_start(date(YEAR, 1, 1) + day * DAY, zone=ZONE) + timedelta(hours=hour)


def live(rows: Rows, rng: np.random.Generator, lines: Sequence[tuple[Any, ...]]) -> list[int]:
    """Let the honest year happen; return its organizations."""
    works = min(len({line[1] for line in lines}), max(40, len(lines) // (26 * CROWD)))
    teams = [rows.organization() for _ in range(max(20, works // 4))]
    made = [(team, rows.activity(team)) for team in (teams[w % len(teams)] for w in range(works))]
    per_year = max(1, len(lines) // (works * CROWD))
    people: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    busy: set[tuple[int, int]] = set()
    for volunteer, work, day, evidence in lines:
        turn = day * per_year // 366
        on = turn * 366 // per_year
        if (volunteer, on) not in busy:
            busy.add((volunteer, on))
            people[work % works, turn][volunteer] = evidence
    # Drawn at once: millions of single draws take minutes.
    punctual = iter((rng.random(len(busy)) < 0.35).tolist())
    missed = iter(rng.integers(0, 9, (len(busy), 2)).tolist())
    for (work, turn), crowd in people.items():
        team, activity = made[work]
        length = LENGTHS[work % len(LENGTHS)]
        shift = rows.shift(team, activity, at(turn * 366 // per_year, 8 + work % 9), length)
        draw = rng.random()
        is_paper, is_broken, is_exact = draw < 0.02, 0.02 <= draw < 0.025, rng.random() < 0.3
        paper_days = timedelta(days=int(rng.integers(1, 14)))
        for volunteer, evidence in crowd.items():
            late, early = (0, 0) if next(punctual) else next(missed)
            if is_paper:
                # On some lists everybody has the planned hours, on others what they really served.
                shift.serve(
                    volunteer,
                    evidence=DECLARED,
                    early=0 if is_exact else int(rng.integers(0, 4)) * 15,
                    recorded_after=paper_days,
                )
            elif is_broken or evidence == "confirmed":
                shift.serve(volunteer, evidence=CONFIRMED, late=late, early=early)
            elif evidence == "declared":
                days = timedelta(days=int(rng.integers(1, 14)))
                shift.serve(volunteer, evidence=DECLARED, recorded_after=days)
            else:
                shift.serve(volunteer, late=late, early=early)
    return teams


def live_oddly(
    rows: Rows,
    rng: np.random.Generator,
    teams: Sequence[int],
    volunteers: Callable[[int], list[int]],
    times: int,
) -> None:
    """Let honest people do what looks odd: nothing of it is a case."""
    for _ in range(times):
        team = int(rng.choice(teams))
        activity = rows.activity(team)
        # A fixed team meets every other week; now and then somebody is ill.
        fixed = volunteers(int(rng.integers(4, 8)))
        for week in range(0, 50, 2):
            shift = rows.shift(team, activity, at(week * 7, 18), 120)
            for volunteer in fixed:
                if rng.random() < 0.8:
                    late, early = map(int, rng.integers(0, 9, 2))
                    shift.serve(volunteer, late=late, early=early)
        # A flood: long days for some, nobody had signed up before.
        shift = rows.shift(team, activity, at(int(rng.integers(170, 230)), 5), 15 * 60)
        for volunteer in volunteers(6):
            shift.serve(volunteer, signed_up=10 * MINUTE, late=int(rng.integers(10, 90)))
        # Somebody left early for another shift, and the organizer wrote down the planned end.
        (early,) = volunteers(1)
        rows.shift(team, activity, at(100, 9), 180).serve(early, evidence=CONFIRMED)
        rows.shift(team, activity, at(100, 11), 120).serve(
            early, late=10 + int(rng.integers(0, 40))
        )
        # A couple with one phone.
        for volunteer in volunteers(2):
            rows.flags.append(flag(shift, volunteer))
        # A list that came three weeks late, of few people.
        shift = rows.shift(team, activity, at(int(rng.integers(30, 300)), 9), 150)
        for volunteer in volunteers(int(rng.integers(3, 6))):
            shift.serve(volunteer, evidence=DECLARED, recorded_after=22 * DAY)
        # An organizer who serves: by code nearly always, once confirmed by a colleague.
        (own,) = volunteers(1)
        appoint(rows, own, team)
        for place in range(6):
            shift = rows.shift(team, activity, at(40 + 40 * place, 13), 120)
            is_coded = place > 0 or rng.random() < 0.7
            shift.serve(own, evidence=SCANNED if is_coded else CONFIRMED, late=2)


PERSONS: dict[int, UUID] = {}


def appoint(rows: Rows, volunteer: int, organization: int) -> None:
    rows.appointments.append(
        (PERSONS[volunteer], "role.organizer", BOOK, organization, None, county.OPENED, None)
    )


def flag(shift: Shift, volunteer: int) -> tuple[Any, ...]:
    return (BOOK, volunteer, BOOK, shift.number, "arrive", "flag.shared_device", shift.starts_at)


def cheat(
    rows: Rows,
    rng: np.random.Generator,
    teams: Sequence[int],
    volunteers: Callable[[int], list[int]],
    cases: int,
) -> None:
    """Plant so many cases of each kind; the place of a case decides how bold it is.

    Every second sold account, invented activity and activity of hours that came first is that of a
    team which serves all year.
    """

    def case(kind: str, *subjects: str) -> None:
        rows.cases.append(Case(kind, frozenset(subjects)))

    def team() -> tuple[int, int, str]:
        organization = rows.organization()
        return organization, rows.activity(organization), f"organization/{BOOK}/{organization}"

    def hidden(place: int) -> tuple[int, int]:
        busy = int(rng.choice(teams)) if place * 2 >= cases else rows.organization()
        return busy, rows.activity(busy)

    for place in range(cases):
        bold = place % 4
        """0 is the most careful."""
        day = int(rng.integers(20, 330))

        organization, activity = hidden(place)
        shift = rows.shift(organization, activity, at(day, 9), 300)
        for volunteer in volunteers((4, 6, 9, 20)[bold]):
            shift.serve(volunteer, evidence=CONFIRMED, late=int(rng.integers(0, 20)))
        case("sold account, nobody leaves by code", shift.subject)

        organization, activity = hidden(place)
        shift = rows.shift(organization, activity, at(day, 9), 240)
        for volunteer in volunteers((6, 8, 15, 40)[bold]):
            shift.serve(volunteer, evidence=DECLARED, recorded_after=3 * DAY)
        case("invented activity, all full time", shift.subject)

        organization, activity = hidden(place)
        shift = rows.shift(organization, activity, at(day, 9), 180)
        for volunteer in volunteers((4, 5, 10, 20)[bold]):
            shift.serve(volunteer, signed_up=5 * MINUTE, late=6, early=int(rng.integers(0, 5)))
        case("hours first, sign-ups after the start", shift.subject)

        organization, activity, subject = team()
        shift = rows.shift(organization, activity, at(day, 9), 180)
        for volunteer in volunteers((5, 6, 12, 20)[bold]):
            shift.serve(
                volunteer,
                evidence=DECLARED,
                early=int(rng.integers(0, 5)) * 10,
                recorded_after=timedelta(days=(12, 20, 35, 90)[bold]),
            )
        case("entered long after", subject)

        organization, activity, subject = team()
        for week in range(53):
            shift = rows.shift(organization, activity, at(week * 7, 14), 120)
            crowd = 5 if week < 51 else (9, 20, 40, 80)[bold]
            for volunteer in volunteers(crowd):
                late = int(rng.integers(0, 20))
                shift.serve(volunteer, evidence=CONFIRMED, late=late, recorded_after=DAY / 24)
        case("burst before the target day", subject)

        organization, activity, subject = team()
        absent = volunteers((4, 5, 8, 15)[bold])
        for turn in range((4, 6, 10, 20)[bold]):
            shift = rows.shift(organization, activity, at((day + turn * 9) % 360, 17), 120)
            for volunteer in absent:
                shift.serve(volunteer, late=int(rng.integers(0, 4)))
        case("absent friends signed in together", subject)

        organization, activity, subject = team()
        (own,) = volunteers(1)
        appoint(rows, own, organization)
        for turn in range(bold + 1):
            shift = rows.shift(organization, activity, at((day + turn * 11) % 360, 19), 180)
            shift.serve(own, evidence=CONFIRMED if turn else DECLARED, late=turn)
        for turn in range(3 if bold == 0 else 0):
            shift = rows.shift(organization, activity, at((day + 20 + turn * 11) % 360, 19), 180)
            shift.serve(own, late=turn)
        case("organizer credits the own hours", subject)

        organization, activity, subject = team()
        pair = uuid4(), uuid4()
        for turn in range((3, 5, 8, 15)[bold]):
            submitted, decided = pair if turn % 2 else pair[::-1]
            when = at((day + turn) % 360, 20)
            rows.held.append(
                (
                    BOOK,
                    len(rows.held) + 1,
                    "paper",
                    f"list/{len(rows.held)}",
                    organization,
                    None,
                    "[]",
                    "",
                    2400,
                    12,
                    submitted,
                    when,
                    decided,
                    when + MINUTE,
                    True,
                    None,
                )
            )
        case("two who wave each other through", subject)

        organization, activity, _ = team()
        shift = rows.shift(organization, activity, at(day, 9), 120)
        for volunteer in volunteers((2, 4, 8, 20)[bold]):
            shift.serve(volunteer, late=1)
            rows.flags.append(flag(shift, volunteer))
        case("one phone for many", shift.subject)

        (doubled,) = volunteers(1)
        for begins, length in ((9, 180), (10 if bold else 11, 180)):
            organization, activity, _ = team()
            shift = rows.shift(organization, activity, at(day, begins), length)
            shift.serve(doubled, early=0 if bold else 55, late=0)
        case("in two places at once", f"volunteer/{BOOK}/{doubled}")

        (endless,) = volunteers(1)
        for turn in range((16, 17, 18, 22)[bold]):
            organization, activity, _ = team() if turn % 8 == 0 else (organization, activity, "")
            rows.shift(organization, activity, at(day, turn), 60).serve(endless)
        case("more hours than a day has", f"volunteer/{BOOK}/{endless}")

        (relayed,) = volunteers(1)
        for turn in range((2, 3, 4, 8)[bold]):
            organization, activity, _ = team()
            begins = at(day, 8) + turn * 65 * MINUTE
            # Two towns in turn, at opposite ends of the county.
            place = int(rows.villages[0 if turn % 2 else -1])
            rows.shift(organization, activity, begins, 60).serve(relayed, place=place)
        case("codes relayed to another town", f"volunteer/{BOOK}/{relayed}")


async def fill(made: County, rows: Rows) -> None:
    """Write everything; entries in the order in which they were recorded, one batch a day.

    The large tables are written side by side, without looking up what their rows refer to: they
    come from one plan, and what is measured is the queue.
    """
    columns: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "organization": ("book_id id name kind region opened_at", rows.organizations),
        "activity": (
            (
                "book_id organization_id id title field content address region in_charge created_by"
                " created_at cancelled_at is_listed"
            ),
            rows.activities,
        ),
        "shift": (
            "book_id id activity_id starts_at ends_at places cancelled_at closed_at",
            rows.shifts,
        ),
        "signup": (
            "book_id volunteer_id shift_book shift_id signed_up_at withdrawn_at",
            rows.signups,
        ),
        "attendance": (
            (
                "book_id volunteer_id shift_book shift_id arrived_at arrival_measured left_at"
                " departure_measured"
            ),
            rows.attendance,
        ),
        "appointment": (
            "person_id role book_id organization_id region from_at until_at",
            rows.appointments,
        ),
        "held_entry": (
            (
                "book_id id kind subject organization_id shift_id content note minutes people"
                " submitted_by submitted_at decided_by decided_at is_approved reason"
            ),
            rows.held,
        ),
        "scan_flag": (
            "book_id volunteer_id shift_book shift_id direction flag at",
            rows.flags,
        ),
    }
    first = at(0, 0)
    by_day: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for entry in rows.entries:
        by_day[(entry[0] - first).days].append(entry)

    async def write(*tables: str) -> None:
        conn = await made.connect(postgres.SUPERUSER)
        await conn.execute("set session_replication_role = replica")
        async with conn.transaction():
            for table in tables:
                names, records = columns[table]
                await conn.copy_records_to_table(table, columns=names.split(), records=records)
        await conn.close()

    large = ("signup", "attendance")
    await asyncio.gather(
        write(*(each for each in columns if each not in large)),
        *(write(each) for each in large),
        write_ledger(made, by_day),
    )
    conn = await made.connect()
    await conn.execute("analyze")
    await conn.close()


async def write_ledger(made: County, by_day: Mapping[int, list[tuple[Any, ...]]]) -> None:
    """Write the entries of each day as one batch, and the book's head after the last."""
    conn = await made.connect(postgres.SUPERUSER)
    await conn.execute("set session_replication_role = replica")
    seq = 0
    async with conn.transaction():
        for batch, day in enumerate(sorted(by_day), 1):
            recorded_at = at(day + 1, 0) - MINUTE
            ordered = sorted(by_day[day], key=itemgetter(3, 1))
            await conn.copy_records_to_table(
                "transfer",
                columns=TRANSFER,
                records=(
                    (
                        BOOK,
                        number,
                        UUID(int=number),
                        1,
                        1,
                        0,
                        volunteer,
                        minutes,
                        begins,
                        recorded_at,
                        volunteer,
                        assurance,
                        measured,
                        BOOK,
                        activity,
                        shift,
                        1,
                        place,
                    )
                    for number, (
                        _at,
                        volunteer,
                        minutes,
                        begins,
                        assurance,
                        measured,
                        activity,
                        shift,
                        place,
                    ) in enumerate(ordered, seq + 1)
                ),
            )
            await conn.execute(
                "insert into batch values ($1, $2, $3, $4, $5, $6)",
                BOOK,
                batch,
                seq + 1,
                seq + len(ordered),
                recorded_at,
                bytes(32 * len(ordered)),
            )
            seq += len(ordered)
        await conn.execute(
            "update book set seq = $2, batch = $3 where id = $1", BOOK, seq, len(by_day)
        )
    await conn.close()


def report(rows: Rows, found: Sequence[Measure]) -> None:
    """Print recall by planted kind, precision by signal, and both over all."""
    width = 40
    print(f"\n{'planted':{width}} cases  found  recall")
    by_kind: dict[str, list[Case]] = defaultdict(list)
    for case in rows.cases:
        by_kind[case.kind].append(case)
    caught = 0
    for kind, cases in by_kind.items():
        hits = sum(any(case.is_about(seen) for seen in found) for case in cases)
        caught += hits
        print(f"{kind:{width}} {len(cases):5}  {hits:5}  {hits / len(cases):6.2f}")
    print(f"\n{'signal':{width}} shown   true  precision")
    right = 0
    for signal in SignalKind:
        shown = [seen for seen in found if seen.kind is signal]
        true = sum(any(case.is_about(seen) for case in rows.cases) for seen in shown)
        right += true
        share = f"{true / len(shown):6.2f}" if shown else "     -"
        print(f"{signal.value:{width}} {len(shown):5}  {true:5}  {share}")
    recall, precision = caught / len(rows.cases), right / max(len(found), 1)
    print(f"\nqueue: {len(found)} entries, precision {precision:.2f}, recall {recall:.2f}")
    for first in (10, 20, 50, 100, 200):
        top = found[:first]
        true = sum(any(case.is_about(seen) for case in rows.cases) for seen in top)
        if len(top) == first:
            print(f"its first {first}: precision {true / first:.2f}")


@cache
def day_of(text: str) -> int:
    """Return which day of the year a date is, counted from 0."""
    return (date.fromisoformat(text) - date(YEAR, 1, 1)).days


async def simulate(options: argparse.Namespace, made: County) -> None:
    services = SERVICES if options.full else SERVICES // SCALE
    volunteers = VOLUNTEERS if options.full else VOLUNTEERS // SCALE * 2
    cases = 40 if options.full else 8
    others = cases * 900
    rng = np.random.default_rng([SEED, services])
    started = time.perf_counter()
    await county.found(made)
    conn = await made.connect()
    await county.enrol(conn, count=volunteers + others)
    PERSONS.update(await conn.fetch("select id, person_id from volunteer"))
    villages = await conn.fetch(
        "select code from region where level = 'village' and code / 1000000 = $1", BOOK
    )
    await conn.close()
    year = await county.plan_year(made, services=services)
    lines: list[tuple[Any, ...]] = []
    works: dict[tuple[str, str], int] = {}
    for _number, cells, _progress in year.lines():
        work = works.setdefault((str(cells[2]), str(cells[3])), len(works))
        day = day_of(str(cells[6])[:10])
        lines.append((1 + int(str(cells[0])[2:]) % volunteers, work, day, str(cells[8])))
    rows = Rows(sorted(each[0] for each in villages), rng)
    # Whoever cheats, or looks odd, does nothing else: what is found is what was planted.
    free = iter(range(volunteers + 1, volunteers + others + 1))

    def draw(count: int) -> list[int]:
        return [next(free) for _ in range(count)]

    print(f"{len(lines):,} services planned in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    teams = live(rows, rng, lines)
    live_oddly(rows, rng, teams, draw, cases)
    cheat(rows, rng, teams, draw, cases)
    await fill(made, rows)
    print(
        f"{len(rows.entries):,} entries in {len(rows.shifts):,} shifts of {len(rows.organizations):,}"
        f" organizations, {len(rows.cases)} frauds of {len({c.kind for c in rows.cases})} kinds;"
        f" made in {time.perf_counter() - started:.0f} s",
        flush=True,
    )
    db = made.database()
    period = Period(
        datetime(YEAR - 1, 12, 31, 16, tzinfo=UTC), datetime(YEAR + 1, 4, 30, tzinfo=UTC)
    )
    started = time.perf_counter()
    async with db.read() as reader:
        queue = await find_queue(
            reader, scope=Scope(BOOK * 1_000_000), book=BOOK, period=period, zone=ZONE
        )
    print(f"queue of the whole year in {time.perf_counter() - started:.1f} s")
    await db.close()
    report(rows, [seen for seen, _review in queue.waiting])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="all 3.7 million services of the year")
    options = parser.parse_args()
    with county.opened() as made:
        asyncio.run(simulate(options, made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
