"""Posting and scanning in a book that grows: latency at 0, 4 and 40 million entries.

The book is filled with services of 140,000 volunteers by the path that imports history. At each
size the same is measured, medians of all tries: one posting, a hundred and 8,000 in one batch
(`journal.append`, sealed, states and roll-ups included), and the scan of a departure
(`record_scans`: facts, decision, attendance, entry), each in its own durable commit, after 40,000
entries of the same day. The ratio is that of the largest book to the emptiest; the goal is 1.2.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from uuid import UUID, uuid4

import asyncpg
import county
import numpy as np
from county import BOOK, OPENED, VILLAGE, VOLUNTEERS, County

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.qr import Scan
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit
from timebank.http import clock
from timebank.ledger import bulk, journal
from timebank.ledger.bulk import HISTORY_MAX, History
from timebank.services.checkin import ScanRequest, record_scans

STAYS_PER_SHIFT = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GOAL = 1.2
WARM_UP = 20
DAY_BEGINS_WITH = 5
"""Batches of 8,000: together they meet nearly every page of a month of 140,000 volunteers."""


class Book:
    """The book that grows, with the account of each volunteer."""

    def __init__(self, db: Database, conn: asyncpg.Connection, accounts: np.ndarray) -> None:
        self.db = db
        self.conn = conn
        self.accounts = accounts
        self.shifts = 0
        self.chance = np.random.default_rng(1)

    async def grow(self, entries: int) -> None:
        """Post history until the book has so many entries."""
        started, posted = time.perf_counter(), 0
        while True:
            async with self.db.write() as conn:
                head = await journal.find_locked_head(conn, book=BOOK)
                assert head is not None
                count = min(HISTORY_MAX, entries - head.seq)
                if count <= 0:
                    break
                await bulk.append_history(
                    conn, head=head, history=self._history(head, count), now=clock.now()
                )
            posted += count
            if posted % (HISTORY_MAX * 4) == 0:
                rate = posted / (time.perf_counter() - started)
                print(f"  {head.seq:,} entries, {rate:,.0f} a second", flush=True)

    def _history(self, head: journal.Head, count: int) -> History:
        volunteers = self.chance.integers(1, VOLUNTEERS + 1, count)
        first = (OPENED - EPOCH) // timedelta(microseconds=1)
        # A day has some ten thousand services, and a year follows another.
        at = first + (head.seq + np.arange(count)) * 8_500_000
        keys = np.zeros(count, [("at", ">u8"), ("random", ">u8")])
        keys["at"], keys["random"] = at, self.chance.integers(0, 2**63, count)
        assert head.minutes_issuing is not None
        return History(
            keys=keys.view("V16"),
            issuing=head.minutes_issuing,
            accounts=self.accounts[volunteers - 1],
            minutes=self.chance.integers(30, 480, count),
            effective_at=at,
            volunteers=volunteers,
            assurance=np.ones(count, np.int64),
            measured=np.full(count, 3),
            activity_book=BOOK,
            activities=self.chance.integers(1, 200, count),
            fields=np.full(count, 1),
            places=np.full(count, VILLAGE),
        )

    async def post(self, count: int) -> None:
        """Post a batch in its own commit."""
        volunteers = self.chance.integers(1, VOLUNTEERS + 1, count).tolist()
        now = clock.now()
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=BOOK)
            assert head is not None
            assert head.minutes_issuing is not None
            outcomes = await journal.append(
                conn,
                head=head,
                transfers=[
                    Transfer(
                        _key(now),
                        TransferKind.SERVICE.value,
                        Unit.MINUTES.value,
                        head.minutes_issuing,
                        int(self.accounts[volunteer - 1]),
                        60,
                        now,
                        volunteer,
                        Service(1, 3, BOOK, 1, 1, 1, VILLAGE),
                    )
                    for volunteer in volunteers
                ],
                now=now,
            )
        assert len(outcomes) == count

    async def begin_the_day(self) -> None:
        """Post until most pages were changed since the last checkpoint.

        The first change of a page after a checkpoint writes the whole page to the log, every
        quarter of an hour again: in an empty book there is no page to write, in a large one each
        entry changes some that nobody changed before.
        """
        for _ in range(DAY_BEGINS_WITH):
            await self.post(8_000)

    async def lay_ready(self, stays: int) -> list[ScanRequest]:
        """Make stays that have begun, and the scan that ends each."""
        now = clock.now()
        first_shift = self.shifts + 1
        self.shifts += -(-stays // STAYS_PER_SHIFT)
        await self.conn.execute(
            "insert into shift (book_id, id, activity_id, starts_at, ends_at, places)"
            " select $1, n, 1, $4, $5, $6 from generate_series($2::bigint, $3) n",
            BOOK,
            first_shift,
            self.shifts,
            now - timedelta(hours=3),
            now + timedelta(hours=1),
            STAYS_PER_SHIFT,
        )
        volunteers = self.chance.choice(VOLUNTEERS, stays, replace=False) + 1
        shifts = [first_shift + place // STAYS_PER_SHIFT for place in range(stays)]
        for table, columns, values in (
            ("signup", "signed_up_at", "$4::timestamptz"),
            ("attendance", "arrived_at, arrival_measured", "$4::timestamptz, true"),
        ):
            await self.conn.execute(
                f"insert into {table} (book_id, volunteer_id, shift_book, shift_id, {columns})"
                f" select $1, v, $1, s, {values} from unnest($2::bigint[], $3::bigint[]) u(v, s)",
                BOOK,
                volunteers.tolist(),
                shifts,
                now - timedelta(hours=2),
            )
        return [
            ScanRequest(VolunteerId(BOOK, volunteer), Scan(BOOK, shift, Direction.LEAVE, now))
            for volunteer, shift in zip(volunteers.tolist(), shifts, strict=True)
        ]


def _key(now: datetime) -> UUID:
    """A key in order of time, as the product makes them."""
    milliseconds = int(now.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | uuid4().int & (1 << 80) - 1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one way to write.

    Attributes:
        taken: Milliseconds of each try.
        cost: Milliseconds of processor time for one try, the server's with it: where others use
            the machine too it is steadier than what a try took.
    """

    taken: list[float]
    cost: float

    @property
    def p99(self) -> float:
        return quantiles(self.taken, n=100)[98]


async def _timed(tries: int, act: Callable[[int], Awaitable[object]]) -> Seen:
    """Try; the first tries do not count: they open connections and plan statements."""
    for turn in range(WARM_UP):
        await act(turn)
    taken, busy = [], county.processor_seconds() + time.process_time()
    for turn in range(WARM_UP, WARM_UP + tries):
        started = time.perf_counter()
        await act(turn)
        taken.append(1000 * (time.perf_counter() - started))
    busy = county.processor_seconds() + time.process_time() - busy
    return Seen(taken, 1000 * busy / tries)


async def measure_at(book: Book, *, tries: int) -> dict[str, Seen]:
    """Try each way to write, at the size that the book has."""
    scans = await book.lay_ready(tries + WARM_UP)
    now = clock.now()

    async def scan(turn: int) -> None:
        await record_scans(book.db, requests=[scans[turn]], now=now)

    return {
        "one posting": await _timed(tries, lambda _: book.post(1)),
        "a batch of 100": await _timed(tries // 4, lambda _: book.post(100)),
        "a batch of 8,000": await _timed(max(5, tries // 40), lambda _: book.post(8_000)),
        "one scan": await _timed(tries, scan),
    }


async def measure(options: argparse.Namespace, found: County) -> bool:
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=VOLUNTEERS)
    await conn.execute(
        "insert into organization (book_id, id, name, kind, region, opened_at)"
        " values ($1, 1, 'Office', 'team', $2, $3)",
        BOOK,
        VILLAGE,
        OPENED,
    )
    await conn.execute(
        "insert into activity (book_id, id, organization_id, title, field, content, address,"
        " region, in_charge, is_listed, created_at)"
        " values ($1, 1, 1, 'Shore clean-up', 1, '', '', $2, '', true, $3)",
        BOOK,
        VILLAGE,
        OPENED,
    )
    rows = await conn.fetch(
        "select minutes_account from volunteer where book_id = $1 order by id", BOOK
    )
    await county.print_conditions(found, "asyncpg", "sqlalchemy", "numpy")
    found_at: dict[str, list[Seen]] = {}
    for entries in options.entries:
        db = found.database()
        book = Book(db, conn, np.array([row[0] for row in rows], np.int64))
        book.shifts = await conn.fetchval("select coalesce(max(id), 0) from shift")
        await book.grow(entries)
        await found.settle()
        await book.begin_the_day()
        for name, seen in (await measure_at(book, tries=options.tries)).items():
            found_at.setdefault(name, []).append(seen)
            print(
                f"{entries:>12,} entries: {name:17} {median(seen.taken):8.2f} ms, p99"
                f" {seen.p99:8.2f} ms, processor {seen.cost:8.2f} ms",
                flush=True,
            )
        await db.close()
    size = await conn.fetchval("select pg_database_size(current_database())")
    print(f"the database has {size / 1e9:.1f} GB")
    is_sound = await county.audited(found) if options.audit else True
    await conn.close()
    for name, seen_of in found_at.items():
        first, last = seen_of[0], seen_of[-1]
        print(
            f"ratio {name} {median(last.taken) / median(first.taken):.2f} (goal {GOAL}),"
            f" of processor time {last.cost / first.cost:.2f}"
        )
    return is_sound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--entries",
        type=lambda text: [int(float(each)) for each in text.split(",")],
        default=[0, 4_000_000],
        help="sizes at which to measure, ascending; 40e6 takes some 12 GB and ten minutes",
    )
    parser.add_argument("--tries", type=int, default=400)
    parser.add_argument("--audit", action="store_true", help="prove the book afterwards")
    options = parser.parse_args()
    with county.opened() as found:
        return 0 if asyncio.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
