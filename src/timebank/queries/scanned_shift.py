"""What the page after a scan tells of the shift whose code was read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.meeting_point import MeetingPoint
from timebank.domain.qr import Scan
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class ScannedShift:
    """One shift in public words.

    Attributes:
        point: Where phones compare themselves with; None where nobody is asked.
    """

    activity_id: int
    activity: str
    organization: str
    address: str
    starts_at: datetime
    ends_at: datetime
    point: MeetingPoint | None


async def find_scanned_shift(conn: AsyncConnection, *, scan: Scan) -> ScannedShift | None:
    """Return the shift of a proved scan, or None where it does not exist."""
    s, a, o, m = tables.shift, tables.activity, tables.organization, tables.meeting_point
    row = (
        await conn.execute(
            select(
                a.c.id,
                a.c.title,
                o.c.name,
                a.c.address,
                s.c.starts_at,
                s.c.ends_at,
                m.c.latitude,
                m.c.longitude,
                m.c.radius,
            )
            .join_from(s, a, (a.c.book_id == s.c.book_id) & (a.c.id == s.c.activity_id))
            .join(o, (o.c.book_id == a.c.book_id) & (o.c.id == a.c.organization_id))
            .outerjoin(m, (m.c.book_id == a.c.book_id) & (m.c.activity_id == a.c.id))
            .where(s.c.book_id == scan.shift_book, s.c.id == scan.shift)
        )
    ).first()
    if row is None:
        return None
    activity_id, activity, organization, address, starts_at, ends_at, *point = row
    return ScannedShift(
        activity_id=activity_id,
        activity=activity,
        organization=organization,
        address=address,
        starts_at=starts_at,
        ends_at=ends_at,
        point=None if None in point else MeetingPoint(*point),
    )
