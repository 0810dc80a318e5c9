"""Entries that wait for a second person, and what became of them."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.second_person import Entry, HeldEntry, HeldKind, HeldPerson
from timebank.store import tables
from timebank.store.numbering import take_numbers

_c = tables.held_entry.c


async def insert_held(
    conn: AsyncConnection, *, entry: Entry, submitted_by: UUID, now: datetime
) -> int:
    """Let an entry wait and return its number; one that waited for the same gives way to it."""
    # The numbering's row orders two that are submitted at once.
    (number,) = await take_numbers(conn, book=entry.book, noun="held_entry")
    await conn.execute(
        update(tables.held_entry)
        .where(
            _c.book_id == entry.book,
            _c.kind == entry.kind.value,
            _c.subject == entry.subject,
            _c.decided_at.is_(None),
        )
        .values(decided_at=now, decided_by=submitted_by, is_approved=False)
    )
    await conn.execute(
        insert(tables.held_entry).values(
            book_id=entry.book,
            id=number,
            kind=entry.kind.value,
            subject=entry.subject,
            organization_id=entry.organization.id,
            shift_id=entry.shift,
            content=json.dumps([_row(each) for each in entry.people]),
            note=entry.note,
            minutes=entry.minutes,
            people=len(entry.volunteers),
            submitted_by=submitted_by,
            submitted_at=now,
        )
    )
    return number


async def find_held(conn: AsyncConnection, *, book: int, number: int) -> HeldEntry | None:
    """Return an entry, or None."""
    row = (await conn.execute(_select().where(_c.book_id == book, _c.id == number))).first()
    return None if row is None else _held(row)


async def find_locked_held(conn: AsyncConnection, *, book: int, number: int) -> HeldEntry | None:
    """Lock an entry and return it, or None."""
    statement = _select().where(_c.book_id == book, _c.id == number).with_for_update()
    row = (await conn.execute(statement)).first()
    return None if row is None else _held(row)


async def find_waiting(
    conn: AsyncConnection, *, book: int, kind: HeldKind, subject: str
) -> HeldEntry | None:
    """Return the entry that waits for a second person about something, or None."""
    row = (
        await conn.execute(
            _select().where(
                _c.book_id == book,
                _c.kind == kind.value,
                _c.subject == subject,
                _c.decided_at.is_(None),
            )
        )
    ).first()
    return None if row is None else _held(row)


async def set_decided(
    conn: AsyncConnection,
    *,
    held: HeldEntry,
    by: UUID,
    is_approved: bool,
    reason: str | None,
    now: datetime,
) -> None:
    """Record what the second person decided about a locked entry."""
    await conn.execute(
        update(tables.held_entry)
        .where(_c.book_id == held.book, _c.id == held.number)
        .values(decided_by=by, decided_at=now, is_approved=is_approved, reason=reason)
    )


def _select() -> Any:
    return select(
        _c.kind,
        _c.book_id,
        _c.id,
        _c.subject,
        _c.organization_id,
        _c.shift_id,
        _c.content,
        _c.note,
        _c.submitted_by,
        _c.submitted_at,
        _c.decided_by,
        _c.decided_at,
        _c.is_approved,
        _c.reason,
    )


def _held(row: Row[Any]) -> HeldEntry:
    return HeldEntry(
        kind=HeldKind(row.kind),
        book=row.book_id,
        number=row.id,
        subject=row.subject,
        organization=OrganizationId(row.book_id, row.organization_id),
        shift=row.shift_id,
        people=tuple(_person(each) for each in json.loads(row.content)),
        note=row.note,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        is_approved=row.is_approved,
        reason=row.reason,
    )


def _row(person: HeldPerson) -> list[object]:
    who = person.volunteer
    return [who.book, who.id, person.since.isoformat(), person.until.isoformat(), person.minutes]


def _person(row: list[Any]) -> HeldPerson:
    book, number, since, until, minutes = row
    return HeldPerson(
        VolunteerId(book, number),
        datetime.fromisoformat(since),
        datetime.fromisoformat(until),
        minutes,
    )
