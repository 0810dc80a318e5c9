"""What the office noted beside a day of a chart: who, when, and the text, kept for ever."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables

LIST_MAX = 100
"""How many notes a chart of a year shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A note beside a day.

    Attributes:
        written_by: The person.
    """

    id: UUID
    region: int
    on_day: date
    text: str
    written_by: UUID
    written_at: datetime


async def insert_annotation(
    conn: AsyncConnection,
    *,
    book: int,
    region: int,
    on_day: date,
    text: str,
    replaces: UUID | None,
    person: UUID,
    now: datetime,
) -> UUID:
    """Keep a note; an empty text takes back the one that it replaces."""
    number = uuid4()
    await conn.execute(
        insert(tables.annotation).values(
            book_id=book,
            id=number,
            region=region,
            on_day=on_day,
            text=text,
            replaces=replaces,
            written_by=person,
            written_at=now,
        )
    )
    return number


async def find_annotation(conn: AsyncConnection, *, book: int, number: UUID) -> Annotation | None:
    """Return a note, or None."""
    a = tables.annotation.c
    row = (
        await conn.execute(
            select(a.id, a.region, a.on_day, a.text, a.written_by, a.written_at).where(
                a.book_id == book, a.id == number
            )
        )
    ).first()
    return None if row is None else _read(tuple(row))


async def list_annotations(
    conn: AsyncConnection, *, book: int, codes: range, first_on: date, last_on: date
) -> list[Annotation]:
    """Return the notes beside some days of some divisions that nobody replaced or took back.

    Shape: in the order of the days, at most `LIST_MAX`.
    """
    a, later = tables.annotation.c, tables.annotation.alias("later")
    rows = await conn.execute(
        select(a.id, a.region, a.on_day, a.text, a.written_by, a.written_at)
        .where(
            a.book_id == book,
            a.region.between(codes.start, codes.stop - 1),
            a.on_day.between(first_on, last_on),
            a.text != "",
            ~select(later.c.id).where(later.c.book_id == book, later.c.replaces == a.id).exists(),
        )
        .order_by(a.on_day, a.written_at)
        .limit(LIST_MAX)
    )
    return [_read(tuple(row)) for row in rows]


def _read(row: tuple[UUID, int, date, str, UUID, datetime]) -> Annotation:
    number, region, on_day, text, written_by, written_at = row
    return Annotation(
        id=number,
        region=region,
        on_day=on_day,
        text=text,
        written_by=written_by,
        written_at=written_at,
    )
