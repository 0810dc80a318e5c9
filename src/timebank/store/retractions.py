"""Readings that were taken back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.attendance import Direction
from timebank.store.attendance import Stay

_KEEP = text(
    """
    insert into retraction (book_id, volunteer_id, shift_book, shift_id, retracted_at,
        retracted_by, arrived_at, arrival_measured, arrival_grade, left_at, departure_grade,
        reversal_seq)
    select book_id, volunteer_id, shift_book, shift_id, :now, :by, arrived_at, arrival_measured,
        arrival_grade, left_at, departure_grade, :reversal_seq
    from attendance
    where book_id = :book and volunteer_id = :volunteer and shift_book = :shift_book
        and shift_id = :shift
    """
)

_REOPEN = text(
    """
    update attendance set left_at = null, departure_measured = null, departure_grade = null
    where book_id = :book and volunteer_id = :volunteer and shift_book = :shift_book
        and shift_id = :shift
    """
)

_LEAVE_NO_STAY = text(
    """
    delete from attendance
    where book_id = :book and volunteer_id = :volunteer and shift_book = :shift_book
        and shift_id = :shift
    """
)


async def retract(
    conn: AsyncConnection,
    *,
    book: int,
    stay: Stay,
    direction: Direction,
    by: UUID,
    reversal_seq: int | None,
    now: datetime,
) -> None:
    """Keep a stay as it was, and take its newest end back: then it is as if it had not been read.

    Cost: two statements.
    """
    named = {
        "book": book,
        "volunteer": stay.volunteer,
        "shift_book": stay.shift_book,
        "shift": stay.shift,
    }
    await conn.execute(_KEEP, {**named, "now": now, "by": by, "reversal_seq": reversal_seq})
    await conn.execute(_REOPEN if direction is Direction.LEAVE else _LEAVE_NO_STAY, named)
