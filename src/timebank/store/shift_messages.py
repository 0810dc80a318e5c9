"""What organizers told everybody on a shift."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.store import tables

_c = tables.shift_message.c


@dataclass(frozen=True, slots=True)
class ShiftMessage:
    """A message that was queued for everybody who held a place.

    Attributes:
        people: How many it was queued for: those whose phone number is known.
    """

    sent_at: datetime
    text: str
    people: int


async def list_messages(conn: AsyncConnection, *, book: int, shift: int) -> list[ShiftMessage]:
    """Return the messages of a shift, newest first."""
    rows = await conn.execute(
        select(_c.sent_at, _c.text, _c.people)
        .where(_c.book_id == book, _c.shift_id == shift)
        .order_by(_c.sent_at.desc())
    )
    return [ShiftMessage(*tuple(row)) for row in rows]


async def count_since(conn: AsyncConnection, *, book: int, shift: int, since: datetime) -> int:
    """Return how many messages a shift was sent since an instant."""
    count: int = (
        await conn.execute(
            select(func.count())
            .select_from(tables.shift_message)
            .where(_c.book_id == book, _c.shift_id == shift, _c.sent_at > since)
        )
    ).scalar_one()
    return count


async def insert_message(
    conn: AsyncConnection, *, book: int, shift: int, by: UUID, text: str, people: int, now: datetime
) -> None:
    """Add a message of a shift."""
    await conn.execute(
        insert(tables.shift_message).values(
            book_id=book, shift_id=shift, sent_at=now, sent_by=by, text=text, people=people
        )
    )


async def list_phones_sealed(conn: AsyncConnection, *, book: int, shift: int) -> list[bytes]:
    """Return the sealed phone number of everybody who holds a place, where one is known."""
    s, v, p = tables.signup, tables.volunteer, tables.person
    rows = await conn.execute(
        select(p.c.phone_sealed)
        .join_from(s, v, (v.c.book_id == s.c.book_id) & (v.c.id == s.c.volunteer_id))
        .join(p, p.c.id == v.c.person_id)
        .where(
            s.c.shift_book == book,
            s.c.shift_id == shift,
            s.c.withdrawn_at.is_(None),
            p.c.phone_sealed.is_not(None),
        )
        .order_by(s.c.signed_up_at, s.c.book_id, s.c.volunteer_id)
    )
    return list(rows.scalars())
