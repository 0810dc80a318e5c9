"""Whatever is done to the text of a shipped pack, it is read or refused, at once and with its place."""

import random
from pathlib import Path
from time import process_time

import pytest
from tests.house.source import ROOT

from timebank.policy.pack import read_pack_files
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack

FOLDERS = sorted(each for each in (ROOT / "src/timebank/packs").iterdir() if each.is_dir())

PIECES = [
    b"[[[[", b"{" * 300, b"[" * 300, b"\x00", b"1e999", b"9" * 400, b"inf", b"2024-02-30", b"'''",
    b'"""', b"\xff\xfe", b"all = [", b"not = {", b"[[rule]]\n", b"=", b",", b"}", b"]", b"param",
    b"-1", b"0.5", b"true", b"A" * 5_000, b"min_assurance = 'A9'\n", b"pool = 'x'\n",
    b"mode = 'plugin'\n", b"kind = 'money'",
]  # fmt: skip


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


def mangled(data: bytes, dice: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        start = dice.randrange(len(found) + 1)
        stop = min(len(found), start + dice.choice((1, 3, 20, 200, 2_000)))
        match dice.randrange(5):
            case 0:
                found[start:start] = dice.choice(PIECES)
            case 1:
                del found[start:stop]
            case 2:
                found[start:start] = bytes(found[start:stop]) * dice.choice((1, 3, 50))
            case 3:
                found[start:stop] = dice.choice(PIECES)
            case _:
                lines = bytes(found).split(b"\n")
                lines.insert(dice.randrange(len(lines)), dice.choice(lines))
                found = bytearray(b"\n".join(lines))
    return bytes(found)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_a_mangled_pack_is_read_or_refused_in_a_tenth_of_a_second(folder: Path) -> None:
    whole = read(folder)
    refused = 0
    for seed in range(25):
        dice = random.Random(seed)
        name = dice.choice(sorted(whole))
        files = {**whole, name: mangled(whole[name], dice)}
        started = process_time()
        found = read_pack_files(files)
        spent = process_time() - started
        if spent >= 0.1:
            # A busy machine may be slow once; a pack that is hostile is slow each time.
            started = process_time()
            read_pack_files(files)
            spent = process_time() - started
        assert spent < 0.1, f"seed {seed}, {name}"
        if isinstance(found, PackRefused):
            refused += 1
            assert found.problems
            assert all(each.line >= 0 and each.file in files for each in found.problems), found
        else:
            assert isinstance(found, Pack)
    assert refused > 10
