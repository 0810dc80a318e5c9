"""Every pack that ever granted, in its canonical form, so that a decision can be made again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
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


async def list_contents(conn: AsyncConnection, *, hashes: Collection[str]) -> dict[str, bytes]:
    """Return packs in their canonical form.

    Shape: one item per hash that is kept.
    """
    c = tables.pack.c
    rows = await conn.execute(select(c.hash, c.content).where(c.hash.in_(hashes)))
    return {found: content for found, content in rows}  # noqa: C416 not pairs to mypy
