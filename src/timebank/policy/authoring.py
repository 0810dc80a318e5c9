"""Packs as forms: a tree of fields with a path each, written back as the same files.

A form shows what the files say and writes what it shows; whoever prefers the text may edit that. To
say at which field the loader refuses something, the tree is read with the number of each field as
its line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from timebank.policy.document import Fields, Item, read_document
from timebank.policy.fact import FactUnit
from timebank.policy.pack import assemble, read_pack_files
from timebank.policy.problem import PackRefused, Problem
from timebank.policy.rewriting import Plain
from timebank.policy.rule import Pack
from timebank.policy.sheet import Sheet, read_sheet

Files = Mapping[str, str]
"""The files of a pack by name, as text."""

FIELDS_MAX = 3_000
"""Fields of one form: more than any pack's part has."""

_HOURS = re.compile(r"(\d{1,7})\s*(?:小时|h|hours?)\s*(?:(\d{1,2})\s*(?:分钟?|min))?")


class Kind(StrEnum):
    """How a field is typed; the word stands before its path in a form."""

    TEXT = "s"
    NUMBER = "i"
    DAY = "d"
    FLAG = "b"
    LIST = "l"
    GROUP = "g"
    ROWS = "r"


@dataclass(frozen=True, slots=True)
class Node:
    """A field, or a group or list of them.

    Attributes:
        path: From the top of the file, such as `("param", "film_minutes", "0", "value")`.
        text: What stands in the field; empty for groups and lists.
    """

    path: tuple[str, ...]
    kind: Kind
    text: str
    parts: "tuple[Node, ...]" = ()

    @property
    def key(self) -> str:
        """Return the name of the field in its table; of a row, that of its list."""
        return next((each for each in reversed(self.path) if not each.isdigit()), "")

    @property
    def name(self) -> str:
        """Return the field's name in a form."""
        return f"{self.kind}:{'/'.join(self.path)}"


def nodes_of(fields: Fields, *, path: tuple[str, ...] = ()) -> tuple[Node, ...]:
    """Return the fields of a table, in its order."""
    return tuple(_node(item, (*path, name)) for name, item in fields.items())


def _node(item: Item, path: tuple[str, ...]) -> Node:
    match item.value:
        case dict():
            return Node(path, Kind.GROUP, "", nodes_of(item.value, path=path))
        case list() if item.value and all(isinstance(each.value, dict) for each in item.value):
            rows = tuple(_node(each, (*path, str(at))) for at, each in enumerate(item.value))
            return Node(path, Kind.ROWS, "", rows)
        case list():
            return Node(path, Kind.LIST, ", ".join(_scalar(each) for each in item.value))
        case bool():
            return Node(path, Kind.FLAG, _scalar(item))
        case int():
            return Node(path, Kind.NUMBER, _scalar(item))
        case date():
            return Node(path, Kind.DAY, _scalar(item))
        case str():
            return Node(path, Kind.TEXT, item.value)


def _scalar(item: Item) -> str:
    value = item.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def typed_values(fields: Fields, typed: Mapping[str, str]) -> dict[tuple[str, ...], Plain]:
    """Return what was typed into a table's fields and differs from what stands there, by path.

    Names that the table does not have do nothing. What cannot be read as the field's kind stays as
    the text that it is, and the loader says so.
    """
    found: dict[tuple[str, ...], Plain] = {}
    for name, item in fields.items():
        found |= _typed_values(item, (name,), typed)
    return found


def _typed_values(
    item: Item, path: tuple[str, ...], typed: Mapping[str, str]
) -> dict[tuple[str, ...], Plain]:
    node = _node(item, path)
    inner: Iterable[tuple[str, Item]] = ()
    match item.value:
        case dict():
            inner = item.value.items()
        case list() if node.kind is Kind.ROWS:
            inner = ((str(at), each) for at, each in enumerate(item.value))
        case _ if node.name not in typed:
            return {}
        case _:
            value = _typed(item, node, typed[node.name].strip())
            return (
                {} if value == plain_of(item) and type(value) is type(item.value) else {path: value}
            )
    found: dict[tuple[str, ...], Plain] = {}
    for key, each in inner:
        found |= _typed_values(each, (*path, key), typed)
    return found


def _typed(item: Item, node: Node, text: str) -> Plain:
    is_time = any(each.endswith("minutes") for each in node.path)
    if node.kind is Kind.LIST:
        parts = [part.strip() for part in re.split(r"[,，、]", text) if part.strip()]
        # Codes of divisions are written as texts, and stay so.
        is_text = isinstance(item.value, list) and all(
            isinstance(each.value, str) for each in item.value
        )
        return [part if is_text else value_of(part, is_time=is_time) for part in parts]
    if node.kind is Kind.TEXT and not _is_counted(node.path):
        return text
    return value_of(text, is_time=is_time)


def plain_of(item: Item) -> Plain:
    """Return what was read as plain values."""
    match item.value:
        case dict():
            return {name: plain_of(each) for name, each in item.value.items()}
        case list():
            return [plain_of(each) for each in item.value]
        case _:
            return item.value


def _is_counted(path: tuple[str, ...]) -> bool:
    """Return whether a text stands where a number or a day belongs: a slip that is being mended."""
    if path[-1] in ("from", "through", "on", "date", "count", "max", "at_least"):
        return True
    units = tuple(each.value for each in FactUnit)
    return path[-1] == "value" and path[0] == "param" and path[1].endswith(units)


def value_of(text: str, *, is_time: bool = False) -> int | bool | date | str:
    """Return what somebody typed: time as people say it, a whole number, a day, or the text."""
    if text in ("true", "false"):
        return text == "true"
    if is_time and (found := _HOURS.fullmatch(text)):
        return int(found[1]) * 60 + int(found[2] or 0)
    if re.fullmatch(r"[+-]?\d{1,15}", text):
        return int(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Looked:
    """What looking through a draft came to.

    Attributes:
        pack: None where the loader refuses it.
        problems: Why; by file, line and code.
        at: The same by the field: file and path.
    """

    pack: Pack | None
    problems: tuple[Problem, ...]
    at: Mapping[tuple[str, tuple[str, ...]], tuple[Problem, ...]]


def look_through(files: Files) -> Looked:
    """Return the pack that a draft's files make, or every problem at its field."""
    data = {name: text.encode() for name, text in files.items()}
    read = read_pack_files(data)
    if not isinstance(read, PackRefused):
        return Looked(read, (), {})
    roots: dict[str, Fields] = {}
    documents: dict[str, Fields] = {}
    paths: dict[tuple[str, int], tuple[str, ...]] = {}
    for name, text in files.items():
        if not name.endswith(".toml"):
            continue
        root = read_document(text.encode(), file=name).root
        if root is None:
            return Looked(None, read.problems, {})
        counted: list[tuple[str, ...]] = []
        roots[name] = root
        documents[name] = {key: _numbered(item, (key,), counted) for key, item in root.items()}
        paths |= {(name, line): path for line, path in enumerate(counted, start=1)}
    sheets: dict[str, Sheet] = {}
    for name, content in data.items():
        if name.endswith(".csv"):
            sheet = read_sheet(content, file=name)
            if isinstance(sheet, Problem):
                return Looked(None, read.problems, {})
            sheets[name] = sheet
    numbered = assemble(documents, sheets)
    if not isinstance(numbered, PackRefused):
        return Looked(None, read.problems, {})
    declared = {
        name: file
        for file, root in documents.items()
        if "param" in root and isinstance(root["param"].value, dict)
        for name in root["param"].value
    }
    at: dict[tuple[str, tuple[str, ...]], list[Problem]] = {}
    for counted_at in numbered.problems:
        path = paths.get((counted_at.file, counted_at.line), ())
        is_sheet = counted_at.file not in documents
        line = counted_at.line if is_sheet else _line_of(roots[counted_at.file], path)
        problem = replace(counted_at, line=line)
        at.setdefault((problem.file, path), []).append(problem)
        # What is wrong with a number shows where it is used; it is mended where it stands.
        home = (declared.get(problem.subject, ""), ("param", problem.subject))
        if home[0] and home != (problem.file, path[:2]):
            line = _line_of(roots[home[0]], (*home[1], "0"))
            there = at.setdefault(home, [])
            if (known := replace(problem, file=home[0], line=line)) not in there:
                there.append(known)
    return Looked(None, read.problems, {key: tuple(found) for key, found in at.items()})


def _line_of(root: Fields, path: tuple[str, ...]) -> int:
    """Return the line on which what stands at a path begins; 1 for the file as a whole."""
    value: Item | None = None
    for key in path:
        inner = root if value is None else value.value
        if isinstance(inner, dict):
            value = inner[key]
        elif isinstance(inner, list):
            value = inner[int(key)]
    return 1 if value is None else value.line


def _numbered(item: Item, path: tuple[str, ...], counted: list[tuple[str, ...]]) -> Item:
    counted.append(path)
    line = len(counted)
    match item.value:
        case dict():
            return Item(
                {key: _numbered(each, (*path, key), counted) for key, each in item.value.items()},
                line,
            )
        case list():
            return Item(
                [_numbered(each, (*path, str(at)), counted) for at, each in enumerate(item.value)],
                line,
            )
        case _:
            return Item(item.value, line)
