"""Packs as forms: a tree of fields with a path each, written back as the same files.

A form shows what the files say and writes what it shows; whoever prefers the text may edit that. To
say at which field the loader refuses something, the tree is read with the number of each field as
its line.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from timebank.policy.document import Fields, Item, read_document
from timebank.policy.fact import FactUnit
from timebank.policy.pack import assemble, read_pack_files
from timebank.policy.problem import PackRefused, Problem
from timebank.policy.rule import Pack
from timebank.policy.sheet import Sheet, read_sheet

Files = Mapping[str, str]
"""The files of a pack by name, as text."""

FIELDS_MAX = 3_000
"""Fields of one form: more than any pack's part has."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
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


def with_typed(fields: Fields, typed: Mapping[str, str]) -> Fields:
    """Return a table with what was typed into its fields; names that it does not have do nothing.

    What cannot be read as the field's kind stays as the text that it is, and the loader says so.
    """
    return {name: _with_typed(item, (name,), typed) for name, item in fields.items()}


def _with_typed(item: Item, path: tuple[str, ...], typed: Mapping[str, str]) -> Item:
    node = _node(item, path)
    match item.value:
        case dict():
            return Item(
                {key: _with_typed(each, (*path, key), typed) for key, each in item.value.items()},
                item.line,
            )
        case list() if node.kind is Kind.ROWS:
            rows = [
                _with_typed(each, (*path, str(at)), typed) for at, each in enumerate(item.value)
            ]
            return Item(rows, item.line)
    if node.name not in typed:
        return item
    text = typed[node.name].strip()
    is_time = any(each.endswith("minutes") for each in path)
    if node.kind is Kind.LIST:
        parts = [part.strip() for part in re.split(r"[,，、]", text) if part.strip()]
        # Codes of divisions are written as texts, and stay so.
        is_text = isinstance(item.value, list) and all(
            isinstance(each.value, str) for each in item.value
        )
        values = [part if is_text else _value(part, is_time=is_time) for part in parts]
        return Item([Item(value, item.line) for value in values], item.line)
    if node.kind is Kind.TEXT and not _is_counted(path):
        return Item(text, item.line)
    return Item(_value(text, is_time=is_time), item.line)


def _is_counted(path: tuple[str, ...]) -> bool:
    """Return whether a text stands where a number or a day belongs: a slip that is being mended."""
    if path[-1] in ("from", "through", "on", "date", "count", "max", "at_least"):
        return True
    units = tuple(each.value for each in FactUnit)
    return path[-1] == "value" and path[0] == "param" and path[1].endswith(units)


def _value(text: str, *, is_time: bool = False) -> int | bool | date | str:
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


def added(fields: Fields, path: Sequence[str], value: object) -> Fields:
    """Return a table with a value put in: at the end of the list at a path, or as a new key."""
    return _changed(fields, list(path), item_of(value), is_removed=False)


def removed(fields: Fields, path: Sequence[str]) -> Fields:
    """Return a table without what stands at a path."""
    return _changed(fields, list(path), None, is_removed=True)


def item_of(value: object) -> Item:
    """Return plain values as the reader of files would."""
    match value:
        case dict():
            return Item({str(name): item_of(each) for name, each in value.items()}, 0)
        case list() | tuple():
            return Item([item_of(each) for each in value], 0)
        case bool() | int() | str() | date():
            return Item(value, 0)
        case _:
            raise ValueError(f"{value!r} does not stand in a pack")


def _changed(fields: Fields, path: list[str], value: Item | None, *, is_removed: bool) -> Fields:
    head, *rest = path
    found = dict(fields)
    if not rest:
        if is_removed:
            found.pop(head, None)
        elif value is not None:
            there = found.get(head)
            if there is not None and isinstance(there.value, list):
                found[head] = Item([*there.value, value], there.line)
            else:
                found[head] = value
        return found
    there = found.get(head)
    if there is None:
        return fields
    if isinstance(there.value, dict):
        inner = _changed(there.value, rest, value, is_removed=is_removed)
        # A group or a parameter of which nothing is left is no longer there.
        if inner or not is_removed:
            found[head] = Item(inner, there.line)
        else:
            del found[head]
    elif isinstance(there.value, list) and rest[0].isdigit() and int(rest[0]) < len(there.value):
        rows = list(there.value)
        at, further = int(rest[0]), rest[1:]
        row = rows[at].value
        if not further and is_removed:
            del rows[at]
        elif further and isinstance(row, dict):
            rows[at] = Item(_changed(row, further, value, is_removed=is_removed), rows[at].line)
        if rows:
            found[head] = Item(rows, there.line)
        else:
            del found[head]
    return found


def write_file(fields: Fields) -> str:
    """Return a table as the text of a file; the reader reads the same of it."""
    lines: list[str] = []
    for name, item in fields.items():
        match item.value:
            case dict() if name == "param":
                for parameter, values in item.value.items():
                    for row in values.value if isinstance(values.value, list) else []:
                        lines += ["", f"[[param.{_key(parameter)}]]", *_pairs(row)]
            case dict():
                lines += ["", f"[{_key(name)}]", *_pairs(item)]
            case list():
                for row in item.value:
                    lines += ["", f"[[{_key(name)}]]", *_pairs(row)]
            case _:
                lines.append(f"{_key(name)} = {_text(item)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def _pairs(item: Item) -> Iterator[str]:
    if isinstance(item.value, dict):
        for name, each in item.value.items():
            yield f"{_key(name)} = {_text(each)}"


def _text(item: Item) -> str:
    match item.value:
        case dict():
            inner = ", ".join(f"{_key(name)} = {_text(each)}" for name, each in item.value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() if item.value and isinstance(item.value[0].value, dict):
            return "[\n" + "".join(f"  {_text(each)},\n" for each in item.value) + "]"
        case list():
            return "[" + ", ".join(_text(each) for each in item.value) + "]"
        case str():
            return json.dumps(item.value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return _scalar(item)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


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
    documents: dict[str, Fields] = {}
    paths: dict[tuple[str, int], tuple[str, ...]] = {}
    for name, text in files.items():
        if not name.endswith(".toml"):
            continue
        root = read_document(text.encode(), file=name).root
        if root is None:
            return Looked(None, read.problems, {})
        counted: list[tuple[str, ...]] = []
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
    for problem in numbered.problems:
        path = paths.get((problem.file, problem.line), ())
        at.setdefault((problem.file, path), []).append(problem)
        # What is wrong with a number shows where it is used; it is mended where it stands.
        home = (declared.get(problem.subject, ""), ("param", problem.subject))
        if home[0] and home != (problem.file, path[:2]):
            at.setdefault(home, []).append(problem)
    return Looked(None, read.problems, {key: tuple(found) for key, found in at.items()})


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
