"""What reports are counted from is stored as columns, segment by segment, as the journal grows."""

import asyncio
import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from timebank.db import Database
from timebank.ledger import columns

_PAUSE_SECONDS = 20
"""A county that is busy as never writes a segment in a minute."""

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


async def keep_folded(db: Database, *, stopped: asyncio.Event) -> None:
    """Store full segments as they fill, until told to stop."""
    while not stopped.is_set():
        try:
            await fold_books(db)
        except (OSError, SQLAlchemyError):
            _log.exception("the columns of reports do not grow")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _PAUSE_SECONDS)
