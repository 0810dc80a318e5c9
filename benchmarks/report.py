"""The county report, all towns and villages of it, against DuckDB over the same services.

Ours: `active_rates` as the page calls it, in a read-only snapshot of its own, three times over:
after a new entry was posted through the journal, which is how a county lives; asked again without
one; and cold, by a process that knows nothing yet. What a process keeps it has counted of the
journal's entries, and it counts the new ones before it answers: the answers are compared with
DuckDB's row by row, before anything is timed and after everything was.

Theirs: DuckDB with its default threads, in memory, over one row per service (volunteer, day,
minutes, evidence), joined with homes, volunteers and residents to the same numbers.

Both see the same year; with --years, as many years of services before it.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from statistics import median
from uuid import uuid4

import asyncpg
import county
import duckdb
import numpy as np
from county import BOOK, SERVICES, VOLUNTEERS, YEAR, County
from sqlalchemy import text

from timebank.db import Database
from timebank.domain.posting import Posted
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer
from timebank.ledger import journal
from timebank.queries.active_rate import ActiveRateReport, active_rates
from timebank.services.folding import fold_book

_CLASSES = {"declared": (0, 0), "confirmed": (1, 1), "scanned": (1, 3)}
"""How evidence is stored: assurance and what was measured."""

ROLLUPS = """
    insert into volunteer_month
        (book_id, month, volunteer, assurance, measured, minutes, services)
    select $1, extract(year from day)::int * 100 + extract(month from day)::int, volunteer,
        assurance, measured, sum(minutes), count(*)
    from service group by 2, 3, 4, 5 order by 2, 3, 4, 5
"""

JOURNAL = """
    insert into transfer (
        book_id, seq, key, kind, unit, debit, credit, amount, effective_at, recorded_at, volunteer,
        assurance, measured, activity_book, activity, field, place
    )
    select $1, row_number() over (order by day), gen_random_uuid(), 1, 1, 1, 1 + volunteer, minutes,
        (day + time '09:00') at time zone 'Asia/Shanghai', $2, volunteer, assurance, measured,
        $1, 1 + volunteer % 1350, 1 + volunteer % 20, $3
    from service
"""

HEAD = "update book set seq = $2, batch = 1, recorded_at = $3, edge = $4 where id = $1"

REPORT = """
    with home as (
        select volunteer_id, arg_max(region, from_on) as region from residence
        where from_on <= $last group by volunteer_id
    ), registered as (
        select id, region from volunteer join home on volunteer_id = id
        where enrolled_on <= $last
    ), served as (
        select volunteer, sum(minutes) as minutes,
            sum(minutes) filter (where assurance > 0 and measured = 3) as scanned,
            sum(minutes) filter (where assurance > 0 and measured <> 3) as confirmed,
            sum(minutes) filter (where assurance = 0) as declared
        from service where day between $first and $last group by volunteer
    ), village as (
        select region, count(*) as registered, count(*) filter (where minutes > 0) as active,
            sum(scanned) as scanned, sum(confirmed) as confirmed, sum(declared) as declared
        from registered left join served on volunteer = id group by region
    )
    select d.code, any_value(d.residents), coalesce(sum(registered), 0), coalesce(sum(active), 0),
        coalesce(sum(scanned), 0), coalesce(sum(confirmed), 0), coalesce(sum(declared), 0)
    from division d left join village v on v.region between d.code and d.last
    group by d.code order by d.code
"""


async def fill(conn: asyncpg.Connection, found: County, *, services: int, years: int) -> None:
    """Put the services into a table of both sides' source, and make the roll-ups of it."""
    await conn.execute(
        """
        create unlogged table service
            (volunteer int, day date, minutes int, assurance smallint, measured smallint)
        """
    )
    year = await county.plan_year(found, services=services)
    day_of: dict[str, date] = {}

    def rows() -> Iterator[tuple[object, ...]]:
        for _, cells, _ in year.lines():
            text = str(cells[6])[:10]
            day = day_of.setdefault(text, date.fromisoformat(text))
            minutes, evidence = int(str(cells[7])), _CLASSES[str(cells[8])]
            yield int(str(cells[0])[2:]), day, minutes, *evidence

    await conn.copy_records_to_table("service", records=rows())
    for before in range(1, years):
        await conn.execute(
            "insert into service select volunteer, (day - $1 * interval '1 year')::date, minutes,"
            " assurance, measured from service where day >= $2",
            before,
            date(YEAR, 1, 1),
        )
    await conn.execute(ROLLUPS, BOOK)
    await conn.execute(JOURNAL, BOOK, county.OPENED, county.VILLAGE)
    entries = await conn.fetchval("select max(seq) from transfer")
    # The tree over them is not asked for here: its edge only has to be as long as it would be.
    await conn.execute(HEAD, BOOK, entries, county.OPENED, bytes(32 * entries.bit_count()))


async def load(conn: asyncpg.Connection) -> duckdb.DuckDBPyConnection:
    """Give DuckDB the same rows."""
    rival = duckdb.connect()
    columns = {
        "service": "volunteer, (day - date '2000-01-01') as day, minutes, assurance, measured",
        "residence": "volunteer_id, (from_on - date '2000-01-01') as from_on, region",
        "volunteer": "id, (enrolled_at::date - date '2000-01-01') as enrolled_on",
    }
    for table, names in columns.items():
        arrays: dict[str, list[np.ndarray]] = {}
        async with conn.transaction():
            cursor = await conn.cursor(f"select {names} from {table}")
            while chunk := await cursor.fetch(500_000):
                block = np.array([tuple(row) for row in chunk], dtype=np.int64)
                for place, name in enumerate(chunk[0].keys()):
                    arrays.setdefault(name, []).append(block[:, place])
        whole = {name: np.concatenate(parts) for name, parts in arrays.items()}
        rival.register("arriving", whole)
        dates = {"day", "from_on", "enrolled_on"}
        casts = ", ".join(
            f"(date '2000-01-01' + {name}::int)::date as {name}"
            if name in dates
            else f"{name}::{'bigint' if name == 'region' else 'int'} as {name}"
            for name in whole
        )
        rival.execute(f"create table {table} as select {casts} from arriving")
        rival.unregister("arriving")
    return rival


def add_divisions(rival: duckdb.DuckDBPyConnection, report: ActiveRateReport) -> None:
    """Give DuckDB the divisions with their residents; the last code of each spares it the maths."""
    rival.execute("create table division (code bigint, last bigint, residents bigint)")
    rival.executemany(
        "insert into division values (?, ?, ?)",
        [
            (row.region, Scope(row.region).codes.stop - 1, row.residents and row.residents.count)
            for row in report.rows
        ],
    )


def ask_rival(rival: duckdb.DuckDBPyConnection) -> list[tuple[int, ...]]:
    parameters = {"first": date(YEAR, 1, 1), "last": date(YEAR, 12, 31)}
    return rival.execute(REPORT, parameters).fetchall()


def numbers_of(report: ActiveRateReport) -> list[tuple[int | None, ...]]:
    return [
        (
            row.region,
            row.residents and row.residents.count,
            row.registered,
            row.active,
            row.minutes_scanned,
            row.minutes_confirmed,
            row.minutes_declared,
        )
        for row in report.rows
    ]


async def measure(options: argparse.Namespace, found: County) -> None:
    """Compare the answers, take turns, print the ratio."""
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=VOLUNTEERS)
    await fill(conn, found, services=options.services, years=options.years)
    rival = await load(conn)
    await conn.execute("drop table service")
    await found.settle()
    await county.print_conditions(found, "duckdb", "asyncpg", "sqlalchemy")
    threads = rival.execute("select current_setting('threads')").fetchone()
    (rows,) = rival.execute("select count(*) from service").fetchone()
    by_month = await conn.fetchval("select count(*) from volunteer_month")
    print(
        f"{rows:,} services in {options.years} years, {by_month:,} rows of roll-up;"
        f" DuckDB threads {threads[0]}; rounds: {options.rounds}"
    )

    db = found.database()
    scope = Scope(BOOK * 1_000_000)
    started = time.perf_counter()
    segments = await fold_book(db, book=BOOK)
    print(f"{segments} segments stored as columns in {time.perf_counter() - started:.1f} s")

    async def ask(known: Database) -> ActiveRateReport:
        async with known.read() as reading:
            report = await active_rates(reading, scope=scope, year=YEAR)
        assert report is not None
        return report

    def compare(report: ActiveRateReport) -> None:
        if numbers_of(report) != [tuple(map(int, row)) for row in ask_rival(rival)]:
            raise SystemExit("the two reports differ")

    draw = random.Random(county.BOOK)

    async def post() -> None:
        """Post one service of the year, and tell DuckDB."""
        volunteer, minutes = 1 + draw.randrange(VOLUNTEERS), 30 + draw.randrange(200)
        day = date(YEAR, 1 + draw.randrange(12), 1 + draw.randrange(28))
        at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        async with db.write() as writing:
            head = await journal.find_locked_head(writing, book=BOOK)
            assert head is not None
            (outcome,) = await journal.append(
                writing,
                head=head,
                transfers=[
                    Transfer(
                        uuid4(),
                        1,
                        1,
                        1,
                        1 + volunteer,
                        minutes,
                        at,
                        volunteer,
                        Service(1, 3, BOOK, 1, None, 1, county.VILLAGE),
                    )
                ],
                now=at,
            )
        assert isinstance(outcome, Posted)
        rival.execute("insert into service values (?, ?, ?, 1, 3)", (volunteer, day, minutes))

    report = await ask(db)
    add_divisions(rival, report)
    compare(report)
    top = report.rows[0]
    print(
        f"same answer: {len(report.rows)} divisions, {top.registered:,} registered,"
        f" {top.active:,} active, {top.minutes:,} minutes",
        flush=True,
    )

    ours: dict[str, list[float]] = {"report": [], "report-again": [], "report-cold": []}
    theirs: list[float] = []
    for turn in range(options.rounds * options.repeats):
        await post()
        for name in ("report", "report-again"):
            started = time.perf_counter()
            await ask(db)
            ours[name].append(1 / (time.perf_counter() - started))
        started = time.perf_counter()
        ask_rival(rival)
        theirs.append(1 / (time.perf_counter() - started))
        if turn % options.repeats == 0:
            stranger = found.database()
            async with stranger.read() as reading:
                await reading.execute(text("select 1"))
            started = time.perf_counter()
            await ask(stranger)
            ours["report-cold"].append(1 / (time.perf_counter() - started))
            await stranger.close()
    compare(await ask(db))
    await db.close()
    await conn.close()
    print(
        f"timebank {1e3 / median(ours['report']):.1f} ms after a new entry,"
        f" {1e3 / median(ours['report-again']):.1f} ms without one,"
        f" {1e3 / median(ours['report-cold']):.1f} ms cold;"
        f" DuckDB {1e3 / median(theirs):.1f} ms a report"
    )
    for name, each in ours.items():
        county.ratio(name, ours=each, theirs=theirs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5, help="reports of each side per round")
    parser.add_argument("--services", type=int, default=SERVICES, help="in the year of the report")
    parser.add_argument("--years", type=int, default=1, help="of history, the report's with them")
    options = parser.parse_args()
    with county.opened() as found:
        asyncio.run(measure(options, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
