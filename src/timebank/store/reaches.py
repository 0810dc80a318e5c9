"""What services reached: counts of people and households, and nobody's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What an activity reached on a day, or in one shift.

    Attributes:
        shift: 0: of the whole day.
        times: How often it was done.
        people: Person-times served; None where nobody counted.
        households: Household visits; None where nobody counted.
        source: Who counted, or the file it comes from.
    """

    activity: int
    held_on: date
    shift: int = 0
    times: int = 1
    people: int | None
    households: int | None
    source: str

    @property
    def key(self) -> tuple[int, date, int]:
        """What it is of."""
        return self.activity, self.held_on, self.shift


async def append_reaches(
    conn: AsyncConnection,
    *,
    book: int,
    reaches: Sequence[Reach],
    by: UUID | None,
    now: datetime,
) -> int:
    """Record counts and return how many were new; another count of the same takes its place.

    The caller holds the activities' lock, or is the only writer of them. Cost: two statements.
    """
    c = tables.reach.c
    activities = sorted({each.activity for each in reaches})
    rows = await conn.execute(
        select(
            c.activity_id,
            c.held_on,
            c.shift_id,
            c.number,
            c.times,
            c.people,
            c.households,
        )
        .ext(distinct_on(c.activity_id, c.held_on, c.shift_id))
        .where(c.book_id == book, c.activity_id.in_(activities))
        .order_by(c.activity_id, c.held_on, c.shift_id, c.number.desc())
    )
    known = {tuple(row[:3]): (row[3], tuple(row[4:])) for row in rows}
    new = []
    for each in reaches:
        number, counts = known.get(each.key, (0, ()))
        if counts != (each.times, each.people, each.households):
            new.append(
                {
                    "book_id": book,
                    "activity_id": each.activity,
                    "held_on": each.held_on,
                    "shift_id": each.shift,
                    "number": number + 1,
                    "times": each.times,
                    "people": each.people,
                    "households": each.households,
                    "source": each.source,
                    "recorded_by": by,
                    "recorded_at": now,
                }
            )
    if new:
        await conn.execute(insert(tables.reach), new)
    return len(new)


async def find_reach(
    conn: AsyncConnection, *, book: int, activity: int, held_on: date, shift: int
) -> Reach | None:
    """Return the newest count of a shift, or of an activity's day with shift 0; or None."""
    c = tables.reach.c
    row = (
        await conn.execute(
            select(c.times, c.people, c.households, c.source)
            .where(c.book_id == book, c.activity_id == activity)
            .where(c.held_on == held_on, c.shift_id == shift)
            .order_by(c.number.desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    times, people, households, source = row
    return Reach(
        activity=activity,
        held_on=held_on,
        shift=shift,
        times=times,
        people=people,
        households=households,
        source=source,
    )
