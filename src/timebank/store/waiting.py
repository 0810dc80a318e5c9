"""Who waits for a place in a full shift."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.store import tables

_c = tables.waiting_place.c


async def is_waiting(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int
) -> bool:
    """Return whether a volunteer waits for a place."""
    found = await conn.scalar(
        select(1).where(
            _c.book_id == volunteer.book,
            _c.volunteer_id == volunteer.id,
            _c.shift_book == shift_book,
            _c.shift_id == shift,
            _c.ended_at.is_(None),
        )
    )
    return found is not None


async def list_waiting(
    conn: AsyncConnection, *, shift_book: int, shift: int, limit: int | None = None
) -> list[VolunteerId]:
    """Return who waits for a place in a shift.

    Shape: who came first is first; of one instant by book and number.
    """
    rows = await conn.execute(
        select(_c.book_id, _c.volunteer_id)
        .where(_c.shift_book == shift_book, _c.shift_id == shift, _c.ended_at.is_(None))
        .order_by(_c.joined_at, _c.book_id, _c.volunteer_id)
        .limit(limit)
    )
    return [VolunteerId(book, number) for book, number in rows]


async def count_waiting(conn: AsyncConnection, *, shift_book: int, shift: int) -> int:
    """Return how many wait for a place in a shift."""
    count: int = (
        await conn.execute(
            select(func.count())
            .select_from(tables.waiting_place)
            .where(_c.shift_book == shift_book, _c.shift_id == shift, _c.ended_at.is_(None))
        )
    ).scalar_one()
    return count


async def set_waiting(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int, at: datetime
) -> None:
    """Record that a volunteer waits, at the end where they had waited before."""
    await conn.execute(
        upsert(tables.waiting_place)
        .values(
            book_id=volunteer.book,
            volunteer_id=volunteer.id,
            shift_book=shift_book,
            shift_id=shift,
            joined_at=at,
        )
        .on_conflict_do_update(
            index_elements=[_c.book_id, _c.volunteer_id, _c.shift_book, _c.shift_id],
            set_={"joined_at": at, "ended_at": None, "is_promoted": None},
        )
    )


async def set_ended(
    conn: AsyncConnection,
    *,
    volunteer: VolunteerId,
    shift_book: int,
    shift: int,
    is_promoted: bool,
    at: datetime,
) -> bool:
    """Record that a volunteer waits no longer; False where they did not wait."""
    done = await conn.execute(
        update(tables.waiting_place)
        .where(
            _c.book_id == volunteer.book,
            _c.volunteer_id == volunteer.id,
            _c.shift_book == shift_book,
            _c.shift_id == shift,
            _c.ended_at.is_(None),
        )
        .values(ended_at=at, is_promoted=is_promoted)
    )
    return done.rowcount > 0
