"""Readings that were made without network: kept as they came, then decided once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.attendance import Direction
from timebank.domain.offline_kit import Reading
from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOutcome:
    """What became of a reading.

    Attributes:
        code: `arrived`, `left`, `known` for what was recorded before, or a refusal's stable code.
        is_conflict: Nothing was recorded, and somebody must look at it.
        flag: What somebody should look at although it was recorded; None for nothing.
        volunteer: None where it names nobody.
    """

    code: str
    is_conflict: bool
    flag: str | None = None
    volunteer: VolunteerId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReading:
    """A reading as it is kept.

    Attributes:
        outcome: None until it is decided.
        settled_at: When an organizer had looked at it; None before.
    """

    reading: Reading
    shift_book: int
    shift: int
    sent_by: UUID
    received_at: datetime
    outcome: ReadingOutcome | None
    settled_at: datetime | None


async def insert_readings(
    conn: AsyncConnection,
    *,
    shift_book: int,
    shift: int,
    readings: Sequence[Reading],
    sent_by: UUID,
    device: bytes | None,
    now: datetime,
) -> int:
    """Keep readings as they came; one that is kept already stays as it is. Return how many are new.

    Cost: one statement.
    """
    if not readings:
        return 0
    kept = await conn.execute(
        insert(tables.offline_reading)
        .values(
            [
                {
                    "book_id": shift_book,
                    "nonce": each.nonce,
                    "shift_id": shift,
                    "sent_by": sent_by,
                    "device": device,
                    "number": each.number,
                    "direction": each.direction.value,
                    "read_at": each.at,
                    "received_at": now,
                    "code": each.code,
                    "named": each.named,
                }
                for each in readings
            ]
        )
        .on_conflict_do_nothing()
    )
    return kept.rowcount


async def list_by_nonce(
    conn: AsyncConnection, *, shift_book: int, nonces: Sequence[bytes]
) -> dict[bytes, KeptReading]:
    """Return the readings that are kept under nonces. Cost: one statement."""
    c = tables.offline_reading.c
    rows = await conn.execute(
        select(tables.offline_reading).where(c.book_id == shift_book, c.nonce.in_(nonces))
    )
    return {row.nonce: _kept(row) for row in rows}


async def list_of_device(
    conn: AsyncConnection, *, shift_book: int, sent_by: UUID, device: bytes | None
) -> list[tuple[int, datetime]]:
    """Return count and time of everything that a device sent to a book; for one kit, or none."""
    c = tables.offline_reading.c
    rows = await conn.execute(
        select(c.number, c.read_at).where(
            c.book_id == shift_book, c.sent_by == sent_by, c.device.is_not_distinct_from(device)
        )
    )
    return [(number, at) for number, at in rows]


async def set_outcomes(
    conn: AsyncConnection, *, shift_book: int, outcomes: Mapping[bytes, ReadingOutcome]
) -> None:
    """Record what became of readings; what is decided stays decided."""
    c = tables.offline_reading.c
    for nonce, outcome in outcomes.items():
        volunteer = outcome.volunteer
        await conn.execute(
            update(tables.offline_reading)
            .where(c.book_id == shift_book, c.nonce == nonce, c.outcome.is_(None))
            .values(
                outcome=outcome.code,
                is_conflict=outcome.is_conflict,
                flag=outcome.flag,
                volunteer_book=None if volunteer is None else volunteer.book,
                volunteer_id=None if volunteer is None else volunteer.id,
            )
        )


async def list_of_shift(conn: AsyncConnection, *, shift_book: int, shift: int) -> list[KeptReading]:
    """Return everything that was sent for a shift afterwards, as it was read."""
    c = tables.offline_reading.c
    rows = await conn.execute(
        select(tables.offline_reading)
        .where(c.book_id == shift_book, c.shift_id == shift)
        .order_by(c.read_at, c.number, c.nonce)
    )
    return [_kept(row) for row in rows]


async def set_settled(
    conn: AsyncConnection, *, shift_book: int, shift: int, by: UUID, now: datetime
) -> int:
    """Record that an organizer has looked at every conflict of a shift; return how many."""
    c = tables.offline_reading.c
    settled = await conn.execute(
        update(tables.offline_reading)
        .where(
            c.book_id == shift_book,
            c.shift_id == shift,
            c.settled_at.is_(None),
            c.is_conflict | c.flag.is_not(None),
        )
        .values(settled_at=now, settled_by=by)
    )
    return settled.rowcount


def _kept(row: Row[Any]) -> KeptReading:
    return KeptReading(
        reading=Reading(
            row.nonce, row.number, row.read_at, Direction(row.direction), row.code, row.named
        ),
        shift_book=row.book_id,
        shift=row.shift_id,
        sent_by=row.sent_by,
        received_at=row.received_at,
        outcome=None
        if row.outcome is None
        else ReadingOutcome(
            code=row.outcome,
            is_conflict=row.is_conflict,
            flag=row.flag,
            volunteer=None
            if row.volunteer_id is None
            else VolunteerId(row.volunteer_book, row.volunteer_id),
        ),
        settled_at=row.settled_at,
    )
