"""Posting and scanning in a book that grows: latency at 0, 4 and 40 million entries.

A book of each size lies on a server of its own, with the product's settings. They are filled with
services of 140,000 volunteers, chosen alike, by the path that imports history: numbered, sealed and
summed as everything is. Filling is not measured, and does not wait for the disk.

All books take turns: one posting, a hundred and 8,000 in one batch (`journal.append`, sealed,
states and roll-ups included), and the scan of a departure (`record_scans`: facts, decision,
attendance, entry), each in its own durable commit, after 40,000 entries of the same day. The ratio
is that of the largest book to the emptiest, medians of the rounds; the goal is 1.2.

With `--folder` the filled books stay there: the next run measures the same ones.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
FILLING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "8GB",
    "shared_buffers": "1GB",
}
"""While a book is filled; what it is measured with are the product's settings."""

KEPT_MIN = 1_000_000
"""Smaller books are filled for every run."""

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
        """Make stays that have begun, and the scan that ends each.

        It is another day: what was laid ready before is moved a week back, for nobody is in two
        shifts at once.
        """
        now = clock.now()
        await self.conn.execute(
            "update attendance set arrived_at = arrived_at - interval '7 days',"
            " left_at = left_at - interval '7 days' where arrived_at > $1",
            now - timedelta(days=2),
        )
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


@dataclass(slots=True)
class Seen:
    """What was seen of one way to write.

    Attributes:
        medians: Milliseconds of a try: the median of each round.
        taken: Milliseconds of every try.
        costs: Milliseconds of processor time for one try, the server's with it, of each round:
            where others use the machine too it is steadier than what a try took.
    """

    medians: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def p99(self) -> float:
        return quantiles(self.taken, n=100)[98]

    async def tried(self, tries: int, act: Callable[[], Awaitable[object]]) -> None:
        """Try a few times in a row."""
        taken, busy = [], county.processor_seconds() + time.process_time()
        for _ in range(tries):
            started = time.perf_counter()
            await act()
            taken.append(1000 * (time.perf_counter() - started))
        busy = county.processor_seconds() + time.process_time() - busy
        self.medians.append(median(taken))
        self.taken += taken
        self.costs.append(1000 * busy / tries)


@dataclass(slots=True)
class Subject:
    """A book that is measured, and what was seen of it."""

    book: Book
    entries: int
    seen: dict[str, Seen] = field(default_factory=dict)
    scans: list[ScanRequest] = field(default_factory=list)

    async def prepare(self, *, tries: int) -> None:
        """Lay everything ready, and open connections and plan statements by some tries."""
        self.scans = await self.book.lay_ready(tries + WARM_UP)
        await self.book.begin_the_day()
        for _ in range(WARM_UP):
            await self.book.post(1)
            await self.book.post(100)
            await self.scan()

    async def scan(self) -> None:
        request = self.scans.pop()
        (recorded,) = await record_scans(self.book.db, requests=[request], now=request.scan.at)
        if recorded.seq is None:
            raise SystemExit(f"a scan was not credited: {recorded}")

    async def take_turn(self, *, tries: int) -> None:
        """Try each way to write."""
        for name, count, act in (
            ("one posting", tries, lambda: self.book.post(1)),
            ("a batch of 100", tries // 2, lambda: self.book.post(100)),
            ("a batch of 8,000", 2, lambda: self.book.post(8_000)),
            ("one scan", tries, self.scan),
        ):
            await self.seen.setdefault(name, Seen()).tried(count, act)


async def found_county(found: County) -> None:
    """Open a county with volunteers and an activity."""
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
    await conn.close()


async def open_book(found: County) -> Book:
    conn = await found.connect()
    rows = await conn.fetch(
        "select minutes_account from volunteer where book_id = $1 order by id", BOOK
    )
    book = Book(found.database(), conn, np.array([row[0] for row in rows], np.int64))
    book.shifts = await conn.fetchval("select coalesce(max(id), 0) from shift")
    return book


async def fill(found: County, entries: int) -> None:
    """Bring a book to a size, and leave it as on a quiet day."""
    conn = await found.connect()
    if not await conn.fetchval("select count(*) from book"):
        await found_county(found)
    await conn.close()
    book = await open_book(found)
    await book.grow(entries)
    await book.db.close()
    await book.conn.close()
    await found.settle()


def fill_folders(folder: Path, sizes: list[int]) -> list[Path]:
    """Return the folder of each size: a filled one that is there, or one made from the smaller."""
    made: list[Path] = []
    for size in sizes:
        its = folder / f"{size}"
        if size < KEPT_MIN:
            # What measuring adds would be most of it.
            (folder / f"{size} is filled").unlink(missing_ok=True)
            shutil.rmtree(its, ignore_errors=True)
        if not (folder / f"{size} is filled").exists():
            if its.exists() or not made:
                its.mkdir(exist_ok=True)
            else:
                # As they are, owners included: the server's account is another.
                subprocess.run(["cp", "-a", str(made[-1]), str(its)], check=True)
            its.chmod(0o755)
            started = time.perf_counter()
            with county.opened_at(its, FILLING) as found:
                asyncio.run(fill(found, size))
            # Nothing was flushed while it was filled.
            os.sync()
            (folder / f"{size} is filled").touch()
            print(f"filled to {size:,} in {time.perf_counter() - started:,.0f} s", flush=True)
        made.append(its)
    return made


async def measure(options: argparse.Namespace, counties: list[County]) -> bool:
    subjects = []
    await county.print_conditions(counties[0], "asyncpg", "sqlalchemy", "numpy")
    for found in counties:
        book = await open_book(found)
        entries: int = await book.conn.fetchval("select seq from book where id = $1", BOOK)
        subjects.append(Subject(book, entries))
    for subject in subjects:
        await subject.prepare(tries=options.rounds * options.tries)
    for _ in range(options.rounds):
        for subject in subjects:
            await subject.take_turn(tries=options.tries)
    print(f"{'entries':>12}  {'':17} {'ms':>8} {'p99':>8} {'processor ms':>13}")
    for subject in subjects:
        for name, seen in subject.seen.items():
            print(
                f"{subject.entries:>12,}  {name:17} {median(seen.medians):8.2f} {seen.p99:8.2f}"
                f" {median(seen.costs):13.2f}"
            )
        size = await subject.book.conn.fetchval("select pg_database_size(current_database())")
        print(f"{'':14}the database has {size / 1e9:.1f} GB")
        await subject.book.db.close()
        await subject.book.conn.close()
    first, last = subjects[0], subjects[-1]
    for name, seen in last.seen.items():
        print(
            f"ratio {name} {median(seen.medians) / median(first.seen[name].medians):.2f}"
            f" (goal {GOAL}), of processor time"
            f" {median(seen.costs) / median(first.seen[name].costs):.2f}"
        )
    return await county.audited(counties[-1]) if options.audit else True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--entries",
        type=lambda text: sorted(int(float(each)) for each in text.split(",")),
        default=[0, 4_000_000],
        help="sizes at which to measure; 40e6 takes 20 GB and half an hour to fill",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tries", type=int, default=80, help="of one turn")
    parser.add_argument("--folder", type=Path, help="where filled books are kept for another run")
    parser.add_argument("--fill", action="store_true", help="fill the books and measure nothing")
    parser.add_argument("--audit", action="store_true", help="prove the largest book afterwards")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder: Path = options.folder or stack.enter_context(county.temporary_folder())
        folder.mkdir(exist_ok=True)
        folders = fill_folders(folder, options.entries)
        if options.fill:
            return 0
        counties = [stack.enter_context(county.opened_at(each)) for each in folders]
        return 0 if asyncio.run(measure(options, counties)) else 1


if __name__ == "__main__":
    sys.exit(main())
