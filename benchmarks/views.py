"""Every page of the office's numbers over the whole application, and whether history slows it.

Server time: from the request that enters the application to the last byte that leaves it, with
sign-in, queries and page, on one processor and without a network. Asked of a server that was just
started and counted before it answered; asked again; and after a service was posted, which is how a
county lives. Then the same with more years of history before the reference year, which are drawn
smaller unless `--earlier` says otherwise: what is asked is whether a page reads them at all.

The goal is a hundred milliseconds a view; the ratio is the goal over the slowest view's median.
The first paint is what the overview and everything it needs to be drawn weigh, packed.
"""

import argparse
import asyncio
import gzip
import re
import sys
import time
from datetime import UTC, date, datetime
from statistics import median
from uuid import uuid4

import asyncpg
import county
import httpx
from county import BOOK, SERVICES, VOLUNTEERS, YEAR, County
from report import HEAD, JOURNAL, ROLLUPS

from timebank.app import build_kit, create_app
from timebank.domain.actor import Role
from timebank.domain.posting import Posted
from timebank.domain.sign_in import token_hash_of
from timebank.domain.transfer import Service, Transfer
from timebank.http.identity import COOKIE
from timebank.ledger import journal
from timebank.services.enrolment import appoint
from timebank.services.folding import fold_book, store_sums, warm_reports
from timebank.store import people, signins
from timebank.store.people import Person
from timebank.store.seal import Seal

KEY = b"k" * 32
TOKEN = b"benchmark"
NOW = datetime(YEAR + 1, 3, 10, 2, tzinfo=UTC)
GOAL_MS = 100.0
PAINT_KB = 200.0
TOWN = 330424102000

VIEWS = {
    "overview": "/district",
    "town": f"/district?region={TOWN}",
    "year going on": f"/district?year={YEAR + 1}",
    "scanned only": "/district?definition=active-rate.residents.scanned",
    "course": "/district/course",
    "course of a town": f"/district/course?region={TOWN}",
    "compare": "/district/compare",
    "compare quarters": f"/district/compare?period={YEAR}-Q4&period_b={YEAR}-Q3",
    "publications": "/district/publications",
}

DRAWN = """
    insert into service
    select 1 + floor(power(random(), 1.5) * $1::int)::int, $2::date + floor(random() * $3::int)::int,
        30 + floor(random() * 300)::int, grade / 4, grade % 4
    from generate_series(1, $4::bigint),
        lateral (select (array[0, 5, 7, 7, 7, 11])[1 + floor(random() * 6)::int] as grade) g
"""


async def draw(conn: asyncpg.Connection, *, year: int, services: int) -> None:
    """Draw a year of services into the table that both the journal and the roll-ups are made of."""
    first = date(year, 1, 1)
    days = (date(year + 1, 1, 1) - first).days
    await conn.execute(DRAWN, county.ACTIVE, first, days, services)


async def book(conn: asyncpg.Connection) -> None:
    """Make journal and roll-ups of all that was drawn, in the order of days."""
    for table in ("transfer", "volunteer_month", "entry_segment", "report_state"):
        await conn.execute(f"truncate {table}")
    # What was posted into the book before stands in no journal any more.
    for table in ("account_state", "batch"):
        await conn.execute(f"delete from {table} where batch > 1")
    await conn.execute(ROLLUPS, BOOK)
    await conn.execute(JOURNAL, BOOK, county.OPENED, county.VILLAGE)
    entries = await conn.fetchval("select max(seq) from transfer")
    await conn.execute(HEAD, BOOK, entries, county.OPENED, bytes(32 * entries.bit_count()))


async def sign_in(found: County) -> None:
    """Let an officer of the county be signed in."""
    db, person = found.database(), uuid4()
    async with db.write() as conn:
        await people.insert_people(
            conn, seal=Seal(KEY), people=[Person(person, None, None)], now=NOW
        )
        await signins.insert_sign_in(
            conn,
            token_hash=token_hash_of(TOKEN),
            person=person,
            now=NOW,
            expires_at=datetime(YEAR + 9, 1, 1, tzinfo=UTC),
        )
    await appoint(db, person=person, role=Role.OFFICER, region=BOOK * 1_000_000, by=None, now=NOW)
    await db.close()


class Office:
    """A server that was just started, and somebody who asks it."""

    def __init__(self, found: County) -> None:
        self.kit = build_kit(
            database_url=found.server.app_url,
            master_key=KEY,
            url="http://office.test",
            book=BOOK,
            is_demo=False,
            now=lambda: NOW,
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.kit)),
            base_url="http://office.test",
            cookies={COOKIE: TOKEN.decode()},
            timeout=600,
        )
        self.worked = 0.0

    async def start(self) -> float:
        """Count what the pages open with, as a server does before it answers; return seconds."""
        started, worked = time.perf_counter(), time.process_time()
        await warm_reports(self.kit.db, book=BOOK, today=NOW.date())
        self.worked = 1e3 * (time.process_time() - worked)
        return time.perf_counter() - started

    async def ask(self, path: str) -> tuple[float, httpx.Response]:
        """Return the milliseconds of an answer, and the answer."""
        started, worked = time.perf_counter(), time.process_time()
        answer = await self.client.get(path)
        took = 1e3 * (time.perf_counter() - started)
        self.worked = 1e3 * (time.process_time() - worked)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        return took, answer

    async def post(self, number: int) -> None:
        """Post one service of the reference year."""
        at = datetime(YEAR, 1 + number % 12, 1 + number % 28, 1, tzinfo=UTC)
        volunteer = 1 + number % VOLUNTEERS
        async with self.kit.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            service = Service(1, 3, BOOK, 1, None, 1, county.VILLAGE)
            transfer = Transfer(uuid4(), 1, 1, 1, 1 + volunteer, 60, at, volunteer, service)
            (outcome,) = await journal.append(conn, head=head, transfers=[transfer], now=NOW)
        assert isinstance(outcome, Posted)

    async def close(self) -> None:
        """Stop."""
        await self.client.aclose()
        await self.kit.db.close()


async def weigh(office: Office) -> float:
    """Return the packed kilobytes of the overview and of what it needs to be drawn."""
    _, page = await office.ask("/district")
    whole = len(gzip.compress(page.content))
    for path in dict.fromkeys(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)):
        if not path.endswith((".png", ".ico", ".webmanifest")):
            _, part = await office.ask(path)
            whole += len(gzip.compress(part.content))
    return whole / 1024


async def measure_history(found: County, *, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each way of asking, of the slowest view each."""
    office = Office(found)
    # The first request of a process reads templates and plans statements, whatever it shows.
    await office.ask("/publications")
    warm = await office.start()
    print(f"a start counts for {1e3 * warm:.0f} ms before it answers, {office.worked:.0f} at work")
    slowest: dict[str, float] = {}
    first, lines = {}, []
    processor: dict[str, list[float]] = {}
    for name, path in VIEWS.items():
        first[name] = (await office.ask(path))[0]
        processor[name] = [office.worked]
    for name, path in VIEWS.items():
        again, posted = [], []
        for turn in range(rounds):
            again.append((await office.ask(path))[0])
            await office.post(turn)
            posted.append((await office.ask(path))[0])
            processor[name].append(office.worked)
        figures = {"first": first[name], "again": median(again), "after-entry": median(posted)}
        for way, figure in figures.items():
            slowest[way] = max(slowest.get(way, 0.0), figure)
        figures["processor-first"] = processor[name][0]
        figures["processor-after"] = median(processor[name][1:])
        lines.append(f"  {name:<18}" + "".join(f"{each:16.1f}" for each in figures.values()))
    print(f"  {'ms':<18}" + "".join(f"{each:>16}" for each in figures))
    print("\n".join(lines), flush=True)
    slowest["warm"] = 1e3 * warm
    slowest["paint"] = await weigh(office)
    await office.close()
    return slowest


async def measure(options: argparse.Namespace, found: County) -> None:
    """Measure with one year of history, then with more, and print the ratios."""
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=VOLUNTEERS)
    await sign_in(found)
    await conn.execute(
        "create unlogged table service"
        " (volunteer int, day date, minutes int, assurance smallint, measured smallint)"
    )
    await conn.execute("select setseed(0.5)")
    await county.print_conditions(found, "asyncpg", "sqlalchemy", "litestar")
    before: dict[str, float] = {}
    drawn: list[int] = []
    for years in dict.fromkeys((1, options.years)):
        for year in range(YEAR, YEAR - years, -1):
            if year not in drawn:
                drawn.append(year)
                many = options.services if year == YEAR else options.earlier
                await draw(conn, year=year, services=many)
        await book(conn)
        await found.settle()
        db = found.database()
        started = time.perf_counter()
        await fold_book(db, book=BOOK)
        await warm_reports(db, book=BOOK, today=NOW.date(), is_patient=True)
        stored = await store_sums(db, book=BOOK)
        rows = await conn.fetchval("select count(*) from transfer")
        print(
            f"{years} years, {rows:,} services; columns and {stored} sums stored in"
            f" {time.perf_counter() - started:.1f} s"
        )
        await db.close()
        figures = await measure_history(found, rounds=options.rounds)
        for way in ("first", "again", "after-entry"):
            print(f"ratio views-{way} {GOAL_MS / figures[way]:.2f}")
        print(f"ratio first-paint {PAINT_KB / figures['paint']:.2f}  ({figures['paint']:.0f} KB)")
        if before:
            for way in ("first", "again", "after-entry", "warm"):
                print(f"ratio flat-{way} {before[way] / figures[way]:.2f}")
        before = figures
    await conn.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--services", type=int, default=SERVICES, help="in the reference year")
    parser.add_argument("--years", type=int, default=10, help="of history, to compare with one")
    parser.add_argument(
        "--earlier",
        type=int,
        default=400_000,
        help=f"services in each earlier year; with {SERVICES} it takes half an hour",
    )
    options = parser.parse_args()
    with county.opened() as found:
        asyncio.run(measure(options, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
