"""The name of a volunteer whose code was read, and of one who was looked up by number or phone."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.store import tables


async def find_sealed_name(conn: AsyncConnection, *, volunteer: VolunteerId) -> bytes | None:
    """Return a volunteer's name, for `Seal.open`, to be shown masked; None where none is known."""
    v, p = tables.volunteer, tables.person
    name: bytes | None = await conn.scalar(
        select(p.c.name_sealed)
        .join_from(v, p, p.c.id == v.c.person_id)
        .where(v.c.book_id == volunteer.book, v.c.id == volunteer.id)
    )
    return name
