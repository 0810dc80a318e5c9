"""Handlers read and use cases write; identity and scope come from the sign-in and never from a URL;
no dependency holds a connection."""

import ast
import re
from pathlib import Path

import pytest
from tests.house.source import called, calls, imports, modules, name_of, parse

ABOVE = ("http", "api", "web", "app", "cli")
"""Everything above the use cases."""

SCOPE_BUILDERS = ("http/", "cli/", "store/", "domain/scope.py")
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


OWN = {
    "SEE_OWN_RECORDS": {"volunteer"},
    "SIGN_UP": {"volunteer"},
    "SCAN": {"volunteer"},
    "RUN_ACTIVITIES": {"organizations"},
    "SEE_REPORTS": {"office_scope"},
    "PUBLISH_REPORTS": {"office_scope"},
    "RUN_POLICIES": {"office_scope"},
    "HEAR_APPEALS": {"office_scope"},
    "SEE_AUDIT": {"office_scope"},
    "APPROVE_ENTRIES": {"actor"},
    "SEE_SIGNALS": {"office_scope"},
    "REVIEW_SIGNALS": {"actor", "office_scope"},
}
"""What a handler with a rule must ask for, so that it knows whose rows it may touch."""

VERBS = {"get", "post", "put", "patch", "delete", "route", "asgi", "websocket"}


def unbounded(tree: ast.AST) -> list[str]:
    """Handlers without a rule, or whose rule's actor they never ask for."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or called(decorator) not in VERBS:
                continue
            rules = [_name(each.value) for each in decorator.keywords if each.arg == "rule"]
            if not rules:
                found.append(f"{node.name} states no rule")
                continue
            asked = {each.arg for each in [*node.args.args, *node.args.kwonlyargs]}
            needed = OWN.get(rules[0].rpartition(".")[2], set())
            if not needed <= asked | (
                {"volunteer", "organizations"} if "actor" in asked else set()
            ):
                found.append(f"{node.name} asks for no {', '.join(needed)}")
    return found


@pytest.mark.parametrize("path", modules("api", "web", "app"), ids=name_of)
def test_every_handler_states_its_rule_and_asks_who_it_is_for(path: Path) -> None:
    assert unbounded(parse(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        "@get('/x')\nasync def show(db): ...",
        "@post('/x', rule=Act.SIGN_UP)\nasync def create(db, person: int): ...",
        "@get('/x', rule=Act.SEE_REPORTS)\nasync def show(region: int): ...",
        "@get('/x', rule=Act.SEE_REPORTS)\nasync def show(actor): ...",
        "@get('/x', rule=Act.RUN_ACTIVITIES)\nasync def show(organization: int): ...",
    ],
)
def test_a_planted_unbounded_handler_is_found(planted: str) -> None:
    assert len(unbounded(ast.parse(planted))) == 1


def test_no_limit_is_nested_where_it_is_not_checked() -> None:
    """Litestar ignores constraints inside `FromPath[Annotated[…]]`: month 13 was accepted."""
    nested = re.compile(r"From(Path|Query)\[\s*Annotated")
    assert nested.search("FromPath[Annotated[int, Parameter(le=12)]]")
    found = [name_of(path) for path in modules("api", "web") if nested.search(path.read_text())]
    assert found == []


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


@pytest.mark.parametrize("path", list(modules(*ABOVE)), ids=name_of)
def test_nothing_that_answers_takes_a_whole_county(path: Path) -> None:
    assert not [call for call in calls(parse(path)) if called(call) == "scope_of_book"]


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
