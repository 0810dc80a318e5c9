"""A county's dated numbers for review."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.threshold import Threshold, ThresholdSetting, values_on
from timebank.store import tables


async def list_settings(conn: AsyncConnection, *, book: int) -> list[ThresholdSetting]:
    """Return every number that a county ever set.

    Shape: by first day and by when it was set, so that of one day the newest comes last; what this
    release does not know is left out.
    """
    c = tables.threshold.c
    rows = await conn.execute(
        select(c.name, c.from_on, c.value, c.source)
        .where(c.book_id == book, c.name.in_([each.value for each in Threshold]))
        .order_by(c.from_on, c.set_at)
    )
    return [ThresholdSetting(Threshold(name), *rest) for name, *rest in rows]


async def find_values(conn: AsyncConnection, *, book: int, on: date) -> dict[Threshold, int]:
    """Return every threshold's value in a county on a day. Cost: one statement."""
    return values_on(await list_settings(conn, book=book), on=on)


async def insert_setting(
    conn: AsyncConnection, *, book: int, setting: ThresholdSetting, by: UUID | None, now: datetime
) -> None:
    """Add a number that holds from a day on."""
    await conn.execute(
        insert(tables.threshold).values(
            book_id=book,
            name=setting.threshold.value,
            from_on=setting.from_on,
            set_at=now,
            value=setting.value,
            source=setting.source,
            set_by=by,
        )
    )
