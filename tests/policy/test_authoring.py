"""What a form shows is what the files say, and what it writes reads the same."""

from importlib.resources import files as package_files
from pathlib import Path

import pytest

from timebank.policy.authoring import Node, look_through, typed_values
from timebank.policy.check import run_cases, unseen_outcomes
from timebank.policy.document import read_document
from timebank.policy.rewriting import set_values

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


def typed_into(text: str, typed: dict[str, str]) -> str:
    root = read_document(text.encode(), file="params.toml").root
    assert root is not None
    return set_values(text, typed_values(root, typed))


def test_the_sample_can_be_enacted_as_it_is() -> None:
    pack = look_through(texts(PACKS[-1])).pack
    assert pack is not None
    assert run_cases(pack) == ()
    assert unseen_outcomes(pack) == ()


@pytest.mark.parametrize(
    ("field", "typed", "path", "code"),
    [
        (
            "i:param/menu_minutes/0/value",
            "1.5",
            ("param", "menu_minutes"),
            "pack.wrong_type",
        ),
        (
            "s:param/menu_minutes/0/cite",
            "nowhere 1",
            ("param", "menu_minutes", "0", "cite"),
            "pack.unknown_instrument",
        ),
        (
            "s:param/menu_minutes/0/cite",
            "qh-2026-1",
            ("param", "menu_minutes", "0", "cite"),
            "pack.no_place",
        ),
        (
            "d:param/menu_minutes/0/from",
            "",
            ("param", "menu_minutes", "0", "from"),
            "pack.wrong_type",
        ),
    ],
)
def test_a_refusal_stands_at_its_field(
    field: str, typed: str, path: tuple[str, ...], code: str
) -> None:
    files = texts(PACKS[-1])
    changed = typed_into(files["params.toml"], {field: typed})
    looked = look_through({**files, "params.toml": changed})
    assert looked.pack is None
    assert code in {each.code.value for each in looked.at["params.toml", path]}


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [("100 小时", 6000), ("1 小时 30 分", 90), ("2 h 5 min", 125), ("90", 90), ("3小时", 180)],
)
def test_time_is_typed_as_people_say_it(typed: str, minutes: int) -> None:
    text = "[[param.film_minutes]]\nvalue = 1\n"
    written = typed_into(text, {"i:param/film_minutes/0/value": typed})
    assert f"value = {minutes}\n" in written
