"""What the page after a scan tells of the shift whose code was read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.qr import Scan
from timebank.store import tables


@dataclass(frozen=True, slots=True)
class ScannedShift:
    """One shift in public words."""

    activity_id: int
    activity: str
    organization: str
    address: str
    starts_at: datetime
    ends_at: datetime


async def find_scanned_shift(conn: AsyncConnection, *, scan: Scan) -> ScannedShift | None:
    """Return the shift of a proved scan, or None where it does not exist."""
    s, a, o = tables.shift, tables.activity, tables.organization
    row = (
        await conn.execute(
            select(a.c.id, a.c.title, o.c.name, a.c.address, s.c.starts_at, s.c.ends_at)
            .join_from(s, a, (a.c.book_id == s.c.book_id) & (a.c.id == s.c.activity_id))
            .join(o, (o.c.book_id == a.c.book_id) & (o.c.id == a.c.organization_id))
            .where(s.c.book_id == scan.shift_book, s.c.id == scan.shift)
        )
    ).first()
    return None if row is None else ScannedShift(*row)
