"""Activities and their shifts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import driver_of
from timebank.domain.activity import Forgotten
from timebank.domain.actor import OrganizationId
from timebank.domain.clearance import NO_RISK, Risk
from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Published work, or the work of imported history.

    Attributes:
        id: Its number in the organization's book.
        created_by: None for imports and the operator's command line.
        is_listed: False for imported history: nobody can sign up.
        forgotten: What becomes of a forgotten departure.
    """

    organization: OrganizationId
    id: int
    title: str
    field: int
    content: str
    address: str
    region: int
    in_charge: str
    created_by: UUID | None
    created_at: datetime
    cancelled_at: datetime | None = None
    is_listed: bool = True
    forgotten: Forgotten = Forgotten.ZERO
    risks: Risk = NO_RISK


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One dated slot of an activity.

    Attributes:
        organization: Whose activity it is.
        cancelled_at: Of the shift or its activity; None while it goes on.
        forgotten: What becomes of a forgotten departure.
    """

    book: int
    id: int
    activity: int
    organization: OrganizationId
    starts_at: datetime
    ends_at: datetime
    places: int
    cancelled_at: datetime | None = None
    closed_at: datetime | None = None
    forgotten: Forgotten = Forgotten.ZERO


async def insert_activities(conn: AsyncConnection, *, activities: Iterable[Activity]) -> None:
    """Add activities. The transaction has begun. Cost: one `COPY`."""
    driver = await driver_of(conn)
    await driver.copy_records_to_table(
        "activity",
        columns=(
            "book_id",
            "organization_id",
            "id",
            "title",
            "field",
            "content",
            "address",
            "region",
            "in_charge",
            "created_by",
            "created_at",
            "cancelled_at",
            "is_listed",
            "forgotten",
            "risks",
        ),
        records=[
            (
                each.organization.book,
                each.organization.id,
                each.id,
                each.title,
                each.field,
                each.content,
                each.address,
                each.region,
                each.in_charge,
                each.created_by,
                each.created_at,
                each.cancelled_at,
                each.is_listed,
                each.forgotten.value,
                int(each.risks),
            )
            for each in activities
        ],
    )


async def insert_shifts(conn: AsyncConnection, *, shifts: Iterable[Shift]) -> None:
    """Add shifts. The transaction has begun. Cost: one `COPY`."""
    driver = await driver_of(conn)
    await driver.copy_records_to_table(
        "shift",
        columns=(
            "book_id",
            "id",
            "activity_id",
            "starts_at",
            "ends_at",
            "places",
            "cancelled_at",
            "closed_at",
        ),
        records=[
            (
                each.book,
                each.id,
                each.activity,
                each.starts_at,
                each.ends_at,
                each.places,
                each.cancelled_at,
                each.closed_at,
            )
            for each in shifts
        ],
    )


async def find_organization_of(
    conn: AsyncConnection, *, book: int, activity: int
) -> OrganizationId | None:
    """Return whose activity it is, or None."""
    c = tables.activity.c
    number = await conn.scalar(select(c.organization_id).where(c.book_id == book, c.id == activity))
    return None if number is None else OrganizationId(book, number)


async def find_title(conn: AsyncConnection, *, book: int, activity: int) -> str:
    """Return what an activity is called; empty where there is none."""
    c = tables.activity.c
    title: str | None = await conn.scalar(
        select(c.title).where(c.book_id == book, c.id == activity)
    )
    return title or ""


async def find_locked_activity(
    conn: AsyncConnection, *, book: int, activity: int
) -> tuple[OrganizationId, datetime | None] | None:
    """Lock an activity and return whose it is and when it was cancelled, or None."""
    c = tables.activity.c
    row = (
        await conn.execute(
            select(c.organization_id, c.cancelled_at)
            .where(c.book_id == book, c.id == activity, c.is_listed)
            .with_for_update()
        )
    ).first()
    return None if row is None else (OrganizationId(book, row[0]), row[1])


async def find_locked_shift(conn: AsyncConnection, *, shift_book: int, shift: int) -> Shift | None:
    """Lock a shift of a published activity and return it, or None."""
    h, a = tables.shift, tables.activity
    row = (
        await conn.execute(
            select(
                h.c.activity_id,
                a.c.organization_id,
                h.c.starts_at,
                h.c.ends_at,
                h.c.places,
                func.coalesce(h.c.cancelled_at, a.c.cancelled_at),
                h.c.closed_at,
                a.c.forgotten,
            )
            .join_from(h, a, (a.c.book_id == h.c.book_id) & (a.c.id == h.c.activity_id))
            .where(h.c.book_id == shift_book, h.c.id == shift, a.c.is_listed)
            .with_for_update(of=h)
        )
    ).first()
    if row is None:
        return None
    activity, organization, starts_at, ends_at, places, cancelled_at, closed_at, forgotten = row
    return Shift(
        book=shift_book,
        id=shift,
        activity=activity,
        organization=OrganizationId(shift_book, organization),
        starts_at=starts_at,
        ends_at=ends_at,
        places=places,
        cancelled_at=cancelled_at,
        closed_at=closed_at,
        forgotten=Forgotten(forgotten),
    )


async def list_locked_open_shifts(conn: AsyncConnection, *, book: int, activity: int) -> list[int]:
    """Lock the shifts of an activity that are neither cancelled nor closed; return their numbers.

    Shape: in order of their numbers.
    """
    rows = await conn.execute(_open_shifts(book, activity).with_for_update())
    return list(rows.scalars())


async def find_listed(
    conn: AsyncConnection, *, organization: OrganizationId, title: str
) -> int | None:
    """Return the newest published activity of an organization with a title, or None."""
    c = tables.activity.c
    number: int | None = await conn.scalar(
        select(func.max(c.id)).where(
            c.book_id == organization.book,
            c.organization_id == organization.id,
            c.title == title,
            c.is_listed,
            c.cancelled_at.is_(None),
        )
    )
    return number


async def list_coming_shifts(
    conn: AsyncConnection, *, book: int, activity: int, now: datetime
) -> list[tuple[int, datetime]]:
    """Return number and start of an activity's open shifts that have not ended, by start."""
    c = tables.shift.c
    rows = await conn.execute(
        select(c.id, c.starts_at)
        .where(
            c.book_id == book,
            c.activity_id == activity,
            c.ends_at > now,
            c.cancelled_at.is_(None),
            c.closed_at.is_(None),
        )
        .order_by(c.starts_at, c.id)
    )
    return [(number, starts_at) for number, starts_at in rows]


async def list_open_shifts(conn: AsyncConnection, *, book: int, activity: int) -> list[int]:
    """Return the shifts of an activity that are neither cancelled nor closed, in order."""
    rows = await conn.execute(_open_shifts(book, activity))
    return list(rows.scalars())


async def set_places(conn: AsyncConnection, *, book: int, shift: int, places: int) -> None:
    """Change how many places a locked shift has."""
    c = tables.shift.c
    await conn.execute(
        update(tables.shift).where(c.book_id == book, c.id == shift).values(places=places)
    )


async def set_shifts_cancelled(
    conn: AsyncConnection, *, book: int, shifts: Iterable[int], at: datetime
) -> None:
    """Record that locked shifts are called off."""
    c = tables.shift.c
    await conn.execute(
        update(tables.shift)
        .where(c.book_id == book, c.id.in_(list(shifts)))
        .values(cancelled_at=at)
    )


async def set_activity_cancelled(
    conn: AsyncConnection, *, book: int, activity: int, at: datetime
) -> None:
    """Record that a locked activity is called off."""
    c = tables.activity.c
    await conn.execute(
        update(tables.activity).where(c.book_id == book, c.id == activity).values(cancelled_at=at)
    )


async def set_shift_closed(conn: AsyncConnection, *, book: int, shift: int, at: datetime) -> None:
    """Record that a locked shift is closed."""
    c = tables.shift.c
    await conn.execute(
        update(tables.shift).where(c.book_id == book, c.id == shift).values(closed_at=at)
    )


def _open_shifts(book: int, activity: int) -> Select[int]:
    c = tables.shift.c
    return (
        select(c.id)
        .where(
            c.book_id == book,
            c.activity_id == activity,
            c.cancelled_at.is_(None),
            c.closed_at.is_(None),
        )
        .order_by(c.id)
    )
