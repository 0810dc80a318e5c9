"""The ledger is append-only by privilege: the server refuses, whatever the application wants."""

import asyncpg
import pytest
from sqlalchemy import Table, text
from sqlalchemy.exc import ProgrammingError
from tests.ledger.book import OpenBook

from timebank.db import Database, metadata
from timebank.ledger import tables as ledger_tables
from timebank.store import tables as store_tables

APPEND_ONLY = (*ledger_tables.APPEND_ONLY, *store_tables.APPEND_ONLY)
ERASABLE = (*ledger_tables.ERASABLE, *store_tables.ERASABLE)
HEADS = (
    ledger_tables.book,
    ledger_tables.carriage,
    *ledger_tables.CHANGING,
    ledger_tables.report_state,
    ledger_tables.volunteer_month,
)
"""Changed in the commit of the entries, with them."""

LEDGER = [table for table in vars(ledger_tables).values() if isinstance(table, Table)]

FORBIDDEN = [
    (table, statement)
    for table in dict.fromkeys([*LEDGER, *APPEND_ONLY])
    for statement in (
        *(
            ()
            if table in HEADS
            else (f"update {table.name} set {next(iter(table.c)).name} = null",)
        ),
        *(() if table in ledger_tables.ERASABLE else (f"delete from {table.name}",)),
        f"truncate {table.name}",
        f"drop table {table.name}",
        f"alter table {table.name} add column more int",
        f"alter table {table.name} disable trigger all",
    )
]


async def test_the_server_refuses_to_change_what_was_written(db: Database, book: OpenBook) -> None:
    await book.post(book.service("a"))

    allowed = [statement for _, statement in FORBIDDEN if not await _is_refused(db, statement)]

    assert not allowed
    assert await book.broken_rules() == []


async def _is_refused(db: Database, statement: str) -> bool:
    try:
        async with db.write() as conn:
            await conn.execute(text(statement))
    except ProgrammingError as error:
        return isinstance(error.orig.__cause__, asyncpg.InsufficientPrivilegeError)
    return False


async def test_privileges_are_those_that_the_tables_declare(owner: asyncpg.Connection) -> None:
    granted: dict[str, set[str]] = {}
    for name, privilege in await owner.fetch(
        """
        select table_name, privilege_type from information_schema.role_table_grants
        where grantee = 'timebank_app' and table_schema = 'public'
        """
    ):
        granted.setdefault(name, set()).add(privilege.lower())

    declared = {"alembic_version": {"select"}}
    for table in metadata.tables.values():
        if table in APPEND_ONLY:
            declared[table.name] = {"select", "insert"}
        elif table in HEADS:
            declared[table.name] = {"select", "insert", "update"}
        elif table in ERASABLE:
            declared[table.name] = {"select", "insert", "delete"}
    changing = {table.name for table in metadata.tables.values()} - declared.keys()
    assert {name: granted[name] for name in declared} == declared
    assert granted.keys() == declared.keys() | changing
    for name in changing:
        assert {"select", "insert"} <= granted[name] <= {"select", "insert", "update", "delete"}


def test_every_ledger_table_is_append_only_but_heads_and_secrets() -> None:
    changing = {*HEADS, *ledger_tables.ERASABLE}
    assert set(LEDGER) - changing == set(ledger_tables.APPEND_ONLY)


async def test_the_role_owns_nothing_and_cannot_become_more(owner: asyncpg.Connection) -> None:
    role = await owner.fetchrow(
        """
        select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
        from pg_roles where rolname = 'timebank_app'
        """
    )
    assert tuple(role) == (False,) * 5
    owned = await owner.fetchval(
        """
        select count(*) from pg_class c join pg_roles r on r.oid = c.relowner
        where r.rolname = 'timebank_app'
        """
    )
    memberships = await owner.fetchval(
        "select count(*) from pg_auth_members where member = 'timebank_app'::regrole"
    )
    assert (owned, memberships) == (0, 0)


async def test_a_page_cannot_write(db: Database, book: OpenBook) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        async with db.read() as conn:
            await conn.execute(text("update book set seq = seq"))
