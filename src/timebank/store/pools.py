"""Budgets and stocks of a county."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.pool import Pool, WhenOut
from timebank.store import tables


async def insert_pool(
    conn: AsyncConnection, *, pool: Pool, person: UUID | None, now: datetime
) -> None:
    """Add a pool."""
    await conn.execute(
        insert(tables.pool).values(
            book_id=pool.book,
            id=pool.id,
            code=pool.code,
            title=pool.title,
            title_en=pool.title_en,
            owner=pool.owner,
            unit=pool.unit,
            when_out=pool.when_out.value,
            from_on=pool.from_on,
            until_on=pool.until_on,
            opened_at=now,
            opened_by=person,
        )
    )


async def list_pools(conn: AsyncConnection, *, book: int) -> list[Pool]:
    """Return the pools of a county, newest first."""
    c = tables.pool.c
    rows = await conn.execute(select(tables.pool).where(c.book_id == book).order_by(c.id.desc()))
    return [_pool(row) for row in rows]


async def list_by_code(
    conn: AsyncConnection, *, book: int, codes: Collection[str]
) -> dict[str, Pool]:
    """Return the pools that rules name.

    Shape: one item per code that is known.
    """
    c = tables.pool.c
    rows = await conn.execute(select(tables.pool).where(c.book_id == book, c.code.in_(codes)))
    return {pool.code: pool for pool in map(_pool, rows)}


async def list_by_id(conn: AsyncConnection, *, book: int, ids: Collection[int]) -> dict[int, Pool]:
    """Return pools by their numbers.

    Shape: one item per pool that exists.
    """
    c = tables.pool.c
    rows = await conn.execute(select(tables.pool).where(c.book_id == book, c.id.in_(ids)))
    return {pool.id: pool for pool in map(_pool, rows)}


def _pool(row: Row[Any]) -> Pool:
    return Pool(
        book=row.book_id,
        id=row.id,
        code=row.code,
        title=row.title,
        title_en=row.title_en,
        owner=row.owner,
        unit=row.unit,
        when_out=WhenOut(row.when_out),
        from_on=row.from_on,
        until_on=row.until_on,
    )
