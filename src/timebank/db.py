"""One metadata, two pools, the ways in: to write, to read a page, to read one statement."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_WRITER = {
    "default_transaction_isolation": "read committed",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Who waited for a book's lock must see what the one before wrote, whatever the server's default.
Writes find their rows by key, whatever the statistics say: a plan made while a table was nearly
empty would read it whole, under that lock, until the next analysis. Planned once."""

_READER = {"default_transaction_read_only": "on"}

_KEPT = "timebank.kept"


class Database:
    """The only door to PostgreSQL.

    Args:
        url: An SQLAlchemy URL with the driver, such as `postgresql+asyncpg://…`.
        role: The role whose privileges every connection has, whoever it signed in as.
        pool_size: Most connections for each of the two ways in; opened when needed, then kept.
    """

    def __init__(self, url: str, *, role: str, pool_size: int = 8) -> None:
        self._kept: dict[str, object] = {}
        self._writer = _engine(url, role=role, pool_size=pool_size, settings=_WRITER)
        reader = _engine(url, role=role, pool_size=pool_size, settings=_READER)
        self._reader = reader.execution_options(isolation_level="REPEATABLE READ")
        self._glancer = reader.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        Nothing may be answered before the block has ended.
        """
        async with self._writer.begin() as conn:
            yield conn

    @asynccontextmanager
    async def read(self, *, is_anew: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a read-only snapshot: one page shows one moment, and a stray write fails.

        Anew, nothing that a process has kept is believed: whoever proves a number reads it all.
        """
        async with self._reader.connect() as conn:
            conn.info[_KEPT] = {} if is_anew else self._kept
            yield conn

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """Open a way in for one statement that reads: a snapshot by itself, and two trips less."""
        async with self._glancer.connect() as conn:
            yield conn

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def _engine(url: str, *, role: str, pool_size: int, settings: Mapping[str, str]) -> AsyncEngine:
    server_settings = {"role": role, "application_name": "timebank", **settings}
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"server_settings": server_settings},
    )


def kept_of(conn: AsyncConnection) -> dict[str, object]:
    """Return what readers of one database keep between their snapshots, by what keeps it.

    Whatever is kept says of which state of a book it was made; whoever finds it asks the snapshot
    for what came after. A connection that no `Database` opened keeps nothing.
    """
    found = conn.info.get(_KEPT)
    return found if isinstance(found, dict) else {}


async def driver_of(conn: AsyncConnection) -> asyncpg.Connection:
    """Return the driver's connection inside a transaction that has begun.

    Core costs four to six times as much as the driver on long lists; only the journal and the
    bulk loads of the store go below it.

    Raises:
        AssertionError: No statement was run through SQLAlchemy yet: its dialect begins the
            transaction with the first one, and whatever the driver ran before would commit alone.
    """
    raw = await conn.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, asyncpg.Connection)  # noqa: S101 the dialect is asyncpg's
    if not driver.is_in_transaction():
        raise AssertionError("the transaction has not begun")
    return driver
