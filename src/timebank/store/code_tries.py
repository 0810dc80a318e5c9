"""How often a volunteer typed wrong digits."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.short_code import Tries
from timebank.store import tables


async def find_tries(conn: AsyncConnection, *, volunteer: VolunteerId) -> Tries | None:
    """Return the wrong digits that are kept, or None. The caller holds the volunteer's lock."""
    c = tables.code_try.c
    row = (
        await conn.execute(
            select(c.counted_from, c.tries).where(
                c.book_id == volunteer.book, c.volunteer_id == volunteer.id
            )
        )
    ).first()
    return None if row is None else Tries(row.counted_from, row.tries)


async def set_tries(
    conn: AsyncConnection, *, volunteer: VolunteerId, counted_from: datetime, count: int
) -> None:
    """Keep how many wrong digits there were since an instant."""
    c = tables.code_try.c
    kept = {"counted_from": counted_from, "tries": count}
    await conn.execute(
        upsert(tables.code_try)
        .values(book_id=volunteer.book, volunteer_id=volunteer.id, **kept)
        .on_conflict_do_update(index_elements=[c.book_id, c.volunteer_id], set_=kept)
    )
