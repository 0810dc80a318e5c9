"""What other offices say about volunteers, with day and source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One thing that is said of one volunteer.

    Attributes:
        detail: The division code or register that the fact names; empty for most.
        through_on: None until something else is said.
        value: 0 or 1, or the place of the choice.
        source: Who says so, in which document.
    """

    volunteer: int
    fact: str
    detail: str
    from_on: date
    through_on: date | None
    value: int
    source: str


async def insert_attestations(
    conn: AsyncConnection,
    *,
    book: int,
    attestations: Sequence[Attestation],
    person: UUID | None,
    now: datetime,
) -> int:
    """Record what is said and return how much; of the same fact and day the newest counts.

    Cost: one statement.
    """
    if not attestations:
        return 0
    await conn.execute(
        insert(tables.attestation),
        [
            {
                "book_id": book,
                "volunteer_id": each.volunteer,
                "fact": each.fact,
                "detail": each.detail,
                "from_on": each.from_on,
                "through_on": each.through_on,
                "value": each.value,
                "source": each.source,
                "recorded_at": now,
                "recorded_by": person,
            }
            for each in attestations
        ],
    )
    return len(attestations)


async def copy_attestations(
    conn: AsyncConnection, *, volunteer: VolunteerId, to: VolunteerId, now: datetime
) -> None:
    """Keep what is said of somebody for who they are in another county, told there as of now."""
    c = tables.attestation.c
    kept = select(
        literal(to.book),
        literal(to.id),
        c.fact,
        c.detail,
        c.from_on,
        c.through_on,
        c.value,
        c.source,
        # What was said later of the same day stays what counts.
        literal(now) + func.row_number().over(order_by=c.recorded_at) * timedelta(microseconds=1),
        c.recorded_by,
    ).where(c.book_id == volunteer.book, c.volunteer_id == volunteer.id)
    await conn.execute(
        insert(tables.attestation).from_select(
            [each.name for each in tables.attestation.columns], kept
        )
    )


async def delete_attestations(conn: AsyncConnection, *, volunteer: VolunteerId) -> None:
    """Forget for good what was said of a volunteer."""
    c = tables.attestation.c
    await conn.execute(
        delete(tables.attestation).where(
            c.book_id == volunteer.book, c.volunteer_id == volunteer.id
        )
    )
