"""Odd readings, kept for a reviewer."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from timebank.db import Connection, driver_of
from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.evidence import ScanFlag


class FlaggedScan(NamedTuple):
    """A reading that was recorded and should be looked at."""

    volunteer: VolunteerId
    shift_book: int
    shift: int
    direction: Direction
    flag: ScanFlag
    at: datetime


_INSERT = """
    insert into scan_flag (book_id, volunteer_id, shift_book, shift_id, direction, flag, at)
    select * from unnest(
        $1::int[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[]
    )
    on conflict do nothing
"""


async def insert_flags(conn: Connection, *, flags: Sequence[FlaggedScan]) -> None:
    """Keep flags; the same one again changes nothing. Cost: one statement, none for no flags."""
    if not flags:
        return
    driver = await driver_of(conn)
    await driver.execute(
        _INSERT,
        [each.volunteer.book for each in flags],
        [each.volunteer.id for each in flags],
        [each.shift_book for each in flags],
        [each.shift for each in flags],
        [each.direction.value for each in flags],
        [each.flag.value for each in flags],
        [each.at for each in flags],
    )
