"""One server per run, one database per test, built by the migrations.

The server is the embedded one that the product ships. `TIMEBANK_TEST_DATABASE_URL` (a superuser's
URL, such as postgresql+asyncpg://postgres@127.0.0.1:5432/postgres) runs the suite on another.
"""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from tests.factories import World

from timebank import migrations, postgres
from timebank.db import Database

pytest_plugins = ["tests.tools"]


_UNSYNCED = {"fsync": "off", "full_page_writes": "off"}
"""Copying a database syncs every file of it, which took half of the suite's time. Tests that kill
a server or pull its plug start their own, which syncs."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A superuser's URL of a running server."""
    given = os.environ.get("TIMEBANK_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="timebank-test-") as folder:
        Path(folder).chmod(0o755)
        with postgres.running(Path(folder) / "data", parameters=_UNSYNCED) as server:
            yield server.url(user=postgres.SUPERUSER, database="postgres")


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """The name of a migrated, empty database."""
    name = f"timebank_template_{uuid.uuid4().hex[:8]}"
    run_sql(server_url, f'create database "{name}"')
    migrations.upgrade(named(server_url, name))
    return name


@contextmanager
def copied(server_url: str, template: str) -> Iterator[str]:
    """A copy of a database while the block runs: the owner's URL of it."""
    name = f"timebank_test_{uuid.uuid4().hex[:8]}"
    run_sql(server_url, f'create database "{name}" template "{template}"')
    try:
        yield named(server_url, name)
    finally:
        run_sql(server_url, f'drop database "{name}" with (force)')


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """The owner's URL of a migrated, empty database of the test's own."""
    with copied(server_url, template) as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The application's way in, with the application's privileges."""
    database = Database(database_url, role="timebank_app")
    yield database
    await database.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, for looking behind the application's back."""
    connection = await asyncpg.connect(dsn(database_url))
    yield connection
    await connection.close()


@pytest.fixture
def world(db: Database) -> World:
    """Builds a county; every default is valid, a test names only what matters."""
    return World(db)


def named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def run_sql(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn(url))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())
