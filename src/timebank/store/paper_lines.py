"""Lines of signed lists that became records, and where their people were meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.actor import VolunteerId
from timebank.store import tables

_ELSEWHERE = """
    select distinct named.volunteer
    from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[])
        as named(volunteer, arrived_at, left_at)
    join attendance t on t.book_id = $1 and t.volunteer_id = named.volunteer
        and (t.shift_book, t.shift_id) <> ($5::int, $6::bigint)
        and t.arrived_at < named.left_at
    join shift h on h.book_id = t.shift_book and h.id = t.shift_id
        and coalesce(t.left_at, h.ends_at) > named.arrived_at
"""


@dataclass(frozen=True, slots=True)
class EnteredLine:
    """A stay that was entered from paper."""

    volunteer: VolunteerId
    line: int
    entered_by: UUID
    entered_at: datetime


async def insert_lines(
    conn: AsyncConnection, *, shift_book: int, shift: int, lines: Sequence[EnteredLine]
) -> None:
    """Record which stays were entered from paper."""
    if lines:
        await conn.execute(
            insert(tables.paper_line),
            [
                {
                    "book_id": each.volunteer.book,
                    "volunteer_id": each.volunteer.id,
                    "shift_book": shift_book,
                    "shift_id": shift,
                    "line": each.line,
                    "entered_by": each.entered_by,
                    "entered_at": each.entered_at,
                }
                for each in lines
            ],
        )


async def list_lines(
    conn: AsyncConnection, *, shift_book: int, shift: int
) -> dict[VolunteerId, EnteredLine]:
    """Return what was entered from paper for a shift, by volunteer."""
    c = tables.paper_line.c
    rows = await conn.execute(
        select(c.book_id, c.volunteer_id, c.line, c.entered_by, c.entered_at).where(
            c.shift_book == shift_book, c.shift_id == shift
        )
    )
    return {
        VolunteerId(book, number): EnteredLine(VolunteerId(book, number), *rest)
        for book, number, *rest in rows
    }


async def list_elsewhere(
    conn: AsyncConnection,
    *,
    book: int,
    stays: Sequence[tuple[int, datetime, datetime]],
    shift_book: int,
    shift: int,
) -> set[int]:
    """Return which volunteers of a book were in another shift during `(volunteer, from, to)`.

    Who came there and has no departure counts as being there until that shift ends.

    Cost: two statements.
    """
    if not stays:
        return set()
    await conn.execute(select(1))
    driver = await driver_of(conn)
    rows = await driver.fetch(
        _ELSEWHERE, book, *(list(each) for each in zip(*stays, strict=True)), shift_book, shift
    )
    return {row[0] for row in rows}
