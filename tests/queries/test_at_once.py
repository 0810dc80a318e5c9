"""Readers of one process who ask at the same moment: none changes what another one counts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.util import await_only
from tests.factories import BOOK, World

from timebank.db import Database
from timebank.domain.scope import Scope
from timebank.domain.transfer import Service, Transfer, TransferKind, Unit, service_key
from timebank.domain.window import parse_window
from timebank.ledger import columns, journal
from timebank.queries.numbers import read_numbers
from timebank.services.folding import fold_book
from timebank.services.founding import found_county
from timebank.store.definitions import RESIDENTS_ANY_HOUR

NOW = datetime(2025, 2, 1, tzinfo=UTC)
LISTING = "first_day, last_day from entry_segment"
READING = "cross join lateral"
MINUTES = {
    "2024-Q2": 40 * 60,
    "2024-05-15..2024-06-15": 40 * 60,
    "2024-08-15..2024-09-15": 20 * 60,
}


@pytest.fixture
async def reader(db: Database, database_url: str, world: World) -> AsyncIterator[Database]:
    """Another process, which knows nothing yet of a county with an hour by sixty."""
    await found_county(db, book=BOOK, now=NOW)
    (volunteer,) = await world.volunteers(1, village=330424101003, since=date(2021, 1, 1))
    services = [
        Transfer(
            service_key(NOW, number),
            TransferKind.SERVICE,
            Unit.MINUTES,
            1,
            1 + volunteer.id,
            60,
            datetime(2024, 6 if number % 3 else 9, 1, tzinfo=UTC),
            volunteer.id,
            Service(1, 3, BOOK, 1, None, 1, 330424101003),
        )
        for number in range(60)
    ]
    async with db.write() as conn:
        head = await journal.find_locked_head(conn, book=BOOK)
        assert head is not None
        await journal.append(conn, head=head, transfers=services, now=NOW)
    stranger = Database(database_url, role="timebank_app")
    yield stranger
    await stranger.close()


@contextmanager
def held(part: str) -> Iterator[asyncio.Queue[asyncio.Event]]:
    """Hold every statement that contains a text until the event is set that it puts in the queue."""
    reached: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    def hold(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if part in statement:
            reached.put_nowait(released := asyncio.Event())
            await_only(released.wait())

    event.listen(Engine, "before_cursor_execute", hold)
    try:
        yield reached
    finally:
        event.remove(Engine, "before_cursor_execute", hold)


async def release(reached: asyncio.Queue[asyncio.Event]) -> None:
    """Hold nobody any longer."""
    while True:
        (await reached.get()).set()


async def minutes(db: Database, quarter: str) -> int | None:
    async with db.read() as conn:
        found = await read_numbers(
            conn,
            scope=Scope(BOOK * 1_000_000),
            metrics=["minutes_scanned"],
            definition=RESIDENTS_ANY_HOUR,
            window=parse_window(quarter),
        )
    assert found is not None
    return found.rows[0].values[0]


async def test_who_meets_a_book_late_finds_what_others_read_of_it(reader: Database) -> None:
    with held(LISTING) as listings:
        early = asyncio.create_task(minutes(reader, "2024-Q2"))
        its_listing = await listings.get()
        late = asyncio.create_task(minutes(reader, "2024-Q2"))
        late_listing = await listings.get()
        its_listing.set()
        assert await early == MINUTES["2024-Q2"]
        late_listing.set()
        assert await late == MINUTES["2024-Q2"]
    for window, found in MINUTES.items():
        assert await minutes(reader, window) == found


async def test_segments_that_are_stored_meanwhile_are_counted_once(
    db: Database, reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "SEGMENT_ENTRIES", 16)
    with held(LISTING) as listings, held(READING) as readings:
        early = asyncio.create_task(minutes(reader, "2024-Q2"))
        its_listing = await listings.get()
        assert await fold_book(db, book=BOOK) == 60 // 16
        late = asyncio.create_task(minutes(reader, "2024-Q2"))
        late_listing = await listings.get()
        # The early one knows of no segment and reads the journal; before that is here, the other
        # one, which began after they were stored, tells of three.
        its_listing.set()
        its_reading = await readings.get()
        others = asyncio.create_task(release(readings))
        late_listing.set()
        assert await late == MINUTES["2024-Q2"]
        its_reading.set()
        assert await early == MINUTES["2024-Q2"]
        others.cancel()
    for window, found in MINUTES.items():
        assert await minutes(reader, window) == found
