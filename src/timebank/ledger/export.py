"""A book read out for others: its units, accounts, every entry in order, and what they come to.

One snapshot, read through the server's cursors: memory does not grow with the book.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of

_CHUNK = 2_000
"""Rows in memory at once: more makes it no faster."""

_BOOK = text(
    """
    select b.zone, b.seq, min(t.effective_at), max(t.effective_at)
    from book b left join transfer t on t.book_id = b.id
    where b.id = :book group by b.id
    """
)

_UNITS = """
    select u.id, u.code from unit u
    where exists (select from account a where a.book_id = $1 and a.unit = u.id) order by u.id
"""

_ACCOUNTS = """
    select a.kind, a.owner, a.unit, coalesce(s.credits - s.debits, 0)
    from account a left join lateral (
        select debits, credits from account_state s
        where s.book_id = a.book_id and s.account = a.id order by batch desc limit 1
    ) s on true
    where a.book_id = $1 order by a.id
"""

_ENTRY = """
    select t.seq, t.key, t.kind, t.unit, d.kind, d.owner, c.kind, c.owner, t.amount,
        t.effective_at, t.recorded_at, t.volunteer, t.assurance, t.measured, t.activity_book,
        t.activity, t.shift, t.field, t.place, t.reverses
    from transfer t
    join account d on d.book_id = t.book_id and d.id = t.debit
    join account c on c.book_id = t.book_id and c.id = t.credit
    where t.book_id = $1
"""

_ENTRIES = f"{_ENTRY} order by t.seq"

_ENTRIES_AFTER = f"{_ENTRY} and t.seq > $2 order by t.seq limit $3"


class ReadBook(NamedTuple):
    """A book and the state in which it is read.

    Attributes:
        seq: Its newest entry.
        first_on: Local day of the earliest effect, also where there is no entry.
        last_on: Local day of the latest.
    """

    book: int
    zone: ZoneInfo
    seq: int
    first_on: date
    last_on: date


class ReadUnit(NamedTuple):
    """A unit that the book has accounts for."""

    unit: int
    code: str


class ReadAccount(NamedTuple):
    """An account and what it holds.

    Units: those of the account.
    """

    kind: int
    owner: int
    unit: int
    held: int


class ReadEntry(NamedTuple):
    """An entry with whose accounts it moved the amount between."""

    seq: int
    key: UUID
    kind: int
    unit: int
    debit_kind: int
    debit_owner: int
    credit_kind: int
    credit_owner: int
    amount: int
    effective_at: datetime
    recorded_at: datetime
    volunteer: int | None
    assurance: int | None
    measured: int | None
    activity_book: int | None
    activity: int | None
    shift: int | None
    field: int | None
    place: int | None
    reverses: int | None


class Writer(Protocol):
    """Writes a book in one format; called in the order of its methods."""

    def begin(self, book: ReadBook, units: Sequence[ReadUnit]) -> None:
        """Write what comes before all accounts."""

    def open_accounts(self, accounts: Sequence[ReadAccount]) -> None:
        """Write that accounts exist; called once for each part of them."""

    def write_entries(self, entries: Sequence[ReadEntry]) -> None:
        """Write entries; called once for each part of them, in their order."""

    def assert_balances(self, accounts: Sequence[ReadAccount]) -> None:
        """Write what accounts hold after the last entry; called once for each part of them."""

    def end(self) -> None:
        """Write what is left."""


async def export_book(
    conn: AsyncConnection, *, book: int, writer: Writer, progress: Callable[[int, int], None]
) -> int | None:
    """Write a book out and return its newest entry, or None where there is no such book.

    Cost: the accounts are read twice and the journal once, in parts of constant size.
    """
    row = (await conn.execute(_BOOK, {"book": book})).first()
    if row is None:
        return None
    zone = ZoneInfo(row.zone)
    epoch = datetime.fromisoformat("1970-01-01T00:00:00Z")
    first, last = (each or epoch for each in row[2:4])
    read = ReadBook(
        book, zone, row.seq, first.astimezone(zone).date(), last.astimezone(zone).date()
    )
    driver = await driver_of(conn)
    units = [ReadUnit(*each) for each in await driver.fetch(_UNITS, book)]
    writer.begin(read, units)
    async for part in _parts(driver, _ACCOUNTS, book):
        writer.open_accounts([ReadAccount(*each) for each in part])
    async for part in _parts(driver, _ENTRIES, book):
        entries = [ReadEntry(*each) for each in part]
        writer.write_entries(entries)
        progress(entries[-1].seq, read.seq)
    async for part in _parts(driver, _ACCOUNTS, book):
        writer.assert_balances([ReadAccount(*each) for each in part])
    writer.end()
    return read.seq


async def list_entries(
    conn: AsyncConnection, *, book: int, after: int, limit: int
) -> list[ReadEntry]:
    """Return the first entries of a book that follow entry `after`, in their order.

    Cost: one statement; it reads what it returns.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    return [ReadEntry(*each) for each in await driver.fetch(_ENTRIES_AFTER, book, after, limit)]


async def _parts(
    driver: asyncpg.Connection, statement: str, book: int
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    cursor = await driver.cursor(statement, book)
    while part := await cursor.fetch(_CHUNK):
        yield part
