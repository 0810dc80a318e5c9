"""The ways into the database keep their promises, whatever is asked of them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from timebank.db import Database

WRITE = text("insert into unit (id, code) values (999, 'stray')")


@pytest.mark.parametrize("way", ["read", "glance"])
async def test_a_stray_write_fails_where_only_reading_was_meant(db: Database, way: str) -> None:
    async with getattr(db, way)() as conn:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await conn.execute(WRITE)


async def test_a_page_shows_one_moment(db: Database) -> None:
    count = text("select count(*) from unit")
    async with db.read() as page:
        before = await page.scalar(count)
        async with db.write() as conn:
            await conn.execute(WRITE)

        assert await page.scalar(count) == before
    async with db.glance() as conn:
        assert await conn.scalar(count) == before + 1


async def test_a_write_is_there_whole_or_not_at_all(db: Database) -> None:
    async def fail() -> None:
        async with db.write() as conn:
            await conn.execute(WRITE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with db.glance() as conn:
        assert await conn.scalar(text("select count(*) from unit where id = 999")) == 0
