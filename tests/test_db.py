"""The ways into the database keep their promises, whatever is asked of them."""

import asyncio
from contextlib import nullcontext, suppress

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database, driver_of

WRITE = text("insert into unit (id, code) values (999, 'stray')")


async def test_a_stray_write_fails_where_only_reading_was_meant(db: Database) -> None:
    async with db.read() as conn:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await conn.execute(WRITE)
    async with db.glance() as driver:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await driver.execute(str(WRITE))


async def test_a_page_shows_one_moment(db: Database) -> None:
    count = text("select count(*) from unit")
    async with db.read() as page:
        before = await page.scalar(count)
        async with db.write() as conn:
            await conn.execute(WRITE)

        assert await page.scalar(count) == before
    async with db.glance() as driver:
        assert await driver.fetchval(str(count)) == before + 1


@pytest.mark.parametrize("way", ["write", "post"])
async def test_a_write_is_there_whole_or_not_at_all(db: Database, way: str) -> None:
    async def write(*, is_failing: bool) -> None:
        async with getattr(db, way)() as conn:
            driver = conn if isinstance(conn, asyncpg.Connection) else await begun(conn)
            await driver.execute(str(WRITE))
            if is_failing:
                raise ZeroDivisionError

    for is_failing in (True, False):
        with pytest.raises(ZeroDivisionError) if is_failing else nullcontext():
            await write(is_failing=is_failing)
        async with db.glance() as driver:
            count = await driver.fetchval("select count(*) from unit where id = 999")
            assert count == (0 if is_failing else 1)


async def test_a_swallowed_failure_does_not_pass_for_a_commit(db: Database) -> None:
    async def write() -> None:
        async with db.post() as driver:
            await driver.execute(str(WRITE))
            with suppress(asyncpg.PostgresError):
                await driver.execute("select 1 / 0")

    with pytest.raises(AssertionError, match="failed before"):
        await write()
    async with db.glance() as driver:
        assert await driver.fetchval("select count(*) from unit where id = 999") == 0


async def test_a_connection_that_was_lost_or_left_open_is_not_lent_again(
    db: Database, owner: asyncpg.Connection
) -> None:
    async def cancelled() -> None:
        async with db.post() as driver:
            await driver.execute(str(WRITE))
            await driver.execute("select pg_sleep(60)")

    task = asyncio.create_task(cancelled())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.post() as driver:
        lost = driver.get_server_pid()
    await owner.execute("select pg_terminate_backend($1)", lost)
    await asyncio.sleep(0.1)

    async with db.post() as driver:
        assert driver.get_server_pid() != lost
        assert await driver.fetchval("select count(*) from unit where id = 999") == 0


async def begun(conn: AsyncConnection) -> asyncpg.Connection:
    await conn.execute(text("select 1"))
    return await driver_of(conn)
