"""One metadata, and the ways in: to write a little or for many, to read a page or a statement."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

import asyncpg
from sqlalchemy import MetaData, make_url
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

_BY_KEY = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Of what many wait for together, each is looked up by itself: reading a whole table to look up a
hundred rows is cheaper on the day when the plan is made, and dearer with every year."""

_KEPT = "timebank.kept"
_ANEW = "timebank.anew"


class Driver(asyncpg.Connection):
    """The driver's connection, with what its process keeps between transactions."""

    __slots__ = ("kept",)

    kept: dict[str, object]


Connection: TypeAlias = AsyncConnection | asyncpg.Connection
"""What a transaction is open on: SQLAlchemy's connection, or the driver's own."""


class Statement(NamedTuple):
    """A statement of one room that may travel with one of another: a trip less, and a plan less."""

    sql: str
    arguments: tuple[object, ...]

    def after(self, count: int) -> str:
        """Return the statement with its parameters numbered after `count` others."""
        return _PARAMETER.sub(lambda found: f"${count + int(found[1])}", self.sql)


_PARAMETER = re.compile(r"\$(\d+)")


class Database:
    """The only door to PostgreSQL.

    Args:
        url: An SQLAlchemy URL with the driver, such as `postgresql+asyncpg://…`.
        role: The role whose privileges every connection has, whoever it signed in as.
        pool_size: Most connections for each of the ways in; opened when needed, then kept.
    """

    def __init__(self, url: str, *, role: str, pool_size: int = 8) -> None:
        self._kept: dict[str, object] = {}
        self._writer = _engine(url, role=role, pool_size=pool_size, settings=_WRITER)
        reader = _engine(url, role=role, pool_size=pool_size, settings=_READER)
        self._reader = reader.execution_options(isolation_level="REPEATABLE READ")
        self._posters = _Drivers(
            url, role=role, size=pool_size, settings=_WRITER | _BY_KEY, kept=self._kept
        )
        self._glancers = _Drivers(
            url, role=role, size=pool_size, settings=_READER | _BY_KEY, kept=self._kept
        )

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        Nothing may be answered before the block has ended.
        """
        async with self._writer.begin() as conn:
            conn.info[_KEPT] = self._kept
            yield conn

    @asynccontextmanager
    async def post(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction as `write` does, on the driver itself.

        For what many people wait for at once: SQLAlchemy's way takes half a millisecond of the
        processor and two trips more, whatever is written.
        """
        async with self._posters.lent() as driver:
            await driver.execute("begin")
            try:
                yield driver
            except Exception:
                if not driver.is_closed():
                    await driver.execute("rollback")
                raise
            # The server says ROLLBACK where a statement failed and somebody swallowed it.
            if await driver.execute("commit") != "COMMIT":
                raise AssertionError("the transaction had failed before it was committed")

    @asynccontextmanager
    async def read(self, *, is_anew: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a read-only snapshot: one page shows one moment, and a stray write fails.

        Anew, nothing that was kept or summed before is believed: whoever proves a number reads the
        entries themselves.
        """
        async with self._reader.connect() as conn:
            conn.info[_KEPT] = {} if is_anew else self._kept
            conn.info[_ANEW] = is_anew
            yield conn

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a way in for one statement that reads, on the driver itself: one trip."""
        async with self._glancers.lent() as driver:
            yield driver

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()
        await self._posters.close()
        await self._glancers.close()


class _Drivers:
    """A few connections of the driver: lent one at a time, kept while they are whole."""

    def __init__(
        self,
        url: str,
        *,
        role: str,
        size: int,
        settings: Mapping[str, str],
        kept: dict[str, object],
    ) -> None:
        parsed = make_url(url)
        _, self._options = parsed.get_dialect()().create_connect_args(parsed)
        self._settings = _settings(role, settings)
        self._kept = kept
        self._free = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection; one that is not back where it began is thrown away."""
        async with self._free:
            driver = await self._find()
            try:
                yield driver
            except Exception:
                self._take_back(driver)
                raise
            except BaseException:
                # Cancelled, perhaps within a statement: what it still answers is nobody's.
                driver.terminate()
                raise
            self._take_back(driver)

    def _take_back(self, driver: asyncpg.Connection) -> None:
        if driver.is_in_transaction():
            driver.terminate()
        elif not driver.is_closed():
            self._idle.append(driver)

    async def _find(self) -> asyncpg.Connection:
        while self._idle:
            driver = self._idle.pop()
            if not driver.is_closed():
                return driver
        opened: Driver = await asyncpg.connect(
            **self._options, server_settings=self._settings, connection_class=Driver
        )
        opened.kept = self._kept
        return opened

    async def close(self) -> None:
        """Close what is not lent."""
        while self._idle:
            await self._idle.pop().close()


def array_text(values: Sequence[int | None]) -> str:
    """Return whole numbers, or truths, as the text of an array, for a parameter cast from text.

    Given as they are the driver asks of each whether it is an array itself, and takes three to ten
    times as long.
    """
    if None in values:
        return "{" + ",".join(["NULL" if each is None else str(each) for each in values]) + "}"
    return "{" + ("%d," * len(values))[:-1] % tuple(values) + "}"


def _settings(role: str, settings: Mapping[str, str]) -> dict[str, str]:
    return {"role": role, "application_name": "timebank", **settings}


def _engine(url: str, *, role: str, pool_size: int, settings: Mapping[str, str]) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # A hall full of people comes in at once, and the last of them waits for the others.
        pool_timeout=30,
        hide_parameters=True,
        connect_args={"server_settings": _settings(role, settings)},
    )


def is_anew(conn: AsyncConnection) -> bool:
    """Say whether readers are to believe nothing that was summed before, roll-ups included."""
    return conn.info.get(_ANEW) is True


def kept_of(conn: Connection) -> dict[str, object]:
    """Return what one process keeps of one database between transactions, by what keeps it.

    Whatever is kept says of which state of a book it was made; whoever finds it asks the
    transaction for what came after. A connection that no `Database` opened keeps nothing.
    """
    if isinstance(conn, AsyncConnection):
        found = conn.info.get(_KEPT)
        return found if isinstance(found, dict) else {}
    return conn.kept if isinstance(conn, Driver) else {}


async def run(conn: Connection, sql: str, *arguments: object) -> None:
    """Run a statement that answers nothing, on either kind of connection."""
    if isinstance(conn, AsyncConnection):
        await conn.exec_driver_sql(sql, arguments)
    else:
        await conn.execute(sql, *arguments)


async def driver_of(conn: Connection) -> asyncpg.Connection:
    """Return the driver's connection inside a transaction that has begun.

    Core costs four to six times as much as the driver on long lists; only the journal and the
    bulk loads of the store go below it.

    Raises:
        AssertionError: No statement was run through SQLAlchemy yet: its dialect begins the
            transaction with the first one, and whatever the driver ran before would commit alone.
    """
    driver: object = conn
    if isinstance(conn, AsyncConnection):
        driver = (await conn.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)  # noqa: S101 the dialect is asyncpg's
    if not driver.is_in_transaction():
        raise AssertionError("the transaction has not begun")
    return driver
