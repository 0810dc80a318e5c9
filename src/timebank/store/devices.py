"""Keys of volunteers' phones."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Connection, driver_of
from timebank.domain.actor import VolunteerId
from timebank.domain.device_key import DeviceKey, KeyKind
from timebank.store import tables

_HOLDERS = """
    select d.id, v.book_id, v.id
    from device_key d
    join volunteer v on v.person_id = d.person_id and v.ended_at is null
    where d.id = any($1::bytea[]) and d.ended_at is null
"""


async def list_holders(conn: Connection, *, ids: Sequence[bytes]) -> dict[bytes, VolunteerId]:
    """Return whose each phone is; what is bound to nobody is not there.

    Cost: one statement.
    """
    driver = await driver_of(conn)
    rows = await driver.fetch(_HOLDERS, ids)
    return {found: VolunteerId(book, number) for found, book, number in rows}


async def find_holder(conn: AsyncConnection, *, id_: bytes) -> UUID | None:
    """Return the person whose phone it is, or None where it is nobody's."""
    c = tables.device_key.c
    person: UUID | None = await conn.scalar(
        select(c.person_id).where(c.id == id_, c.ended_at.is_(None))
    )
    return person


async def find_own(conn: AsyncConnection, *, person: UUID) -> DeviceKey | None:
    """Return the key of the phone that is a person's own, or None where none is."""
    c = tables.device_key.c
    row = (
        await conn.execute(
            select(c.kind, c.public).where(c.person_id == person, c.ended_at.is_(None))
        )
    ).first()
    return None if row is None else DeviceKey(KeyKind(row.kind), row.public)


async def list_keys_of(
    conn: AsyncConnection, *, volunteers: Sequence[VolunteerId]
) -> dict[VolunteerId, DeviceKey]:
    """Return the keys of volunteers' phones; who has none bound is not there.

    Cost: one statement; none for nobody.
    """
    if not volunteers:
        return {}
    d, v = tables.device_key, tables.volunteer
    rows = await conn.execute(
        select(v.c.book_id, v.c.id, d.c.kind, d.c.public)
        .join_from(v, d, d.c.person_id == v.c.person_id)
        .where(
            tuple_(v.c.book_id, v.c.id).in_([(each.book, each.id) for each in volunteers]),
            d.c.ended_at.is_(None),
        )
    )
    return {
        VolunteerId(book, number): DeviceKey(KeyKind(kind), public)
        for book, number, kind, public in rows
    }


async def insert_key(conn: AsyncConnection, *, key: DeviceKey, person: UUID, now: datetime) -> bool:
    """Bind a phone to a person; return False where one of them was bound meanwhile."""
    bound = await conn.execute(
        insert(tables.device_key)
        .values(id=key.id, bound_at=now, person_id=person, kind=key.kind, public=key.public)
        .on_conflict_do_nothing()
    )
    return bound.rowcount > 0


async def set_ended(conn: AsyncConnection, *, person: UUID, by: UUID | None, now: datetime) -> bool:
    """Let the binding of a person's phone go; return whether there was one."""
    c = tables.device_key.c
    ended = await conn.execute(
        update(tables.device_key)
        .where(c.person_id == person, c.ended_at.is_(None))
        .values(ended_at=now, ended_by=by)
    )
    return ended.rowcount > 0
