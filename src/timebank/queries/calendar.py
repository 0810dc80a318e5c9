"""Shifts as a calendar shows them: one's own, an organization's, a county's by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.period import Period
from timebank.queries.place import is_town, town
from timebank.store import tables as store

_SHOWN_MAX = 2_000
"""Shifts in one calendar: three hundred a month of a large organization fit."""


@dataclass(frozen=True, slots=True)
class CalendarShift:
    """A shift in a calendar.

    Attributes:
        is_cancelled: The shift or its activity was called off.
    """

    shift_book: int
    shift: int
    activity: int
    title: str
    content: str
    organization: str
    address: str
    town: str | None
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool


async def list_of_volunteer(
    conn: AsyncConnection, *, volunteer: VolunteerId, period: Period
) -> list[CalendarShift]:
    """Return the shifts in which a volunteer holds a place, by start. Cost: one statement."""
    h, s = store.shift.c, store.signup.c
    return await _list(
        conn,
        _shifts(period)
        .join(store.signup, and_(s.shift_book == h.book_id, s.shift_id == h.id))
        .where(
            s.book_id == volunteer.book, s.volunteer_id == volunteer.id, s.withdrawn_at.is_(None)
        ),
    )


async def list_of_organizations(
    conn: AsyncConnection, *, organizations: Sequence[OrganizationId], period: Period
) -> list[CalendarShift]:
    """Return the shifts of organizations, by start. Cost: one statement."""
    a = store.activity.c
    return await _list(
        conn,
        _shifts(period).where(
            a.is_listed,
            tuple_(a.book_id, a.organization_id).in_(
                [(each.book, each.id) for each in organizations]
            ),
        ),
    )


def _shifts(period: Period) -> Select[Any]:
    h, a, o = store.shift, store.activity, store.organization
    return (
        select(
            h.c.book_id.label("shift_book"),
            h.c.id.label("shift"),
            a.c.id.label("activity"),
            a.c.title,
            a.c.content,
            o.c.name.label("organization"),
            a.c.address,
            town.c.name.label("town"),
            h.c.starts_at,
            h.c.ends_at,
            func.coalesce(h.c.cancelled_at, a.c.cancelled_at).is_not(None).label("is_cancelled"),
        )
        .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(town, is_town(a.c.region))
        .where(h.c.starts_at >= period.start, h.c.starts_at < period.end)
        .order_by(h.c.starts_at, h.c.book_id, h.c.id)
        .limit(_SHOWN_MAX)
    )


async def _list(conn: AsyncConnection, query: Select[Any]) -> list[CalendarShift]:
    return [CalendarShift(**row._asdict()) for row in await conn.execute(query)]
