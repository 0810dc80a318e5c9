"""Posting to one book, in long lists and by single callers, against one-row inserts by pgbench.

Ours, in lists: 8,000 services a time, each list one durable commit: keys, accounts and units
checked, transfers written, account states appended, months and years rolled up, the batch sealed,
one outcome for each service. In columns, as files are imported (`bulk.append_history`), and as
transfers of any kind, which may be bounded, linked or reversals (`journal.append`). `even` chooses
among all volunteers alike, so that nearly every service is an account of its own; `skewed` as
districts are, where a few serve much.

Ours, by single callers: 512 of one process, each with one service at a time and the next after the
commit that holds it; what has gathered during a commit is the next list.

Theirs: `pgbench -M prepared`, one row per commit into a table with the journal's columns and
indexes on the same server, with the number of clients that is best for it; no checks, no states.

They take turns. Every volunteer has served before, as in a county that runs. Making the services is
the caller's work and is not timed; the cycle collector is set as in the product's server processes,
and does not look through the services that wait.
"""

import argparse
import asyncio
import gc
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from statistics import median

import asyncpg
import county
import numpy as np
import scan
import uvloop
from county import BOOK, OPENED, VILLAGE, VOLUNTEERS, County

from timebank.app import GARBAGE_MIN
from timebank.db import Database
from timebank.domain.assurance import Assurance, Measured
from timebank.domain.posting import Posted, PostingOutcome
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.http import clock
from timebank.http.gathering import Gathering
from timebank.ledger import bulk, journal

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
        """Return an hour or two of a volunteer; forty begin in the same quarter of an hour."""
        number = next(self.made)
        at = OPENED + timedelta(minutes=15 * (number // 40))
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

    def history(self, choose: Choice, *, length: int) -> bulk.History:
        """Return services as columns."""
        made = [self.make(choose()) for _ in range(length)]
        services = [each.service for each in made if each.service is not None]

        def column(values: Iterable[int | None]) -> bulk.Integers:
            return np.array(list(values), np.int64)

        return bulk.History(
            keys=np.frombuffer(b"".join(each.key.bytes for each in made), "V16"),
            issuing=self.issuing,
            accounts=column(each.credit for each in made),
            minutes=column(each.amount for each in made),
            effective_at=column(int(each.effective_at.timestamp()) * 1_000_000 for each in made),
            volunteers=column(each.volunteer for each in made),
            assurance=column(each.assurance for each in services),
            measured=column(each.measured for each in services),
            activity_book=BOOK,
            activities=column(each.activity for each in services),
            fields=column(each.field for each in services),
            places=column(each.place for each in services),
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
    gc.freeze()
    busy, started = busy_seconds(), time.perf_counter()
    for each in lists:
        outcomes = await post(db, each)
        if not all(isinstance(outcome, Posted) for outcome in outcomes):
            raise SystemExit("not every service was posted")
    figures.rates.append(transfers / (time.perf_counter() - started))
    figures.costs.append(1e6 * (busy_seconds() - busy) / transfers)


async def post_columns(db: Database, figures: Figures, lists: Sequence[bulk.History]) -> None:
    """Post lists of columns one after the other."""
    services = sum(map(len, lists))
    gc.freeze()
    busy, started = busy_seconds(), time.perf_counter()
    for each in lists:
        async with db.post() as driver:
            head = await journal.find_locked_head(driver, book=BOOK)
            assert head is not None
            outcome = await bulk.append_history(driver, head=head, history=each, now=clock.now())
        if not outcome.is_new.all():
            raise SystemExit("not every service was posted")
    figures.rates.append(services / (time.perf_counter() - started))
    figures.costs.append(1e6 * (busy_seconds() - busy) / services)


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

    gc.freeze()
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
    gc.set_threshold(GARBAGE_MIN)
    services = await fill(found)
    await county.print_conditions(found, "uvloop", "asyncpg", "numpy")
    print(
        f"{VOLUNTEERS:,} volunteers; a turn: {options.lists} lists of {journal.BATCH_MAX:,}, or"
        f" {options.singles:,} services of {options.callers} callers, or {options.seconds} s of"
        f" pgbench; rounds: {options.rounds}",
        flush=True,
    )
    choices = {"even": evenly(VOLUNTEERS, seed=1), "skewed": skewed(VOLUNTEERS, seed=2)}
    ours = {
        (way, choice): Figures() for way in ("in columns", "as transfers") for choice in choices
    }
    singly = Figures()
    theirs = {clients: scan.Figures() for clients in options.clients}
    db = found.database()
    expected = VOLUNTEERS
    length = journal.BATCH_MAX
    for _ in range(options.rounds):
        for choice, choose in choices.items():
            histories = [services.history(choose, length=length) for _ in range(options.lists)]
            await post_columns(db, ours["in columns", choice], histories)
            lists = services.lists(choose, lists=options.lists, length=length)
            await post_lists(db, ours["as transfers", choice], lists)
            expected += 2 * options.lists * length
        (transfers,) = services.lists(choices["even"], lists=1, length=options.singles)
        await post_singles(db, singly, transfers, callers=options.callers)
        expected += options.singles
        for clients, figures in theirs.items():
            await scan.insert(found.server, figures, clients=clients, seconds=options.seconds)
    await db.close()

    best = max(theirs.values(), key=lambda each: each.rate)
    print("\nside                                    per second  processor µs  low–high")
    for name, seen in (
        *((f"timebank, lists {way}, {choice}", each) for (way, choice), each in ours.items()),
        (f"timebank, {options.callers} single callers", singly),
        *((f"pgbench, {clients} clients", each) for clients, each in theirs.items()),
    ):
        print(
            f"{name:<38} {seen.rate:11,.0f} {median(seen.costs):13.1f}"
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
    for name, seen in (
        ("posting", ours["in columns", "even"]),
        ("posting_skewed", ours["in columns", "skewed"]),
        ("posting_transfers", ours["as transfers", "even"]),
        ("posting_transfers_skewed", ours["as transfers", "skewed"]),
        ("posting_single", singly),
    ):
        county.ratio(name, ours=seen.rates, theirs=best.rates)
    return is_whole and is_sound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lists", type=int, default=8, help="lists of one turn")
    parser.add_argument("--singles", type=int, default=30_000, help="single services of one turn")
    parser.add_argument("--callers", type=int, default=512)
    parser.add_argument("--seconds", type=int, default=2, help="length of one turn of pgbench")
    parser.add_argument("--clients", type=scan.numbers, default=[8, 32])
    options = parser.parse_args()
    with (
        county.opened(connections=max(options.clients) + 60) as found,
        # The loop that the product runs on.
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return 0 if runner.run(measure(options, found)) else 1


if __name__ == "__main__":
    sys.exit(main())
