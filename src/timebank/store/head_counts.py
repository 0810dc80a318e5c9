"""Spot checks of how many people are there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables


async def insert_head_count(
    conn: AsyncConnection,
    *,
    shift_book: int,
    shift: int,
    counted: int,
    present: int,
    by: UUID,
    now: datetime,
) -> None:
    """Keep what an organizer counted beside what the codes say."""
    await conn.execute(
        insert(tables.head_count).values(
            book_id=shift_book,
            shift_id=shift,
            counted_at=now,
            counted_by=by,
            counted=counted,
            present=present,
        )
    )
