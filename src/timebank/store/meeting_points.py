"""Where activities meet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.meeting_point import MeetingPoint
from timebank.store import tables


async def set_point(
    conn: AsyncConnection,
    *,
    book: int,
    activity: int,
    point: MeetingPoint | None,
    by: UUID,
    now: datetime,
) -> None:
    """Keep where an activity meets; None: nowhere in particular."""
    c = tables.meeting_point.c
    if point is None:
        await conn.execute(
            delete(tables.meeting_point).where(c.book_id == book, c.activity_id == activity)
        )
        return
    kept = {
        "latitude": point.latitude,
        "longitude": point.longitude,
        "radius": point.radius,
        "set_at": now,
        "set_by": by,
    }
    await conn.execute(
        upsert(tables.meeting_point)
        .values(book_id=book, activity_id=activity, **kept)
        .on_conflict_do_update(index_elements=[c.book_id, c.activity_id], set_=kept)
    )
