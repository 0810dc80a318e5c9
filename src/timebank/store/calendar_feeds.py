"""Addresses under which a calendar program reads somebody's shifts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.store import tables

_c = tables.calendar_feed.c

FeedOwner = VolunteerId | OrganizationId
"""Whose shifts a calendar shows."""


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """An address that works."""

    owner: FeedOwner
    made_at: datetime


async def find_feed(conn: AsyncConnection, *, token_hash: bytes) -> CalendarFeed | None:
    """Return whose shifts an address shows; None for one that never was or was revoked."""
    row = (
        await conn.execute(
            select(
                _c.volunteer_book,
                _c.volunteer_id,
                _c.organization_book,
                _c.organization_id,
                _c.made_at,
            ).where(_c.token_hash == token_hash, _c.ended_at.is_(None))
        )
    ).first()
    if row is None:
        return None
    if row.volunteer_id is not None:
        return CalendarFeed(VolunteerId(row.volunteer_book, row.volunteer_id), row.made_at)
    return CalendarFeed(OrganizationId(row.organization_book, row.organization_id), row.made_at)


async def find_made_at(
    conn: AsyncConnection, *, owner: FeedOwner, made_by: UUID
) -> datetime | None:
    """Return when somebody made the address that works for an owner's shifts, or None."""
    at: datetime | None = await conn.scalar(
        select(_c.made_at).where(*_is_of(owner), _c.made_by == made_by, _c.ended_at.is_(None))
    )
    return at


async def insert_feed(
    conn: AsyncConnection, *, token_hash: bytes, owner: FeedOwner, made_by: UUID, now: datetime
) -> None:
    """Add an address."""
    is_volunteer = isinstance(owner, VolunteerId)
    await conn.execute(
        insert(tables.calendar_feed).values(
            token_hash=token_hash,
            volunteer_book=owner.book if is_volunteer else None,
            volunteer_id=owner.id if is_volunteer else None,
            organization_book=None if is_volunteer else owner.book,
            organization_id=None if is_volunteer else owner.id,
            made_by=made_by,
            made_at=now,
        )
    )


async def set_ended(
    conn: AsyncConnection, *, owner: FeedOwner, made_by: UUID, now: datetime
) -> None:
    """End whatever addresses somebody made for an owner's shifts."""
    await conn.execute(
        update(tables.calendar_feed)
        .where(*_is_of(owner), _c.made_by == made_by, _c.ended_at.is_(None))
        .values(ended_at=now)
    )


def _is_of(owner: FeedOwner) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    if isinstance(owner, VolunteerId):
        return _c.volunteer_book == owner.book, _c.volunteer_id == owner.id
    return _c.organization_book == owner.book, _c.organization_id == owner.id
