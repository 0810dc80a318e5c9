"""Handlers read and use cases write; identity and scope come from the sign-in and never from a URL;
no dependency holds a connection."""

import ast
from pathlib import Path

import pytest
from tests.house.source import called, calls, imports, modules, name_of, parse

ABOVE = ("http", "api", "web", "app", "cli")
"""Everything above the use cases."""

SCOPE_BUILDERS = ("http/", "cli.py", "store/", "domain/scope.py")
"""The sign-in, the operator's command line, and the appointment that a sign-in is read from."""


def writes(tree: ast.AST, *, name: str) -> list[str]:
    """Above the use cases nothing writes, and only the door that starts jobs speaks SQL."""
    found = [
        f"calls {called(call)}"
        for call in calls(tree)
        if called(call) == "write" and _is_of_database(call)
    ]
    for module, imported in imports(tree):
        if imported == "driver_of":
            found.append("imports driver_of")
        is_database = module.split(".")[0] in {"sqlalchemy", "asyncpg"}
        if is_database and imported != "AsyncConnection" and name.startswith(("api/", "web/")):
            found.append(f"imports {module}")
    return found


def _is_of_database(call: ast.Call) -> bool:
    """A database's `write()` takes nothing; a file's takes what it writes."""
    return not call.args and not call.keywords


def scopes(tree: ast.AST) -> list[str]:
    return ["builds a scope" for call in calls(tree) if called(call) == "Scope"]


def _name(node: ast.expr) -> str:
    return ast.unparse(node)


def generators(trees: list[ast.Module]) -> list[str]:
    """Functions that are provided as dependencies and yield: their clean-up is not promised."""
    provided = {
        _name(call.args[0]).rpartition(".")[2]
        for tree in trees
        for call in calls(tree)
        if called(call) == "Provide" and call.args
    }
    return [
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name in provided
        and any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
    ]


@pytest.mark.parametrize("path", modules(*ABOVE), ids=name_of)
def test_nothing_above_the_use_cases_writes(path: Path) -> None:
    assert writes(parse(path), name=name_of(path)) == []


@pytest.mark.parametrize(
    "path",
    [path for path in modules("") if not name_of(path).startswith(SCOPE_BUILDERS)],
    ids=name_of,
)
def test_a_scope_is_built_at_the_sign_in_only(path: Path) -> None:
    if any(name == "Scope" and "scope" in module for module, name in imports(parse(path))):
        assert scopes(parse(path)) == []


def test_no_dependency_is_a_generator() -> None:
    assert generators([parse(path) for path in modules(*ABOVE)]) == []


def test_statements_of_no_transaction_are_committed_below_the_use_cases() -> None:
    """The use case owns the transaction: nothing below it begins or ends one."""
    ending = {"write", "begin", "commit", "rollback"}
    found = [
        (name_of(path), called(call))
        for path in modules("ledger", "store", "queries")
        for call in calls(parse(path))
        if called(call) in ending and not call.args
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "async def f(db):\n    async with db.write() as conn: ...",
        "async def f(kit):\n    async with kit.db.write() as conn: ...",
        "from timebank.db import driver_of",
        "from sqlalchemy import select",
        "import asyncpg",
    ],
)
def test_a_planted_write_is_found(planted: str) -> None:
    assert len(writes(ast.parse(planted), name="web/planted.py")) == 1


@pytest.mark.parametrize(
    "good", ["stream.write(b'x')", "from sqlalchemy.ext.asyncio import AsyncConnection"]
)
def test_a_file_may_be_written_and_a_connection_named(good: str) -> None:
    assert writes(ast.parse(good), name="web/planted.py") == []


@pytest.mark.parametrize("planted", ["Scope(region)", "scope.Scope(region=330424)"])
def test_a_planted_scope_is_found(planted: str) -> None:
    assert len(scopes(ast.parse(planted))) == 1


def test_a_planted_generator_is_found() -> None:
    planted = """
async def connection(db):
    async with db.read() as conn:
        yield conn

dependencies = {"conn": Provide(connection)}
"""
    assert generators([ast.parse(planted)]) == ["connection"]
