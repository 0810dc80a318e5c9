"""Places in shifts: who holds one, who has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.signup import SignupFacts
from timebank.store import clearances, tables
from timebank.store.activities import Shift


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who came and has no departure.

    Attributes:
        person: None after erasure.
    """

    volunteer: VolunteerId
    person: UUID | None


async def find_facts(conn: AsyncConnection, *, volunteer: VolunteerId, shift: Shift) -> SignupFacts:
    """Return what decides on a volunteer's place in a locked shift.

    Cost: three statements.
    """
    s, h, a, t = tables.signup, tables.shift, tables.activity, tables.attendance
    mine = (s.c.book_id == volunteer.book) & (s.c.volunteer_id == volunteer.id)
    here = (s.c.shift_book == shift.book) & (s.c.shift_id == shift.id)
    holds = s.c.withdrawn_at.is_(None)
    came = (
        (t.c.book_id == volunteer.book)
        & (t.c.volunteer_id == volunteer.id)
        & (t.c.shift_book == h.c.book_id)
        & (t.c.shift_id == h.c.id)
    )
    overlapping = (
        select(1)
        .join_from(s, h, (h.c.book_id == s.c.shift_book) & (h.c.id == s.c.shift_id))
        .join(a, (a.c.book_id == h.c.book_id) & (a.c.id == h.c.activity_id))
        .where(
            mine,
            ~here,
            holds,
            h.c.starts_at < shift.ends_at,
            h.c.ends_at > shift.starts_at,
            h.c.cancelled_at.is_(None),
            a.c.cancelled_at.is_(None),
            h.c.closed_at.is_(None),
            # Whoever has left early is free again.
            ~exists().where(came, t.c.left_at.is_not(None)),
        )
    )
    arrived = exists().where(
        t.c.book_id == volunteer.book,
        t.c.volunteer_id == volunteer.id,
        t.c.shift_book == shift.book,
        t.c.shift_id == shift.id,
    )
    row = (
        await conn.execute(
            select(
                exists().where(mine, here, holds),
                arrived,
                select(func.count()).select_from(s).where(here, holds).scalar_subquery(),
                overlapping.exists(),
            )
        )
    ).one()
    is_signed_up, has_arrived, taken, is_overlapping = row
    return SignupFacts(
        ends_at=shift.ends_at,
        is_cancelled=shift.cancelled_at is not None,
        is_closed=shift.closed_at is not None,
        is_signed_up=is_signed_up,
        has_arrived=has_arrived,
        places=shift.places,
        taken=taken,
        is_overlapping=is_overlapping,
        missing=await clearances.list_missing_for(
            conn, volunteer=volunteer, shift_book=shift.book, shift=shift.id
        ),
    )


async def count_places_taken(conn: AsyncConnection, *, shift_book: int, shift: int) -> int:
    """Return how many hold a place in a shift."""
    c = tables.signup.c
    count: int = (
        await conn.execute(
            select(func.count())
            .select_from(tables.signup)
            .where(c.shift_book == shift_book, c.shift_id == shift, c.withdrawn_at.is_(None))
        )
    ).scalar_one()
    return count


async def has_place(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int
) -> bool:
    """Say whether a volunteer holds a place in a shift."""
    c = tables.signup.c
    found = await conn.scalar(
        select(c.signed_up_at).where(
            c.book_id == volunteer.book,
            c.volunteer_id == volunteer.id,
            c.shift_book == shift_book,
            c.shift_id == shift,
            c.withdrawn_at.is_(None),
        )
    )
    return found is not None


async def set_signed_up(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int, at: datetime
) -> None:
    """Record that a volunteer holds a place, again where they had withdrawn."""
    c = tables.signup.c
    await conn.execute(
        upsert(tables.signup)
        .values(
            book_id=volunteer.book,
            volunteer_id=volunteer.id,
            shift_book=shift_book,
            shift_id=shift,
            signed_up_at=at,
        )
        .on_conflict_do_update(
            index_elements=[c.book_id, c.volunteer_id, c.shift_book, c.shift_id],
            set_={"signed_up_at": at, "withdrawn_at": None},
        )
    )


async def set_withdrawn(
    conn: AsyncConnection, *, volunteer: VolunteerId, shift_book: int, shift: int, at: datetime
) -> None:
    """Record that a volunteer gave a place back."""
    c = tables.signup.c
    await conn.execute(
        update(tables.signup)
        .where(
            c.book_id == volunteer.book,
            c.volunteer_id == volunteer.id,
            c.shift_book == shift_book,
            c.shift_id == shift,
        )
        .values(withdrawn_at=at)
    )


async def set_missed(conn: AsyncConnection, *, shift_book: int, shift: int, at: datetime) -> None:
    """Record who held a place in a shift and had not come when it was closed."""
    c, t = tables.signup.c, tables.attendance.c
    came = exists().where(
        t.book_id == c.book_id,
        t.volunteer_id == c.volunteer_id,
        t.shift_book == c.shift_book,
        t.shift_id == c.shift_id,
    )
    await conn.execute(
        update(tables.signup)
        .where(c.shift_book == shift_book, c.shift_id == shift, c.withdrawn_at.is_(None), ~came)
        .values(missed_at=at)
    )


async def list_books(conn: AsyncConnection, *, shift_book: int, shifts: Sequence[int]) -> list[int]:
    """Return the books of the volunteers who ever held a place in shifts, in order."""
    c = tables.signup.c
    rows = await conn.execute(
        select(c.book_id)
        .where(c.shift_book == shift_book, c.shift_id.in_(shifts))
        .distinct()
        .order_by(c.book_id)
    )
    return list(rows.scalars())


async def count_arrivals(conn: AsyncConnection, *, shift_book: int, shifts: Sequence[int]) -> int:
    """Return how many arrivals shifts have."""
    c = tables.attendance.c
    count: int = (
        await conn.execute(
            select(func.count())
            .select_from(tables.attendance)
            .where(c.shift_book == shift_book, c.shift_id.in_(shifts))
        )
    ).scalar_one()
    return count


async def list_present(conn: AsyncConnection, *, shift_book: int, shift: int) -> list[Presence]:
    """Return who came to a shift and has no departure.

    Shape: by book and number.
    """
    t, v = tables.attendance, tables.volunteer
    rows = await conn.execute(
        select(t.c.book_id, t.c.volunteer_id, v.c.person_id)
        .join_from(t, v, (v.c.book_id == t.c.book_id) & (v.c.id == t.c.volunteer_id))
        .where(t.c.shift_book == shift_book, t.c.shift_id == shift, t.c.left_at.is_(None))
        .order_by(t.c.book_id, t.c.volunteer_id)
    )
    return [Presence(VolunteerId(book, number), person) for book, number, person in rows]
