"""A file of a pack is changed in one place, and nothing else of it moves."""

import copy
from typing import Any

import pytest
from tests.policy.test_authoring import PACKS, names, texts

from timebank.policy.authoring import nodes_of, plain_of, typed_values
from timebank.policy.document import read_document
from timebank.policy.rewriting import add_value, remove_value, set_values, value_text

FILES = [
    (f"{folder.name}/{name}", text)
    for folder in PACKS
    for name, text in texts(folder).items()
    if name.endswith(".toml")
]

COMMENTED = """\
# Whose rules these are.
[pack]
id = "a"          # never changes
title = { zh = "甲", en = "A" }  # both

# First the small one.
[[rule]]
id = "small"
when.all = [
  # At least this much.
  { fact = "minutes", op = ">=", param = "small" }, # an hour
  { fact = "no_shows", op = "<=", value = 2 },
]
when.note = "x"

[rule.grant]
kind = "pass"     # a ticket

# Then the large one.
[[rule]]
id = 'large'
valid = { from = 2026-01-01 }
levels = [1, 2, 3]

[[rule.limits]]
max = 1_000
# The end.
"""


def read(text: str) -> Any:
    root = read_document(text.encode(), file="x.toml").root
    assert root is not None, text
    return {name: plain_of(item) for name, item in root.items()}


def paths(value: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, each in inner:
        found.append((*above, str(key)))
        if isinstance(each, dict | list):
            found += paths(each, (*above, str(key)))
    return found


def at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def without(value: Any, path: tuple[str, ...]) -> Any:
    value = copy.deepcopy(value)
    while path:
        holder = at(value, path[:-1])
        del holder[int(path[-1]) if isinstance(holder, list) else path[-1]]
        if holder:
            break
        path = path[:-1]
    return value


def tried(every: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """All places of a small file, some of a large one."""
    return every if len(every) < 60 else every[:: len(every) // 7]


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize(
    ("name", "text"), [("commented", COMMENTED), *FILES], ids=lambda each: each[:40].split("\n")[0]
)
def test_each_place_is_taken_away_alone(name: str, text: str) -> None:
    whole = read(text)
    every = paths(whole)
    for path in tried(every):
        cut = remove_value(text, path)
        assert read(cut) == without(whole, path), path
        lines = [each for each in text.splitlines() if each.strip()]
        # A line that is left stands as it stood, unless something inside it went.
        left = [each for each in cut.splitlines() if each.strip()]
        assert len([each for each in left if each not in lines]) <= 1, path


@pytest.mark.parametrize(
    ("name", "text"), [("commented", COMMENTED), *FILES], ids=lambda each: each[:40].split("\n")[0]
)
def test_each_place_is_changed_or_grows_alone(name: str, text: str) -> None:
    whole = read(text)
    every = paths(whole)
    for path in tried(every):
        there = at(whole, path)
        expected = copy.deepcopy(whole)
        if isinstance(there, list):
            at(expected, path).append({"new": 1} if there and isinstance(there[0], dict) else 9)
            changed = add_value(text, path, at(expected, path)[-1])
        elif isinstance(there, dict) and path != ("param",):
            at(expected, path)["new key"] = "值"
            changed = add_value(text, (*path, "new key"), "值")
        elif isinstance(there, dict):
            expected["param"]["new"] = [{"value": 1}]
            changed = add_value(text, ("param", "new"), {"value": 1})
        else:
            holder = at(expected, path[:-1])
            holder[int(path[-1]) if isinstance(holder, list) else path[-1]] = "改"
            changed = set_values(text, {path: "改"})
        assert read(changed) == expected, path
        assert comments(changed) == comments(text), path
        lines = text.splitlines()
        new = [each for each in changed.splitlines() if each.strip() and each not in lines]
        assert len(new) <= 2, (path, new)


def test_what_is_typed_as_it_stands_changes_no_sign() -> None:
    for _name, text in FILES:
        root = read_document(text.encode(), file="x.toml").root
        assert root is not None
        assert set_values(text, typed_values(root, names(nodes_of(root)))) == text


def test_a_new_table_stands_after_the_last_of_its_kind_and_keeps_the_next_ones_comment() -> None:
    text = '[[rule]]\nid = "a"\n\n# About cases.\n[[case]]\nname = "x"\n'
    assert add_value(text, ["rule"], {"id": "b"}) == (
        '[[rule]]\nid = "a"\n\n[[rule]]\nid = "b"\n\n# About cases.\n[[case]]\nname = "x"\n'
    )
    assert add_value("", ["pool"], {"id": "p"}) == '[[pool]]\nid = "p"\n'


def test_where_nothing_stands_nothing_is_done() -> None:
    for path in (["rule", "9"], ["nothing"], ["rule", "0", "id", "deeper"], []):
        assert remove_value(COMMENTED, path) == COMMENTED
        assert set_values(COMMENTED, {tuple(path): 1}) == COMMENTED
    assert add_value(COMMENTED, ["rule", "0", "id"], 1) == COMMENTED
    assert add_value(COMMENTED, ["nobody", "0", "x"], 1) == COMMENTED
    with pytest.raises(ValueError, match="can be read"):
        remove_value("a = [", ["a"])
    with pytest.raises(ValueError, match="does not stand"):
        value_text(1.5)
