"""Service records of a book as another platform takes them."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.exchange import ExchangeRecord
from timebank.domain.volunteer_number import format_number

_CHUNK = 5_000
"""Records in memory at once."""

_CHANGED = """
    select t.key, t.volunteer, t.effective_at, t.field, t.place, t.assurance,
        case when exists (
            select from transfer r
            where r.book_id = t.book_id and r.reverses = t.seq and r.seq <= $3
        ) then 0 else t.amount end
    from transfer t
    where t.book_id = $1 and t.kind = 1 and t.unit = 1 and t.volunteer is not null
        and (
            t.seq > $2 and t.seq <= $3
            or t.seq <= $2 and t.seq in (
                select reverses from transfer r
                where r.book_id = $1 and r.seq > $2 and r.seq <= $3 and r.reverses is not null
            )
        )
    order by t.seq
"""

_STANDING = """
    select t.key, t.amount from transfer t
    where t.book_id = $1 and t.kind = 1 and t.unit = 1 and t.volunteer is not null
        and t.seq <= $2
        and not exists (
            select from transfer r
            where r.book_id = t.book_id and r.reverses = t.seq and r.seq <= $2
        )
"""


async def list_changed(
    conn: AsyncConnection, *, book: int, after: int, until: int
) -> AsyncIterator[Sequence[ExchangeRecord]]:
    """Return, part by part, the services that entries after one up to another made or took back.

    Cost: one statement, read through the server's cursor.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    cursor = await driver.cursor(_CHANGED, book, after, until)
    while part := await cursor.fetch(_CHUNK):
        yield [
            ExchangeRecord(
                key=key,
                volunteer=format_number(book, volunteer),
                minutes=minutes,
                ended_at=effective_at,
                field=field,
                place=place,
                assurance=assurance,
            )
            for key, volunteer, effective_at, field, place, assurance, minutes in part
        ]


async def find_standing(conn: AsyncConnection, *, book: int, until: int) -> dict[UUID, int]:
    """Return the services that stand after an entry, with their minutes, by key.

    Cost: one statement; some 200 bytes a service.
    """
    await conn.execute(select(1))
    driver = await driver_of(conn)
    found: dict[UUID, int] = {}
    cursor = await driver.cursor(_STANDING, book, until)
    while part := await cursor.fetch(_CHUNK):
        found.update((key, minutes) for key, minutes in part)
    return found
