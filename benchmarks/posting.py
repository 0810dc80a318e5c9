"""Posting to one book, in long lists and by single callers, against one-row inserts by pgbench.

Ours, in lists: `journal.append` with 8,000 services a time, each list one durable commit: keys,
bounds and units checked, transfers written, account states appended, months and years rolled up,
the batch sealed. `even` chooses among all volunteers alike, so that nearly every service is an
account of its own; `skewed` as districts are, where a few serve much.

Ours, by single callers: 512 of one process, each with one service at a time and the next after the
commit that holds it; what has gathered during a commit is the next list.

Theirs: `pgbench -M prepared`, one row per commit into a table with the journal's columns and
indexes on the same server, with the number of clients that is best for it; no checks, no states.

They take turns. Every volunteer has served before, as in a county that runs. Making the services is
the caller's work and is not timed.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from statistics import median

import asyncpg
import county
import scan
import uvloop
from county import BOOK, OPENED, VILLAGE, VOLUNTEERS, County

from timebank.db import Database
from timebank.domain.assurance import Assurance, Measured
from timebank.domain.posting import Posted, PostingOutcome
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.http import clock
from timebank.http.gathering import Gathering
from timebank.ledger import journal

Choice = Callable[[], int]
"""Names a volunteer."""


@dataclass(slots=True)
class Services:
    """Makes services of a county's volunteers, each a deed of its own.

    Attributes:
        first_account: The account of volunteer 1; the others' follow.
    """

    issuing: int
    first_account: int
    volunteers: int
    made: Iterator[int] = field(default_factory=count)

    def make(self, volunteer: int) -> Transfer:
        """Return an hour or two of a volunteer, a second after the one made before."""
        number = next(self.made)
        at = OPENED + timedelta(seconds=number % 30_000_000)
        return Transfer(
            key=service_key(at, "benchmark", number),
            kind=TransferKind.SERVICE.value,
            unit=Unit.MINUTES.value,
            debit=self.issuing,
            credit=self.first_account + volunteer - 1,
            amount=60 + number % 60,
            effective_at=at,
            volunteer=volunteer,
            service=Service(
                assurance=Assurance.A1.value,
                measured=Measured.BOTH.value,
                activity_book=BOOK,
                activity=1 + number % 200,
                shift=1 + number // 500,
                field=2,
                place=VILLAGE,
            ),
        )

    def lists(self, choose: Choice, *, lists: int, length: int) -> list[list[Transfer]]:
        """Return lists of services of volunteers as they are chosen."""
        return [[self.make(choose()) for _ in range(length)] for _ in range(lists)]


def evenly(volunteers: int, *, seed: int) -> Choice:
    """Choose all volunteers alike."""
    chance = random.Random(seed)
    return lambda: chance.randint(1, volunteers)


def skewed(volunteers: int, *, seed: int) -> Choice:
    """Choose as Zipf's law says: the n-th busiest serves an n-th as often as the busiest."""
    chance = random.Random(seed)
    busiest = list(range(1, volunteers + 1))
    chance.shuffle(busiest)
    # Inverse of the law's sum, which is close to a logarithm.
    return lambda: busiest[min(int(volunteers ** chance.random()), volunteers) - 1]


@dataclass(slots=True)
class Figures:
    """What was seen of one side.

    Attributes:
        rates: Per second.
        costs: Microseconds of processor time for each entry: ours and the server's.
    """

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(self.rates)


async def services_of(conn: asyncpg.Connection) -> Services:
    """Return what makes services of the county's volunteers."""
    issuing, first, volunteers = await conn.fetchrow(
        """
        select (select id from account where book_id = $1 and kind = 1 and unit = 1),
            min(minutes_account), count(*)
        from volunteer where book_id = $1
        """,
        BOOK,
    )
    newest = await conn.fetchval("select seq from book where id = $1", BOOK)
    return Services(issuing, first, volunteers, count(newest))


async def post(db: Database, transfers: Sequence[Transfer]) -> list[PostingOutcome]:
    """Post a list as one batch in a durable commit."""
    async with db.post() as driver:
        head = await journal.find_locked_head(driver, book=BOOK)
        assert head is not None
        return await journal.append(driver, head=head, transfers=transfers, now=clock.now())


async def post_lists(db: Database, figures: Figures, lists: Sequence[Sequence[Transfer]]) -> None:
    """Post lists one after the other."""
    transfers = sum(map(len, lists))
    busy, started = busy_seconds(), time.perf_counter()
    for each in lists:
        outcomes = await post(db, each)
        if not all(isinstance(outcome, Posted) for outcome in outcomes):
            raise SystemExit("not every service was posted")
    figures.rates.append(transfers / (time.perf_counter() - started))
    figures.costs.append(1e6 * (busy_seconds() - busy) / transfers)


async def post_singles(
    db: Database, figures: Figures, transfers: Sequence[Transfer], *, callers: int
) -> None:
    """Let callers post one service at a time, each the next after the commit of the one before."""

    async def work(items: list[Transfer]) -> list[PostingOutcome]:
        return await post(db, items)

    gathering = Gathering(work, list_max=2_000, waiting_max=callers)
    waiting = iter(transfers)

    async def call() -> None:
        for transfer in waiting:
            if not isinstance(await gathering.put(transfer), Posted):
                raise SystemExit("a service was not posted")

    busy, started = busy_seconds(), time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    figures.rates.append(len(transfers) / (time.perf_counter() - started))
    figures.costs.append(1e6 * (busy_seconds() - busy) / len(transfers))


def busy_seconds() -> float:
    """Return the processor time of the server and of this process."""
    return county.processor_seconds() + time.process_time()


async def fill(found: County) -> Services:
    """Enrol the county's volunteers, and let each have served once."""
    await county.found(found)
    conn = await found.connect()
    await county.enrol(conn, count=VOLUNTEERS)
    await conn.execute(scan.RIVAL)
    services = await services_of(conn)
    await conn.close()
    db = found.database()
    numbers = range(1, VOLUNTEERS + 1)
    for start in range(0, VOLUNTEERS, journal.BATCH_MAX):
        await post(db, [services.make(n) for n in numbers[start : start + journal.BATCH_MAX]])
    await db.close()
    await found.settle()
    return services


async def measure(options: argparse.Namespace, found: County) -> bool:
    """Take turns, print the table and the ratios; tell whether the books are in order."""
    services = await fill(found)
    await county.print_conditions(found, "uvloop", "asyncpg", "numpy")
    print(
        f"{VOLUNTEERS:,} volunteers; a turn: {options.lists} lists of {journal.BATCH_MAX:,}, or"
        f" {options.singles:,} services of {options.callers} callers, or {options.seconds} s of"
        f" pgbench; rounds: {options.rounds}",
        flush=True,
    )
    even, uneven = evenly(VOLUNTEERS, seed=1), skewed(VOLUNTEERS, seed=2)
    in_lists, in_skewed, singly = Figures(), Figures(), Figures()
    theirs = {clients: scan.Figures() for clients in options.clients}
    db = found.database()
    expected = VOLUNTEERS
    for _ in range(options.rounds):
        for figures, choose in ((in_lists, even), (in_skewed, uneven)):
            lists = services.lists(choose, lists=options.lists, length=journal.BATCH_MAX)
            await post_lists(db, figures, lists)
            expected += options.lists * journal.BATCH_MAX
        (transfers,) = services.lists(even, lists=1, length=options.singles)
        await post_singles(db, singly, transfers, callers=options.callers)
        expected += options.singles
        for clients, figures_ in theirs.items():
            await scan.insert(found.server, figures_, clients=clients, seconds=options.seconds)
    await db.close()

    best = max(theirs.values(), key=lambda each: each.rate)
    print("\nside                              per second  processor µs  low–high")
    for name, seen in (
        ("timebank, lists, evenly chosen", in_lists),
        ("timebank, lists, skewed", in_skewed),
        (f"timebank, {options.callers} single callers", singly),
        *((f"pgbench, {clients} clients", each) for clients, each in theirs.items()),
    ):
        print(
            f"{name:<32} {seen.rate:11,.0f} {median(seen.costs):13.1f}"
            f"  {min(seen.rates):,.0f}–{max(seen.rates):,.0f}"
        )
    print()
    conn = await found.connect()
    entries, keys = await conn.fetchrow(
        "select max(seq), count(distinct key) from transfer where book_id = $1", BOOK
    )
    await conn.close()
    is_whole = expected == entries == keys
    print(f"posted {expected:,}, entries {entries:,}: {'all are there' if is_whole else 'WRONG'}")
    is_sound = await county.audited(found)
    county.ratio("posting", ours=in_lists.rates, theirs=best.rates)
    county.ratio("posting_skewed", ours=in_skewed.rates, theirs=best.rates)
    county.ratio("posting_single", ours=singly.rates, theirs=best.rates)
    return is_whole and is_sound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lists", type=int, default=15, help="lists of one turn")
    parser.add_argument("--singles", type=int, default=60_000, help="single services of one turn")
    parser.add_argument("--callers", type=int, default=512)
    parser.add_argument("--seconds", type=int, default=3, help="length of one turn of pgbench")
    parser.add_argument("--clients", type=scan.numbers, default=[1, 8, 32, 64])
    options = parser.parse_args()
    with (
        county.opened(connections=max(options.clients) + 60) as found,
        # The loop that the product runs on.
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return 0 if runner.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
