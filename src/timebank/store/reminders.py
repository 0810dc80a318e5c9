"""Shifts that are over and not closed, whom to remind of them, and what was sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.activity import Forgotten
from timebank.domain.actor import OrganizationId, Role
from timebank.domain.reminder import ReminderKind
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class UnclosedShift:
    """A shift that is over and waits to be closed."""

    book: int
    shift: int
    title: str
    ends_at: datetime
    forgotten: Forgotten
    organization: OrganizationId


async def list_unclosed(
    conn: AsyncConnection, *, since: datetime, until: datetime, limit: int
) -> list[UnclosedShift]:
    """Return the shifts of all books that ended between two instants and wait, newest first."""
    h, a = tables.shift, tables.activity
    rows = await conn.execute(
        select(h.c.book_id, h.c.id, a.c.title, h.c.ends_at, a.c.forgotten, a.c.organization_id)
        .join_from(h, a, (a.c.book_id == h.c.book_id) & (a.c.id == h.c.activity_id))
        .where(
            h.c.closed_at.is_(None),
            h.c.cancelled_at.is_(None),
            h.c.ends_at >= since,
            h.c.ends_at <= until,
            a.c.cancelled_at.is_(None),
            a.c.is_listed,
        )
        .order_by(h.c.ends_at.desc(), h.c.book_id, h.c.id)
        .limit(limit)
    )
    return [
        UnclosedShift(book, shift, title, ends_at, Forgotten(rule), OrganizationId(book, number))
        for book, shift, title, ends_at, rule, number in rows
    ]


async def claim(
    conn: AsyncConnection, *, book: int, shift: int, kind: ReminderKind, now: datetime
) -> bool:
    """Write down that a reminder is sent; False where it was before, by whatever process."""
    written = await conn.execute(
        upsert(tables.reminder)
        .values(book_id=book, shift_id=shift, kind=kind.value, sent_at=now)
        .on_conflict_do_nothing()
        .returning(tables.reminder.c.shift_id)
    )
    return written.first() is not None


async def list_present_phones(conn: AsyncConnection, *, book: int, shift: int) -> list[bytes]:
    """Return the sealed numbers of who came to a shift and has no departure."""
    t, v, p = tables.attendance, tables.volunteer, tables.person
    rows = await conn.execute(
        select(p.c.phone_sealed)
        .join_from(t, v, (v.c.book_id == t.c.book_id) & (v.c.id == t.c.volunteer_id))
        .join(p, p.c.id == v.c.person_id)
        .where(
            t.c.shift_book == book,
            t.c.shift_id == shift,
            t.c.left_at.is_(None),
            p.c.phone_sealed.is_not(None),
        )
    )
    return [phone for phone in rows.scalars() if phone is not None]


async def list_organizer_phones(
    conn: AsyncConnection, *, organization: OrganizationId
) -> list[bytes]:
    """Return the sealed numbers of who organizes for an organization now."""
    a, p = tables.appointment, tables.person
    rows = await conn.execute(
        select(p.c.phone_sealed)
        .join_from(a, p, p.c.id == a.c.person_id)
        .where(
            a.c.role == Role.ORGANIZER.value,
            a.c.book_id == organization.book,
            a.c.organization_id == organization.id,
            a.c.until_at.is_(None),
            p.c.phone_sealed.is_not(None),
        )
    )
    return [phone for phone in rows.scalars() if phone is not None]
