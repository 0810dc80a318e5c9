"""What a form shows is what the files say, and what it writes reads the same."""

from importlib.resources import files as package_files
from pathlib import Path

import pytest

from timebank.policy.authoring import (
    Node,
    added,
    look_through,
    nodes_of,
    removed,
    with_typed,
    write_file,
)
from timebank.policy.check import run_cases, unseen_outcomes
from timebank.policy.document import read_document

PACKS = [
    *sorted(
        each for each in (Path(str(package_files("timebank"))) / "packs").iterdir() if each.is_dir()
    ),
    Path(str(package_files("timebank"))) / "data/sample-pack",
]


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".toml", ".csv")
    }


def names(nodes: tuple[Node, ...]) -> dict[str, str]:
    found = {}
    for node in nodes:
        if node.parts:
            found |= names(node.parts)
        else:
            found[node.name] = node.text
    return found


@pytest.mark.parametrize("folder", PACKS, ids=lambda each: each.name)
def test_a_form_writes_what_it_shows(folder: Path) -> None:
    before = texts(folder)
    pack = look_through(before).pack
    assert pack is not None
    after = {}
    for name, text in before.items():
        if not name.endswith(".toml"):
            after[name] = text
            continue
        root = read_document(text.encode(), file=name).root
        assert root is not None
        after[name] = write_file(with_typed(root, names(nodes_of(root))))
    again = look_through(after).pack
    assert again is not None
    assert (again.hash, len(again.cases)) == (pack.hash, len(pack.cases))


def test_the_sample_can_be_enacted_as_it_is() -> None:
    pack = look_through(texts(PACKS[-1])).pack
    assert pack is not None
    assert run_cases(pack) == ()
    assert unseen_outcomes(pack) == ()


@pytest.mark.parametrize(
    ("field", "typed", "path", "code"),
    [
        (
            "i:param/bus_minutes/0/value",
            "1.5",
            ("param", "bus_minutes"),
            "pack.wrong_type",
        ),
        (
            "s:param/bus_minutes/0/cite",
            "nowhere 1",
            ("param", "bus_minutes", "0", "cite"),
            "pack.unknown_instrument",
        ),
        (
            "s:param/bus_minutes/0/source",
            "guess",
            ("param", "bus_minutes", "0", "source"),
            "pack.wrong_value",
        ),
        (
            "d:param/bus_minutes/0/from",
            "",
            ("param", "bus_minutes", "0", "from"),
            "pack.wrong_type",
        ),
    ],
)
def test_a_refusal_stands_at_its_field(
    field: str, typed: str, path: tuple[str, ...], code: str
) -> None:
    files = texts(PACKS[-1])
    root = read_document(files["params.toml"].encode(), file="params.toml").root
    assert root is not None
    looked = look_through({**files, "params.toml": write_file(with_typed(root, {field: typed}))})
    assert looked.pack is None
    assert code in {each.code.value for each in looked.at["params.toml", path]}


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [("100 小时", 6000), ("1 小时 30 分", 90), ("2 h 5 min", 125), ("90", 90), ("3小时", 180)],
)
def test_time_is_typed_as_people_say_it(typed: str, minutes: int) -> None:
    root = read_document(b"[[param.film_minutes]]\nvalue = 1\n", file="params.toml").root
    assert root is not None
    written = write_file(with_typed(root, {"i:param/film_minutes/0/value": typed}))
    assert f"value = {minutes}\n" in written


def test_rows_are_added_and_taken_away_whole() -> None:
    text = '[[rule]]\nid = "a"\nwhen = { all = [{ fact = "x" }] }\n'
    root = read_document(text.encode(), file="rules/a.toml").root
    assert root is not None
    longer = added(root, ["rule", "0", "when", "all"], {"fact": "y"})
    assert '{ fact = "y" },' in write_file(longer)
    assert write_file(removed(longer, ["rule", "0", "when", "all", "1"])) == write_file(root)
    assert write_file(removed(root, ["rule", "0"])).strip() == ""
    assert added(root, ["nothing", "0", "there"], 1) == root
    for path in (["rule", "9"], ["rule", "0", "id", "deeper"], ["rule", "x"]):
        assert write_file(removed(root, path)) == write_file(root)
