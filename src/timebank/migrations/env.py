"""How a migration runs: one at a time over all processes, each in its own transaction.

A lock that is not had within seconds fails the migration instead of queueing every request behind
it; a release that is still running must be able to work on the new schema.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from timebank.db import metadata
from timebank.ledger import tables as ledger_tables
from timebank.store import tables as store_tables

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "10min"
ADVISORY_LOCK = 7463619208355341
"""Any number nobody else uses: it keeps two deployments from migrating at once."""

assert ledger_tables.book.metadata is store_tables.region.metadata is metadata  # noqa: S101


def _migrate(conn: Connection) -> None:
    conn.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    conn.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    conn.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
    conn.commit()
    context.configure(
        connection=conn,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    conn.execute(text("select pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
    conn.commit()


async def _run() -> None:
    engine = create_async_engine(
        context.config.attributes["url"], poolclass=NullPool, hide_parameters=True
    )
    async with engine.connect() as conn:
        await conn.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
