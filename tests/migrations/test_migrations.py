"""The migrations build exactly the declared tables, and running them again changes nothing."""

import ast
import re
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from anyio import to_thread
from sqlalchemy import CheckConstraint, Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from timebank import migrations
from timebank.db import metadata
from timebank.ledger import tables as ledger_tables
from timebank.store import tables as store_tables

assert ledger_tables.book.metadata is store_tables.region.metadata is metadata

VERSIONS = sorted((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))


def _differences(conn: Connection) -> list[object]:
    context = MigrationContext.configure(
        conn, opts={"compare_type": True, "compare_server_default": True}
    )
    found: list[object] = list(compare_metadata(context, metadata))
    # Alembic does not compare check constraints; their names are ours to compare.
    for table in metadata.tables.values():
        stored = {check["name"] for check in inspect(conn).get_check_constraints(table.name)}
        declared = {
            str(conn.dialect.identifier_preparer.format_constraint(check))
            for check in table.constraints
            if isinstance(check, CheckConstraint)
        }
        if stored != declared:
            found.append((table.name, stored ^ declared))
    return found


async def test_the_migrations_build_exactly_the_declared_tables(
    database_url: str, owner: asyncpg.Connection
) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as conn:
        assert await conn.run_sync(_differences) == []
        # The comparison is seen to find what it is for.
        await owner.execute("alter table book alter column seq set default 1")
        await owner.execute("alter table shift drop constraint ck_shift_span")
        await owner.execute("alter table transfer alter column amount type int")
        await owner.execute("comment on column batch.batch is 'another'")
        assert len(await conn.run_sync(_differences)) == 4
    await engine.dispose()


async def test_running_them_again_changes_nothing(
    database_url: str, owner: asyncpg.Connection
) -> None:
    query = "select attrelid::regclass::text, attname, xmin::text from pg_attribute where attrelid > 16384"
    before = sorted(map(tuple, await owner.fetch(query)))
    await to_thread.run_sync(migrations.upgrade, database_url)
    assert sorted(map(tuple, await owner.fetch(query))) == before


async def test_the_newest_revision_is_the_one_that_a_database_has(
    owner: asyncpg.Connection,
) -> None:
    assert await owner.fetchval("select version_num from alembic_version") == (
        migrations.newest_revision()
    )


async def test_no_row_of_a_county_can_be_found_without_its_book(
    owner: asyncpg.Connection,
) -> None:
    """The book is the shard key: it leads every unique index of a table that has it."""
    indexes = await owner.fetch(
        """
        select c.relname as name, i.relname as index, a.attname as leading
        from pg_index x
        join pg_class c on c.oid = x.indrelid
        join pg_class i on i.oid = x.indexrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0]
        where x.indisunique and c.relnamespace = 'public'::regnamespace
            and exists (
                select from pg_attribute b where b.attrelid = c.oid and b.attname = 'book_id'
            )
        """
    )
    assert len(indexes) > 15
    assert [row["index"] for row in indexes if row["leading"] != "book_id"] == []


async def test_no_foreign_key_leaves_its_book_and_no_trigger_runs(
    owner: asyncpg.Connection,
) -> None:
    keys = await owner.fetch(
        """
        select conname, pg_get_constraintdef(oid) as definition, confrelid::regclass::text as refers
        from pg_constraint where contype = 'f'
        """
    )
    shared = {"book", "unit"}
    for name, definition, refers in keys:
        if refers not in shared:
            assert re.match(r"FOREIGN KEY \(book_id, .*REFERENCES \w+\(book_id, ", definition), name
    triggers = await owner.fetchval("select count(*) from pg_trigger where not tgisinternal")
    sequences = await owner.fetchval("select count(*) from pg_sequences")
    assert (triggers, sequences) == (0, 0)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_says_what_it_locks_and_how_to_go_back(path: Path) -> None:
    tree = ast.parse(path.read_text())
    docstring = ast.get_docstring(tree) or ""
    for heading in ("Lock:", "Way back:"):
        (line,) = [line for line in docstring.splitlines() if line.startswith(heading)]
        assert len(line) > len(heading) + 5


def test_migrations_are_numbered_in_order() -> None:
    assert [path.name[:4] for path in VERSIONS] == [
        f"{number:04}" for number in range(1, len(VERSIONS) + 1)
    ]
