"""Queries select and nothing else, and each is told whose rows it may read."""

import ast
import re
from pathlib import Path

import pytest
from tests.house.source import called, calls, imports, modules, name_of, parse

WRITERS = {"insert", "update", "delete", "driver_of", "create_async_engine"}
WRITING = re.compile(
    r"\b(insert\s+into|update\s+\w+\s+set|delete\s+from|truncate|for\s+(no\s+key\s+)?(update|share)|"
    r"copy\s+\w+|nextval|pg_advisory)\b",
    re.IGNORECASE,
)
WHOSE = {"scope", "snapshot", "volunteer", "organization", "organizations", "partner", "scan"}
"""Keywords that bound what is read: an office's scope, or the snapshot that was opened for one,
somebody's own rows, an organizer's own activities, or the shift whose code was read. Each comes from
a sign-in or from a proof."""


def complaints(tree: ast.Module) -> list[str]:
    found = [
        f"imports {name or module}"
        for module, name in imports(tree)
        if name in WRITERS or module.split(".")[0] == "asyncpg"
    ]
    found += [
        f"calls {called(call)}"
        for call in calls(tree)
        if called(call) in {"insert", "delete", "with_for_update", "begin", "commit", "write"}
        # dict.update takes what it adds; a table's takes nothing.
        or (called(call) == "update" and not call.args and not call.keywords)
    ]
    found += [
        f"says {match.group()}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for match in WRITING.finditer(node.value)
        if not _is_docstring(node, tree)
    ]
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            keywords = {arg.arg for arg in node.args.kwonlyargs}
            if not keywords & WHOSE:
                found.append(f"{node.name} is not told whose rows")
    return found


def _is_docstring(constant: ast.Constant, tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Expr) and node.value is constant for node in ast.walk(tree))


@pytest.mark.parametrize("path", modules("queries"), ids=name_of)
def test_a_query_only_reads(path: Path) -> None:
    assert complaints(parse(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        "from sqlalchemy import update",
        "from sqlalchemy.dialects.postgresql import insert",
        "from timebank.db import driver_of",
        "import asyncpg",
        "statement = tables.book.update()",
        "statement = tables.book.delete().where(x)",
        "statement = select(x).with_for_update()",
        "statement = text('with gone as (delete from shift returning 1) select 1')",
        "SQL = 'insert into shift values (1)'",
        "SQL = f'UPDATE shift SET {x}'",
        "async def everything(conn): ...",
        "async def everything(conn, scope): ...",
    ],
)
def test_a_planted_fault_is_found(planted: str) -> None:
    assert len(complaints(ast.parse(planted))) == 1


def test_a_good_query_is_left_alone() -> None:
    good = '''
from sqlalchemy import select, text

async def rows(conn, *, scope):
    """Say how an update differs from `delete from`."""
    found = {}
    found.update({1: 2})
    return await conn.execute(text("select updated_at from shift"))
'''
    assert complaints(ast.parse(good)) == []
