"""The pure floors import from an allow-list each, and contain nothing that waits, reads or prints."""

import ast
import sys
from pathlib import Path

import pytest
from tests.house.source import called, calls, imports, modules, name_of, parse

IMPURE = {
    "asyncio",
    "atexit",
    "concurrent",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "queue",
    "random",
    "secrets",
    "select",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
}
"""Modules of the standard library that reach out of a function's arguments."""

STANDARD = frozenset(sys.stdlib_module_names) - IMPURE

ALLOWED: dict[str, frozenset[str]] = {
    "domain": STANDARD | {"timebank.domain"},
    "policy": STANDARD | {"timebank.domain", "timebank.policy"},
    "trust": STANDARD | {"timebank.domain", "timebank.trust", "cryptography"},
}

EXCEPTIONS = {
    # A pack is read from a folder that the caller names.
    "policy/pack.py": {"imports pathlib", "calls open"},
    # The same conditions over a whole population.
    "policy/columns.py": {"imports numpy", "imports numpy.typing"},
    # Everybody's service by month.
    "policy/cube.py": {"imports numpy", "imports numpy.typing"},
    "policy/simulation.py": {"imports numpy", "imports numpy.typing"},
    "policy/timeline.py": {"imports numpy", "imports numpy.typing"},
    "policy/rationing.py": {"imports numpy", "imports numpy.typing"},
    "policy/forecast.py": {"imports numpy", "imports numpy.typing"},
    # Made-up people for a plug-in's contract.
    "policy/plugin_kit.py": {
        "imports numpy",
        "imports numpy.typing",
        "imports sys",
        "imports contextlib",
    },
    "policy/extension.py": {"imports numpy", "imports numpy.typing"},
    # A pack that a package brings is a folder of its files.
    "policy/plugins.py": {"imports pathlib"},
    # The same forms of a whole history.
    "trust/leaf_columns.py": {"imports numpy", "imports numpy.typing"},
}

REACHING = {"open", "input", "print", "exec", "eval", "now", "utcnow", "today", "__import__"}


def complaints(tree: ast.AST, *, floor: str, name: str) -> list[str]:
    found = [
        f"imports {module}" for module, _ in imports(tree) if _top(module) not in ALLOWED[floor]
    ]
    found += [
        "waits"
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    found += [f"calls {called(call)}" for call in calls(tree) if called(call) in REACHING]
    return [complaint for complaint in found if complaint not in EXCEPTIONS.get(name, ())]


def _top(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "timebank" else 1])


@pytest.mark.parametrize("path", modules(*ALLOWED), ids=name_of)
def test_a_pure_module_is_pure(path: Path) -> None:
    floor = name_of(path).split("/")[0]
    assert complaints(parse(path), floor=floor, name=name_of(path)) == []


@pytest.mark.parametrize(
    ("floor", "planted"),
    [
        ("domain", "import os"),
        ("domain", "from timebank.policy import fact"),
        ("domain", "def f():\n    import sqlalchemy"),
        ("domain", "import numpy"),
        ("domain", "async def f(): pass"),
        ("domain", "open('x')"),
        ("domain", "at = datetime.now(UTC)"),
        ("domain", "date.today()"),
        ("policy", "import numpy as np"),
        ("policy", "from timebank.db import metadata"),
        ("policy", "eval(condition)"),
        ("trust", "import timebank.policy"),
        ("trust", "import requests"),
    ],
)
def test_a_planted_fault_is_found(floor: str, planted: str) -> None:
    assert len(complaints(ast.parse(planted), floor=floor, name=f"{floor}/planted.py")) == 1
