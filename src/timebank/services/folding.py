"""What reports are counted from is stored as the journal grows: columns, and sums of years.

Both are made of entries that never change and can be made again; a report reads from the journal
what is not stored. They are why a server that was just started answers as fast as one that has
run for a year.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from timebank.db import Database
from timebank.domain.period import local_day
from timebank.domain.scope import scope_of_book
from timebank.ledger import columns
from timebank.ledger.year_sums import YearSums
from timebank.queries.active_rate import active_rates
from timebank.queries.course import read_course
from timebank.queries.snapshot import YEAR, Snapshot
from timebank.services.founding import ZONE
from timebank.store.definitions import RESIDENTS_ANY_HOUR

_PAUSE_SECONDS = 20
"""A county that is busy as never writes a segment in a minute."""

_STALE_MIN = 2_000
"""Entries behind which a stored sum is written again: they are read in some milliseconds."""

_STALE_PARTS = 500
"""In a large book after one entry in so many: a sum is some megabytes."""

_YEARS = 3
"""This year and those before it that the pages offer first."""

_AT_ONCE_MAX = 200_000
"""Entries that a server counts before it answers, where no sum is stored yet: half a second."""

_log = logging.getLogger(__name__)


async def fold_book(db: Database, *, book: int) -> int:
    """Store every full segment of a book that is not stored yet; return how many these were.

    Safe to run again, and in several processes at once: a segment is made of entries that never
    change, so all make the same one. Nothing waits for it: a report reads from the journal what
    stands in no segment.

    Cost: one statement to look; one commit and about half a second for each 65,536 entries.
    """
    async with db.read() as conn:
        missing = await columns.list_missing_segments(conn, book=book)
    for number in missing:
        async with db.write() as conn:
            await columns.append_segment(conn, book=book, number=number)
    return len(missing)


async def fold_books(db: Database) -> int:
    """Store every full segment of every book; return how many these were."""
    async with db.read() as conn:
        books = await columns.list_books(conn)
    return sum([await fold_book(db, book=book) for book in books])


async def store_sums(db: Database, *, book: int) -> int:
    """Store the sums of years that this process knows of a book; return how many these were.

    One that is stored already is written again once enough entries came after it.
    """
    async with db.read() as conn:
        snapshot = await Snapshot.open(conn, scope=scope_of_book(book), as_of=None)
        known = columns.columns_of(conn).books.get(book)
        if snapshot is None or known is None:
            return 0
        (state,) = snapshot.states
        stored = await columns.list_states(conn, book=book)
        sums: list[tuple[columns.Span, YearSums]] = []
        for span in known.spans_of(YEAR):
            before = stored.get((YEAR, span))
            stale = max(_STALE_MIN, state.seq // _STALE_PARTS)
            if before is None or state.seq - before >= stale:
                books = await snapshot.columns.catch_up(conn, [(book, state.head, state.zone)])
                found = await snapshot.sum_year(state, books[book], columns.day_of(span.first).year)
                sums.append((span, found.copy()))
    for span, each in sums:
        content = await asyncio.to_thread(each.packed)
        async with db.write() as conn:
            await columns.keep_state(
                conn, book=book, noun=YEAR, span=span, seq=state.seq, content=content
            )
    return len(sums)


async def warm_reports(db: Database, *, book: int, today: date, is_patient: bool = False) -> None:
    """Count once what the office's pages open with, so that nobody waits for it.

    A server does so before it answers. In a large book whose sums are not stored yet it leaves
    that, unless it is patient, to the work beside: it would take seconds.

    Cost: of 140,000 volunteers and four million entries about half a second.
    """
    async with db.read() as conn:
        entries = await columns.find_head(conn, book=book)
        stored = await columns.list_states(conn, book=book)
    if entries is None or not (is_patient or stored or entries <= _AT_ONCE_MAX):
        return
    scope = scope_of_book(book)
    for year in range(today.year - _YEARS + 1, today.year + 1):
        async with db.read() as conn:
            await active_rates(conn, scope=scope, year=year)
            await read_course(conn, scope=scope, definition=RESIDENTS_ANY_HOUR, year=year)


async def keep_folded(
    db: Database, *, book: int, now: Callable[[], datetime], stopped: asyncio.Event
) -> None:
    """Store full segments and sums of years as they fill, until told to stop."""
    counted_on: date | None = None
    while not stopped.is_set():
        try:
            await fold_books(db)
            today = local_day(now(), zone=ZoneInfo(ZONE))
            if counted_on != today:
                await warm_reports(db, book=book, today=today, is_patient=True)
                counted_on = today
            async with db.read() as conn:
                known = list(columns.columns_of(conn).books)
            for each in known:
                await store_sums(db, book=each)
        except (OSError, SQLAlchemyError):
            _log.exception("the columns of reports do not grow")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _PAUSE_SECONDS)
