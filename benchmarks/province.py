"""A province of ninety counties: its report and its course, every town and village of it counted.

Ninety books of one database, each with volunteers, homes, services and roll-ups of its own. Asked
first by a process that knows nothing yet, then again, and after a service was posted in every
county. The goal is a second; the ratio is the goal over the median.
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from statistics import median
from uuid import uuid4

import county
from county import YEAR, County

from timebank.db import Database
from timebank.domain.posting import Posted
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer
from timebank.ledger import accounts, journal
from timebank.queries.active_rate import active_rates
from timebank.queries.course import read_course
from timebank.services.folding import store_sums
from timebank.store.definitions import RESIDENTS_ANY_HOUR

PROVINCE = Scope(330_000_000_000)
GOAL_SECONDS = 1.0
ZONE = "Asia/Shanghai"

PEOPLE = (
    """
    insert into account
        (book_id, id, unit, kind, owner, is_debit_bounded, is_credit_bounded, opened_at)
    select b.id, b.accounts + n, 1, 2, n, false, false, $1
    from book b, generate_series(1, $2::bigint) n
    """,
    """
    insert into volunteer (book_id, id, reference, minutes_account, enrolled_at)
    select b.id, n, 'P' || n, b.accounts + n, $1 from book b, generate_series(1, $2::bigint) n
    """,
    """
    insert into residence (book_id, volunteer_id, from_on, region)
    select b.id, n, $1::date, villages[1 + n % cardinality(villages)]
    from generate_series(1, $2::bigint) n, book b, lateral (
        select array_agg(code) as villages from region
        where level = 'village' and code / 1000000 = b.id
    ) homes
    """,
    "insert into numbering select id, 'volunteer', $2::bigint from book where $1::date is not null",
    "update book set accounts = accounts + $2::bigint where $1::date is not null",
)

SERVED = """
    create unlogged table service as
    select b.id as book, n as seq, 1 + floor(power(random(), 1.5) * $1::int)::int as volunteer,
        date '2024-01-01' + floor(random() * 366)::int as day,
        30 + floor(random() * 300)::int as minutes, 1 as assurance, 3 as measured
    from book b, generate_series(1, $2::bigint) n
"""

BOOKED = (
    """
    insert into transfer (
        book_id, seq, key, kind, unit, debit, credit, amount, effective_at, recorded_at, volunteer,
        assurance, measured, activity_book, activity, field, place
    )
    select book, seq, gen_random_uuid(), 1, 1, 1, 1 + volunteer, minutes,
        (day + time '09:00') at time zone 'Asia/Shanghai', $1, volunteer, assurance, measured,
        book, 1 + volunteer % 135, 1 + volunteer % 20, book * 1000000::bigint
    from service
    """,
    """
    insert into volunteer_month (book_id, month, volunteer, assurance, measured, minutes, services)
    select book, extract(year from day)::int * 100 + extract(month from day)::int, volunteer,
        assurance, measured, sum(minutes), count(*)
    from service where $1::date is not null group by 1, 2, 3, 4, 5
    """,
    """
    update book b set seq = s.last, batch = 1, recorded_at = $1,
        edge = decode(repeat('00', 32 * length(replace(s.last::bit(32)::text, '0', ''))), 'hex')
    from (select book, max(seq) as last from service group by 1) s where s.book = b.id
    """,
)


async def fill(found: County, *, volunteers: int, services: int) -> list[int]:
    """Open a book for every county of the province, and fill them all alike."""
    await county.found(found)
    conn = await found.connect()
    rows = await conn.fetch("select code / 1000000 from region where level = 'county' order by 1")
    books = [row[0] for row in rows]
    db = found.database()
    for book in books:
        async with db.write() as writing:
            await accounts.open_book(writing, book=book, zone=ZONE, now=county.OPENED)
    await db.close()
    for statement in PEOPLE:
        await conn.execute(statement, county.OPENED, volunteers)
    await conn.execute("select setseed(0.5)")
    await conn.execute(SERVED, volunteers, services)
    for statement in BOOKED:
        await conn.execute(statement, county.OPENED)
    await conn.execute("drop table service")
    await conn.close()
    return books


async def post(db: Database, book: int, number: int) -> None:
    """Post one service in a county."""
    at = datetime(YEAR, 1 + number % 12, 1 + number % 28, 1, tzinfo=UTC)
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=book)
        assert head is not None
        service = Service(1, 3, book, 1, None, 1, book * 1_000_000)
        transfer = Transfer(
            uuid4(), 1, 1, 1, 2 + number % 1_000, 60, at, 1 + number % 1_000, service
        )
        (outcome,) = await journal.append(
            conn, head=head, transfers=[transfer], now=datetime(YEAR + 1, 3, 1, tzinfo=UTC)
        )
    assert isinstance(outcome, Posted)


async def ask(db: Database) -> dict[str, float]:
    """Return the seconds of the report and of the course."""
    took = {}
    async with db.read() as conn:
        started = time.perf_counter()
        report = await active_rates(conn, scope=PROVINCE, year=YEAR)
        took["report"] = time.perf_counter() - started
    async with db.read() as conn:
        started = time.perf_counter()
        course = await read_course(conn, scope=PROVINCE, definition=RESIDENTS_ANY_HOUR, year=YEAR)
        took["course"] = time.perf_counter() - started
    assert report is not None
    assert course is not None
    if report.rows[0].active != course.months[-1].active_to_date:
        raise SystemExit("the report and the course differ")
    return took


async def measure(options: argparse.Namespace, found: County) -> None:
    """Fill, ask in three ways, print the ratios."""
    books = await fill(found, volunteers=options.volunteers, services=options.services)
    await found.settle()
    await county.print_conditions(found, "asyncpg", "sqlalchemy")
    print(
        f"{len(books)} counties, {options.volunteers:,} volunteers"
        f" and {options.services:,} services each"
    )
    writer = found.database()
    async with writer.read() as conn:
        await read_course(conn, scope=PROVINCE, definition=RESIDENTS_ANY_HOUR, year=YEAR)
    for book in books:
        await store_sums(writer, book=book)
    ways: dict[str, list[dict[str, float]]] = {"cold": [], "again": [], "after-entries": []}
    for turn in range(options.rounds):
        stranger = found.database()
        ways["cold"].append(await ask(stranger))
        await ask(stranger)
        ways["again"].append(await ask(stranger))
        for book in books:
            await post(writer, book, turn)
        ways["after-entries"].append(await ask(stranger))
        await stranger.close()
    await writer.close()
    for way, taken in ways.items():
        for what in ("report", "course"):
            seconds = median(each[what] for each in taken)
            print(
                f"ratio province-{what}-{way} {GOAL_SECONDS / seconds:.2f}  ({1e3 * seconds:.0f} ms)"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--volunteers", type=int, default=1_500, help="in each county")
    parser.add_argument("--services", type=int, default=8_000, help="in each county")
    options = parser.parse_args()
    with county.opened() as found:
        asyncio.run(measure(options, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
