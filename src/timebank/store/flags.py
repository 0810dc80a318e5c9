"""Odd readings, kept for a reviewer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.evidence import ScanFlag
from timebank.store import tables


class FlaggedScan(NamedTuple):
    """A reading that was recorded and should be looked at."""

    volunteer: VolunteerId
    shift_book: int
    shift: int
    direction: Direction
    flag: ScanFlag
    at: datetime


async def insert_flags(conn: AsyncConnection, *, flags: Sequence[FlaggedScan]) -> None:
    """Keep flags; the same one again changes nothing."""
    if not flags:
        return
    await conn.execute(
        insert(tables.scan_flag).on_conflict_do_nothing(),
        [
            {
                "book_id": each.volunteer.book,
                "volunteer_id": each.volunteer.id,
                "shift_book": each.shift_book,
                "shift_id": each.shift,
                "direction": each.direction.value,
                "flag": each.flag.value,
                "at": each.at,
            }
            for each in flags
        ],
    )
