"""What the house tests read: the source as trees. A check is a function from a tree to complaints."""

import ast
from collections.abc import Iterator
from pathlib import Path

import timebank

ROOT = Path(__file__).parents[2]
PACKAGE = Path(timebank.__file__).parent


def modules(*folders: str) -> list[Path]:
    """Every module of some floors; a floor that is one file is named without its suffix."""
    found: list[Path] = []
    for folder in folders:
        found += [PACKAGE / f"{folder}.py"] if (PACKAGE / f"{folder}.py").exists() else []
        found += sorted((PACKAGE / folder).rglob("*.py"))
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else str(path)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every import anywhere in a tree as `(module, name)`; the name is empty for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def called(node: ast.Call) -> str:
    """The last name of what is called: `write` for `kit.db.write()`."""
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
    return ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))
