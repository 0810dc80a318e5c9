"""The canonical form of a pack: what its identity is taken of, and what a database keeps."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

from timebank.policy.document import Fields, Item

FORMAT = 1
"""Version of the canonical form; part of it, so that a change of form changes every hash."""

_UNCOUNTED = frozenset({"status"})
"""Keys of `[pack]` that the identity leaves out: the draft that was tried is what is enacted."""


PARTS = ("table", "pool", "group", "credit")
"""What a pack may have beside rules; in the canonical form of those that have some."""


def write_canonical(
    documents: Mapping[str, Fields], *, sheets: Mapping[str, Sequence[Sequence[str]]]
) -> bytes:
    """Return what decides, or is shown, as UTF-8 JSON with sorted keys and no spaces.

    How it is spread over files, comments, spaces, the status and the cases do not show in it. Days
    are written as `{"$date": "2024-01-01"}`; a table's rows, by file in `sheets`, stand in it.
    """
    main = documents["pack.toml"]
    head = {name: _to_json(item) for name, item in _fields(main["pack"]).items()}
    parameters: dict[str, object] = {}
    rules: list[object] = []
    for root in documents.values():
        if "param" in root:
            parameters |= {name: _to_json(item) for name, item in _fields(root["param"]).items()}
        if "rule" in root and isinstance(root["rule"].value, list):
            rules.extend(_to_json(item) for item in root["rule"].value)
    parts: dict[str, object] = {}
    for name in PARTS:
        found = [
            _with_rows(_to_json(item), sheets)
            for root in documents.values()
            if name in root
            for item in _list(root[name])
        ]
        if found:
            parts[name] = found
    document = {
        "format": FORMAT,
        "pack": {name: value for name, value in head.items() if name not in _UNCOUNTED},
        "instrument": _to_json(main["instrument"]),
        "param": parameters,
        "rule": rules,
    } | parts
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def read_canonical(data: bytes, *, status: str) -> Fields:
    """Return the document of a canonical form, given the status that it leaves out.

    Raises:
        ValueError: The bytes are not a canonical form that this release knows.
    """
    document = json.loads(data)
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError("not a canonical pack")
    root = _fields(_from_json(document))
    if not root.get("param"):
        raise ValueError("not a canonical pack")
    if not _fields(root["param"]):
        del root["param"]
    _fields(root["pack"])["status"] = Item(status, 1)
    return root


def _fields(item: Item) -> Fields:
    if not isinstance(item.value, dict):
        raise ValueError("not a canonical pack")
    return item.value


def _list(item: Item) -> list[Item]:
    return item.value if isinstance(item.value, list) else []


def _with_rows(part: object, sheets: Mapping[str, Sequence[Sequence[str]]]) -> object:
    """Return a part with the rows of its files in their place."""
    if not isinstance(part, dict) or not isinstance(part.get("dated"), list):
        return part
    dated = []
    for version in part["dated"]:
        if isinstance(version, dict) and "file" in version:
            kept = {name: value for name, value in version.items() if name != "file"}
            rows = [list(row) for row in sheets[f"tables/{version['file']}.csv"]]
            dated.append({**kept, "rows": rows})
        else:
            dated.append(version)
    return {**part, "dated": dated}


def _to_json(item: Item) -> object:
    match item.value:
        case dict():
            return {name: _to_json(each) for name, each in item.value.items()}
        case list():
            return [_to_json(each) for each in item.value]
        case date():
            return {"$date": item.value.isoformat()}
        case _:
            return item.value


def _from_json(value: object) -> Item:
    match value:
        case {"$date": str(text), **rest} if not rest:
            return Item(date.fromisoformat(text), 1)
        case dict():
            return Item({str(name): _from_json(each) for name, each in value.items()}, 1)
        case list():
            return Item([_from_json(each) for each in value], 1)
        case bool() | int() | str():
            return Item(value, 1)
        case _:
            raise ValueError("not a canonical pack")
