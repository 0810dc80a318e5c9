"""Every pack that ever granted, in its canonical form, so that a decision can be made again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.policy.rule import Pack
from timebank.store import tables


async def insert_pack(
    conn: AsyncConnection, *, pack: Pack, person: UUID | None, now: datetime
) -> None:
    """Keep a pack; one that is kept already stays as it is. Cost: one statement."""
    await conn.execute(
        insert(tables.pack)
        .values(
            hash=pack.hash,
            pack_id=pack.id,
            version=pack.version,
            content=pack.canonical,
            enacted_at=now,
            enacted_by=person,
        )
        .on_conflict_do_nothing()
    )
