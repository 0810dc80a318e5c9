"""Whoever writes down what the tutorial says has a pack that passes every check."""

import re
from argparse import Namespace
from importlib.resources import files as package_files
from pathlib import Path

import pytest

from timebank.cli import policies
from timebank.policy.pack import read_pack_files
from timebank.policy.problem import PackRefused
from timebank.settings import read_settings

PAGE = (Path(__file__).parents[2] / "docs" / "writing-rules.md").read_text()
BLOCK = re.compile(r"^```(?:toml|csv) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_pack_of_the_tutorial_passes_the_check_and_prints_what_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in BLOCK.findall(PAGE):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    code = policies.check_pack(Namespace(folder=tmp_path), read_settings({}, is_root=False))

    printed = capsys.readouterr().out
    assert code == 0, printed
    for line in printed.splitlines():
        assert re.sub(r"hash \w+", "hash …", line) in PAGE


def test_the_editors_sample_is_the_pack_of_the_tutorial() -> None:
    folder = Path(str(package_files("timebank"))) / "data/sample-pack"
    sample = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".toml", ".csv")
    }
    assert sample == dict(BLOCK.findall(PAGE))


def test_an_amendment_of_the_tutorial_is_a_new_dated_value() -> None:
    files = {name: text.encode() for name, text in BLOCK.findall(PAGE)}
    (later,) = re.findall(r"^```\n(\[\[param\.menu_minutes\]\]\n.*?)^```$", PAGE, re.M | re.S)
    amended = files["params.toml"] + b"\n" + later.replace("qh-2026-9", "qh-2026-1").encode()

    pack = read_pack_files({**files, "params.toml": amended})
    assert not isinstance(pack, PackRefused), str(pack)
    (menu,) = (each for each in pack.parameters if each.name == "menu_minutes")
    assert [dated.value for dated in menu.values] == [1200, 1500]
